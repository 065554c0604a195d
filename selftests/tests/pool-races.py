#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Everything about leases at once, from several processes: peers that come and
go, leases that are released, restored and expire, pools that are changed and
removed, dumps. What is left must fit together.
"""
import errno
import os
import random
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import (
    Attr, FLAGS, FORCE, F_DUMP, LEASE_GET, LEASE_RELEASE, LEASE_RESTORE, MODE_NONE,
    Netlink, POOL_ADD, POOL_DEL, POOL_GET, POOL_LEASE_TIME, POOL_USED, P_FLAGS, REMOVE,
    REPLACE_ALLOWEDIPS, REPLACE_PEERS, VPN0, allowedip, end, equal, key, lease, leased,
    leases_of, peer, peers_of, point, pool, pools_of, reserved, run, start, u32)

SECONDS = 8
KEYS = 60
POOLS = ("10.8.0.0/26", "10.9.0.0/24", "fd08::/64", "fd09::/122")
FINE = {0, errno.ENOSPC, errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EBUSY, errno.ENOENT,
        errno.EEXIST}


def k(number):
    return key(0x60000000 + number)


def some_address(dice):
    if dice.randrange(2):
        return f"10.{8 + dice.randrange(2)}.0.{dice.randrange(64)}"
    return f"fd0{8 + dice.randrange(2)}::{dice.randrange(64):x}"


def come_and_go(netlink, dice):
    one = k(dice.randrange(KEYS))
    what = dice.randrange(8)
    if what == 0:
        return netlink.set(VPN0, peer(one, u32(P_FLAGS, REMOVE)))
    if what == 1:
        return netlink.set(VPN0, peer(one, *leased(some_address(dice))))
    if what == 2:
        return netlink.set(VPN0, peer(one, *leased(mode=MODE_NONE)))
    if what == 3:
        return netlink.set(VPN0, peer(one, u32(P_FLAGS, REPLACE_ALLOWEDIPS),
                                      allowedip(f"10.8.0.{dice.randrange(64)}/32")))
    if what == 4 and dice.randrange(10) == 0:
        return netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS))
    return netlink.set(VPN0, *(peer(k(dice.randrange(KEYS)), *leased()) for _ in range(5)))


def release_and_restore(netlink, dice):
    one = k(dice.randrange(KEYS))
    if dice.randrange(2):
        return netlink.request(LEASE_RELEASE, [VPN0, lease(one)])
    return netlink.request(LEASE_RESTORE, [VPN0, lease(one, some_address(dice))])


def change_pools(netlink, dice):
    prefix = dice.choice(POOLS)
    if dice.randrange(4) == 0:
        return netlink.request(POOL_DEL, [VPN0, pool(prefix), *(
            [Attr(FORCE, b"")] if dice.randrange(2) else [])])
    first = prefix.partition("/")[0]
    more = [reserved(first)] if dice.randrange(2) else []
    return netlink.request(POOL_ADD, [VPN0, pool(
        prefix, *more, u32(POOL_LEASE_TIME, dice.randrange(3)))])


def read(netlink, dice):
    command = LEASE_GET if dice.randrange(4) else POOL_GET
    if dice.randrange(3) == 0:
        return netlink.get(VPN0)
    return netlink.request(command, [VPN0], F_DUMP)


def act(family, seed, what):
    """A process that does one thing over and over; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 255
    try:
        netlink, dice = Netlink(family), random.Random(seed)
        until = time.monotonic() + SECONDS
        count, bad = 0, None
        while time.monotonic() < until and not bad:
            answer = what(netlink, dice)
            count += answer.errno == 0
            bad = None if answer.errno in FINE else answer
        print(f"# {what.__name__}: {count} that worked{f', then {bad}' if bad else ''}",
              flush=True)
        status = 1 if bad or not count else 0
    finally:
        os._exit(status)


def ranges_overlap(ips):
    return len(ips) != len(set(ips))


def check_state(netlink):
    leases, peers, pools = leases_of(netlink), peers_of(netlink), pools_of(netlink)
    point("no address is leased twice",
          not ranges_overlap([one["address"].partition("/")[0] for one in leases]))
    point("no key has two leases of a family",
          not ranges_overlap([(one["key"], ":" in one["address"]) for one in leases]))
    equal("pools count their leases", len(leases), sum(one[POOL_USED] for one in pools))
    held = {(one["key"], one["address"]) for one in leases if one["bound"]}
    equal("peers hold what is bound to them", held,
          {(public, ip) for public, one in peers.items() for ip in one["leases"]})
    missing = [(one["address"], one["key"]) for one in leases if one["bound"] and
               one["address"].partition("/")[0] + ("/128" if ":" in one["address"] else "/32")
               not in peers[one["key"]]["allowedips"]]
    equal("and have it among their allowed IPs", [], missing)
    point("there is something to check", leases and held, f"{len(leases)}, {len(held)}")


def main():
    _, netlink = start()
    run("ip", "address", "add", "10.8.0.1/24", "dev", "vpn0")
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}", flush=True)
    workers = [come_and_go, come_and_go, release_and_restore, change_pools, read]
    pids = [act(netlink.family, seed + n, what) for n, what in enumerate(workers)]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    equal("each has done something, and nothing has failed that may not", [0] * 5, statuses)

    for prefix in POOLS:
        netlink.request(POOL_ADD, [VPN0, pool(prefix, u32(POOL_LEASE_TIME, 3600))])
    for n in range(20):
        netlink.set(VPN0, peer(k(n), *leased()))
    check_state(netlink)
    # The device goes while leases are about to end.
    for prefix in POOLS:
        netlink.request(POOL_ADD, [VPN0, pool(prefix, u32(POOL_LEASE_TIME, 1))])
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS))
    time.sleep(0.9)
    run("ip", "link", "del", "vpn0")
    return end()


if __name__ == "__main__":
    sys.exit(main())
