#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""handshake.py CASE: be the peer of a tunnel, and misbehave where CASE says so.

See tests/handshake.sh for the cases, and peer.py for the surroundings, to which FORM
adds version and suite, as in 1,1. Exit status 0: the other end did as it must.
"""

import os
import struct
import sys
import time

from cryptography.exceptions import InvalidTag

from peer import PATIENCE, SILENCE, Peer, say, until_in_time
from protocol.messages import (COOKIE, DATA, INITIATION, MACS_LEN, RESPONSE,
                               TAI_EPOCH, Form, add_macs, mac1_of, read_cookie, tai64n,
                               write_cookie, write_response)
from protocol.noise import MAC, clamp

TAI_STEP = 1 << 24  # nanoseconds; finer than the rate limit, and no finer


def case_answer(peer):
    """An initiation is answered, and the session works."""
    begun = peer.initiate()
    peer.send(begun.message)
    response = peer.expect(RESPONSE)
    mac1 = mac1_of(response[:-MACS_LEN], peer.public)
    assert response[-MACS_LEN:] == mac1 + bytes(16), "wrong macs"
    try:
        peer.finish(begun, response, bytes(32))
        raise AssertionError("the preshared key makes no difference")
    except InvalidTag:
        pass
    peer.send(peer.finish(begun, response).seal())


def case_replay(peer):
    """A time stamp is good once, and older ones never again."""
    when = time.time_ns()
    first = peer.initiate(tai64n(when)).message
    peer.send(first)
    peer.expect(RESPONSE)
    time.sleep(0.05)
    peer.send(first)
    peer.silence("the same message")
    peer.send(peer.initiate(tai64n(when)).message)
    peer.silence("the same time stamp")
    peer.send(peer.initiate(tai64n(when - 10**9)).message)
    peer.silence("an older time stamp")
    peer.handshake()


def case_rate(peer):
    """Who is authentic may still not initiate more than 50 times a second."""
    messages = [peer.initiate().message for _ in range(100)]
    begin = last = time.monotonic()
    for message in messages:
        peer.send(message)
    answers = 0
    while peer.receive(RESPONSE, seconds=SILENCE):
        answers += 1
        last = time.monotonic()
    say(f"{answers} answers to 100 initiations in {last - begin:.3f} s")
    assert 1 <= answers <= (last - begin) * 50 + 1


def case_stranger(peer):
    """Strangers get no answer, whatever is wrong."""
    stranger = peer.initiate(private=clamp(os.urandom(32)))
    peer.send(stranger.message)
    peer.silence("a stranger's key")

    good = peer.initiate().message
    peer.send(good[:-32] + bytes([good[-32] ^ 1]) + good[-31:])
    peer.silence("a wrong mac1")
    for at in 10, 50, 100:
        bad = bytearray(good[:-32])
        bad[at] ^= 1
        peer.send(add_macs(bytes(bad), peer.remote))
    peer.silence("a changed message")

    # Low order: anybody knows the shared secret.
    n = peer.form.noise(peer.remote)
    bad = peer.form.header(INITIATION) + struct.pack("<I", stranger.index)
    bad += n.ephemeral(bytes(32))
    bad += n.seal(n.key(bytes(32)), peer.public)
    bad += n.seal(n.key(bytes(32)), peer.now() + bytes(peer.form.version * 1052))
    peer.send(add_macs(bad, peer.remote))
    peer.silence("an ephemeral key of low order")

    peer.handshake()


def case_malformed(peer):
    """Only whole messages of known kinds are looked at."""
    good = peer.initiate().message
    body = good[:-32]
    for size in 0, 1, 3, 4, 15, 16, 31, 32, 33, 64, 92, 147:
        peer.send(good[:size])
    peer.send(good + b"\0")
    peer.send(good + good)
    for size in 1, 60, 83, 84, 115, 117, 1000:
        peer.send(add_macs((body + bytes(1000))[:size], peer.remote))
    for at in 1, 2, 3:
        bad = bytearray(body)
        bad[at] ^= 0x82
        peer.send(add_macs(bytes(bad), peer.remote))
    for kind in 0, 2, 3, 4, 5, 255:
        for size in 64, 92, 148:
            peer.send(add_macs((bytes([kind]) + body[1:])[:size - 32], peer.remote))
    peer.silence("a malformed message")
    peer.handshake()


def case_respond(peer):
    """Initiations of the kernel are new each time, and it takes one answer."""
    message, first = peer.initiation()
    again, second = peer.initiation()
    assert second.timestamp > first.timestamp, "the time stamp did not grow"
    for got in first, second:
        seconds, ns = struct.unpack(">QI", got.timestamp)
        total = (seconds - TAI_EPOCH) * 10**9 + ns
        assert 0 in (total % TAI_STEP, ns % TAI_STEP), "a precise time stamp"
    assert again[4:40] != message[4:40], "an index or ephemeral key came twice"
    until_in_time(lambda: peer.completes(peer.initiation()[1]))


def case_bad_response(peer):
    """Forged responses change nothing; the right one still completes."""
    def attempt():
        _, got = peer.initiation()
        peer.respond(got, psk=os.urandom(32))
        good, _, _ = write_response(got, clamp(os.urandom(32)), 7, peer.psk)
        body = bytearray(good[:-32])
        for at in 8, 20, 50:        # the receiver, the ephemeral key, the tag
            body[at] ^= 1
            peer.send(add_macs(bytes(body), peer.remote))
            body[at] ^= 1
        body[12:44] = bytes(32)
        peer.send(add_macs(bytes(body), peer.remote))
        assert not peer.receive(DATA, seconds=0.2), "a forged response was taken"
        return peer.completes(got)

    until_in_time(attempt)


def case_crossing(peer):
    """An initiation of the peer that crosses the kernel's spoils neither."""
    def attempt():
        _, got = peer.initiation()
        session = peer.handshake()
        if not peer.completes(got):
            return False
        peer.send(session.seal())
        return True

    until_in_time(attempt)


