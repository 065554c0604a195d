#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 200
# kernels: 7.3
# machine: icount
"""What is counted in instructions, which are nanoseconds here: that the time of a refusal
tells no secret; how soon a newcomer connects while strangers flood the server; how often
many removals wait.

    h1 [vpn0 192.168.99.1/24] ---- [10.0.0.2, this program, wg0] h2
"""
import base64
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
import abi
from abi import end, point, say
from lab import End, begin, check, program, wait_until
from protocol.messages import COOKIE, INITIATION, add_macs, read_cookie
from protocol.noise import clamp, public_of

TRACING = "/sys/kernel/tracing/"
TIMES = 15
ROUNDING = 2            # of a clock that tells nanoseconds; memcmp() would take 3 more
CHANCE = 50             # what a way of 400,000 meets: memory, tables
SECRET = 20000          # far less than one multiplication of X25519 takes
REMOVALS = 300
ADDRESS = "192.168.97.2"


def set_tracing(name, value):
    with open(TRACING + name, "w", encoding="ascii") as file:
        file.write(value)


@contextlib.contextmanager
def traced(tracer, function):
    """Lines of the kernel's trace of that function, when it is done."""
    lines = []
    set_tracing("set_ftrace_filter", function)
    set_tracing("current_tracer", tracer)
    try:
        yield lines
        with open(TRACING + "trace", encoding="ascii") as file:
            lines += [line for line in file if function in line]
    finally:
        set_tracing("current_tracer", "nop")
        set_tracing("set_ftrace_filter", "")


def ended(server):
    """Messages that were dropped, or answered with a cookie."""
    return sum(server.drops().values()) + server.counters()["tx_cookies"]


def instructions(function, server, peer, messages):
    """Of the function, for each of the messages, of which none gets further."""
    with traced("function_graph", function) as lines:
        for message in messages:
            before = ended(server)
            peer.send(message)
            assert wait_until(lambda: ended(server) > before, 5), "no drop"
    spent = [float(match[1]) * 1000 for match in
             (re.search(r"([0-9.]+) us", line) for line in lines) if match]
    assert len(spent) >= TIMES * 0.8, f"{len(spent)} of {len(messages)} were seen"
    # Many of the longer ones were interrupted.
    return min(spent)


def compare(text, function, server, peer, first, second, limit=ROUNDING):
    """A point: both ways to make a message take as long."""
    spent = [instructions(function, server, peer, [make() for _ in range(TIMES)])
             for make in (first, second)]
    say(f"# {text}: {spent[0]:.0f} and {spent[1]:.0f} instructions")
    assert abs(spent[0] - spent[1]) <= limit, f"{abs(spent[0] - spent[1]):.0f} apart"


def changed(message, place):
    message = bytearray(message)
    message[place] ^= 1
    return bytes(message)


def forged(peer, place, private=None):
    """An initiation with a right mac1, of which that octet has been changed."""
    return add_macs(changed(peer.initiate(private=private).message[:-32], place), peer.remote)


def of_nobody(peer):
    return peer.initiate(private=clamp(os.urandom(32))).message


def refusals(server, peer):
    """What happens to messages that are not authentic."""
    receive = "vpn_handshake_receive"
    check("mac1, its first octet or its last", compare, "mac1", receive, server, peer,
          lambda: changed(peer.initiate().message, -32),
          lambda: changed(peer.initiate().message, -17))
    check("a static key, changed in its first octet or its last", compare, "static key",
          receive, server, peer, lambda: forged(peer, 40), lambda: forged(peer, 87), CHANCE)
    check("a known key with a forged time stamp, or a key that nobody has", compare,
          "known or not", receive, server, peer, lambda: forged(peer, 115),
          lambda: of_nobody(peer), SECRET)
    check("a forged time stamp, its first octet or its last", compare, "time stamp", receive,
          server, peer, lambda: forged(peer, 88), lambda: forged(peer, 115), CHANCE)
    session = peer.handshake()
    check("a tag of data, its first octet or its last", compare, "tag", "vpn_aead_open",
          server, peer, lambda: changed(session.seal(bytes(64)), -16),
          lambda: changed(session.seal(bytes(64)), -1))


