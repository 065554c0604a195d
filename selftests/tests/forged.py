#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Every octet of every kind of message changed, and every message cut at every length,
in both versions and both suites, with the macs that the sender of it made, and with
macs that are right again. It comes from another address than the peer's. All of it is
dropped and counted, nothing is answered, nothing about the peer changes, and what was
changed passes as it was.

    h1 [vpn0 192.168.99.1/24] ---- [10.0.0.2:1002, and somebody at :6666] h2
"""
import os
import socket
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, equal, say
from lab import End, begin, check, program, timescale, wait_until
from packets import echo_request, is_echo_reply
from peer import until_in_time
from protocol import tlv
from protocol.messages import (CONTROL, DATA, INITIATION, MACS_LEN, RESPONSE, V0, V1,
                               V1_GCM, add_macs, write_cookie, write_response)
from protocol.noise import MAC, clamp

INNER, OURS = "192.168.99.1", "192.168.99.2"
MAC2 = 16           # octets at the end that count under load only
SENDER = range(4, 8)    # an index that only mac1 covers
AT_ONCE = 100       # messages, lest so many wait that it counts as load


def changed(message, at):
    """One bit of that octet; another one in each octet."""
    message = bytearray(message)
    message[at] ^= 1 << (at * 5 + 3) % 8
    return bytes(message)


def cut(message):
    return [message[:size] for size in range(len(message))]


def changes(message, until):
    return [changed(message, at) for at in range(until)]


def with_macs(message, receiver):
    """Changes in front of the macs, which are right again. Of what version 1 is filled
    up with, one octet in 16."""
    return [add_macs(changed(message, at)[:-MACS_LEN], receiver)
            for at in range(len(message) - MACS_LEN)
            if at not in SENDER and not (152 < at < len(message) - 52 and at % 16)]


class Stranger:
    """Sends what it has made of somebody's messages, and gets nothing for it."""

    def __init__(self, host, end_):
        self.end = end_
        with host.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((host.address, 6666))
            self.socket.connect((end_.host.address, end_.port))
        self.socket.setblocking(False)
        self.sent = 0

    def refused(self):
        return sum(self.end.drops().values())

    def send(self, messages):
        """Each is dropped for some reason."""
        for first in range(0, len(messages), AT_ONCE):
            some = messages[first:first + AT_ONCE]
            before = self.refused()
            for message in some:
                self.socket.send(message)
            wait_until(lambda: self.refused() - before >= len(some), 5)
            got = self.refused() - before
            assert got == len(some), f"{got} of {len(some)} were dropped"
        self.sent += len(messages)

    def heard(self):
        try:
            return self.socket.recv(65536)
        except BlockingIOError:
            return None


class Scene:
    """The device, its honest peer, and the stranger."""

    def __init__(self, h1, h2, form):
        self.end = End(h1, 1001, f"{INNER}/24")
        self.peer = program(h2, 1002, self.end, os.urandom(32), form=form)
        self.end.set_peer(self.peer.public, "allowed-ips", f"{OURS}/32", "endpoint",
                          f"{h2.address}:1002", "cipher",
                          ("any", "aes-256-gcm")[form.suite], psk=self.peer.psk)
        self.stranger = Stranger(h2, self.end)
        with h1.inside():
            self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def close(self):
        self.inside.close()
        self.stranger.socket.close()
        self.peer.socket.close()
        self.end.host.run("ip", "link", "del", "vpn0")
        self.end.close()

    def state(self):
        """What nobody but the peer may change."""
        shown = self.end.peer(self.peer.public)
        counters = self.end.counters()
        return {**{name: shown[name] for name in ("endpoint", "latest_handshake",
                                                  "rx_bytes", "assigned")},
                **{name: counters[name] for name in ("tx_responses", "tx_cookies",
                                                     "rx_cookies", "rx_responses")}}

    def spoil(self, text, messages):
        """They are sent, and that is all that happens."""
        before = self.state()
        self.stranger.send(messages)
        assert self.state() == before, f"{text}: {before} has become {self.state()}"
        assert self.stranger.heard() is None, f"{text}: an answer"

    def prompt(self):
        self.inside.sendto(b"prompt", (OURS, 9))

    def initiation(self):
        """One of the kernel's."""
        self.peer.drain()
        self.prompt()
        return self.peer.initiation()


