# SPDX-License-Identifier: GPL-2.0
"""An end of a tunnel that is a program, and can do what no honest peer does."""

import base64
import os
import select
import socket
import time
from typing import NamedTuple

from protocol.messages import (COOKIE, DATA, INITIATION, RESPONSE, V0, Form,
                               classify, data_head, mac1_fits, open_data,
                               read_initiation, read_response, seal_data, tai64n,
                               write_initiation, write_response)
from protocol.noise import Noise, clamp, public_of

PATIENCE = 60       # seconds for what must come
SILENCE = 1.0       # seconds in which nothing may come


def address(name):
    """What a variable of the environment has, as ADDRESS:PORT."""
    host, port = os.environ[name].rsplit(":", 1)
    return host, int(port)


class Surroundings(NamedTuple):
    """Who we are, whom we speak to, and from where to where."""
    private: bytes
    psk: bytes
    remote: bytes
    local: tuple
    to: tuple

    @classmethod
    def of_environment(cls):
        """KEY and PSK (files), REMOTE (public key), LOCAL and TO (address:port)."""
        def key_file(name):
            with open(os.environ[name], encoding="ascii") as file:
                return base64.b64decode(file.read()) or bytes(32)

        return cls(key_file("KEY"), key_file("PSK"),
                   base64.b64decode(os.environ["REMOTE"]), address("LOCAL"),
                   address("TO"))


def say(text):
    print("# " + text, flush=True)


def random_index():
    return int.from_bytes(os.urandom(4), "little")


class Begun(NamedTuple):
    """An initiation of ours."""
    noise: Noise
    form: Form
    ephemeral: bytes
    index: int
    message: bytes


class Session:
    """Keys, and where to send."""

    def __init__(self, form, local, remote, sending, receiving):
        self.form = form
        self.local = local
        self.remote = remote
        self.sending = sending
        self.receiving = receiving
        self.counter = 0

    def seal(self, plain=b"", flags=0, counter=None, remote=None):
        """The next message, unless the counter of another is given."""
        if counter is None:
            counter = self.counter
            self.counter += 1
        return seal_data(self.form, self.sending,
                         self.remote if remote is None else remote,
                         counter, plain, flags)

    def is_for_us(self, message):
        return data_head(message)[0] == self.local

    def open(self, message):
        """Flags and plaintext."""
        return open_data(self.form, self.receiving, message)


class Peer:
    """A socket, a static key, and a clock that never goes back."""

    def __init__(self, port=None, form=V0, surroundings=None):
        where = surroundings or Surroundings.of_environment()
        self.form = form
        self.private = clamp(where.private)
        self.public = public_of(self.private)
        self.psk = where.psk
        self.remote = where.remote
        self.patience = PATIENCE
        self.stamp = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(where.local if port is None else (where.local[0], port))
        self.socket.connect(where.to)

    def now(self):
        self.stamp = max(self.stamp + 1, time.time_ns())
        return tai64n(self.stamp)

    def send(self, message):
        try:
            self.socket.send(message)
        except ConnectionRefusedError:
            pass

    def receive(self, *kinds, seconds=None):
        """The next message of these kinds, or None."""
        end = time.monotonic() + (self.patience if seconds is None else seconds)
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            try:
                message = self.socket.recv(65536)
            except ConnectionRefusedError:
                continue
            if classify(message)[0] in kinds:
                return message

    def expect(self, *kinds):
        message = self.receive(*kinds)
        assert message, f"no message of kind {kinds} came"
        return message

    def silence(self, why, seconds=SILENCE):
        message = self.receive(RESPONSE, COOKIE, DATA, seconds=seconds)
        assert message is None, f"{why}: answered with kind {message[0]}"

    # As initiator.

    def initiate(self, timestamp=None, cookie=None, private=None, form=None,
                 **contents):
        form = form or self.form
        ephemeral, index = clamp(os.urandom(32)), random_index()
        noise, message = write_initiation(
            private or self.private, ephemeral, self.remote, index,
            timestamp or self.now(), cookie, form, **contents)
        return Begun(noise, form, ephemeral, index, message)

    def read(self, begun, message, psk=None, private=None):
        return read_response(begun.noise, begun.form, private or self.private,
                             begun.ephemeral, begun.index, message, psk or self.psk)

    def session(self, begun, response):
        """What a response that was read gives."""
        return Session(begun.form, begun.index, response.index,
                       response.from_initiator, response.from_responder)

    def finish(self, begun, message, psk=None):
        return self.session(begun, self.read(begun, message, psk))

    def handshake(self, **contents):
        time.sleep(0.05)    # not more often than we are allowed to
        begun = self.initiate(**contents)
        self.send(begun.message)
        return self.finish(begun, self.expect(RESPONSE))

    # As responder.

    def drain(self):
        """Forget what has come."""
        while select.select([self.socket], [], [], 0)[0]:
            try:
                self.socket.recv(65536)
            except ConnectionRefusedError:
                pass

    def initiation(self, message=None):
        """An initiation of the kernel's: the message, and what is in it."""
        message = message or self.expect(INITIATION)
        assert mac1_fits(message, self.public), "wrong mac1"
        got = read_initiation(self.private, message)
        assert got.initiator == self.remote, "somebody else's key"
        return message, got

    def respond(self, got, psk=None, tlvs=b""):
        """Answer; the session."""
        index = random_index()
        response, theirs, ours = write_response(got, clamp(os.urandom(32)), index,
                                                psk or self.psk, tlvs=tlvs)
        self.send(response)
        return Session(got.form, index, got.index, ours, theirs)

    def completes(self, got, **contents):
        """Answer; the session, or None if the kernel had begun anew before it sent
        something."""
        session = self.respond(got, **contents)
        while True:
            message = self.expect(DATA, INITIATION)
            if message[0] == INITIATION:
                return None
            if session.is_for_us(message):
                session.open(message)
                return session


def until_in_time(attempt):
    """The kernel begins anew when we are slow; then so must we."""
    for _ in range(10):
        result = attempt()
        if result:
            return result
        say("the kernel has begun anew")
    raise AssertionError("it never takes our response")
