#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 900
"""A host whose processor receives as much as it can from a peer, and meanwhile what
strangers send from 10,000 addresses: initiations with a right mac1, which nobody else
can tell from those of clients, and data of sessions that there are not. And how soon
somebody who is new gets through among such initiations. Time counts instructions here;
the sender and the cable have a processor of their own.

    a ---- g [tun0] ==== what is held, and let go at a rate ==== [tun0] b
    a [new0] ================ among what strangers send ================= b
"""
import os
import random
import socket
import struct
import subprocess
import sys
import time
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
SECONDS = 0.25      # of the search
LONG = 0.5          # of what is compared
RATE = 10000        # messages of strangers a second: each address one
KEPT = 0.9          # of what arrives without them
KEPT_PRETENDED = 0.8
NEWCOMER = "192.168.97.2"
ATTEMPTS = 90       # seconds for which a newcomer tries


def nearby(number):
    """Addresses of 40 networks."""
    return 0x0a030000 + number % SOURCES


def anywhere(number):
    """Each in another network."""
    return 0x40000000 | number % SOURCES * 0x9e3779b1 & 0x3fffffff


def packet(number, message, place=nearby):
    """An IPv4 packet of that one of the strangers to host b."""
    source = place(number)
    udp = struct.pack("!HHHH", 1024 + number % 60000, tunnels.PORT, 8 + len(message), 0)
    header = struct.pack("!BBHHHBBHI4s", 0x45, 0, 28 + len(message), number & 0xffff, 0, 64,
                         17, 0, source, socket.inet_aton(tunnels.OUTER["b"]))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + udp + message


def initiation(public):
    """As much as a stranger who knows the key can do without effort."""
    return add_macs(bytes([INITIATION, 0, 0, 0]) + random.randbytes(112), public)


def pretended(public):
    """The same, as if there had been a cookie."""
    return initiation(public)[:-16] + random.randbytes(16)


def unknown(_):
    return bytes([4, 0, 0, 0]) + random.randbytes(4) + bytes(8) + random.randbytes(112 + 20)


def to_file(make, public, count, place=nearby):
    """Packets, and how long each is."""
    path = f"/tmp/flooded-{make.__name__}"
    with open(path, "wb") as file:
        for number in range(count):
            one = packet(number, make(public), place)
            file.write(one)
    return path, len(one), count


def prepare(site):
    """Answers to strangers go where they do not come back from."""
    site.ip("b", "route add default via " + tunnels.OUTER_OF_G["b"])
    site.ip("g", "route add blackhole default")
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
    messages = to_file(make, public, int(RATE * LONG))
    before = counters(site)
    row = overload.offer(site, rate, LONG, messages)
    more = grown(before, counters(site))
    say(f"# {make.__name__}: {json.dumps(row)}")
    say(f"# {json.dumps(more)}")
    return row["arrived"]


def until_loaded(site):
    before = counters(site)["tx_cookies"]
    while counters(site)["tx_cookies"] == before:
        time.sleep(0.01)


def newcomer(site, kind):
    """Seconds until somebody whom b knows, and who is new, has an answer through it."""
    key = base64.b64encode(os.urandom(32)).decode()
    public = tunnels.run(kind.tool, "pubkey", input=key).strip()
    site.execute("b", site.tool, "set", "tun0", "peer", public, "allowed-ips", NEWCOMER + "/32")
    site.ip("b", f"route replace {NEWCOMER} dev tun0")
    site.ip("a", f"link add new0 type {kind.kind}", f"address add {NEWCOMER}/32 dev new0")
    site.execute("a", kind.tool, "set", "new0", "private-key", "/dev/stdin", "peer",
                 site.public["b"], "endpoint", f"{tunnels.OUTER['b']}:{tunnels.PORT}",
                 "allowed-ips", tunnels.BEHIND_B + "/32", input=key)
    site.ip("a", "link set new0 up", f"route add {tunnels.BEHIND_B} dev new0")
    begun = time.monotonic()
    try:
        site.execute("a", "ping", "-q", "-c", "1", "-W", str(ATTEMPTS), "-I", NEWCOMER,
                     tunnels.BEHIND_B)
        return time.monotonic() - begun
    finally:
        site.ip("a", "link del new0")
        site.execute("b", site.tool, "set", "tun0", "peer", public, "remove")


def among(site, kind, make, place):
    """The same, while strangers send from such places."""
    path, length, _ = to_file(make, base64.b64decode(site.public["b"]), SOURCES, place)
    with site.start("a", tunnels.FLOOD, "rain", site.file("a"), site.file("b"),
                    tunnels.OUTER["b"], "148", str(3 * ATTEMPTS), path, str(length),
                    str(RATE), stdout=subprocess.DEVNULL) as rain:
        try:
            until_loaded(site)
            return newcomer(site, kind)
        finally:
            rain.kill()


def connects(site, kind, make, place):
    name = f"{kind.title}, {RATE} a second of {make.__name__} from {place.__name__}"
    before = counters(site)
    try:
        seconds = among(site, kind, make, place)
    except subprocess.CalledProcessError:
        seconds = None
    say(f"# {json.dumps(grown(before, counters(site)))}")
    point(f"a newcomer connects: {name}", seconds is not None)
    say(f"# {name}: {seconds or ATTEMPTS:.1f} s")


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
        alone = overload.offer(site, most, LONG, None)["arrived"]
        say(f"# {alone:.0f} of them when so many are offered")
        for make in unknown, initiation, pretended:
            got = under(site, most, make, public)
            kept = KEPT_PRETENDED if make is pretended else KEPT
            point(f"{RATE} a second of {make.__name__}: at least {kept:.0%} is kept",
                  got >= alone * kept, f"{got / alone:.1%}")
            say(f"# {got / alone:.1%} are kept")
        for kind in tunnels.WireGuard, tunnels.Vpn:
            connects(site, kind, initiation, nearby)
            connects(site, kind, pretended, anywhere)
    finally:
        site.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
