#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""All that two kernels say to each other is recorded, and sent again: to whom it was
for, and to whom it is from, from the address where it came from and from another one;
while the session is there, when others have taken its place, and when one end has
begun anew and has forgotten all time stamps. Nobody moves, and nothing is delivered.

    h1 [vpn0 192.168.99.1] 10.0.0.1:1001 ---- 10.0.0.2:1002 [vpn0 192.168.99.2] h2
"""
import os
import socket
import struct
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, equal, say
from lab import End, begin, check, wait_until
from packets import checksum
from protocol.messages import DATA, INITIATION, RESPONSE
from protocol.noise import clamp, public_of

INNER = ("192.168.99.1", "192.168.99.2")
ELSEWHERE = ("10.0.0.77", 7777)
ETH_P_IP = 0x0800
AT_ONCE = 50


class Recorder:
    """UDP payloads that go over the cable, by the end that they are for."""

    def __init__(self, host):
        with host.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                        socket.htons(3))
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.socket.bind(("eth0", 0))
        self.socket.setblocking(False)

    def take(self, host):
        """What has passed since: whether it was for that host, and what."""
        found = []
        while True:
            try:
                frame = self.socket.recv(65536)
            except BlockingIOError:
                return found
            if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP:
                found.append((frame[30:34] == socket.inet_aton(host.address), frame[42:]))

    def send(self, source, target, message):
        """As if it were of that address and port."""
        udp = struct.pack("!HHHH", source[1], target[1], 8 + len(message), 0)
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(message), 1, 0, 64, 17, 0,
                             socket.inet_aton(source[0]), socket.inet_aton(target[0]))
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        self.raw.sendto(header + udp + message, (target[0], 0))


class Scene:
    """Two ends, and who listens at the cable."""

    def __init__(self, h1, h2, cipher):
        self.cipher = cipher
        self.psk = os.urandom(32)
        self.keys = [clamp(os.urandom(32)) for _ in range(2)]
        self.hosts = (h1, h2)
        self.ends = [self.make(0), self.make(1)]
        self.join(0)
        self.join(1, "endpoint", f"{h1.address}:1001")
        self.recorder = Recorder(h2)
        self.recorded = []

    def make(self, n):
        end_ = End(self.hosts[n], 1001 + n, f"{INNER[n]}/24")
        end_.private = self.keys[n]
        end_.set("private-key", end_.file("key", self.keys[n]))
        return end_

    def public(self, n):
        return public_of(self.keys[n])

    def join(self, n, *more):
        self.ends[n].set_peer(self.public(1 - n), "allowed-ips", f"{INNER[1 - n]}/32",
                              "cipher", self.cipher, *more, psk=self.psk)

    def remove(self, n):
        self.hosts[n].run("ip", "link", "del", "vpn0")
        self.ends[n].close()

    def talk(self):
        assert wait_until(lambda: self.hosts[1].ping(INNER[0], 1), 20), "no answer"
        time.sleep(0.1)
        self.recorded += self.recorder.take(self.hosts[0])

    def state(self, n):
        shown = self.ends[n].peer(self.public(1 - n))
        packets = self.hosts[n].output("cat", "/proc/net/dev")
        line, = (line for line in packets.splitlines() if "vpn0:" in line)
        return {"endpoint": shown["endpoint"], "handshake": shown["latest_handshake"],
                "delivered": line.split(":")[1].split()[1]}

    def address(self, n):
        return (self.hosts[n].address, 1001 + n)

    def again(self, reflected):
        """All that was recorded, from the true address and from another."""
        for n in 0, 1:
            messages = [message for for_first, message in self.recorded
                        if for_first == ((n == 0) != reflected)]
            assert {message[0] for message in messages} >= {DATA}, "no data"
            end_ = self.ends[n]
            before = sum(end_.drops().values())
            sent = 0
            for source in self.address(1 - n), ELSEWHERE:
                for message in messages:
                    self.recorder.send(source, self.address(n), message)
                    sent += 1
                    if not sent % AT_ONCE:
                        time.sleep(0.02)
            yield n, sent, lambda end_=end_, before=before: \
                sum(end_.drops().values()) - before

    def nothing_happens(self, reflected, refused=True):
        states = [self.state(n) for n in (0, 1)]
        for n, sent, dropped in self.again(reflected):
            wait_until(lambda: dropped() >= sent, 2)
            if refused:
                assert dropped() == sent, f"h{n + 1}: {dropped()} of {sent} dropped"
            say(f"# h{n + 1}: {sent} messages, {dropped()} dropped")
        after = [self.state(n) for n in (0, 1)]
        assert states == after, f"{states} has become {after}"
        self.recorder.take(self.hosts[0])


def scene_of(h1, h2, cipher):
    scene = Scene(h1, h2, cipher)
    scene.talk()
    kinds = {message[0] for _, message in scene.recorded}
    equal(f"{cipher}: recorded", {INITIATION, RESPONSE, DATA}, kinds)
    check(f"{cipher}: all of it again", scene.nothing_happens, False)
    check(f"{cipher}: each to whom it is from", scene.nothing_happens, True)
    check(f"{cipher}: the session works", scene.talk)

    for _ in range(2):
        scene.ends[1].restart()
        scene.talk()
    check(f"{cipher}: all of it again, after other handshakes", scene.nothing_happens, False)
    check(f"{cipher}: each to whom it is from", scene.nothing_happens, True)

    # It forgets what it has seen, and takes one of the initiations for a new one.
    scene.remove(0)
    scene.ends[0] = scene.make(0)
    scene.join(0)
    check(f"{cipher}: all of it again to one that has begun anew", scene.nothing_happens,
          False, refused=False)
    equal(f"{cipher}: it knows of nobody", None,
          scene.ends[0].peer(scene.public(1))["endpoint"])
    scene.ends[1].restart()
    check(f"{cipher}: an honest handshake works", scene.talk)
    equal(f"{cipher}: and now it knows", f"{h2.address}:1002",
          scene.ends[0].peer(scene.public(1))["endpoint"])
    for n in 0, 1:
        scene.remove(n)


def main():
    h1, h2 = begin()
    for cipher in "chacha20-poly1305", "aes-256-gcm":
        scene_of(h1, h2, cipher)
    return end()


if __name__ == "__main__":
    sys.exit(main())