def initiations(scene):
    peer = scene.peer
    begun = peer.initiate()
    message = begun.message
    scene.spoil("changed", changes(message, len(message) - MAC2))
    scene.spoil("changed, with macs", with_macs(message, peer.remote))
    scene.spoil("cut", cut(message))
    # Its time stamp has not been used up.
    peer.drain()
    peer.send(message)
    session = peer.finish(begun, peer.expect(RESPONSE))
    peer.send(session.seal())


def responses(scene):
    peer = scene.peer

    def attempt():
        scene.end.restart()
        _, got = scene.initiation()
        message, theirs, ours = write_response(got, clamp(os.urandom(32)), 4711, peer.psk)
        scene.spoil("changed", changes(message, len(message) - MAC2))
        scene.spoil("changed, with macs", with_macs(message, peer.remote))
        scene.spoil("cut", cut(message))
        peer.drain()
        peer.send(message)
        while answer := peer.receive(DATA, INITIATION, seconds=5):
            if answer[0] == INITIATION:
                return False
            return answer[4:8] == (4711).to_bytes(4, "little") and (theirs, ours)
        return False

    until_in_time(attempt)


def cookies(scene):
    peer = scene.peer

    def attempt():
        scene.end.restart()
        message, got = scene.initiation()
        cookie = os.urandom(16)
        reply = write_cookie(got.form.version, got.index, os.urandom(24), cookie,
                             message[-32:-16], peer.public)
        scene.spoil("changed", changes(reply, len(reply)))
        scene.spoil("cut", cut(reply))
        peer.send(reply)
        message, _ = scene.initiation()
        return message[-16:] == MAC(cookie, message[:-16])

    until_in_time(attempt)


def echoed(peer, session):
    while message := peer.receive(DATA, seconds=5):
        if session.is_for_us(message) and is_echo_reply(session.open(message)[1]):
            return
    raise AssertionError("no answer to the message as it was")


def echo_to(session):
    packet = echo_request(OURS, INNER)
    return session.seal(packet + bytes(-len(packet) % 16))


def data(scene):
    peer = scene.peer
    session = peer.handshake()
    peer.send(session.seal())
    message = echo_to(session)
    peer.send(message)
    echoed(peer, session)
    message = echo_to(session)
    # What the device still has to say is no answer to a stranger.
    wait_until(lambda: scene.state() == scene.state(), 2)
    scene.spoil("changed", changes(message, len(message)))
    scene.spoil("cut", cut(message))
    scene.spoil("longer", [message + bytes(size) for size in range(1, 33)])
    peer.drain()
    peer.send(message)
    echoed(peer, session)
    with scene.end.counted("and once only", rx_replay=1):
        scene.stranger.socket.send(message)


def controls(scene):
    peer = scene.peer
    session = peer.handshake()
    peer.send(session.seal())
    octets = os.urandom(8)
    message = session.seal(tlv.control(tlv.write(tlv.PING, octets)), CONTROL)
    scene.spoil("changed", changes(message, len(message)))
    scene.spoil("cut", cut(message))
    peer.drain()
    peer.send(message)
    while answer := peer.receive(DATA, seconds=5):
        flags, plain = session.open(answer)
        if flags == CONTROL:
            equal("the ping as it was is answered", [octets],
                  tlv.values(tlv.read(plain, tlv.IN_CONTROL), tlv.PONG))
            return
    raise AssertionError("no pong")


def main():
    h1, h2 = begin()
    for form in V0, V1, V1_GCM:
        name = f"version {form.version}, suite {form.suite}"
        scene = Scene(h1, h2, form)
        check(f"initiations, {name}", initiations, scene)
        check(f"data, {name}", data, scene)
        if form.version:
            check(f"control messages, {name}", controls, scene)
        try:
            timescale(2)
            check(f"responses, {name}", responses, scene)
            check(f"cookies, {name}", cookies, scene)
        finally:
            timescale(1)
        equal(f"where the peer is, {name}", f"{h2.address}:1002",
              scene.end.peer(scene.peer.public)["endpoint"])
        say(f"# {name}: {scene.stranger.sent} forgeries were dropped")
        scene.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
