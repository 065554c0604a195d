#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# kernels: 7.3
"""Messages at the UDP socket of whoever has the keys: sealed as they should be, so that
what is inside is what the kernel has to stand.

Initiations and responses carry lists of TLVs that are nearly right, control messages
too; data messages carry packets whose headers lie, alone and in trains; a few messages
are damaged outside. Every handshake goes on to work, and the same messages need no more
memory the second time. What reads or writes where it must not, the debug kernel finds. A
seed makes the same messages again:

    fuzz-wire.py [SEED [MESSAGES]]     or SEED and MESSAGES in the environment

    h1 [vpn0 192.168.99.1/24] ---- [10.0.0.2:1002-1007 this program] h2
"""
import collections
import os
import random
import socket
import struct
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, memory_used, no_more_memory, point, say
from lab import End, begin, check, program, timescale
from packets import checksum, echo_request, is_echo_reply
from peer import until_in_time
from protocol import tlv
from protocol.messages import CONTROL, DATA, RESPONSE, V0, V1, V1_GCM

SEED = int((sys.argv[1:2] or [os.environ.get("SEED") or "1"])[0])
MESSAGES = int((sys.argv[2:3] or [os.environ.get("MESSAGES") or "2000"])[0])
INNER = "192.168.99.1"
UDP_SEGMENT = 103
TRAIN_MAX = 16
SEGMENT_MAX = 1472
# Of so many calls one is a handshake, which takes a tenth of a second and more.
HANDSHAKES = 12
SESSION_SECONDS = 5     # ten times as fast as others they get old
PROTOCOLS = (1, 6, 17, 58, 0, 4, 41, 43, 44, 50, 51, 59, 60, 132, 255)
SIZES = (0, 1, 19, 20, 21, 28, 39, 40, 41, 48, 60, 64, 127, 576, 1280, 1400)


