#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""handshake.py CASE: be the peer of a tunnel, and misbehave where CASE says so.

The protocol is that of vectors/noise.py; see tests/handshake.sh for the cases.
Exit status 0: the other end did as it must. The surroundings are told in the
environment: KEY and PSK (files), REMOTE (public key), LOCAL and TO (address:port).
"""

import base64
import copy
import os
import select
import socket
import struct
import sys
import time

from cryptography.exceptions import InvalidTag

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors"))
# pylint: disable=wrong-import-position
from noise import (AEAD, AEAD_open, HASH, LABEL_COOKIE, LABEL_MAC1, MAC, Noise,
                   XAEAD, XAEAD_open, add_macs, clamp, public_of,
                   read_initiation, read_response, write_initiation,
                   write_response)

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
SIZES = {INITIATION: 148, RESPONSE: 92, COOKIE: 64}
TAI_EPOCH = 0x400000000000000a
TAI_STEP = 1 << 24  # nanoseconds; finer than the rate limit, and no finer
PATIENCE = 60       # seconds for what must come
SILENCE = 1.0       # seconds in which nothing may come


def key_file(name):
    with open(os.environ[name], encoding="ascii") as file:
        return base64.b64decode(file.read())


def address(name):
    host, port = os.environ[name].rsplit(":", 1)
    return host, int(port)


def tai64n(ns):
    return struct.pack(">QI", TAI_EPOCH + ns // 10**9, ns % 10**9)


def say(text):
    print("# " + text, flush=True)


class Peer:
    """Our end: a socket, a static key, and a clock that never goes back."""

    def __init__(self, port=None):
        self.private = clamp(key_file("KEY"))
        self.public = public_of(self.private)
        self.psk = key_file("PSK")
        self.remote = base64.b64decode(os.environ["REMOTE"])
        self.stamp = 0
        local = address("LOCAL")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(local if port is None else (local[0], port))
        self.socket.connect(address("TO"))

    def now(self):
        self.stamp = max(self.stamp + 1, time.time_ns())
        return tai64n(self.stamp)

    def send(self, message):
        try:
            self.socket.send(message)
        except ConnectionRefusedError:
            pass

    def receive(self, *kinds, seconds=PATIENCE):
        """The next message of these kinds, or None."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            try:
                message = self.socket.recv(65536)
            except ConnectionRefusedError:
                continue
            if message[0] in kinds:
                size = SIZES.get(message[0])
                assert size is None or size == len(message), len(message)
                return message

    def expect(self, *kinds):
        message = self.receive(*kinds)
        assert message, f"no message of kind {kinds} came"
        return message

    def silence(self, why):
        message = self.receive(RESPONSE, COOKIE, DATA, seconds=SILENCE)
        assert message is None, f"{why}: answered with kind {message[0]}"

    # As initiator.

    def initiate(self, timestamp=None, cookie=None, private=None):
        """The state, our ephemeral key, our index, the message."""
        ephemeral = clamp(os.urandom(32))
        index = int.from_bytes(os.urandom(4), "little")
        n, message = write_initiation(private or self.private, ephemeral,
                                      self.remote, index,
                                      timestamp or self.now(), cookie)
        return n, ephemeral, index, message

    def finish(self, n, ephemeral, index, response, psk=None):
        """The session: where to send, keys of our direction and of the other."""
        assert struct.unpack_from("<I", response, 8)[0] == index
        remote = read_response(n, self.private, ephemeral, response,
                               psk or self.psk)
        return (remote, *n.session())

    def handshake(self):
        time.sleep(0.05)    # not more often than we are allowed to
        n, ephemeral, index, message = self.initiate()
        self.send(message)
        return self.finish(n, ephemeral, index, self.expect(RESPONSE))

    def data(self, remote, key, counter=0, plain=b""):
        self.send(struct.pack("<BxxxIQ", DATA, remote, counter) +
                  AEAD(key, counter, plain, b""))

    # As responder.

    def initiation(self):
        """An initiation of the kernel's: the message, then read_initiation()."""
        message = self.expect(INITIATION)
        mac1 = MAC(HASH(LABEL_MAC1 + self.public), message[:-32])
        assert message[-32:-16] == mac1, "wrong mac1"
        n, index, who, when = read_initiation(self.private, message)
        assert who == self.remote, "somebody else's key"
        return message, n, index, when

    def respond(self, n, message, psk=None):
        """Answer; our index and the keys of both directions, as initiator's first."""
        index = int.from_bytes(os.urandom(4), "little")
        response = write_response(n, clamp(os.urandom(32)), message,
                                  self.remote, index, psk or self.psk)
        self.send(response)
        return (index, *n.session())

    def completes(self, n, message):
        """Answer: whether data follows. False if the kernel had begun anew."""
        index, key, _ = self.respond(n, message)
        while True:
            message = self.expect(DATA, INITIATION)
            if message[0] == INITIATION:
                return False
            receiver, counter = struct.unpack_from("<IQ", message, 4)
            if receiver == index:
                AEAD_open(key, counter, message[16:], b"")
                return True


