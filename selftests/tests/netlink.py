#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""The netlink ABI: what it refuses and how it says so, what it does, and who may.

A refusal must have the right errno, words, and the offset of the attribute that
was not liked or the type of the one that is missing; and nothing must have
changed.
"""
import errno
import os
import random
import socket
import struct
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import (
    ADD_MEMBERSHIP, A_FAMILY, A_FLAGS, A_IPADDR, A_PREFIX_LEN, Answer, Attr,
    DEVICE_GET, DEVICE_SET, FAR, FLAGS, FWMARK, F_ACK, F_DUMP, HEADERS,
    IFINDEX, IFNAME, IPADDR, K1, K2, K3, LIST_ADDRESS, LISTEN_PORT, Netlink,
    PEERS, PEER_COUNT, PORT, PREFIX_LEN, PRIVATE_KEY, PSK, PUBLIC_KEY,
    P_ALLOWEDIPS, P_FLAGS, P_HANDSHAKE, P_IPV4, P_IPV6, P_KEEPALIVE, P_NAME,
    P_PORT, P_PRESHARED_KEY, P_PUBLIC_KEY, P_PUSH_ROUTES, P_RX, P_SCOPE, P_TX, P_VERSION, REMOVE, REPLACE_ALLOWEDIPS,
    REPLACE_PEERS, SECRET, SOL_NETLINK, UPDATE_ONLY, VPN0, allowedip, bad,
    be16, end, equal, forked, integer, ip4, ip6, peer, peers_of, point, run,
    say, start, state, text, u16, u32, u64, u8)


#
# What is refused
#

def endpoint_refusals():
    einval, erange = errno.EINVAL, errno.ERANGE
    link_local = "fe80::1"
    return [
        ("a port without an address", einval, [bad(be16(P_PORT, 1))]),
        ("a scope without an address", einval, [bad(u32(P_SCOPE, 1))]),
        ("a scope with IPv4", einval, [FAR, PORT, bad(u32(P_SCOPE, 1))]),
        ("a scope with a global address", einval,
         [ip6(P_IPV6, "2001:db8::1"), PORT, bad(u32(P_SCOPE, 1))]),
        ("both families", einval, [FAR, bad(ip6(P_IPV6, link_local)), PORT]),
        ("port 0", einval, [FAR, bad(be16(P_PORT, 0))]),
        ("0.0.0.0", einval, [bad(ip4(P_IPV4, "0.0.0.0")), PORT]),
        ("an IPv4 group", einval, [bad(ip4(P_IPV4, "224.0.0.1")), PORT]),
        ("the IPv4 broadcast", einval, [bad(ip4(P_IPV4, "255.255.255.255")), PORT]),
        ("::", einval, [bad(ip6(P_IPV6, "::")), PORT]),
        ("an IPv6 group", einval, [bad(ip6(P_IPV6, "ff02::1")), PORT]),
        ("IPv4 in IPv6's clothes", einval,
         [bad(ip6(P_IPV6, "::ffff:192.0.2.1")), PORT]),
        ("3 octets of IPv4", einval, [bad(Attr(P_IPV4, bytes(3))), PORT]),
        ("8 octets of IPv4", einval, [bad(Attr(P_IPV4, bytes(8))), PORT]),
        ("15 octets of IPv6", erange, [bad(Attr(P_IPV6, bytes(15))), PORT]),
        ("17 octets of IPv6", erange, [bad(Attr(P_IPV6, bytes(17))), PORT]),
        ("a port of 4 octets", einval, [FAR, bad(u32(P_PORT, 1))]),
        ("a scope of 2 octets", einval,
         [ip6(P_IPV6, link_local), PORT, bad(u16(P_SCOPE, 1))]),
    ]


def allowedip_refusals():
    inet, inet6 = u16(A_FAMILY, socket.AF_INET), u16(A_FAMILY, socket.AF_INET6)
    address, address6 = ip4(A_IPADDR, "10.0.0.0"), ip6(A_IPADDR, "fd00::")
    length = u8(A_PREFIX_LEN, 8)
    einval, erange = errno.EINVAL, errno.ERANGE
    return [
        ("an unknown family", errno.EAFNOSUPPORT,
         [bad(u16(A_FAMILY, 99)), address, length]),
        ("no family at all", errno.EAFNOSUPPORT,
         [bad(u16(A_FAMILY, 0)), address, length]),
        ("an IPv6 family with 4 octets", einval,
         [inet6, bad(ip4(A_IPADDR, "10.0.0.0")), length]),
        ("an IPv4 family with 16 octets", einval,
         [inet, bad(ip6(A_IPADDR, "fd00::")), length]),
        ("5 octets", einval, [inet, bad(Attr(A_IPADDR, bytes(5))), length]),
        ("no octets", einval, [inet, bad(Attr(A_IPADDR, b"")), length]),
        ("17 octets", erange, [inet6, bad(Attr(A_IPADDR, bytes(17))), length]),
        ("IPv4/33", einval, [inet, address, bad(u8(A_PREFIX_LEN, 33))]),
        ("IPv6/129", erange, [inet6, address6, bad(u8(A_PREFIX_LEN, 129))]),
        ("a length of 4 octets", einval, [inet, address, bad(u32(A_PREFIX_LEN, 8))]),
        ("an unknown flag", einval,
         [inet, address, length, bad(u32(A_FLAGS, 2))]),
        ("an unknown attribute", einval,
         [inet, address, length, bad(u32(77, 1))]),
    ]


def route_refusals():
    einval, erange = errno.EINVAL, errno.ERANGE

    def route(address, length):
        return Attr(LIST_ADDRESS, [ip4(IPADDR, address), u8(PREFIX_LEN, length)])

    full = [route(f"10.{n}.0.0", 16) for n in range(32)]
    return [
        ("33 of them", einval, full + [bad(route("10.99.0.0", 16))]),
        ("IPv4/33", einval, [Attr(LIST_ADDRESS, [ip4(IPADDR, "10.0.0.0"),
                                                 bad(u8(PREFIX_LEN, 33))])]),
        ("5 octets", einval, [Attr(LIST_ADDRESS, [bad(Attr(IPADDR, bytes(5)))])]),
        ("17 octets", erange, [Attr(LIST_ADDRESS, [bad(Attr(IPADDR, bytes(17)))])]),
        ("something else in the list", einval, [bad(u32(2, 1))]),
        ("one that is no nest", einval, [bad(Attr(LIST_ADDRESS, bytes(8)))]),
    ]


def peer_refusals():
    einval, erange = errno.EINVAL, errno.ERANGE
    good = Attr(P_PUBLIC_KEY, K2)
    cases = [
        ("a key of zeros", einval, [bad(Attr(P_PUBLIC_KEY, bytes(32)))]),
        ("a key of 31 octets", erange, [bad(Attr(P_PUBLIC_KEY, bytes(31)))]),
        ("a key of 33 octets", erange, [bad(Attr(P_PUBLIC_KEY, bytes(33)))]),
        ("a key of no octets", erange, [bad(Attr(P_PUBLIC_KEY, b""))]),
        ("a preshared key of 31 octets", erange,
         [good, bad(Attr(P_PRESHARED_KEY, bytes(31)))]),
        ("a preshared key of 64 octets", erange,
         [good, bad(Attr(P_PRESHARED_KEY, bytes(64)))]),
        ("an unknown flag", einval, [good, bad(u32(P_FLAGS, 16))]),
        ("flags of 8 octets", einval, [good, bad(u64(P_FLAGS, 1))]),
        ("a name of 64 octets", einval, [good, bad(text(P_NAME, "x" * 64))]),
        ("a name that does not end", einval, [good, bad(Attr(P_NAME, b"x"))]),
        ("a name with an escape", einval,
         [good, bad(text(P_NAME, "a\x1b[2Jb"))]),
        ("a name with a newline", einval, [good, bad(text(P_NAME, "a\n"))]),
        ("a keepalive of 4 octets", einval, [good, bad(u32(P_KEEPALIVE, 25))]),
        ("an unknown attribute", einval, [good, bad(u32(200, 1))]),
        ("the attribute 0", einval, [good, bad(u32(0, 1))]),
        ("received octets", einval, [good, bad(u64(P_RX, 1))]),
        ("sent octets", einval, [good, bad(u32(P_TX, 1))]),
        ("the time of a handshake", einval, [good, bad(u64(P_HANDSHAKE, 1))]),
        ("a protocol version", einval, [good, bad(u32(P_VERSION, 1))]),
        ("an allowed IP that is no nest", einval,
         [good, bad(Attr(P_ALLOWEDIPS, bytes(8)))]),
        ("an attribute longer than the peer", einval,
         [good, Attr(P_NAME, b"x\0", length=200)]),
    ]
    cases += [("routes: " + name, code, [good, Attr(P_PUSH_ROUTES, attrs)])
              for name, code, attrs in route_refusals()]
    cases += [("endpoint: " + name, code, [good, *attrs])
              for name, code, attrs in endpoint_refusals()]
    cases += [("allowed IP: " + name, code, [good, Attr(P_ALLOWEDIPS, attrs)])
              for name, code, attrs in allowedip_refusals()]
    return cases


def device_refusals(index):
    einval, erange, enodev = errno.EINVAL, errno.ERANGE, errno.ENODEV
    return [
        ("ifindex 0", erange, [bad(u32(IFINDEX, 0))]),
        ("an ifindex that is not there", enodev, [bad(u32(IFINDEX, 99999))]),
        ("a negative ifindex", enodev, [bad(u32(IFINDEX, 0xffffffff))]),
        ("an ifindex of 2 octets", einval, [bad(u16(IFINDEX, index))]),
        ("a name that is not there", enodev, [bad(text(IFNAME, "nobody"))]),
        ("an empty name", enodev, [bad(text(IFNAME, ""))]),
        ("a name of 16 octets", einval, [bad(text(IFNAME, "x" * 16))]),
        ("a name that does not end", einval, [bad(Attr(IFNAME, b"vpn0"))]),
        ("names of two devices", enodev,
         [u32(IFINDEX, index), bad(text(IFNAME, "vpn1"))]),
        ("the name of no device", enodev,
         [u32(IFINDEX, index), bad(text(IFNAME, "nobody"))]),
        ("a device of another kind", errno.EOPNOTSUPP,
         [bad(text(IFNAME, "lo"))]),
        ("the index of another kind", errno.EOPNOTSUPP, [bad(u32(IFINDEX, 1))]),
        ("an unknown attribute", einval, [VPN0, bad(u32(100, 1))]),
        ("the attribute 0", einval, [VPN0, bad(u32(0, 1))]),
    ]


def setting_refusals():
    einval, erange = errno.EINVAL, errno.ERANGE
    return [
        ("a private key of 31 octets", erange,
         [bad(Attr(PRIVATE_KEY, bytes(31)))]),
        ("a private key of 33 octets", erange,
         [bad(Attr(PRIVATE_KEY, bytes(33)))]),
        ("a public key", einval, [bad(Attr(PUBLIC_KEY, bytes(32)))]),
        ("a count of peers", einval, [bad(u32(PEER_COUNT, 1))]),
        ("an unknown flag", einval, [bad(u32(FLAGS, 2))]),
        ("a port of 4 octets", einval, [bad(u32(LISTEN_PORT, 1))]),
        ("a port of 1 octet", einval, [bad(u8(LISTEN_PORT, 1))]),
        ("a mark of 2 octets", einval, [bad(u16(FWMARK, 1))]),
        ("a mark of 8 octets", einval, [bad(u64(FWMARK, 1))]),
        ("a peer that is no nest", einval, [bad(Attr(PEERS, bytes(40)))]),
        ("an attribute longer than the message", einval,
         [Attr(FWMARK, bytes(4), length=4000)]),
    ]


def missing_cases():
    """What a nest lacks: the type of what is missing; bad is the nest."""
    family = u16(A_FAMILY, socket.AF_INET)
    address, length = ip4(A_IPADDR, "10.0.0.0"), u8(A_PREFIX_LEN, 8)

    def prefix(*attrs):
        return [peer(K2, bad(Attr(P_ALLOWEDIPS, list(attrs))))]

    return [
        ("a peer without a key", P_PUBLIC_KEY, [bad(Attr(PEERS, [u16(P_KEEPALIVE, 1)]))]),
        ("a peer without anything", P_PUBLIC_KEY, [bad(Attr(PEERS, []))]),
        ("an endpoint without a port", P_PORT, [bad(peer(K2, FAR))]),
        ("an allowed IP without a family", A_FAMILY, prefix(address, length)),
        ("an allowed IP without an address", A_IPADDR, prefix(family, length)),
        ("an allowed IP without a length", A_PREFIX_LEN, prefix(family, address)),
        ("an allowed IP without anything", A_FAMILY, prefix()),
    ]


def test_refusals(netlink, index):
    # Everything has something to lose.
    answer = netlink.set(
        VPN0, Attr(PRIVATE_KEY, SECRET), u32(FWMARK, 7),
        peer(K1, Attr(P_PRESHARED_KEY, PSK), text(P_NAME, "first"), FAR, PORT,
             u16(P_KEEPALIVE, 25), allowedip("10.1.0.0/16"),
             allowedip("fd01::/64")))
    equal("a device is set up", 0, answer.errno)
    before = state(netlink)

    def refused(name, code, attrs, miss=None, command=DEVICE_SET,
                flags=F_ACK):
        found = netlink.send(command, attrs, flags)
        answer = netlink.finish(Answer())
        if answer.at_end and answer.offset is None:
            # Linux before 6.9 has only words for the end of a dump.
            where_right = True
        elif miss:
            where_right = answer.missing == miss and answer.nest == found
        else:
            where_right = answer.offset == found
        if point(f"refused: {name}",
                 answer.errno == code and answer.words and where_right,
                 f"wanted {errno.errorcode[code]} at {found}, missing {miss}",
                 f"got {answer}"):
            say(f"#   {answer.words}")
        now = state(netlink)
        if now != before:
            point(f"nothing changed by {name}", False, f"{before}", f"{now}")

    refused("no device", errno.EINVAL, [u32(FWMARK, 1)], miss=IFINDEX)
    refused("no device to read", errno.EINVAL, [], miss=IFINDEX,
            command=DEVICE_GET, flags=F_DUMP)
    for name, code, attrs in device_refusals(index):
        refused(name, code, attrs + [u32(FWMARK, 1)])
        refused("reading " + name, code, attrs, command=DEVICE_GET, flags=F_DUMP)
    for kind, attr in ((FWMARK, u32(FWMARK, 1)), (PEERS, peer(K1))):
        refused(f"reading with the attribute {kind}", errno.EINVAL,
                [VPN0, bad(attr)], command=DEVICE_GET, flags=F_DUMP)
    for name, code, attrs in setting_refusals():
        refused(name, code, [VPN0, u32(FLAGS, REPLACE_PEERS), u32(FWMARK, 1), *attrs])
    # What is good and comes before must not have been carried out.
    first = [VPN0, u32(FLAGS, REPLACE_PEERS), u32(FWMARK, 99), u16(LISTEN_PORT, 99),
             Attr(PRIVATE_KEY, PSK), peer(K3, allowedip("10.1.0.0/16"))]
    for name, code, attrs in peer_refusals():
        refused("peer: " + name, code, first + [Attr(PEERS, attrs)])
    for name, miss, attrs in missing_cases():
        refused(name, errno.EINVAL, first + attrs, miss=miss)

    equal("nothing has changed by any of them", before, state(netlink))


def test_core_refusals(netlink):
    """What generic netlink refuses without us, and without words."""
    for name, command, flags in (("a command that is not there", 77, F_ACK),
                                 ("an event as a command", 3, F_ACK),
                                 ("reading without a dump", DEVICE_GET, F_ACK),
                                 ("setting as a dump", DEVICE_SET, F_DUMP)):
        answer = netlink.request(command, [VPN0], flags)
        equal(f"refused: {name}", errno.EOPNOTSUPP, answer.errno)
    answer = netlink.request(DEVICE_SET, [VPN0], reserved=1)
    equal("refused: a reserved field that is used", errno.EINVAL, answer.errno)


def test_noise(netlink):
    """Messages of which random octets are changed: each gets an answer."""
    dice = random.Random(2)
    out = bytearray(HEADERS)
    for attr in (VPN0, u32(FWMARK, 3), Attr(PRIVATE_KEY, SECRET),
                 peer(K1, FAR, PORT, allowedip("10.1.0.0/16"), text(P_NAME, "n")),
                 peer(K2, allowedip("fd01::/64"), u32(P_FLAGS, 2))):
        attr.write(out, [])
    answered = 0
    for _ in range(500):
        message = bytearray(out)
        for _ in range(dice.randrange(1, 4)):
            message[dice.randrange(HEADERS, len(message))] = dice.randrange(256)
        del message[dice.randrange(HEADERS, 4 * len(message)):]
        netlink.send_raw(DEVICE_SET, message, F_ACK)
        answered += netlink.finish(Answer()).errno is not None
    equal("an answer to every mangled message", 500, answered)


#
# What is done
#

def test_settings(netlink):
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS), Attr(PRIVATE_KEY, SECRET),
                u32(FWMARK, 0x1234), u16(LISTEN_PORT, 4242))
    device = state(netlink)
    clamped = bytes([SECRET[0] & 248]) + SECRET[1:31] + bytes([SECRET[31] & 127 | 64])
    equal("a private key reads as it was clamped", clamped, device[PRIVATE_KEY])
    own = device[PUBLIC_KEY]
    equal("a mark and a port are set", (0x1234, 4242),
          (integer(device[FWMARK]), integer(device[LISTEN_PORT])))
    equal("peers are replaced by none", ([], 0),
          (device["peers"], integer(device[PEER_COUNT])))

    netlink.set(VPN0, peer(K1, Attr(P_PRESHARED_KEY, PSK), text(P_NAME, "zoë"),
                           ip6(P_IPV6, "fe80::7"), PORT, u32(P_SCOPE, 1),
                           u16(P_KEEPALIVE, 25), allowedip("10.1.2.3/16"),
                           allowedip("fd01::1/64"), allowedip("0.0.0.0/0")))
    one = peers_of(netlink)[K1]
    equal("a peer reads as it was set",
          (PSK, "zoë".encode() + b"\0", socket.inet_pton(socket.AF_INET6, "fe80::7"),
           struct.pack("!H", 51820), 1, 25, 0, 0, 0),
          (one[P_PRESHARED_KEY], one[P_NAME], one[P_IPV6], one[P_PORT],
           integer(one[P_SCOPE]), integer(one[P_KEEPALIVE]), integer(one[P_VERSION]),
           integer(one[P_RX]), integer(one[P_TX])))
    point("without a handshake there is no time of it", P_HANDSHAKE not in one)
    equal("bits beyond a prefix are cleared",
          ["0.0.0.0/0", "10.1.0.0/16", "fd01::/64"], sorted(one["allowedips"]))

    netlink.set(VPN0, peer(K2, allowedip("10.1.0.0/16")))
    peers = peers_of(netlink)
    equal("a prefix moves to the peer that it is given to",
          (["0.0.0.0/0", "fd01::/64"], ["10.1.0.0/16"]),
          (sorted(peers[K1]["allowedips"]), peers[K2]["allowedips"]))

    remove = u32(A_FLAGS, 1)
    netlink.set(VPN0, peer(K2, allowedip("0.0.0.0/0", remove),
                           allowedip("10.1.0.0/16", remove),
                           allowedip("10.9.0.0/16", remove)))
    peers = peers_of(netlink)
    equal("a peer loses its own prefixes only",
          (["0.0.0.0/0", "fd01::/64"], []),
          (sorted(peers[K1]["allowedips"]), peers[K2]["allowedips"]))

    netlink.set(VPN0, peer(K1, u32(P_FLAGS, REPLACE_ALLOWEDIPS),
                           allowedip("10.7.0.0/16")))
    equal("allowed IPs are replaced", ["10.7.0.0/16"],
          peers_of(netlink)[K1]["allowedips"])
    point("what a message does not name stays",
          peers_of(netlink)[K1][P_PRESHARED_KEY] == PSK)

    netlink.set(VPN0, peer(K1, Attr(P_PRESHARED_KEY, bytes(32)), text(P_NAME, ""),
                           u16(P_KEEPALIVE, 0), FAR, PORT))
    one = peers_of(netlink)[K1]
    equal("a preshared key, a name and a keepalive are taken away",
          (False, False, 0), (P_PRESHARED_KEY in one, P_NAME in one,
                              integer(one[P_KEEPALIVE])))
    equal("an endpoint changes its family", (FAR.content, False, False),
          (one[P_IPV4], P_IPV6 in one, P_SCOPE in one))

    netlink.set(VPN0, peer(K3, u32(P_FLAGS, UPDATE_ONLY)),
                peer(K2, u32(P_FLAGS, UPDATE_ONLY), text(P_NAME, "two")))
    peers = peers_of(netlink)
    equal("an update makes no peer", (False, b"two\0"),
          (K3 in peers, peers[K2][P_NAME]))

    answer = netlink.set(VPN0, peer(K3, u32(P_FLAGS, REMOVE)),
                         peer(K2, u32(P_FLAGS, REMOVE)))
    equal("a peer is removed, and one that is not there, too", (0, [K1]),
          (answer.errno, list(peers_of(netlink))))

    answer = netlink.set(VPN0, peer(K2, allowedip("10.2.0.0/16")),
                         peer(K2, allowedip("10.3.0.0/16")),
                         peer(K2, u32(P_FLAGS, REPLACE_ALLOWEDIPS),
                              allowedip("10.4.0.0/16")))
    equal("a message is carried out in its order", ["10.4.0.0/16"],
          peers_of(netlink)[K2]["allowedips"])

    before = state(netlink)
    answer = netlink.set(VPN0, peer(own, allowedip("10.5.0.0/16")))
    equal("a peer with our own key is left out", (0, before),
          (answer.errno, state(netlink)))
    point("which a warning says", answer.words and "own key" in answer.words,
          f"{answer}")

    netlink.set(VPN0, Attr(PRIVATE_KEY, PSK), peer(own))
    point("with another key of ours it can be a peer", own in peers_of(netlink))
    netlink.set(VPN0, Attr(PRIVATE_KEY, SECRET))
    device = state(netlink)
    equal("a peer whose key becomes ours is removed", (own, [K1, K2]),
          (device[PUBLIC_KEY], [one[P_PUBLIC_KEY] for one in device["peers"]]))

    netlink.set(VPN0, Attr(PRIVATE_KEY, bytes(32)))
    device = state(netlink)
    point("a key of zeros takes the identity away",
          PRIVATE_KEY not in device and PUBLIC_KEY not in device)
    equal("a change without changes is fine", 0, netlink.set(VPN0).errno)


def test_port(netlink):
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("0.0.0.0", 7777))
    run("ip", "link", "set", "vpn0", "up")
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS), u16(LISTEN_PORT, 4242), peer(K1))
    before = state(netlink)
    where = netlink.send(DEVICE_SET, [
        VPN0, bad(u16(LISTEN_PORT, 7777)), u32(FWMARK, 55),
        u32(FLAGS, REPLACE_PEERS), Attr(PRIVATE_KEY, PSK), peer(K3)])
    answer = netlink.finish(Answer())
    point("a port that another socket has is refused",
          answer.errno == errno.EADDRINUSE and answer.words and
          answer.offset == where, f"{answer}")
    equal("and nothing else is done", before, state(netlink))
    taken.close()
    equal("the port that the device has is fine", 0,
          netlink.set(VPN0, u16(LISTEN_PORT, 4242)).errno)
    equal("a port that has become free, too", 0,
          netlink.set(VPN0, u16(LISTEN_PORT, 7777)).errno)
    netlink.set(VPN0, u16(LISTEN_PORT, 0))
    port = integer(state(netlink)[LISTEN_PORT])
    point("for port 0 the kernel chooses", port not in (0, 7777), f"{port}")
    run("ip", "link", "set", "vpn0", "down")


#
# Who may
#

def refused_everything(family, group):
    """Whether whoever runs this may neither read, nor set, nor listen."""
    netlink = Netlink(family)
    if netlink.get(VPN0).errno != errno.EPERM:
        return 1
    if netlink.set(VPN0, u32(FWMARK, 666)).errno != errno.EPERM:
        return 2
    try:
        netlink.sock.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)
    except PermissionError:
        return 0
    return 3


def unprivileged(function):
    def inner():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        return function()
    return inner


def test_rights(netlink):
    before = state(netlink)
    group = netlink.groups["events"]
    equal("without rights there is no reading, setting, listening", 0,
          forked(unprivileged(lambda: refused_everything(netlink.family, group))))

    me = [sys.executable, os.path.abspath(__file__)]
    equal("nor with the rights of another user namespace", 0,
          run("unshare", "-U", "-r", *me, "--refused", str(netlink.family), str(group),
              check=False))
    equal("with a network namespace of its own there is", 0,
          run("unshare", "-U", "-r", "-n", *me, "--own", str(netlink.family), str(group),
              check=False))

    def opened_before():
        # A socket of root's that somebody else uses has the rights of neither.
        other = Netlink(netlink.family)
        os.setuid(65534)
        return 0 if other.set(VPN0, u32(FWMARK, 667)).errno == errno.EPERM else 1

    equal("nor with a socket that was opened with rights", 0, forked(opened_before))
    equal("and nothing has changed", before, state(netlink))


def own_namespace(family, group):
    run("ip", "link", "add", "vpn0", "type", "vpn")
    netlink = Netlink(family)
    if netlink.set(VPN0, u32(FWMARK, 5), Attr(PRIVATE_KEY, SECRET), peer(K1)).errno:
        return 1
    device = state(netlink)
    if integer(device[FWMARK]) != 5 or PRIVATE_KEY not in device:
        return 2
    netlink.sock.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)
    return 0


def test_autoload():
    run("modprobe", "-r", "vpn")
    netlink = Netlink()
    point("the family is loaded when it is asked for",
          netlink.family and "events" in netlink.groups, f"{netlink.family}")
    netlink.close()


def main():
    test_autoload()
    _, netlink = start()
    test_refusals(netlink, socket.if_nametoindex("vpn0"))
    test_core_refusals(netlink)
    test_rights(netlink)
    test_settings(netlink)
    test_port(netlink)
    test_noise(netlink)
    return end()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--refused"]:
        sys.exit(refused_everything(int(sys.argv[2]), int(sys.argv[3])))
    if sys.argv[1:2] == ["--own"]:
        sys.exit(own_namespace(int(sys.argv[2]), int(sys.argv[3])))
    sys.exit(main())
