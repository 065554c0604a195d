#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
"""A flood of strangers, each with a key of its own and the longest credential that
there can be: what waits is bounded by number, memory, source and time, events are
bounded with it, and those who are known are served.

    h1 [vpn0] ---- [10.0.0.2 and many more: this program] h2
"""
import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, point, say, skip
from lab import End, begin, check, program, wait_until
from packets import checksum
from peer import random_index
from protocol import tlv
from protocol.messages import DATA, RESPONSE, V0, V1, tai64n, write_initiation
from protocol.noise import clamp

SOURCES = 16
A_SOURCE = 24           # strangers
LOBBY_MAX, LOBBY_BYTES, LOBBY_SOURCE = 256, 512 << 10, 16
TUN = "/dev/net/tun"
TUNSETIFF, IFF_TAP, IFF_VNET_HDR = 0x400454ca, 0x1002, 0x4000     # no packet info
NEEDS_CSUM, GSO_UDP = 1, 3
UDP_SEGMENT = 103
CREDENTIAL = tlv.write(tlv.CREDENTIAL, (2, b"x" * 3584))


def addresses():
    return [f"10.0.0.{10 + n}" for n in range(SOURCES)]


def initiation(server, form, tlvs=b""):
    return write_initiation(clamp(os.urandom(32)), clamp(os.urandom(32)), server.public,
                            random_index(), tai64n(time.time_ns()), form=form, tlvs=tlvs)[1]


def flood(host, server, form, tlvs=b""):
    """As many strangers as that from each of the sources."""
    sockets = []
    with host.inside():
        for address in addresses():
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind((address, 0))
            one.connect((server.host.address, server.port))
            sockets.append(one)
    # Those that come first must not have been sent away before the last.
    messages = [initiation(server, form, tlvs) for _ in range(A_SOURCE * SOURCES)]
    for number, message in enumerate(messages):
        sockets[number % SOURCES].send(message)
        time.sleep(0.001)
    for one in sockets:
        one.close()


class Listener:
    """vpnctl monitor auth, and what it says."""

    def __init__(self, server):
        self.path = os.path.join(server.files, "requests")
        with open(self.path, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{server.host.name}", "vpnctl", "monitor",
                 "auth", "-j"], stdout=file)
        time.sleep(1)

    def requests(self):
        with open(self.path, encoding="utf-8") as file:
            return sum("auth-request" in line for line in file)

    def close(self):
        self.process.terminate()
        self.process.wait()


def quiet(server):
    """All that was sent has been looked at."""
    before = -1
    while before != (before := sum(server.counters().values())):
        time.sleep(1)


def bounded(server, listener, form, tlvs, most):
    """How many wait, and were asked about."""
    before = server.counters()
    asked = listener.requests()
    flood(listener.host, server, form, tlvs)
    quiet(server)
    after = server.counters()
    waiting = after["auth_requests"] - before["auth_requests"]
    full = after["drop_handshake_lobby_full"] - before["drop_handshake_lobby_full"]
    say(f"# {SOURCES * A_SOURCE} strangers: {waiting} wait, {full} had no room")
    point("some wait", waiting > 0)
    point(f"not more than {most}", waiting <= most, str(waiting))
    point("the others had no room", full > 0 and waiting + full <= SOURCES * A_SOURCE,
          str(full))
    wait_until(lambda: listener.requests() - asked == waiting, 5)
    point("each was asked about once", listener.requests() - asked == waiting,
          f"{listener.requests() - asked}, not {waiting}")


def served(server, host):
    """A handshake of somebody who is known."""
    peer = program(host, 1002, server)
    server.set_peer(peer.public, "allowed-ips", "192.168.99.2/32", psk=bytes(32))
    peer.handshake()
    server.set_peer(peer.public, "remove")
    peer.socket.close()


def send_crumbs(raw, source, server, number, message):
    """A datagram in fragments of 8 octets, each of which takes an skb."""
    datagram = struct.pack("!4H", 1002, server.port, 8 + len(message), 0) + message
    datagram += bytes(-len(datagram) % 8)
    for offset in range(0, len(datagram), 8):
        more = 0x2000 if offset + 8 < len(datagram) else 0
        raw.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, number, more | offset // 8,
                               64, socket.IPPROTO_UDP, 0, socket.inet_aton(source),
                               socket.inet_aton(server.host.address)) +
                   datagram[offset:offset + 8], (server.host.address, 0))


