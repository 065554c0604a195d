#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Version 1, and an initiator that breaks its rules: lengths, headers, lists that
are malformed, replays, strangers. Each gets silence and its counter, and the honest
handshake after it works.

    h1 [vpn0 192.168.99.1/24] ---- [10.0.0.2:1002 this program] h2
"""
import json
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, say
from lab import End, begin, check, program
from packets import echo_request, is_echo_reply
from protocol import tlv
from protocol.messages import (CONTROL, DATA, INITIATION, RESPONSE, V0, V1, V1_GCM,
                               Form, add_macs, seal_data, tai64n)
from protocol.noise import clamp

INNER, OURS = "192.168.99.1", "192.168.99.2"
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors",
                       "tlvs.json")


def works(peer, **contents):
    """A handshake, and a packet each way."""
    peer.drain()
    session = peer.handshake(**contents)
    packet = echo_request(OURS, INNER)
    peer.send(session.seal(packet + bytes(-len(packet) % 16)))
    while message := peer.receive(DATA, seconds=5):
        if session.is_for_us(message) and is_echo_reply(session.open(message)[1]):
            return session
    raise AssertionError("no answer to an echo")


def send_all(peer, messages, pause=0.0):
    for message in messages:
        time.sleep(pause)
        peer.send(message)


def with_header(peer, message, *header):
    """With other octets in front; what covers them is right again."""
    return add_macs(bytes(header) + message[len(header):-32], peer.remote)


# Headers and lengths.

def lengths(peer):
    for form in V1, V1_GCM:
        for size in 1199, 4097:
            yield peer.initiate(form=form, size=size).message
    good = peer.initiate().message
    yield from (good[:148], good[:1199], good + bytes(4096 - 1199))
    # What version 0 and version 1 look like to each other.
    yield with_header(peer, good, INITIATION, 0)
    yield with_header(peer, peer.initiate(form=V0).message, INITIATION, 1)


def headers(peer):
    for header in ((1, 2), (1, 255), (1, 1, 2), (1, 1, 3), (1, 1, 255), (1, 1, 0, 1),
                   (1, 1, 1, 1), (1, 0, 1), (0, 1), (5, 1), (255, 1)):
        yield with_header(peer, peer.initiate().message, *header)


def other_kinds(peer):
    body = peer.initiate().message
    for size in (139, 141, 187, 1197, 1200):
        yield add_macs(bytes([RESPONSE, 1, 0, 0]) + body[4:size - 32], peer.remote)
    for flags in 1, 2:
        yield bytes([3, 1, flags, 0]) + body[4:64]
    for size in 63, 65:
        yield bytes([3, 1, 0, 0]) + body[4:size]
    for size in 16, 31:
        yield bytes([DATA, 1, 0, 0]) + body[4:size]
    for flags in (2, 0), (4, 0), (0x80, 0), (0, 1), (3, 0):
        yield bytes([DATA, 1, *flags]) + body[4:200]


def test_headers(end_, peer):
    for name, make in (("lengths", lengths), ("headers", headers),
                       ("responses, cookies and data", other_kinds)):
        messages = list(make(peer))
        with end_.counted(f"{name} that there are not ({len(messages)})",
                          rx_malformed=len(messages)):
            send_all(peer, messages)
        check(f"{name}: silence", peer.silence, name, 0.2)
    check("the shortest and the longest there are", lambda: [
        works(peer, form=form, size=size) for form, size in ((V1, 1200), (V1_GCM, 4096))])

    # Cut in front of the macs, which are right: nothing opens.
    body = peer.initiate(size=1500).message[:-32]
    with end_.counted("shorter than when it was sealed", handshake_refused=3):
        send_all(peer, [add_macs(body[:size], peer.remote)
                        for size in (1168, 1467, 1300)], 0.03)
    with end_.counted("longer than when it was sealed", handshake_refused=1):
        peer.send(add_macs(body + bytes(16), peer.remote))
    with end_.counted("a wrong mac1", handshake_bad_mac=2):
        for form in V1, V1_GCM:
            message = peer.initiate(form=form).message
            peer.send(message[:-32] + bytes([message[-32] ^ 1]) + message[-31:])


# Lists.

def test_lists(end_, peer):
    with open(VECTORS, encoding="utf-8") as file:
        vectors = [vector for vector in json.load(file)
                   if vector["place"] == "initiation" and vector["result"] == "malformed"]
    for form in V1, V1_GCM:
        with end_.counted(f"{len(vectors)} malformed lists, suite {form.suite}",
                          handshake_refused=len(vectors)):
            for vector in vectors:
                time.sleep(0.025)   # not more often than we are allowed to
                tlvs = bytes.fromhex(vector["octets"])
                # One that is cut off ends with the message.
                size = 88 + 12 + len(tlvs) + 48 if "cut off" in vector["name"] or \
                    vector["name"] in ("a type alone", "no length", "half a length",
                                       "no value", "the greatest length") else 1200
                if size < 1200:
                    tlvs = tlv.write(200, bytes(1200 - size - 4), False) + tlvs
                peer.send(peer.initiate(form=form, tlvs=tlvs).message)
        check(f"silence, suite {form.suite}", peer.silence, "a malformed list", 0.2)
        check(f"an honest one works, suite {form.suite}", works, peer, form=form,
              tlvs=tlv.write(tlv.HOST_NAME, "honest"))


# Forgeries.

def changed(message, at):
    message = bytearray(message)
    message[at] ^= 1
    return bytes(message)


def test_forgeries(end_, peer):
    for form in V1, V1_GCM:
        good = peer.initiate(form=form).message
        places = 10, 50, 80, 90, 100, 600, 1150
        with end_.counted(f"one bit is another, suite {form.suite}",
                          handshake_refused=len(places)):
            send_all(peer, [add_macs(changed(good, at)[:-32], peer.remote)
                            for at in places], 0.03)
        other = Form(1, 1 - form.suite)
        with end_.counted(f"the other suite than it was made for, suite {form.suite}",
                          handshake_refused=1):
            peer.send(with_header(peer, good, INITIATION, 1, other.suite))

        when = time.time_ns()
        first = peer.initiate(tai64n(when), form=form).message
        with end_.counted(f"a replay, and older time stamps, suite {form.suite}",
                          handshake_refused=4):
            peer.send(first)
            peer.expect(RESPONSE)
            time.sleep(0.05)
            peer.send(first)
            send_all(peer, (peer.initiate(tai64n(when), form=other).message,
                            peer.initiate(tai64n(when - 10**9), form=form).message,
                            peer.initiate(tai64n(when - 10**9), form=V0).message), 0.03)
            check(f"silence, suite {form.suite}", peer.silence, "a replay", 0.2)
        with end_.counted(f"a stranger, suite {form.suite}", handshake_refused=1):
            peer.send(peer.initiate(form=form, private=clamp(os.urandom(32))).message)
        with end_.counted(f"a key of low order, suite {form.suite}",
                          handshake_refused=1):
            peer.send(low_order(peer, form))
        check(f"silence to all of these, suite {form.suite}", peer.silence, "it", 0.2)
        check(f"an honest one works, suite {form.suite}", works, peer, form=form)


def low_order(peer, form):
    """Anybody knows the shared secret."""
    noise = form.noise(peer.remote)
    body = form.header(INITIATION) + bytes(4) + noise.ephemeral(bytes(32))
    body += noise.seal(noise.key(bytes(32)), peer.public)
    body += noise.seal(noise.key(bytes(32)), peer.now() + bytes(1052))
    return add_macs(body, peer.remote)


# Sessions.

def test_sessions(end_, peer):
    for form in V0, V1, V1_GCM:
        session = works(peer, form=form)
        others = [other for other in (V0, V1) if other.version != form.version]
        for other in others:
            message = seal_data(other, session.sending, session.remote, 50, b"")
            with end_.counted(f"data of version {other.version} on a session of "
                              f"{form.version}, suite {form.suite}", rx_malformed=1):
                peer.send(message)
        if form == V0:
            continue
        wrong = Form(1, 1 - form.suite)
        with end_.counted(f"sealed in the other suite than {form.suite}", rx_bad_tag=1):
            peer.send(seal_data(wrong, session.sending, session.remote, 51, b""))
        with end_.counted("without the header as associated data", rx_bad_tag=1):
            plain = seal_data(Form(0, form.suite), session.sending, session.remote, 52,
                              b"")
            peer.send(bytes([DATA, 1]) + plain[2:])
        message = session.seal(counter=53)
        with end_.counted("data and control, once more", rx_replay=2):
            send_all(peer, (message, message))
            message = session.seal(bytes(16), CONTROL, counter=54)
            send_all(peer, (message, message))
        with end_.counted("a packet that is none", rx_not_ip=1):
            peer.send(session.seal(b"\x99" * 32, counter=55))
        check("the session works on", lambda: peer.send(session.seal(counter=56)))
        check("and so does a new one", works, peer, form=form)


def main():
    h1, h2 = begin()
    end_ = End(h1, 1001, f"{INNER}/24")
    peer = program(h2, 1002, end_, os.urandom(32), form=V1)
    end_.set_peer(peer.public, "allowed-ips", f"{OURS}/32", "cipher", "any",
                  psk=peer.psk)
    check("an honest peer", works, peer)
    only_these = sys.argv[1:]
    for test in test_headers, test_lists, test_forgeries, test_sessions:
        if not only_these or test.__name__[5:] in only_these:
            say(f"# {test.__name__[5:]}")
            test(end_, peer)
    end_.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
