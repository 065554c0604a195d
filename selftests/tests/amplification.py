#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""How many octets come back for those that somebody sends who has proved nothing, and
for the most that anybody gets for a handshake: with the headers of IPv4 and UDP, never
as many as were sent.

    h1 [vpn0 192.168.99.1/24] ---- [10.0.0.2, this program] h2
"""
import os
import socket
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, point, say
from lab import End, begin, check, program
from protocol.messages import (COOKIE, DATA, INITIATION, RESPONSE, V0, V1, V1_GCM, add_macs)
from protocol.noise import clamp

HEADERS = 28
UDP_SEGMENT = 103
TIMES = 10
WORST = {}


def with_mac(kind, version, size, peer):
    return add_macs(bytes([kind, version, 0, 0]) + os.urandom(size - 36), peer.remote)


def of_nobody(peer):
    """What a stranger can send who knows the public key, as short as it may be."""
    yield "an initiation of version 0", with_mac(INITIATION, 0, 148, peer)
    yield "a response of version 0", with_mac(RESPONSE, 0, 92, peer)
    yield "an initiation of version 1", with_mac(INITIATION, 1, 1200, peer)
    yield "a response of version 1", with_mac(RESPONSE, 1, 140, peer)
    for form in V0, V1, V1_GCM:
        yield f"a stranger's initiation, {form}", peer.initiate(
            private=clamp(os.urandom(32)), form=form).message
    for version in 0, 1:
        yield f"a cookie, version {version}", bytes([COOKIE, version, 0, 0]) + os.urandom(60)
        yield f"data, version {version}", bytes([DATA, version, 0, 0]) + os.urandom(28)
    yield "nothing", b""
    yield "noise", os.urandom(16)


def answers(peer, message, seconds):
    """Octets that come back for each that was sent."""
    peer.drain()
    for _ in range(TIMES):
        peer.send(message)
    octets = 0
    while answer := peer.receive(INITIATION, RESPONSE, COOKIE, DATA, seconds=seconds):
        octets += len(answer) + HEADERS
    return octets / (TIMES * (len(message) + HEADERS))


def put_under_load(peer, message):
    """Until a cookie comes; it lasts for a second. In trains, which cost little."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        peer.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, len(message))
        for _ in range(40):
            peer.send(message * 60)
        peer.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
        if peer.receive(COOKIE, seconds=0.01):
            # What waits is looked at before what comes now.
            while peer.receive(COOKIE, seconds=0.05):
                pass
            return
    raise AssertionError("it does not come under load")


def ratio(text, value, least=0):
    WORST[text] = value
    assert least <= value < 1, f"{value:.3f}"


def quiet(end_, peer):
    for name, message in of_nobody(peer):
        check(f"{name}: silence", ratio, name, answers(peer, message, 0.1))


def loaded(end_, peer):
    for name, message in of_nobody(peer):
        put_under_load(peer, with_mac(INITIATION, 0, 148, peer))
        cookies = end_.counters()["tx_cookies"]
        value = answers(peer, message, 0.05)
        check(f"under load, {name}", ratio, f"under load, {name}", value)
        # A response to nothing is none.
        asked = message[:1] == bytes([INITIATION])
        point(f"under load, {name}: {'cookies' if asked else 'no cookies'} were sent",
              (end_.counters()["tx_cookies"] > cookies) == asked)


def known(peer, form):
    """A peer's own handshake."""
    begun = peer.initiate(form=form)
    peer.drain()
    peer.send(begun.message)
    response = peer.expect(RESPONSE)
    ratio(f"a peer's initiation, {form}",
          (len(response) + HEADERS) / (len(begun.message) + HEADERS), 0.01)


def main():
    h1, h2 = begin()
    end_ = End(h1, 1001, "192.168.99.1/24")
    peer = program(h2, 1002, end_, os.urandom(32))
    quiet(end_, peer)
    end_.set_peer(peer.public, "allowed-ips", "192.168.99.2/32", "cipher", "any", psk=peer.psk)
    for form in V0, V1, V1_GCM:
        check(f"a peer's initiation, {form}", known, peer, form)
        time.sleep(0.05)
    loaded(end_, peer)
    for text, value in sorted(WORST.items(), key=lambda item: -item[1]):
        if value:
            say(f"# {value:.3f} octets back for each of: {text}")
    end_.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