def case_cookie(peer):
    """The kernel puts the cookie that it was given on its next message."""
    cookie, other = os.urandom(16), os.urandom(32)

    def reply(got, public, content, mac1):
        peer.send(write_cookie(got.form.version, got.index, os.urandom(24), content,
                               mac1, public))

    def attempt():
        message, got = peer.initiation()
        mac1 = message[-32:-16]
        reply(got, other, bytes(16), mac1)
        reply(got, peer.public, bytes(16), os.urandom(16))
        reply(got, peer.public, cookie, mac1)
        # One reply is taken a message; but which of two that come together is first
        # is up to the processors that they come to.
        time.sleep(0.5)
        reply(got, peer.public, bytes(16), mac1)
        message, _ = peer.initiation()
        if message[-16:] == bytes(16):
            return False
        assert message[-16:] == MAC(cookie, message[:-16]), "not the right mac2"
        return True

    assert peer.initiation()[0][-16:] == bytes(16), "a mac2 without a cookie"
    until_in_time(attempt)


def flood(port):
    """Keep the other end under load until we are killed, and not much more."""
    peer = Peer(port)
    body = bytes([INITIATION]) + bytes(3) + os.urandom(112)
    message = add_macs(body, peer.remote)
    while True:
        for _ in range(256):
            peer.send(message)
        # A cookie says that it is; then there is enough in its queue.
        if peer.receive(COOKIE, seconds=0):
            while peer.receive(COOKIE, seconds=0.1):
                pass


def cookie_for(peer, begun):
    """The cookie that comes for a message; late replies to others are skipped."""
    while reply := peer.receive(COOKIE, seconds=SILENCE):
        if struct.unpack_from("<I", reply, 4)[0] == begun.index:
            return read_cookie(reply, begun.message[-32:-16], peer.remote)[1]
    return None


def answered(peer, index, seconds):
    while response := peer.receive(RESPONSE, seconds=seconds):
        if struct.unpack_from("<I", response, 8)[0] == index:
            return response
    return None


def try_load(peer):
    """One handshake under load; whether it took a cookie."""
    begun = peer.initiate()
    peer.send(begun.message)
    cookie = cookie_for(peer, begun)
    if not cookie:
        return False

    # The cookie is of our address and port, and no other.
    other = Peer(0, peer.form)
    begun = other.initiate(cookie=cookie)
    other.send(begun.message)
    assert not answered(other, begun.index, 0.3), "a cookie of another port"

    # It may be lost in the crowd.
    for _ in range(10):
        begun = peer.initiate(cookie=cookie)
        peer.send(begun.message)
        if response := answered(peer, begun.index, 2 * SILENCE):
            peer.finish(begun, response)
            return True
    return False


def case_load(peer):
    """Under load it takes a cookie, and with one the handshake succeeds."""
    children = []
    for port in 2001, 2002:
        child = os.fork()
        if not child:
            try:
                flood(port)
            finally:
                os._exit(1)
        children.append(child)
    try:
        end = time.monotonic() + PATIENCE
        while not try_load(peer):
            assert time.monotonic() < end, "no handshake with a cookie"
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)

    # When that is over, no cookie is needed any more.
    end = time.monotonic() + PATIENCE
    while True:
        begun = peer.initiate()
        peer.send(begun.message)
        if answered(peer, begun.index, SILENCE):
            return
        assert time.monotonic() < end, "the load does not end"


def case_stamp(peer):
    """Print the time stamp of the kernel's next initiation."""
    print(peer.initiation()[1].timestamp.hex())


def main():
    if len(sys.argv) != 2 or "case_" + sys.argv[1] not in globals():
        sys.exit(__doc__)
    form = Form(*map(int, os.environ.get("FORM", "0").split(",")))
    globals()["case_" + sys.argv[1]](Peer(form=form))


if __name__ == "__main__":
    main()
