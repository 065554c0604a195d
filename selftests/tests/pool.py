#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Address pools and leases, by netlink: what is given and to whom, what is
refused and that nothing has changed then, and what outlives what.
"""
import errno
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import (
    Answer, Attr, A_FLAGS, FLAGS, FORCE, F_DUMP, IFNAME, LEASE, LEASE_GET,
    LEASE_RELEASE, LEASE_RESTORE, L_EXPIRES, Listener, MODE_AUTO,
    MODE_LEASE, MODE_NONE, MODE_REQUEST, Netlink, POOL, POOL_ADD, POOL_DEL,
    POOL_GET, POOL_LEASE_TIME, POOL_PREFIX, POOL_SIZE, POOL_USED,
    PRIVATE_KEY, P_ADDRESS, P_ADDRESS_MODE, P_FLAGS, P_NAME, REMOVE,
    REPLACE_ALLOWEDIPS, REPLACE_PEERS, SECRET, VPN0, address,
    allowedip, bad, end, equal, forked, integer, key, lease, leased, leases_of,
    names, peer, peers_of, point, pool, pools_of, read_all, read_lease, reserved, run, start, state,
    text, u32, u64, u8)

NS = 1000000000


def k(number):
    return key(0x50000000 + number)


def settle(netlink, *attrs, command=POOL_ADD):
    """A change that has to work."""
    answer = netlink.request(command, [VPN0, *attrs])
    if answer.errno:
        raise OSError(answer.errno, f"{answer}")


def give(netlink, number, *attrs):
    answer = netlink.set(VPN0, peer(k(number), *(attrs or leased())))
    if answer.errno:
        raise OSError(answer.errno, f"{answer}")
    return peers_of(netlink)[k(number)]["leases"]


def take(netlink, *numbers):
    netlink.set(VPN0, *(peer(k(number), u32(P_FLAGS, REMOVE))
                        for number in numbers))


def clean(netlink):
    """No peers, no pools."""
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS))
    for one in pools_of(netlink):
        settle(netlink, pool(one["prefix"]), Attr(FORCE, b""), command=POOL_DEL)


def everything(netlink):
    device = state(netlink)
    return device["peers"], pools_of(netlink), leases_of(netlink)


def refused(netlink, what, number, command, attrs, words=None):
    """The error, words, the attribute, and that nothing has changed."""
    before = everything(netlink)
    where = netlink.send(command, [VPN0, *attrs])
    answer = netlink.finish(Answer())
    located = answer.offset == where if where else answer.missing is not None
    point(f"refused: {what}",
          answer.errno == number and answer.words and located and
          (not words or words in answer.words),
          f"wanted {errno.errorcode[number]} at {where}, got {answer}")
    after = everything(netlink)
    if before != after:
        point(f"and nothing has changed: {what}", False, f"{before}"[:2000],
              f"{after}"[:2000])
    return answer


#
# Pools
#

def test_pools(netlink):
    settle(netlink, pool("10.8.0.0/24", reserved("10.8.0.1", "10.8.0.9"),
                         u32(POOL_LEASE_TIME, 3600)))
    settle(netlink, pool("fd08::/64", reserved("fd08::1")))
    settle(netlink, pool("10.9.0.0/16"))
    settle(netlink, pool("fd09::/112"))
    equal("pools read as they were added",
          [("10.8.0.0/24", ["10.8.0.1-10.8.0.9"], 3600, 256 - 2 - 9),
           ("fd08::/64", ["fd08::1-fd08::1"], 0, 2 ** 64 - 1),
           ("10.9.0.0/16", [], 0, 65536 - 2), ("fd09::/112", [], 0, 65536 - 1)],
          [(one["prefix"], one["reserved"], one[POOL_LEASE_TIME], one[POOL_SIZE])
           for one in pools_of(netlink)])
    equal("of which nothing is used", [0] * 4,
          [one[POOL_USED] for one in pools_of(netlink)])
    settle(netlink, pool("10.8.0.0/24", reserved("10.8.0.250", "10.8.0.255"),
                         reserved("10.8.0.5", "10.8.0.20"),
                         reserved("10.8.0.0", "10.8.0.10"), u32(POOL_LEASE_TIME, 60)))
    one = pools_of(netlink)[0]
    equal("a pool is changed in its place; reservations may overlap",
          ("10.8.0.0/24", 3, 60, 256 - 21 - 6),
          (one["prefix"], len(one["reserved"]), one[POOL_LEASE_TIME], one[POOL_SIZE]))
    for prefix, size in (("10.10.0.0/30", 2), ("10.10.0.4/31", 2),
                         ("10.10.0.6/32", 1), ("fd0a::/126", 3),
                         ("fd0a::4/127", 2), ("fd0a::6/128", 1),
                         ("fd0b::/65", 2 ** 63 - 1), ("fd0c::/48", 2 ** 64 - 1),
                         ("11.0.0.0/8", 2 ** 24 - 2)):
        settle(netlink, pool(prefix))
        equal(f"addresses in {prefix}", size, pools_of(netlink)[-1][POOL_SIZE])
        settle(netlink, pool(prefix), command=POOL_DEL)
    settle(netlink, pool("10.9.0.0/16"), command=POOL_DEL)
    equal("a pool is removed", ["10.8.0.0/24", "fd08::/64", "fd09::/112"],
          [one["prefix"] for one in pools_of(netlink)])


def test_pool_refusals(netlink):
    # Pools are those that test_pools() has left.
    einval = errno.EINVAL
    for what, number, attrs in (
            ("a pool that is in another", errno.EEXIST, [bad(pool("10.8.0.128/25"))]),
            ("a pool around another", errno.EEXIST, [bad(pool("10.8.0.0/23"))]),
            ("an IPv6 pool around another", errno.EEXIST, [bad(pool("fd08::/32"))]),
            ("bits behind the prefix", einval, [bad(pool("10.11.0.1/24"))]),
            ("a /7", einval, [bad(pool("10.0.0.0/7"))]),
            ("loopback", einval, [bad(pool("127.0.0.0/24"))]),
            ("IPv4 groups", einval, [bad(pool("239.0.0.0/24"))]),
            ("0.0.0.0/8", einval, [bad(pool("0.0.0.0/8"))]),
            ("IPv6 groups", einval, [bad(pool("ff05::/64"))]),
            ("IPv4 in IPv6's clothes", einval, [bad(pool("::ffff:10.0.0.0/104"))]),
            ("a reservation outside", einval,
             [bad(pool("10.11.0.0/24", reserved("10.12.0.1")))]),
            ("a reservation that ends outside", einval,
             [bad(pool("10.11.0.0/24", reserved("10.11.0.1", "10.11.1.1")))]),
            ("a reservation that ends before it begins", einval,
             [bad(pool("10.11.0.0/24", reserved("10.11.0.9", "10.11.0.1")))]),
            ("no pool", einval, []),
            ("a pool without a prefix", einval, [Attr(POOL, [u32(POOL_LEASE_TIME, 1)])]),
            ("a prefix of 5 octets", einval, [Attr(POOL, [Attr(
                POOL_PREFIX, [bad(Attr(1, bytes(5)))])])]),
            ("a prefix without an address", einval,
             [Attr(POOL, [Attr(POOL_PREFIX, [u8(2, 24)])])]),
            ("a prefix longer than the address", einval, [Attr(POOL, [Attr(
                POOL_PREFIX, [Attr(1, bytes(4)), bad(u8(2, 33))])])]),
            ("a reservation of the other family", einval, [pool("10.11.0.0/24", Attr(
                2, [bad(Attr(1, bytes(16)))]))]),
            ("a reservation without a beginning", einval,
             [pool("10.11.0.0/24", Attr(2, [Attr(2, bytes(4))]))]),
            ("65 reservations", einval,
             [pool("10.11.0.0/24", *(reserved(f"10.11.0.{n}") for n in range(1, 65)),
                   bad(reserved("10.11.0.65")))]),
            ("two pools", einval, [pool("10.11.0.0/24"), bad(pool("10.12.0.0/24"))])):
        refused(netlink, what, number, POOL_ADD, attrs)
    refused(netlink, "the removal of a pool that is not there", errno.ENOENT, POOL_DEL,
            [bad(pool("10.8.0.0/25"))])
    refused(netlink, "the removal of nothing", einval, POOL_DEL, [])


#
# Leases
#

def test_leases(netlink):
    clean(netlink)
    run("ip", "address", "add", "10.8.0.10/24", "dev", "vpn0")
    run("ip", "address", "add", "fd08::2/64", "dev", "vpn0")
    settle(netlink, pool("10.8.0.0/24", reserved("10.8.0.1", "10.8.0.9")))
    equal("the lowest address that is neither network, reserved nor our own",
          ["10.8.0.11/24"], give(netlink, 1, text(P_NAME, "anna"), *leased()))
    equal("it is an allowed IP", ["10.8.0.11/32"], peers_of(netlink)[k(1)]["allowedips"])
    equal("the next one", ["10.8.0.12/24"], give(netlink, 2))
    equal("an address of choice", ["10.8.0.99/24"], give(netlink, 3, *leased("10.8.0.99")))
    one = peers_of(netlink)[k(3)]
    equal("which reads as it was asked for",
          (["10.8.0.99/32"], MODE_LEASE), (one["wanted"], integer(one[P_ADDRESS_MODE])))
    equal("auto is a lease where there is a pool", ["10.8.0.13/24"],
          give(netlink, 4, *leased(mode=MODE_AUTO)))
    equal("which reads as a lease", MODE_LEASE,
          integer(peers_of(netlink)[k(4)][P_ADDRESS_MODE]))
    equal("a pool tells what it has given", 4, pools_of(netlink)[0][POOL_USED])
    equal("leases are told by address",
          [("10.8.0.11/24", k(1), True, "anna", None), ("10.8.0.12/24", k(2), True, "", None),
           ("10.8.0.13/24", k(4), True, "", None), ("10.8.0.99/24", k(3), True, "", None)],
          [(one["address"], one["key"], one["bound"], one["name"], one["expires"])
           for one in leases_of(netlink)])

    before = everything(netlink)
    give(netlink, 2)
    give(netlink, 3, *leased("10.8.0.99"))
    equal("setting the same again changes nothing", before, everything(netlink))

    take(netlink, 1)
    one = leases_of(netlink)[0]
    equal("without its peer a lease stays", ("10.8.0.11/24", k(1), False, None),
          (one["address"], one["key"], one["bound"], one["expires"]))
    equal("and nobody else gets the address", ["10.8.0.14/24"], give(netlink, 5))
    equal("the same key gets it back", ["10.8.0.11/24"], give(netlink, 1))
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS))
    equal("without any peer all leases are there", 5, len(leases_of(netlink)))
    equal("every key gets its address back",
          [f"10.8.0.{n}/24" for n in (14, 13, 99, 12, 11)],
          [give(netlink, n)[0] for n in (5, 4, 3, 2, 1)])

    equal("another address of choice", ["10.8.0.50/24"],
          give(netlink, 3, *leased("10.8.0.50")))
    equal("replaces the one before", (["10.8.0.50/32"], False),
          (peers_of(netlink)[k(3)]["allowedips"],
           "10.8.0.99/24" in [one["address"] for one in leases_of(netlink)]))
    equal("without a lease its address goes", ([], []),
          (give(netlink, 3, *leased(mode=MODE_NONE)), peers_of(netlink)[k(3)]["allowedips"]))
    equal("and is kept for it", (k(3), False),
          [(one["key"], one["bound"]) for one in leases_of(netlink)
           if one["address"] == "10.8.0.50/24"][0])
    equal("so does the one of a peer that we ask for an address", [],
          give(netlink, 4, *leased("10.8.0.13", mode=MODE_REQUEST)))

    settle(netlink, pool("fd08::/64", reserved("fd08::", "fd08::ffff")))
    both = give(netlink, 6)
    equal("with pools of both families, a lease of each", ["10.8.0.15/24", "/64"],
          [both[0], both[1][-3:]])
    six = both[1]
    take(netlink, 6)
    settle(netlink, lease(k(6)), command=LEASE_RELEASE)
    equal("a key's IPv6 address follows from the key", six, give(netlink, 6)[1])
    equal("one of choice is of one family", ["fd08::1:1/64"],
          give(netlink, 7, *leased("fd08::1:1")))
    equal("any of one family", ["10.8.0.16/24"], give(netlink, 9, *leased("0.0.0.0")))
    equal("or of both", ["10.8.0.77/24", "fd08::7:7/64"],
          give(netlink, 7, *leased("fd08::7:7", "10.8.0.77")))
    settle(netlink, pool("fd77::/120"))
    settle(netlink, pool("fd08::/64"), Attr(FORCE, b""), command=POOL_DEL)
    equal("a small IPv6 pool is filled from its beginning", ["fd77::1/120"],
          give(netlink, 8)[1:])


def test_lease_refusals(netlink):
    settle(netlink, pool("fd77::/120"), Attr(FORCE, b""), command=POOL_DEL)
    refused(netlink, "any address of a family without a pool", errno.ENOSPC, 2,
            [peer(k(1), u32(P_ADDRESS_MODE, MODE_LEASE), bad(address(P_ADDRESS, "::")))],
            "of this family")
    # Peers and pools are those that test_leases() has left.
    unavailable = errno.EADDRNOTAVAIL
    for what, ip, words in (("reserved", "10.8.0.5", "reserved"),
                            ("the network", "10.8.0.0", "reserved"),
                            ("the broadcast", "10.8.0.255", "reserved"),
                            ("our own", "10.8.0.10", "device itself"),
                            ("of another peer", "10.8.0.12", "leased to another"),
                            ("of a key that is away", "10.8.0.50", "leased to another"),
                            ("outside", "10.7.0.1", "no pool")):
        for number in (1, 100):
            refused(netlink, f"an address that is {what}, for "
                    f"{'a peer' if number == 1 else 'a new peer'}", unavailable, 2,
                    [peer(k(number), text(P_NAME, "x"), u32(P_ADDRESS_MODE, MODE_LEASE),
                          bad(address(P_ADDRESS, ip)))], words)
    einval = errno.EINVAL
    for what, attrs in (
            ("an address without a mode", [address(P_ADDRESS, "10.8.0.60")]),
            ("an address in mode none",
             [bad(u32(P_ADDRESS_MODE, MODE_NONE)), address(P_ADDRESS, "10.8.0.60")]),
            ("a prefix", [u32(P_ADDRESS_MODE, MODE_LEASE),
                          bad(address(P_ADDRESS, "10.8.0.0/24"))]),
            ("a group", [u32(P_ADDRESS_MODE, MODE_LEASE),
                         bad(address(P_ADDRESS, "224.0.0.1"))]),
            ("two addresses of a family",
             [u32(P_ADDRESS_MODE, MODE_LEASE), address(P_ADDRESS, "10.8.0.60"),
              bad(address(P_ADDRESS, "10.8.0.61"))]),
            ("an address of 3 octets", [u32(P_ADDRESS_MODE, MODE_LEASE), Attr(
                P_ADDRESS, [bad(Attr(1, bytes(3)))])]),
            ("an address of no octets", [u32(P_ADDRESS_MODE, MODE_LEASE),
                                         Attr(P_ADDRESS, [])])):
        refused(netlink, what, einval, 2, [peer(k(1), *attrs)])
    refused(netlink, "an unknown mode", errno.ERANGE, 2,
            [peer(k(1), bad(u32(P_ADDRESS_MODE, 4)))])

    # Allowed IPs and leases.
    refused(netlink, "an allowed IP that is leased to another peer", errno.EADDRINUSE, 2,
            [peer(k(1), text(P_NAME, "x"), allowedip("10.1.0.0/16"),
                  bad(allowedip("10.8.0.12/32")))], "leased to another")
    refused(netlink, "one that is leased to a key that is away", errno.EADDRINUSE, 2,
            [peer(k(1), bad(allowedip("10.8.0.50/32")))])
    equal("a shorter prefix leaves leases alone",
          (0, ["10.8.0.12/32"]),
          (netlink.set(VPN0, peer(k(1), allowedip("10.8.0.12/31"))).errno,
           [one for one in peers_of(netlink)[k(2)]["allowedips"] if ":" not in one]))
    remove = u32(A_FLAGS, 1)
    netlink.set(VPN0, peer(k(1), allowedip("10.8.0.12/31", remove)),
                peer(k(2), allowedip("10.8.0.12/32", remove), allowedip("10.2.0.0/16")))
    point("a leased allowed IP can't be taken away",
          "10.8.0.12/32" in peers_of(netlink)[k(2)]["allowedips"])
    netlink.set(VPN0, peer(k(2), u32(P_FLAGS, REPLACE_ALLOWEDIPS), allowedip("10.3.0.0/16")))
    equal("nor replaced", ["10.3.0.0/16", "10.8.0.12/32"],
          sorted(peers_of(netlink)[k(2)]["allowedips"]))
    netlink.set(VPN0, peer(k(2), u32(P_FLAGS, REPLACE_ALLOWEDIPS)))

    # Pools and leases.
    refused(netlink, "a reservation of a leased address", errno.EBUSY, POOL_ADD,
            [bad(pool("10.8.0.0/24", reserved("10.8.0.12")))])
    refused(netlink, "the removal of a pool that is in use", errno.EBUSY, POOL_DEL,
            [bad(pool("10.8.0.0/24"))], "force")
    settle(netlink, pool("10.8.0.0/24"), Attr(FORCE, b""), command=POOL_DEL)
    equal("with force its leases go", ([], []),
          ([one for one in leases_of(netlink) if "." in one["address"]],
           peers_of(netlink)[k(2)]["leases"]))
    equal("out of the allowed IPs, too", [], peers_of(netlink)[k(2)]["allowedips"])
    clean(netlink)
    equal("auto asks for an address where there is no pool", MODE_REQUEST,
          (give(netlink, 1, *leased(mode=MODE_AUTO)),
           integer(peers_of(netlink)[k(1)][P_ADDRESS_MODE]))[1])
    refused(netlink, "a lease without a pool", errno.ENOSPC, 2,
            [peer(k(2), bad(u32(P_ADDRESS_MODE, MODE_LEASE)))], "add one")


def test_exhaustion(netlink):
    clean(netlink)
    settle(netlink, pool("10.20.0.0/29"))
    equal("a /29 has six addresses", [f"10.20.0.{n}/29" for n in range(1, 6)],
          [give(netlink, n)[0] for n in range(1, 6)])
    equal("the last one is given by name", ["10.20.0.6/29"],
          give(netlink, 6, *leased("10.20.0.6")))
    refused(netlink, "a seventh peer", errno.ENOSPC, 2,
            [peer(k(7), bad(u32(P_ADDRESS_MODE, MODE_LEASE)))], "add a pool")
    take(netlink, 3)
    refused(netlink, "it, while a lease is kept", errno.ENOSPC, 2,
            [peer(k(7), bad(u32(P_ADDRESS_MODE, MODE_LEASE)))])
    settle(netlink, lease(k(3)), command=LEASE_RELEASE)
    equal("when it is released, there is room", ["10.20.0.3/29"], give(netlink, 7))
    settle(netlink, pool("10.20.1.0/30"))
    equal("or from a second pool", ["10.20.1.1/30"], give(netlink, 8))
    settle(netlink, pool("fd20::/126"))
    for n in (9, 10, 11):
        give(netlink, n, *leased(f"fd20::{n - 8}"))
    before = everything(netlink)
    answer = netlink.set(VPN0, peer(k(12), *leased()))
    equal("all or nothing: no IPv4 lease without an IPv6 one",
          (errno.ENOSPC, before), (answer.errno, everything(netlink)))

    clean(netlink)
    settle(netlink, pool("10.21.0.0/29"))
    netlink.set(VPN0, peer(k(1), allowedip("10.21.0.2/31"), allowedip("0.0.0.0/0")))
    equal("addresses in another peer's allowed IPs are left out; a default route is none",
          ["10.21.0.1/29", "10.21.0.4/29"], [give(netlink, 2)[0], give(netlink, 3)[0]])
    refused(netlink, "one of them by name", errno.EADDRNOTAVAIL, 2,
            [peer(k(4), u32(P_ADDRESS_MODE, MODE_LEASE), bad(address(P_ADDRESS, "10.21.0.3")))],
            "allowed IPs")
    equal("who has them may have one", ["10.21.0.2/29"],
          give(netlink, 1, *leased("10.21.0.2")))
    netlink.set(VPN0, peer(k(5), allowedip("10.21.0.0/29")))
    refused(netlink, "a lease where all of the pool is another peer's", errno.ENOSPC, 2,
            [peer(k(4), bad(u32(P_ADDRESS_MODE, MODE_LEASE)))])

    # A reservation of nearly all, in a pool too large for a bitmap.
    clean(netlink)
    settle(netlink, pool("fd21::/64", reserved("fd21::", "fd21::ffff:0"),
                         reserved("fd21::ffff:3", "fd21::ffff:ffff:ffff:ffff")))
    equal("the only two addresses of an IPv6 pool are found",
          ["fd21::ffff:1/64", "fd21::ffff:2/64"],
          sorted(give(netlink, 1) + give(netlink, 2)))
    refused(netlink, "a third", errno.ENOSPC, 2,
            [peer(k(3), bad(u32(P_ADDRESS_MODE, MODE_LEASE)))])


#
# Time
#

def wait_for(condition):
    give_up = time.monotonic() + 15
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.1)
    return True


def test_expiry(netlink):
    clean(netlink)
    settle(netlink, pool("10.30.0.0/24", u32(POOL_LEASE_TIME, 3600)))
    listener = Listener(netlink)
    give(netlink, 1)
    equal("a lease of a present peer has no end", None, leases_of(netlink)[0]["expires"])
    equal("an event tells of it", [(k(1), "10.30.0.1/24", None, True)],
          [(one["key"], one["address"], one["expires"], one["bound"])
           for name, _, one in listener.events(until="peer-added")
           if name == "lease-added"])
    now = time.time_ns()
    take(netlink, 1)
    left = (leases_of(netlink)[0]["expires"] - now) / NS
    point("of one that is gone, a lease time later", 3590 < left < 3610, f"{left} s")
    events = listener.events(until="peer-removed")
    equal("which an event tells", ["lease-added"],
          [name for name, _, one in events
           if name == "lease-added" and not one["bound"] and one["expires"]])
    give(netlink, 1)
    equal("and none again when it is back", None, leases_of(netlink)[0]["expires"])

    settle(netlink, pool("10.30.0.0/24", u32(POOL_LEASE_TIME, 1)))
    give(netlink, 2)
    take(netlink, 1, 2)
    listener.events()
    point("leases of peers that are gone end",
          wait_for(lambda: not leases_of(netlink)), f"{leases_of(netlink)}")
    equal("events tell", ["lease-removed"] * 2, names(listener.events()))
    equal("their addresses are free", ["10.30.0.1/24"], give(netlink, 3))
    listener.close()


#
# Release and restore
#

def test_release(netlink):
    clean(netlink)
    settle(netlink, pool("10.40.0.0/24"))
    settle(netlink, pool("fd40::/120"))
    for n in range(1, 7):
        give(netlink, n)
    settle(netlink, lease(k(1)), lease(None, "10.40.0.2"), lease(k(3), "fd40::3"),
           command=LEASE_RELEASE)
    equal("released: a key's, an address, both",
          [([], []), (["fd40::2/120"], ["fd40::2/128"]), (["10.40.0.3/24"], ["10.40.0.3/32"])],
          [(one["leases"], one["allowedips"])
           for one in (peers_of(netlink)[k(n)] for n in (1, 2, 3))])
    equal("the peer is set to have a lease still", MODE_LEASE,
          integer(peers_of(netlink)[k(1)][P_ADDRESS_MODE]))
    equal("and gets one when it is set again", ["10.40.0.1/24", "fd40::1/120"],
          give(netlink, 1))
    for what, number, attrs in (
            ("nothing", errno.EINVAL, []),
            ("a lease without a name", errno.EINVAL, [lease(k(4)), lease()]),
            ("a key without a lease", errno.ENOENT, [lease(k(4)), bad(lease(k(99)))]),
            ("an address without a lease", errno.ENOENT,
             [lease(k(4)), bad(lease(None, "10.40.0.99"))]),
            ("an address outside of all pools", errno.ENOENT,
             [lease(k(4)), bad(lease(None, "10.99.0.1"))]),
            ("a key and another's address", errno.ENOENT, [bad(lease(k(4), "10.40.0.5"))])):
        refused(netlink, f"the release of {what}", number, LEASE_RELEASE, attrs)


def restorable(leases):
    return [lease(one["key"], one["address"],
                  *([u64(L_EXPIRES, one["expires"])] if one["expires"] else []))
            for one in leases]


def test_restore(netlink):
    clean(netlink)
    run("modprobe", "-r", "vpn")
    run("ip", "link", "add", "vpn0", "type", "vpn")
    run("ip", "address", "add", "10.50.0.9/24", "dev", "vpn0")
    netlink = Netlink()
    four, six = pool("10.50.0.0/24", u32(POOL_LEASE_TIME, 3600)), pool("fd50::/64")
    settle(netlink, four)
    settle(netlink, six)
    for n in range(1, 51):
        give(netlink, n)
    take(netlink, *range(40, 51))
    before = leases_of(netlink)
    allowed = {one: sorted(attrs["allowedips"])
               for one, attrs in peers_of(netlink).items()}

    # As at a reboot: everything goes, pools come back, leases, then peers.
    run("ip", "link", "del", "vpn0")
    run("modprobe", "-r", "vpn")
    run("ip", "link", "add", "vpn0", "type", "vpn")
    run("ip", "address", "add", "10.50.0.9/24", "dev", "vpn0")
    netlink = Netlink()
    settle(netlink, four)
    settle(netlink, six)
    settle(netlink, *restorable(before), command=LEASE_RESTORE)
    after = leases_of(netlink)
    equal("leases survive a reload of the module",
          [(one["key"], one["address"]) for one in before],
          [(one["key"], one["address"]) for one in after])
    point("none has a peer", not any(one["bound"] for one in after))
    ends = [(one["expires"], two["expires"], one["address"])
            for one, two in zip(before, after)]
    point("an end that was known is the same",
          all(one == two for one, two, _ in ends if one),
          f"{ends}")
    point("without one a lease time begins, if there is any",
          all((abs(two - time.time_ns() - 3600 * NS) < 30 * NS) if "." in ip else two is None
              for one, two, ip in ends if one is None), f"{ends}")
    for n in range(39, 0, -1):
        give(netlink, n)
    equal("in whichever order peers come back, each gets its addresses", allowed,
          {one: sorted(attrs["allowedips"]) for one, attrs in peers_of(netlink).items()})
    listener = Listener(netlink)
    settle(netlink, *restorable(before), command=LEASE_RESTORE)
    equal("restoring once more changes nothing",
          [(one["key"], one["address"]) for one in before],
          [(one["key"], one["address"]) for one in leases_of(netlink)])
    listener.close()

    now = time.time_ns()
    settle(netlink, lease(k(60), "10.50.0.60", u64(L_EXPIRES, now - NS)),
           lease(k(61), "10.50.0.61", u64(L_EXPIRES, now + 1000 * NS)), command=LEASE_RESTORE)
    equal("a lease that has expired is left out", [k(61)],
          [one["key"] for one in leases_of(netlink) if one["key"] in (k(60), k(61))])
    free = lease(k(70), "10.50.0.70")
    unavailable = errno.EADDRNOTAVAIL
    for what, number, attrs in (
            ("nothing", errno.EINVAL, []),
            ("a lease without a key", errno.EINVAL, [free, lease(None, "10.50.0.71")]),
            ("a lease without an address", errno.EINVAL, [free, lease(k(71))]),
            ("a key of zeros", errno.EINVAL, [free, bad(lease(bytes(32), "10.50.0.71"))]),
            ("an address of another key", unavailable, [free, bad(lease(k(71), "10.50.0.1"))]),
            ("an address of two keys", unavailable, [free, bad(lease(k(71), "10.50.0.70"))]),
            ("two addresses of a key", errno.EEXIST, [free, bad(lease(k(70), "10.50.0.71"))]),
            ("another address of a key", errno.EEXIST, [free, bad(lease(k(1), "10.50.0.71"))]),
            ("an address in no pool", unavailable, [free, bad(lease(k(71), "10.51.0.1"))]),
            ("the network", unavailable, [free, bad(lease(k(71), "10.50.0.0"))]),
            ("our own address", unavailable, [free, bad(lease(k(71), "10.50.0.9"))])):
        refused(netlink, f"to restore {what}", number, LEASE_RESTORE, attrs)
    return netlink


#
# Many
#

def test_many(netlink):
    """A large dump: complete, in order, and marked when it changed meanwhile."""
    clean(netlink)
    settle(netlink, pool("10.0.0.0/8"))
    count = 20000
    wanted = [(k(n), f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(1, count + 1)]
    for first in range(0, count, 500):
        settle(netlink, *(lease(one, ip) for one, ip in wanted[first:first + 500]),
               command=LEASE_RESTORE)
    answer = netlink.request(LEASE_GET, [VPN0], F_DUMP)
    got = [(one["key"], one["address"]) for one in leases_of(netlink)]
    equal(f"a dump of {count} leases is complete and in order, in "
          f"{len(answer.messages)} messages", [(one, ip + "/8") for one, ip in wanted], got)
    point("and not interrupted", not answer.interrupted)
    equal("the pool counts them", count, pools_of(netlink)[0][POOL_USED])

    other = Netlink(netlink.family)
    netlink.send(LEASE_GET, [VPN0], F_DUMP)
    answer = Answer()
    netlink.receive(answer)
    gone = [one for one, _ in wanted[1::2]]
    for first in range(0, len(gone), 500):
        settle(other, *(lease(one) for one in gone[first:first + 500]),
               command=LEASE_RELEASE)
    netlink.finish(answer)
    other.close()
    told = [one["key"] for one in read_all(answer, LEASE, read_lease)]
    point("a dump is marked when leases end meanwhile", answer.interrupted)
    point("those that stay are told, once",
          {one for one, _ in wanted[::2]} <= set(told) and len(told) == len(set(told)),
          f"{len(told)} told, {len(set(told))} different")
    settle(netlink, pool("10.0.0.0/8"), Attr(FORCE, b""), command=POOL_DEL)
    equal("all go with their pool", [], leases_of(netlink))


def test_rights(netlink):
    clean(netlink)
    settle(netlink, pool("10.60.0.0/24"))
    give(netlink, 1)
    before = everything(netlink)

    def stranger():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        other = Netlink(netlink.family)
        for n, (command, attrs) in enumerate((
                (POOL_ADD, [pool("10.61.0.0/24")]), (POOL_DEL, [pool("10.60.0.0/24"),
                                                               Attr(FORCE, b"")]),
                (LEASE_RELEASE, [lease(k(1))]), (LEASE_RESTORE, [lease(k(2), "10.60.0.2")]))):
            if other.request(command, [VPN0, *attrs]).errno != errno.EPERM:
                return 10 + n
        for n, command in enumerate((POOL_GET, LEASE_GET)):
            if other.request(command, [VPN0], F_DUMP).errno != errno.EPERM:
                return 20 + n
        return 0

    equal("without rights there is no pool and no lease to read or change", 0,
          forked(stranger))
    equal("and nothing has changed", before, everything(netlink))
    for command in (POOL_GET, LEASE_GET):
        answer = netlink.request(command, [text(IFNAME, "lo")], F_DUMP)
        equal("a device of another kind has none", errno.EOPNOTSUPP, answer.errno)


def main():
    _, netlink = start()
    netlink.set(VPN0, Attr(PRIVATE_KEY, SECRET))
    test_pools(netlink)
    test_pool_refusals(netlink)
    test_leases(netlink)
    test_lease_refusals(netlink)
    test_exhaustion(netlink)
    test_expiry(netlink)
    test_release(netlink)
    test_many(netlink)
    test_rights(netlink)
    run("ip", "link", "del", "vpn0")
    run("ip", "link", "del", "vpn1")
    run("ip", "link", "add", "vpn0", "type", "vpn")
    test_restore(netlink)
    return end()


if __name__ == "__main__":
    sys.exit(main())