class Fuzzer:
    """Makes what is inside of messages."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def odds(self, of):
        return self.dice.randrange(of) == 0

    def number(self, bits):
        """At the edges, mostly."""
        top = (1 << bits) - 1
        return self.dice.choice((0, 1, 2, top, top - 1, top >> 1, self.dice.randrange(top + 1)))

    def value(self, kind):
        """Of a TLV; its length is right, mostly."""
        family = self.dice.choice((4, 16))
        address = self.dice.choice((b"\xc0\xa8\x63", b"\x0a\x08\0", b"\xfd\x99\0", b"\0\0\0",
                                    b"\xff\xff\xff")) + self.dice.randbytes(family - 3)
        if kind in (tlv.REQUESTED_ADDRESS, tlv.DNS):
            value = address
        elif kind in (tlv.ADDRESS, tlv.ROUTE):
            value = bytes([self.dice.randrange(8 * family + 2)]) + address
        elif kind in (tlv.HOST_NAME, tlv.SOFTWARE, tlv.REJECT):
            value = self.dice.choice((b"\1", b"")) + self.dice.choice(
                (b"name", "n\u00e4me".encode(), b"x" * 63, b"x" * 127, b"a\nb", b"\xff\xfe", b""))
        elif kind == tlv.CREDENTIAL:
            value = self.dice.choice((b"\1", b"\2", b"\x09")) + \
                self.dice.randbytes(self.dice.choice((1, 300, 3584)))
        else:
            size = {tlv.LEASE: 4, tlv.DISCONNECT: 1, tlv.PING: 8, tlv.PONG: 8}.get(kind, 2)
            value = self.number(8 * size).to_bytes(size, "big")
        if self.odds(25):
            value = self.dice.choice((value[:-1], value + b"\0", b"", value * 2))
        return value

    def tlvs(self, place, room):
        """A list for that place, nearly."""
        out = b""
        for _ in range(self.dice.choice((0, 1, 1, 2, 3, 4, 12))):
            kind = self.dice.choice(list(place))
            if self.odds(10):
                kind = self.dice.randrange(256)
            value = self.value(kind)
            length = len(value)
            if self.odds(80):
                length = self.number(16)
            flags = self.dice.choice((0, 0, 1)) if not self.odds(50) else self.dice.randrange(256)
            out += struct.pack(">BBH", kind, flags, length) + value
        if self.odds(20):
            out += bytes(self.dice.randrange(4)) + self.dice.randbytes(self.dice.randrange(9))
        return out[:room]

    def ipv4(self, ours, size):
        """A header and what follows; some of it is not so."""
        words = self.dice.choice((5, 5, 5, 5, 6, 15, self.dice.randrange(16)))
        body = self.dice.randbytes(size)
        source = socket.inet_aton(ours if not self.odds(8) else self.dice.choice(
            ("192.168.99.1", "127.0.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255")))
        target = socket.inet_aton(self.dice.choice(
            (INNER, INNER, INNER, "192.168.99.9", "224.0.0.251", "127.0.0.1", ours)))
        length = 20 + len(body) if not self.odds(4) else self.number(16)
        fragment = 0 if not self.odds(6) else self.number(16)
        header = struct.pack("!BBHHHBBH4s4s", 0x40 | words, self.dice.randrange(256), length,
                             self.number(16), fragment, self.dice.choice((0, 1, 64)),
                             self.dice.choice(PROTOCOLS), 0, source, target)
        if not self.odds(8):
            header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        return header + body

    def ipv6(self, number, size):
        source = bytes.fromhex("fd99") + bytes(13) + bytes([number])
        target = bytes.fromhex("fd99") + bytes(13) + b"\1"
        body = self.dice.randbytes(size)
        if self.odds(2):
            # A chain of extension headers that may lead anywhere.
            body = bytes([self.dice.choice(PROTOCOLS), self.dice.choice((0, 0, 1, 255))]) + body
        length = len(body) if not self.odds(4) else self.number(16)
        return struct.pack("!IHBB", 0x60000000 | self.number(28), length,
                           self.dice.choice(PROTOCOLS), self.dice.choice((0, 1, 64))) + \
            (source if not self.odds(8) else target) + target + body

    def packet(self, number):
        """The plaintext of a data message."""
        size = self.dice.choice(SIZES)
        what = self.dice.randrange(16)
        if what == 0:
            return self.dice.randbytes(size)
        if what == 1:
            return bytes(size)
        if what < 10:
            plain = self.ipv4(f"192.168.99.{number}", size)
        else:
            plain = self.ipv6(number, size)
        if self.odds(10):
            plain = plain[:self.dice.randrange(len(plain) + 1)]
        return plain + bytes(self.dice.choice((-len(plain) % 16, -len(plain) % 16, 0, 33)))


class Client:
    """Begins handshakes with the kernel, in a form of its own."""

    def __init__(self, h2, device, number, form, *settings):
        self.number, self.form = number, form
        self.peer = program(h2, 1000 + number, device, form=form)
        self.ours = f"192.168.99.{number}"
        self.session, self.since = None, 0
        device.set_peer(self.peer.public, "endpoint", f"10.0.0.2:{1000 + number}", "allowed-ips",
                        f"{self.ours}/32,fd99::{number}/128", "cipher",
                        ("chacha20-poly1305", "aes-256-gcm")[form.suite], *settings)

    def begin(self):
        """A session by an honest handshake."""
        self.peer.drain()
        self.session, self.since = self.peer.handshake(), time.monotonic()

    def works(self):
        """A handshake, and a packet each way."""
        self.begin()
        packet = echo_request(self.ours, INNER)
        self.peer.send(self.session.seal(packet + bytes(-len(packet) % 16)))
        while message := self.peer.receive(DATA, seconds=5):
            if self.session.is_for_us(message):
                flags, plain = self.session.open(message)
                if not flags & CONTROL and is_echo_reply(plain):
                    return
        raise AssertionError("no answer to an echo")

    def handshake(self, fuzzer):
        """One that is authentic, with any list in it; what became of it."""
        if self.form.version == 0:
            self.begin()
            return "handshakes of version 0"
        self.peer.drain()
        time.sleep(0.05)
        size = fuzzer.dice.choice((1200, 1200, 1201, 2000, 4096))
        begun = self.peer.initiate(tlvs=fuzzer.tlvs(tlv.IN_INITIATION, size - 200), size=size)
        self.peer.send(begun.message)
        message = self.peer.receive(RESPONSE, seconds=0.2)
        if not message:
            return "initiations in silence"
        response = self.peer.read(begun, message)
        if not response.index:
            return "refusals"
        self.session, self.since = self.peer.session(begun, response), time.monotonic()
        return "initiations answered"

    def data(self, fuzzer):
        """Messages of one length in one call, as a GSO train has them."""
        if time.monotonic() - self.since > SESSION_SECONDS:
            self.begin()
        flags, train = 0, [fuzzer.packet(self.number)]
        if self.form.version and fuzzer.odds(10):
            flags, train = CONTROL, [tlv.control(fuzzer.tlvs(tlv.IN_CONTROL, 1200))]
            self.since = 0      # one of them may have been a goodbye
        length = len(train[0])
        for _ in range(0 if flags else fuzzer.dice.choice((0, 0, 1, TRAIN_MAX - 1))):
            other = fuzzer.packet(self.number)[:length]
            train.append(other + bytes(length - len(other)))
        if fuzzer.odds(30):
            self.session.counter += fuzzer.dice.choice((1, 63, 64, 8191, 8192, 1 << 20))
        return self.send([bytearray(self.session.seal(each, flags)) for each in train], fuzzer)

    def send(self, messages, fuzzer):
        """Damage a few. What does not fit the cable goes alone, in fragments."""
        if len(messages[0]) > SEGMENT_MAX:
            messages = messages[:1]
        if fuzzer.odds(12):
            hurt = fuzzer.dice.choice(messages)
            hurt[fuzzer.dice.randrange(len(hurt))] ^= 1 << fuzzer.dice.randrange(8)
        if len(messages) > 1 and fuzzer.odds(3):
            messages[-1] = messages[-1][:fuzzer.dice.randrange(1, len(messages[-1]) + 1)]
        how = [(socket.SOL_UDP, UDP_SEGMENT, struct.pack("H", len(messages[0])))]
        try:
            self.peer.socket.sendmsg([b"".join(messages)], how if len(messages) > 1 else [])
        except ConnectionRefusedError:
            pass
        return len(messages)


class Server(Client):
    """Answers the kernel's initiations, which it sends as soon as it has no session."""

    def initiation(self):
        """Let it begin anew."""
        self.peer.drain()
        if self.session:
            bye = tlv.control(tlv.write(tlv.DISCONNECT, tlv.LINK_DOWN))
            self.peer.send(self.session.seal(bye, CONTROL))
        self.since = time.monotonic()
        return self.peer.initiation()[1]

    def begin(self):
        self.session = until_in_time(lambda: self.peer.completes(
            self.initiation(), tlvs=tlv.write(tlv.ADDRESS, f"{self.ours}/24")))

    def handshake(self, fuzzer):
        session = self.peer.respond(self.initiation(), tlvs=fuzzer.tlvs(tlv.IN_RESPONSE, 900))
        if not self.peer.receive(DATA, seconds=0.2):
            self.begin()
            return "responses in vain"
        self.session = session
        return "responses taken"


