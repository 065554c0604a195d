#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Dumps of a device: complete however large, consistent or marked as interrupted,
and in nobody's way.
"""
import errno
import os
import random
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import (
    Answer, Attr, DEVICE_GET, FLAGS, FWMARK, F_DUMP, IFNAME, IPADDR, K1, K2, K3,
    LIST_ADDRESS, Namespace, Netlink, PEER_COUNT, PREFIX_LEN, PSK, P_FLAGS, P_NAME,
    P_PRESHARED_KEY, P_PUBLIC_KEY, P_PUSH_ROUTES, REMOVE, REPLACE_PEERS,
    add_numbered, allowedip, bad, canonical, end, equal, integer, ip6,
    numbered_peer, peer, point, read_device, run, start, state, text, u32, u8)


def compare(device, wanted):
    got = {one[P_PUBLIC_KEY]: one["allowedips"] for one in device["peers"]}
    return (len(device["peers"]) == len(wanted) and
            {k: set(v) for k, v in got.items()} == wanted and
            all(len(v) == len(wanted[k]) for k, v in got.items()))


def test_dumps(netlink):
    name = text(IFNAME, "vpn1")
    wanted = add_numbered(netlink, "vpn1", 1000)
    many = [f"172.{n >> 8 & 15 | 16}.{n & 255}.{n >> 12 << 6}/{26 + n % 3}" for n in range(2500)]
    many += [f"fd99:{n:x}::/{32 + n % 3}" for n in range(2500)]
    whole = sorted(set(many))
    for first in range(0, len(whole), 1000):
        answer = netlink.set(name, peer(K1, *map(allowedip, whole[first:first + 1000])))
        if answer.errno:
            point("5,000 allowed IPs are given to a peer", False, f"{answer}")
    wanted[K1] = set(map(canonical, whole))
    wanted[K3] = set()
    routes = [Attr(LIST_ADDRESS, [ip6(IPADDR, f"fd{n:02x}::"), u8(PREFIX_LEN, 64)])
              for n in range(32)]
    netlink.set(name, peer(K3, Attr(P_PUSH_ROUTES, routes)))

    for buffer in (4096, 8192, 65536):
        # The kernel writes messages as large as the reader's largest buffer.
        reader = Netlink(netlink.family)
        answer = reader.get(name, buffer=buffer)
        reader.close()
        device = read_device(answer)
        complete = compare(device, wanted)
        point(f"a dump of 1,000 peers and one with {len(whole)} allowed IPs is "
              f"complete ({len(answer.messages)} messages of up to {answer.largest})",
              answer.errno == 0 and complete and not answer.interrupted and
              integer(device[PEER_COUNT]) == 1002,
              f"{answer}, {len(device['peers'])} peers, interrupted: {answer.interrupted}")
        settings = all(one.get(P_PRESHARED_KEY) == PSK and one[P_NAME].startswith(b"peer ")
                       for one in device["peers"] if one[P_PUBLIC_KEY] not in (K1, K3))
        point("with every peer's settings", settings)
        [told] = [one[P_PUSH_ROUTES] for one in device["peers"] if one[P_PUBLIC_KEY] == K3]
        octets = bytearray()
        for route in routes:
            route.write(octets, [])
        equal("and all of its routes", octets, told)


def test_interrupted(netlink, namespace):
    name = text(IFNAME, "vpn1")
    wanted = state(netlink, "vpn1")["peers"]
    other = Netlink(netlink.family)

    def begin(messages):
        answer = Answer()
        netlink.send(DEVICE_GET, [name], F_DUMP)
        for _ in range(messages):
            netlink.receive(answer)
        return answer

    # Two messages are in the socket: reading one makes the kernel write one.
    answer = begin(3)
    seen = [one[P_PUBLIC_KEY] for one in read_device(answer)["peers"]]
    order = [one[P_PUBLIC_KEY] for one in wanted]
    here = order.index(seen[-1])
    # Whoever the cursor is at is among them.
    gone = order[here - 2:here + 60]
    other.set(name, *(peer(public, u32(P_FLAGS, REMOVE)) for public in gone))
    answer = netlink.finish(answer)
    got = [one[P_PUBLIC_KEY] for one in read_device(answer)["peers"]]
    point("a dump whose peers vanish goes on, and says that it was interrupted",
          answer.errno == 0 and answer.interrupted, f"{answer}")
    point("without leaving a peer out that stays, or naming one twice",
          len(got) == len(set(got)) and set(order) - set(gone) <= set(got))

    answer = begin(2)
    other.set(name, peer(K2))
    answer = netlink.finish(answer)
    point("a peer that is added interrupts a dump", answer.interrupted)
    answer = begin(2)
    other.set(name, u32(FWMARK, 3))
    answer = netlink.finish(answer)
    point("a setting that is changed, too", answer.interrupted)
    answer = begin(2)
    other.set(name, u32(FWMARK, 4), bad(u32(99, 1)))
    answer = netlink.finish(answer)
    point("a change that was refused does not", not answer.interrupted)

    # Within the peer of many allowed IPs.
    netlink.set(name, u32(FLAGS, REPLACE_PEERS))
    add_numbered(netlink, "vpn1", 20)
    for part in range(5):
        netlink.set(name, peer(K1, *(allowedip(f"10.200.{part * 50 + n // 256}.{n % 256}/32")
                                     for n in range(1000))))
    answer = begin(3)
    other.set(name, peer(K1, u32(P_FLAGS, REMOVE)), peer(K3))
    answer = netlink.finish(answer)
    got = [one[P_PUBLIC_KEY] for one in read_device(answer)["peers"]]
    point("the peer in the middle of which a dump is can be removed",
          answer.errno == 0 and answer.interrupted and got[-1] == K3)

    add_numbered(netlink, "vpn1", 500)
    answer = begin(2)
    other.set(name, u32(FLAGS, REPLACE_PEERS))
    answer = netlink.finish(answer)
    point("so can all peers", answer.errno == 0 and answer.interrupted, f"{answer}")

    add_numbered(netlink, "vpn1", 500)
    answer = begin(2)
    started = time.monotonic()
    run("ip", "link", "del", "vpn1")
    took = time.monotonic() - started
    point("a reader that stops reading does not keep the device", took < 5, f"{took} s")
    answer = netlink.finish(answer)
    point("and is told that it went", answer.errno == errno.ENODEV and answer.words,
          f"{answer}")

    run("ip", "link", "add", "vpn1", "type", "vpn")
    add_numbered(netlink, "vpn1", 500)
    answer = begin(2)
    run("ip", "link", "set", "vpn1", "netns", namespace.name)
    answer = netlink.finish(answer)
    point("so is one whose device moved to another namespace",
          answer.errno == errno.ENODEV and answer.words, f"{answer}")
    equal("which the device is no longer set from", errno.ENODEV,
          netlink.set(name, u32(FWMARK, 1)).errno)
    other.close()


#
# Everything at once
#

def repeat(seconds, function):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        function()
    return 0


def test_race(family, seconds):
    """Readers, writers and removers of one device at the same time."""
    def reader():
        netlink = Netlink(family)
        return repeat(seconds, lambda: netlink.get(text(IFNAME, "race")))

    def writer():
        netlink = Netlink(family)
        dice = random.Random(os.getpid())

        def change():
            numbers = [dice.randrange(200) for _ in range(30)]
            netlink.set(text(IFNAME, "race"),
                        *(peer(numbered_peer(n)[0], u32(P_FLAGS, dice.choice((0, 0, 1, 2))),
                               *map(allowedip, numbered_peer(n)[1])) for n in numbers))
        return repeat(seconds, change)

    def remover():
        def renew():
            run("ip", "link", "add", "race", "type", "vpn", check=False)
            run("ip", "link", "set", "race", "up", check=False)
            time.sleep(0.1)
            run("ip", "link", "del", "race", check=False)
        return repeat(seconds, renew)

    pids = []
    for function in (reader, reader, writer, writer, remover):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                status = function()
            finally:
                os._exit(status)
        pids.append(pid)
    results = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    equal("readers, writers and removers of a device get along", [0] * 5, results)


def main():
    _, netlink = start()
    there = Namespace("there")
    test_dumps(netlink)
    test_interrupted(netlink, there)
    test_race(netlink.family, 5)
    return end()


if __name__ == "__main__":
    sys.exit(main())
