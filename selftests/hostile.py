#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""hostile.py: be the peer of a tunnel, and send what no honest peer does.

Reads one command a line and answers each with "ok" or with what was wrong. The
surroundings are those of peer.py.

  handshake            begin a session
  echo SOURCE TARGET   an IPv4 echo from inside; it must be answered
  lost SOURCE TARGET   the same; it must not be answered
  plain HEX            a message with that plaintext
  counter N            a keepalive with that counter
  window               counters at the edges of the replay window
  again [PORT]         the latest message once more, from another port
  flip N               the latest message once more, octet N (or -N) changed
  cut N                the latest message's first N octets
  index                a message for an index that nobody has
  header HEX           a message that begins with those four octets
  reinject FILE DEVICE frames of a capture file, put on a link again
  forge FILE DEVICE N  the same, octet N of the UDP payload changed
"""

import os
import socket
import struct
import sys

from packets import echo_request, is_echo_reply
from peer import Peer, address
from protocol.messages import DATA

WINDOW = 8192 - 64     # counters that are not too old


def frames_of(name):
    """Ethernet frames of a capture file."""
    with open(name, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at < len(data):
        length, = struct.unpack_from(order + "I", data, at + 8)
        yield data[at + 16:at + 16 + length]
        at += 16 + length


class Hostile:
    """Commands, and what they need to remember."""

    def __init__(self):
        self.peer = Peer()
        self.session = None
        self.latest = b""

    def send(self, message):
        self.latest = message
        self.peer.send(message)

    def send_plain(self, plain):
        self.send(self.session.seal(plain))

    def handshake(self):
        self.session = self.peer.handshake()
        self.send_plain(b"")

    def answered(self, source, target, seconds):
        request = echo_request(source, target)
        self.send_plain(request + bytes(-len(request) % 16))
        while True:
            message = self.peer.receive(DATA, seconds=seconds)
            if message is None:
                return False
            plain = self.session.open(message)[1]
            if is_echo_reply(plain):
                return True

    def echo(self, source, target):
        assert self.answered(source, target, 5), "no answer"

    def lost(self, source, target):
        assert not self.answered(source, target, 0.5), "an answer"

    def plain(self, data=""):
        self.send_plain(bytes.fromhex(data))

    def counter_(self, counter):
        self.send(self.session.seal(counter=int(counter)))

    def window(self):
        # Two of these five are too old, or have been there.
        top = self.session.counter + 3 * WINDOW
        for counter in top, top - WINDOW + 1, top - WINDOW, top, top - 1:
            self.send(self.session.seal(counter=counter))
        self.session.counter = top + 1

    def again(self, port=None):
        if port is None:
            self.peer.send(self.latest)
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((address("LOCAL")[0], int(port)))
            other.sendto(self.latest, address("TO"))

    def flip(self, at):
        message = bytearray(self.latest)
        message[int(at)] ^= 0x10
        self.peer.send(bytes(message))

    def cut(self, length):
        self.peer.send(self.latest[:int(length)])

    def index(self):
        self.send(self.session.seal(counter=self.session.counter,
                                    remote=self.session.remote ^ 0x5a5a5a5a))

    def header(self, data):
        message = self.session.seal()
        self.peer.send(bytes.fromhex(data) + message[4:])

    def reinject(self, name, device, at=None):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind((device, 0))
            for frame in map(bytearray, frames_of(name)):
                # No UDP checksum: where it was recorded it was not yet complete.
                frame[14 + 20 + 6:14 + 20 + 8] = bytes(2)
                if at is not None:
                    frame[14 + 20 + 8 + int(at)] ^= 1
                link.send(bytes(frame))

    forge = reinject


def main():
    hostile = Hostile()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        function = getattr(hostile, {"counter": "counter_"}.get(name, name))
        try:
            function(*words)
            print("ok", flush=True)
        except (AssertionError, OSError, ValueError) as error:
            print(f"{type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PSK", "/dev/null")
    main()