def until_in_time(attempt):
    """The kernel begins anew when we are slow; then so must we."""
    for _ in range(10):
        if attempt():
            return
        say("the kernel has begun anew")
    raise AssertionError("it never takes our response")


def case_answer(peer):
    """An initiation is answered, and the session works."""
    n, ephemeral, index, message = peer.initiate()
    peer.send(message)
    response = peer.expect(RESPONSE)
    mac1 = MAC(HASH(LABEL_MAC1 + peer.public), response[:-32])
    assert response[-32:] == mac1 + bytes(16), "wrong macs"
    try:
        peer.finish(copy.copy(n), ephemeral, index, response, bytes(32))
        raise AssertionError("the preshared key makes no difference")
    except InvalidTag:
        pass
    remote, sending, _ = peer.finish(n, ephemeral, index, response)
    peer.data(remote, sending)


def case_replay(peer):
    """A time stamp is good once, and older ones never again."""
    when = time.time_ns()
    first = peer.initiate(tai64n(when))[3]
    peer.send(first)
    peer.expect(RESPONSE)
    time.sleep(0.05)
    peer.send(first)
    peer.silence("the same message")
    peer.send(peer.initiate(tai64n(when))[3])
    peer.silence("the same time stamp")
    peer.send(peer.initiate(tai64n(when - 10**9))[3])
    peer.silence("an older time stamp")
    peer.handshake()


def case_rate(peer):
    """Who is authentic may still not initiate more than 50 times a second."""
    messages = [peer.initiate()[3] for _ in range(100)]
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
    n, _, index, good = peer.initiate(private=clamp(os.urandom(32)))
    peer.send(good)
    peer.silence("a stranger's key")

    good = peer.initiate()[3]
    peer.send(good[:-32] + bytes([good[-32] ^ 1]) + good[-31:])
    peer.silence("a wrong mac1")
    for at in 10, 50, 100:
        bad = bytearray(good[:-32])
        bad[at] ^= 1
        peer.send(add_macs(bytes(bad), peer.remote))
    peer.silence("a changed message")

    # Low order: anybody knows the shared secret.
    n = Noise(peer.remote)
    bad = struct.pack("<BxxxI", INITIATION, index) + n.ephemeral(bytes(32))
    bad += n.seal(n.key(bytes(32)), peer.public)
    bad += n.seal(n.key(bytes(32)), peer.now())
    peer.send(add_macs(bad, peer.remote))
    peer.silence("an ephemeral key of low order")

    peer.handshake()


def case_malformed(peer):
    """Only whole messages of known kinds are looked at."""
    good = peer.initiate()[3]
    body = good[:-32]
    for size in 0, 1, 3, 4, 15, 16, 31, 32, 33, 64, 92, 147:
        peer.send(good[:size])
    peer.send(good + b"\0")
    peer.send(good + good)
    for size in 1, 60, 83, 84, 115, 117, 1000:
        peer.send(add_macs((body + bytes(1000))[:size], peer.remote))
    for at in 1, 2, 3:
        bad = bytearray(body)
        bad[at] = 1
        peer.send(add_macs(bytes(bad), peer.remote))
    for kind in 0, 2, 3, 4, 5, 255:
        for size in 64, 92, 148:
            peer.send(add_macs((bytes([kind]) + body[1:])[:size - 32], peer.remote))
    peer.silence("a malformed message")
    peer.handshake()