def send_all(clients, fuzzer, count):
    """So many messages; how many of which kind."""
    results = collections.Counter()
    while results["data"] < count:
        client = fuzzer.dice.choice(clients)
        if fuzzer.odds(HANDSHAKES):
            results[client.handshake(fuzzer)] += 1
        else:
            results["data"] += client.data(fuzzer)
    return results


def link(h1, h2):
    """A device, and who speaks with it."""
    device = End(h1, 1001, f"{INNER}/24")
    h1.run("sysctl", "-qw", "net.ipv6.conf.vpn0.disable_ipv6=0")
    h1.run("ip", "addr", "add", "fd99::1/64", "dev", "vpn0", "nodad")
    clients = [Client(h2, device, number, form) for number, form in ((2, V0), (3, V1), (4, V1_GCM))]
    clients.append(Server(h2, device, 5, V1, "address", "auto", "persistent-keepalive", "1"))
    return device, clients


def fuzz(h1, h2):
    """All messages of the seed; what came of them. Nothing is left of the device."""
    device, clients = link(h1, h2)
    for client in clients:
        client.works()
    results = send_all(clients, Fuzzer(SEED), MESSAGES)
    for client in clients:
        check(f"peer {client.number}, version {client.form.version}, still works", client.works)
    drops = {name: count for name, count in device.drops().items() if count}
    h1.run("ip", "link", "del", "vpn0")
    for client in clients:
        client.peer.socket.close()
    device.close()
    return results, drops


def main():
    h1, h2 = begin()
    say(f"# seed {SEED}, {MESSAGES} messages")
    timescale(10)
    try:
        results, drops = fuzz(h1, h2)
        say("# " + ", ".join(f"{count} {name}" for name, count in results.most_common()))
        say(f"# not taken: {drops}")
        outside = sum(drops.get(f"drop_{name}", 0) for name in
                      ("rx_malformed", "rx_unknown_index", "rx_bad_tag", "rx_replayed"))
        point("most of them open", outside < results["data"] // 8, f"{outside} do not")
        before = memory_used()
        fuzz(h1, h2)
    finally:
        timescale(1)
    no_more_memory(before)
    return end()


if __name__ == "__main__":
    sys.exit(main())
