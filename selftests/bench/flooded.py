#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 900
"""A host whose processor receives as much as it can from a peer, and meanwhile what
strangers send from 10,000 addresses: initiations with a right mac1, which nobody else
can tell from those of clients, and data of sessions that there are not. Time counts
instructions here; the sender and the cable have a processor of their own.

    a ---- g [tun0] ==== what is held, and let go at a rate ==== [tun0] b
"""
import os
import random
import socket
import struct
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
import base64
import json
import overload
import tunnels
from abi import end, point, say
from packets import checksum
from protocol.messages import INITIATION, add_macs

SOURCES = 10000
SECONDS = 0.25      # of each measurement
RATE = 10000        # messages of strangers a second: each address one
KEPT = 0.9          # of what arrives without them


def packet(number, message):
    """An IPv4 packet of that one of the strangers to host b."""
    source = 0x0a030000 + number % SOURCES
    udp = struct.pack("!HHHH", 1024 + number % 60000, tunnels.PORT, 8 + len(message), 0)
    header = struct.pack("!BBHHHBBHI4s", 0x45, 0, 28 + len(message), number & 0xffff, 0, 64,
                         17, 0, source, socket.inet_aton(tunnels.OUTER["b"]))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + udp + message


def initiation(public):
    """As much as a stranger who knows the key can do without effort."""
    return add_macs(bytes([INITIATION, 0, 0, 0]) + random.randbytes(112), public)


def unknown(_):
    return bytes([4, 0, 0, 0]) + random.randbytes(4) + bytes(8) + random.randbytes(112 + 20)


def to_file(make, public, count):
    """Packets, and how long each is."""
    path = f"/tmp/flooded-{make.__name__}"
    with open(path, "wb") as file:
        for number in range(count):
            one = packet(number, make(public))
            file.write(one)
    return path, len(one), count


def prepare(site):
    """Answers to strangers go where they do not come back from."""
    site.ip("b", "route add 10.3.0.0/16 via " + tunnels.OUTER_OF_G["b"])
    site.ip("g", "route add blackhole 10.3.0.0/16")
    for host, link, mask in ("b", "eth0", 2), ("g", "wan0", 1):
        tunnels.run("ip", "netns", "exec", site.space(host), "sh", "-c",
                    f"echo {mask} >/sys/class/net/{link}/queues/rx-0/rps_cpus")
    os.sched_setaffinity(0, {0})


def counters(site):
    lines = site.execute("b", "ethtool", "-S", "tun0").splitlines()
    return {name.strip(): int(value) for name, value in
            (line.split(":") for line in lines if line.split(":")[1].strip())}


def grown(before, after):
    return {name: value - before[name] for name, value in after.items()
            if value != before[name] and not name.startswith("rx_hist")}


def peak(site):
    """What arrives when more is offered than can be."""
    rate, best = 20000, None
    while True:
        row = overload.offer(site, rate, SECONDS, None)
        say(f"# offered {rate:.0f} a second: {row['arrived']:.0f} arrive")
        if best is None or row["arrived"] > best["arrived"]:
            best = row
        if row["arrived"] < rate * 0.85:
            return best["arrived"]
        rate *= 1.25


def under(site, rate, make, public):
    """What arrives at that rate while strangers send."""
    messages = to_file(make, public, int(RATE * SECONDS))
    before = counters(site)
    row = overload.offer(site, rate, SECONDS, messages)
    more = grown(before, counters(site))
    say(f"# {make.__name__}: {json.dumps(row)}")
    say(f"# {json.dumps(more)}")
    return row["arrived"]


def main():
    say("KTAP version 1")
    tunnels.run("gcc", "-O2", "-o", tunnels.FLOOD,
                os.path.join(os.path.dirname(overload.__file__), "flood.c"))
    site = tunnels.Vpn("flooded")
    try:
        site.open()
        prepare(site)
        public = base64.b64decode(site.public["b"])
        most = peak(site)
        say(f"# {most:.0f} packets a second arrive at most")
        alone = overload.offer(site, most, SECONDS, None)["arrived"]
        say(f"# {alone:.0f} of them when so many are offered")
        for make in unknown, initiation:
            got = under(site, most, make, public)
            point(f"{RATE} a second of {make.__name__}: at least {KEPT:.0%} is kept",
                  got >= alone * KEPT, f"{got / alone:.1%}")
            say(f"# {got / alone:.1%} are kept")
    finally:
        site.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