def case_respond(peer):
    """Initiations of the kernel are new each time, and it takes one answer."""
    message, _, _, when = peer.initiation()
    again, _, _, later = peer.initiation()
    assert later > when, "the time stamp did not grow"
    for stamp in when, later:
        seconds, ns = struct.unpack(">QI", stamp)
        total = (seconds - TAI_EPOCH) * 10**9 + ns
        assert 0 in (total % TAI_STEP, ns % TAI_STEP), "a precise time stamp"
    assert again[4:40] != message[4:40], "an index or ephemeral key came twice"

    def attempt():
        message, n, _, _ = peer.initiation()
        return peer.completes(n, message)

    until_in_time(attempt)


def case_bad_response(peer):
    """Forged responses change nothing; the right one still completes."""
    def attempt():
        message, n, _, _ = peer.initiation()
        peer.respond(copy.copy(n), message, psk=os.urandom(32))
        good = write_response(copy.copy(n), clamp(os.urandom(32)), message,
                              peer.remote, 7, peer.psk)
        body = bytearray(good[:-32])
        for at in 8, 20, 50:        # the receiver, the ephemeral key, the tag
            body[at] ^= 1
            peer.send(add_macs(bytes(body), peer.remote))
            body[at] ^= 1
        body[12:44] = bytes(32)
        peer.send(add_macs(bytes(body), peer.remote))
        assert not peer.receive(DATA, seconds=0.2), "a forged response was taken"
        return peer.completes(n, message)

    until_in_time(attempt)


def case_crossing(peer):
    """An initiation of the peer that crosses the kernel's spoils neither."""
    def attempt():
        message, n, _, _ = peer.initiation()
        remote, key, _ = peer.handshake()
        if not peer.completes(n, message):
            return False
        peer.data(remote, key)
        return True

    until_in_time(attempt)


def case_cookie(peer):
    """The kernel puts the cookie that it was given on its next message."""
    key = HASH(LABEL_COOKIE + peer.public)
    cookie = os.urandom(16)

    def reply(index, secret, content, mac1):
        nonce = os.urandom(24)
        peer.send(struct.pack("<BxxxI", COOKIE, index) + nonce +
                  XAEAD(secret, nonce, content, mac1))

    def attempt():
        message, _, index, _ = peer.initiation()
        mac1 = message[-32:-16]
        reply(index, os.urandom(32), bytes(16), mac1)
        reply(index, key, bytes(16), os.urandom(16))
        reply(index, key, cookie, mac1)
        reply(index, key, bytes(16), mac1)      # one reply is taken a message
        message, _, _, _ = peer.initiation()
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


def cookie_for(peer, index, message):
    """The cookie that comes for a message; late replies to others are skipped."""
    while reply := peer.receive(COOKIE, seconds=SILENCE):
        if struct.unpack_from("<I", reply, 4)[0] == index:
            return XAEAD_open(HASH(LABEL_COOKIE + peer.remote), reply[8:32],
                              reply[32:], message[-32:-16])
    return None


def answered(peer, index, seconds):
    while response := peer.receive(RESPONSE, seconds=seconds):
        if struct.unpack_from("<I", response, 8)[0] == index:
            return response
    return None


def try_load(peer):
    """One handshake under load; whether it took a cookie."""
    _, _, index, message = peer.initiate()
    peer.send(message)
    cookie = cookie_for(peer, index, message)
    if not cookie:
        return False

    # The cookie is of our address and port, and no other.
    other = Peer(0)
    _, _, index, message = other.initiate(cookie=cookie)
    other.send(message)
    assert not answered(other, index, 0.3), "a cookie of another port"

    # It may be lost in the crowd.
    for _ in range(10):
        n, ephemeral, index, message = peer.initiate(cookie=cookie)
        peer.send(message)
        if response := answered(peer, index, 2 * SILENCE):
            peer.finish(n, ephemeral, index, response)
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
        _, _, index, message = peer.initiate()
        peer.send(message)
        if answered(peer, index, SILENCE):
            return
        assert time.monotonic() < end, "the load does not end"


def case_stamp(peer):
    """Print the time stamp of the kernel's next initiation."""
    print(peer.initiation()[3].hex())


def main():
    if len(sys.argv) != 2 or "case_" + sys.argv[1] not in globals():
        sys.exit(__doc__)
    globals()["case_" + sys.argv[1]](Peer())


if __name__ == "__main__":
    main()