def stranger(peer, number):
    """A packet from anywhere in 10.3.0.0/16; the kernel sums the header up."""
    message = add_macs(bytes([INITIATION, 0, 0, 0]) + os.urandom(112), peer.remote)
    return struct.pack("!BBHHHBBHI4s4H", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0,
                       0x0a030000 | number * 251 & 0xffff, socket.inet_aton("10.0.0.1"),
                       1024 + number, 1001, 8 + len(message), 0) + message


def flood(peer):
    """Some thousands at once, and then three each millisecond, until we are killed."""
    packets = [stranger(peer, number) for number in range(1000)]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for _ in range(3):
            for packet in packets:
                raw.sendto(packet, ("10.0.0.1", 0))
        while True:
            for number in range(0, 999, 3):
                for packet in packets[number:number + 3]:
                    raw.sendto(packet, ("10.0.0.1", 0))
                time.sleep(0.001)


@contextlib.contextmanager
def flooded(server, host, peer):
    """Somebody does that, and the server has noticed."""
    server.host.run("ip", "route", "replace", "10.3.0.0/16", "via", "10.0.0.2")
    cookies = server.counters()["tx_cookies"]
    child = os.fork()
    if not child:
        try:
            with host.inside():
                flood(peer)
        finally:
            os._exit(1)
    try:
        assert wait_until(lambda: server.counters()["tx_cookies"] > cookies, 20), "no load"
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def newcomer(server, host):
    """Virtual seconds until the kernel's WireGuard gets through."""
    private = clamp(os.urandom(32))
    server.set_peer(public_of(private), "allowed-ips", ADDRESS + "/32")
    server.host.run("ip", "route", "add", ADDRESS, "dev", "vpn0")
    host.run("ip", "link", "add", "wg0", "type", "wireguard")
    host.run("ip", "addr", "add", ADDRESS + "/32", "dev", "wg0")
    host.output("wg", "set", "wg0", "private-key", server.file("newcomer", private), "peer",
                base64.b64encode(server.public).decode(), "endpoint", "10.0.0.1:1001",
                "allowed-ips", "192.168.99.1/32")
    host.run("ip", "link", "set", "wg0", "up")
    host.run("ip", "route", "add", "192.168.99.1", "dev", "wg0")
    begun = time.monotonic()
    assert host.ping("192.168.99.1", 45), "it does not connect"
    say(f"# {time.monotonic() - begun:.1f} virtual seconds")


def cookie_of(peer):
    """A cookie, while there is a flood; other networks don't take it away."""
    def attempt():
        begun = peer.initiate()
        peer.send(begun.message)
        reply = peer.receive(COOKIE, seconds=1)
        return reply and read_cookie(reply, begun.message[-32:-16], peer.remote)[1]
    return wait_until(attempt, 20)


def under_load(server, host, peer):
    with flooded(server, host, peer):
        check("a newcomer connects", newcomer, server, host)
        cookie = cookie_of(peer)
        point("a cookie is given to others, too", cookie)
    # It lasts for a second. What is left of our network's share is to be used up.
    time.sleep(0.2)
    for _ in range(5):
        peer.send(peer.initiate().message)
    check("mac2, its first octet or its last", compare, "mac2", "vpn_cookie_check_loaded",
          server, peer, lambda: changed(peer.initiate(cookie=cookie).message, -16),
          lambda: changed(peer.initiate(cookie=cookie).message, -1))


def removals(server):
    """As many as a message may name wait once."""
    with server.host.inside():
        netlink = abi.Netlink()
    abi.add_numbered(netlink, "vpn0", REMOVALS)
    gone = [abi.peer(abi.numbered_peer(number)[0], abi.u32(abi.P_FLAGS, 1))
            for number in range(REMOVALS)]
    with traced("function", "synchronize_net") as lines:
        answer = netlink.set(abi.VPN0, *gone)
    netlink.close()
    waits = sum("<-vpn_" in line for line in lines)
    assert not answer.errno, answer
    assert waits == 1, f"{waits} times"


def main():
    subprocess.run(["modprobe", "-a", "vpn", "wireguard"], check=True)
    subprocess.run(["mount", "-t", "tracefs", "nodev", TRACING], check=False)
    h1, h2 = begin()
    server = End(h1, 1001, "192.168.99.1/24")
    peer = program(h2, 1002, server, os.urandom(32))
    server.set_peer(peer.public, "allowed-ips", "192.168.99.2/32", psk=peer.psk)
    refusals(server, peer)
    check(f"{REMOVALS} removals in a message wait once", removals, server)
    under_load(server, h2, peer)
    server.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