def crumbs(server, host):
    """Who sends messages in pieces has no more of the room than others."""
    before = server.counters()
    with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                      socket.IPPROTO_RAW) as raw, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as honest:
        for number in range(4):
            send_crumbs(raw, addresses()[0], server, 1 + number,
                        initiation(server, V1, CREDENTIAL))
        quiet(server)
        honest.bind((addresses()[1], 0))
        honest.connect((server.host.address, server.port))
        for _ in range(4):
            honest.send(initiation(server, V1, CREDENTIAL))
    quiet(server)
    after = server.counters()
    waiting = after["auth_requests"] - before["auth_requests"]
    full = after["drop_handshake_lobby_full"] - before["drop_handshake_lobby_full"]
    assert (waiting, full) == (8, 0), f"{waiting} wait, {full} had no room"


def crowd(server, host):
    """A train of data of no session: packets do not come one by one for a moment."""
    data = struct.pack("<IIQ16x", DATA, random_index(), 0) * 4
    with host.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock, server.counted("a train of nobody's data", rx_unknown_index=4):
        sock.sendmsg([data], [(socket.SOL_UDP, UDP_SEGMENT, struct.pack("=H", 32))], 0,
                     (server.host.address, server.port))


def ufo(server, host):
    """What a tap hands over to be cut into fragments is one message, not several."""
    subprocess.run(["modprobe", "-q", "tun"], check=False)
    if not os.path.exists(TUN):
        skip("a message of a tap with UFO", "the kernel has no taps")
        return
    with server.host.inside():
        tap = os.open(TUN, os.O_RDWR)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH14x", b"tap0", IFF_TAP | IFF_VNET_HDR))
    server.host.run("ip", "addr", "add", "10.9.0.1/24", "dev", "tap0")
    server.host.run("ip", "link", "set", "tap0", "up", "address", "02:00:00:00:00:01")
    message = initiation(server, V1)
    udp = struct.pack("!4H", 1002, server.port, 8 + len(message), 0) + message
    ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64,
                               socket.IPPROTO_UDP, 0, socket.inet_aton("10.9.0.2"),
                               socket.inet_aton("10.9.0.1")))
    struct.pack_into("!H", ip, 10, checksum(ip))
    frame = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0])
    header = struct.pack("=BBHHHH", NEEDS_CSUM, GSO_UDP, 34 + 8, 592, 34, 6)
    # For a socket that takes them one by one the kernel would cut it, and cannot.
    crowd(server, host)
    try:
        with server.counted("a message of a tap with UFO", handshake_refused=1):
            os.write(tap, header + frame + ip + udp)
    finally:
        os.close(tap)


def repeated(server, host):
    """A stranger's initiation, and at once the same from another address."""
    peer = program(host, 1002, server, form=V1)
    with contextlib.ExitStack() as stack:
        with host.inside():
            thief = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        thief.bind((addresses()[2], 0))
        thief.connect((server.host.address, server.port))
        begun = peer.initiate()
        peer.send(begun.message)
        quiet(server)
        thief.send(begun.message)
        quiet(server)
        server.set_peer(peer.public, "allowed-ips", "192.168.99.2/32")
        peer.finish(begun, peer.expect(RESPONSE))
        server.set_peer(peer.public, "remove")
        peer.socket.close()


def main():
    h1, h2 = begin()
    for address in addresses():
        h2.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
    server = End(h1, 1001, "192.168.99.1/24")

    flood(h2, server, V0)
    quiet(server)
    point("without a listener nobody is asked about",
          server.counters()["auth_requests"] == 0)

    ufo(server, h2)
    listener = Listener(server)
    listener.host = h2
    try:
        check("messages in many fragments take no more room than others", crumbs, server, h2)
        check("who repeats a stranger's message does not get the answer", repeated, server,
              h2)
        # Each message takes more memory than its octets.
        bounded(server, listener, V1, CREDENTIAL, LOBBY_BYTES // 4096)
        check("a peer is served meanwhile", served, server, h2)
        time.sleep(11)
        say("# they have been sent away")
        bounded(server, listener, V0, b"", min(LOBBY_MAX, SOURCES * LOBBY_SOURCE))
        check("a peer is served meanwhile", served, server, h2)
    finally:
        listener.close()
    server.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
