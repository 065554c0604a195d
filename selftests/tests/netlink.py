#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
"""The netlink ABI, byte by byte: what it refuses and how it says so, what it
does, complete and consistent dumps, events, and who may do what.

A refusal must have the right errno, words, and the offset of the attribute that
was not liked or the type of the one that is missing; and nothing must have
changed.
"""
import atexit
import ctypes
import errno
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time

NETLINK_GENERIC = 16
SOL_NETLINK = 270
ADD_MEMBERSHIP, CAP_ACK, EXT_ACK, STRICT_CHK = 1, 10, 11, 12
F_REQUEST, F_ACK, F_DUMP, F_DUMP_INTR = 0x1, 0x4, 0x300, 0x10
F_CAPPED, F_ACK_TLVS = 0x100, 0x200
MSG_ERROR, MSG_DONE = 2, 3
NLA_NESTED, NLA_TYPE = 0x8000, 0x3fff
HEADERS = 20        # netlink, generic netlink

DEVICE_GET, DEVICE_SET = 1, 2
EVENTS = {3: "peer-added", 4: "peer-changed", 5: "peer-removed",
          6: "handshake-done", 7: "endpoint-moved", 8: "session-expired",
          9: "device-changed"}
(IFINDEX, IFNAME, FLAGS, PRIVATE_KEY, PUBLIC_KEY, LISTEN_PORT, FWMARK,
 PEER_COUNT, PEERS) = range(1, 10)
(P_PUBLIC_KEY, P_PRESHARED_KEY, P_FLAGS, P_NAME, P_IPV4, P_IPV6, P_PORT, P_SCOPE,
 P_KEEPALIVE, P_VERSION, P_HANDSHAKE, P_RX, P_TX, P_ALLOWEDIPS) = range(1, 15)
A_FAMILY, A_IPADDR, A_PREFIX_LEN, A_FLAGS = range(1, 5)
REPLACE_PEERS = 1
REMOVE, REPLACE_ALLOWEDIPS, UPDATE_ONLY = 1, 2, 4

libc = ctypes.CDLL(None, use_errno=True)

#
# Results
#

POINTS = {"all": 0, "failed": 0}


def say(text):
    print(text, flush=True)


def point(text, good, *why):
    POINTS["all"] += 1
    if not good:
        POINTS["failed"] += 1
        for line in why:
            say(f"# {line}")
    say(f"{'ok' if good else 'not ok'} {POINTS['all']} - {text}")
    return good


def equal(text, wanted, got):
    return point(text, wanted == got, f"wanted {wanted!r}"[:2000],
                 f"got {got!r}"[:2000])


#
# Namespaces and links
#

def run(*command, check=True):
    print("+ " + " ".join(command), file=sys.stderr, flush=True)
    return subprocess.run(command, check=check, timeout=60).returncode


class Namespace:
    """A network namespace that ends with the test."""

    def __init__(self, name):
        self.name = f"netlink-{os.getpid()}-{name}"
        self.owner = os.getpid()
        run("ip", "netns", "add", self.name)
        atexit.register(self.delete)
        self.run("ip", "link", "set", "lo", "up")

    def delete(self):
        if os.getpid() == self.owner:
            run("ip", "netns", "del", self.name, check=False)

    def enter(self):
        with open("/run/netns/" + self.name, encoding="ascii") as file:
            if libc.setns(file.fileno(), 0x40000000):
                raise OSError(ctypes.get_errno(), "setns")

    def run(self, *command, check=True):
        return run("ip", "netns", "exec", self.name, *command, check=check)


def sysctl(name, value):
    with open(name, "w", encoding="ascii") as file:
        file.write(str(value))


#
# Messages
#

class Attr:
    """An attribute; content is octets or a list of attributes. A bad one is that
    which the kernel is to point at."""

    def __init__(self, kind, content, bad=False, length=None):
        self.kind = kind
        self.content = content
        self.bad = bad
        self.length = length

    def write(self, out, found):
        start = len(out)
        if self.bad:
            found.append(start)
        out += bytes(4)
        kind = self.kind
        if isinstance(self.content, list):
            kind |= NLA_NESTED
            for attr in self.content:
                attr.write(out, found)
        else:
            out += self.content
        length = len(out) - start if self.length is None else self.length
        struct.pack_into("=HH", out, start, length, kind)
        out += bytes(-len(out) % 4)


def bad(attr):
    attr.bad = True
    return attr


def u8(kind, value):
    return Attr(kind, struct.pack("=B", value))


def u16(kind, value):
    return Attr(kind, struct.pack("=H", value))


def u32(kind, value):
    return Attr(kind, struct.pack("=I", value))


def u64(kind, value):
    return Attr(kind, struct.pack("=Q", value))


def be16(kind, value):
    return Attr(kind, struct.pack("!H", value))


def text(kind, value):
    return Attr(kind, value.encode() + b"\0")


def ip4(kind, value):
    return Attr(kind, socket.inet_pton(socket.AF_INET, value))


def ip6(kind, value):
    return Attr(kind, socket.inet_pton(socket.AF_INET6, value))


def allowedip(prefix, *more):
    address, _, length = prefix.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return Attr(P_ALLOWEDIPS, [
        u16(A_FAMILY, family),
        Attr(A_IPADDR, socket.inet_pton(family, address)),
        u8(A_PREFIX_LEN, int(length)), *more])


def peer(key, *attrs):
    return Attr(PEERS, [Attr(P_PUBLIC_KEY, key), *attrs])


def parse(data):
    """The attributes in there, as pairs of type and content."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & NLA_TYPE, data[4:length]
        data = data[(length + 3) & ~3:]


def integer(data):
    return int.from_bytes(data, sys.byteorder)


class Answer:
    """What came of a request."""

    def __init__(self):
        self.errno = None
        self.words = None
        self.offset = None
        self.missing = None
        self.nest = None
        self.interrupted = False
        self.at_end = False
        self.messages = []
        self.largest = 0

    def read_extack(self, data):
        for kind, content in parse(data):
            if kind == 1:
                self.words = content.rstrip(b"\0").decode()
            elif kind == 2:
                self.offset = integer(content)
            elif kind == 5:
                self.missing = integer(content)
            elif kind == 6:
                self.nest = integer(content)

    def __repr__(self):
        name = errno.errorcode.get(self.errno, self.errno)
        return (f"{name}, words {self.words!r}, offset {self.offset}, "
                f"missing {self.missing} in {self.nest}")


class Netlink:
    """A generic netlink socket of the namespace that the process is in."""

    def __init__(self, family=None):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_GENERIC)
        self.sock.bind((0, 0))
        for option in (CAP_ACK, EXT_ACK, STRICT_CHK):
            self.sock.setsockopt(SOL_NETLINK, option, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        self.sock.settimeout(30)
        self.seq = 0
        self.family = family
        self.groups = {}
        if family is None:
            self.resolve()

    def close(self):
        self.sock.close()

    def resolve(self):
        self.family = 16    # the controller
        answer = self.request(3, [text(2, "vpn")])
        self.family = None
        for message in answer.messages:
            for kind, content in parse(message):
                if kind == 1:
                    self.family = integer(content)
                elif kind == 7:
                    for _, group in parse(content):
                        group = dict(parse(group))
                        name = group[1].rstrip(b"\0").decode()
                        self.groups[name] = integer(group[2])

    def send(self, command, attrs, flags=F_ACK, reserved=0):
        """Send; returns where the bad attribute is."""
        out, found = bytearray(HEADERS), []
        for attr in attrs:
            attr.write(out, found)
        self.send_raw(command, out, flags, reserved)
        return found[0] if found else None

    def send_raw(self, command, out, flags, reserved=0):
        self.seq += 1
        struct.pack_into("=IHHIIBBH", out, 0, len(out), self.family,
                         F_REQUEST | flags, self.seq, 0, command, 1, reserved)
        self.sock.send(out)

    def receive(self, answer, buffer=65536):
        """Take one datagram into the answer; True when that was the end."""
        data = self.sock.recv(buffer)
        answer.largest = max(answer.largest, len(data))
        while data:
            length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data)
            body, data = data[16:length], data[(length + 3) & ~3:]
            if seq != self.seq:
                continue
            answer.interrupted |= bool(flags & F_DUMP_INTR)
            if kind in (MSG_ERROR, MSG_DONE):
                answer.at_end = kind == MSG_DONE
                answer.errno = -struct.unpack_from("=i", body)[0]
                if flags & F_ACK_TLVS:
                    answer.read_extack(body[20 if kind == MSG_ERROR else 4:])
                return True
            answer.messages.append(body[4:])
        return False

    def finish(self, answer, buffer=65536):
        while not self.receive(answer, buffer):
            pass
        return answer

    def request(self, command, attrs, flags=F_ACK, reserved=0):
        self.send(command, attrs, flags, reserved)
        return self.finish(Answer())

    def set(self, *attrs):
        return self.request(DEVICE_SET, attrs)

    def get(self, *attrs, buffer=65536):
        self.send(DEVICE_GET, attrs, F_DUMP)
        return self.finish(Answer(), buffer)


#
# Devices as dictionaries
#

def read_prefix(data):
    attrs = dict(parse(data))
    family = integer(attrs[A_FAMILY])
    return (f"{socket.inet_ntop(family, attrs[A_IPADDR])}"
            f"/{integer(attrs[A_PREFIX_LEN])}")


def read_peer(data):
    result = {"allowedips": []}
    for kind, content in parse(data):
        if kind == P_ALLOWEDIPS:
            result["allowedips"].append(read_prefix(content))
        else:
            result[kind] = content
    return result


def read_device(answer):
    """Put the messages of a dump together."""
    device, peers = {}, []
    for message in answer.messages:
        for kind, content in parse(message):
            if kind != PEERS:
                device[kind] = content
                continue
            one = read_peer(content)
            if peers and peers[-1][P_PUBLIC_KEY] == one[P_PUBLIC_KEY]:
                peers[-1]["allowedips"] += one["allowedips"]
            else:
                peers.append(one)
    device["peers"] = peers
    return device


def canonical(prefix):
    """A prefix as read_prefix() writes it."""
    address, _, length = prefix.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    address = socket.inet_ntop(family, socket.inet_pton(family, address))
    return f"{address}/{length}"


def state(netlink, name="vpn0"):
    answer = netlink.get(text(IFNAME, name))
    if answer.errno:
        raise OSError(answer.errno, f"{name}: {answer}")
    return read_device(answer)


def peers_of(netlink, name="vpn0"):
    return {one[P_PUBLIC_KEY]: one for one in state(netlink, name)["peers"]}


def key(number):
    return number.to_bytes(4, "big") * 8


VPN0 = text(IFNAME, "vpn0")
K1, K2, K3 = key(0x11111111), key(0x22222222), key(0x33333333)
SECRET = bytes(range(64, 96))
PSK = bytes(range(96, 128))
FAR = ip4(P_IPV4, "192.0.2.1")
PORT = be16(P_PORT, 51820)


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
        ("an unknown flag", einval, [good, bad(u32(P_FLAGS, 8))]),
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
# Dumps
#

def numbered_peer(number):
    """A peer and its 3 to 7 prefixes."""
    prefixes = []
    for n in range(3 + number % 5):
        high, low = number >> 8, number & 255
        prefixes.append(f"10.{high * 8 + n}.{low}.0/24" if n % 2 else
                        f"fd00:{number:x}:{n:x}::/48")
    return key(0x40000000 + number), prefixes


def add_numbered(netlink, name, count):
    wanted = {}
    for start in range(0, count, 100):
        batch = []
        for number in range(start, min(start + 100, count)):
            public, prefixes = numbered_peer(number)
            wanted[public] = set(map(canonical, prefixes))
            batch.append(peer(public, text(P_NAME, f"peer {number}"),
                              Attr(P_PRESHARED_KEY, PSK), FAR, PORT,
                              *map(allowedip, prefixes)))
        answer = netlink.set(text(IFNAME, name), *batch)
        if answer.errno:
            raise OSError(answer.errno, f"adding peers: {answer}")
    return wanted


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
    for start in range(0, len(whole), 1000):
        answer = netlink.set(name, peer(K1, *map(allowedip, whole[start:start + 1000])))
        if answer.errno:
            point("5,000 allowed IPs are given to a peer", False, f"{answer}")
    wanted[K1] = set(map(canonical, whole))
    wanted[K3] = set()
    netlink.set(name, peer(K3))

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
    return wanted


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
# Events
#

class Listener:
    """Somebody who listens to events."""

    def __init__(self, netlink):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, netlink.groups["events"])
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def close(self):
        self.sock.close()

    def events(self, patience=0.2, until=None):
        """What has come: names with the device and the peer. Waits for one of
        that name, if it is given."""
        result = []
        end = time.monotonic() + patience
        while True:
            left = end - time.monotonic()
            if not select.select([self.sock], [], [], max(left, 0))[0]:
                return result
            data = self.sock.recv(65536)
            if SECRET[1:31] in data or PSK in data:
                raise AssertionError("an event carries a key")
            command = data[16]
            device, one = {}, None
            for kind, content in parse(data[HEADERS:]):
                if kind == PEERS:
                    one = read_peer(content)
                else:
                    device[kind] = content
            if PRIVATE_KEY in device or one and P_PRESHARED_KEY in one:
                raise AssertionError("an event has a key's attribute")
            result.append((EVENTS[command], device, one))
            if until == EVENTS[command]:
                return result


def names(events):
    return [name for name, _, _ in events]


def test_admin_events(netlink, elsewhere):
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS), Attr(PRIVATE_KEY, bytes(32)))
    listener = Listener(netlink)
    netlink.set(VPN0, Attr(PRIVATE_KEY, SECRET), u16(LISTEN_PORT, 4000), u32(FWMARK, 5))
    events = listener.events()
    equal("a change of the device is told", ["device-changed"], names(events))
    _, device, _ = events[0]
    equal("with what it is now", (b"vpn0\0", 4000, 5, 0, False),
          (device[IFNAME], integer(device[LISTEN_PORT]), integer(device[FWMARK]),
           integer(device[PEER_COUNT]), PUBLIC_KEY in device))

    netlink.set(VPN0, peer(K1, text(P_NAME, "one"), Attr(P_PRESHARED_KEY, PSK), FAR, PORT,
                           u16(P_KEEPALIVE, 9), allowedip("10.1.0.0/16")), peer(K2))
    events = listener.events()
    equal("new peers are told", [("peer-added", K1), ("peer-added", K2)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in events])
    _, device, one = events[0]
    equal("with their settings", (integer(device[IFINDEX]), b"one\0", FAR.content, 9),
          (socket.if_nametoindex("vpn0"), one[P_NAME], one[P_IPV4],
           integer(one[P_KEEPALIVE])))

    netlink.set(VPN0, peer(K1, u16(P_KEEPALIVE, 0)), peer(K3, u32(P_FLAGS, UPDATE_ONLY)))
    equal("a change of a peer is told", [("peer-changed", K1)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in listener.events()])
    netlink.set(VPN0, peer(K1, u32(P_FLAGS, REMOVE)), peer(K3, u32(P_FLAGS, REMOVE)))
    equal("a removal is told", [("peer-removed", K1)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in listener.events()])
    netlink.set(VPN0, peer(K3, u16(P_KEEPALIVE, 70000 & 0xffff), FAR, bad(be16(P_PORT, 0))))
    equal("a refusal is not", [], listener.events())
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS), peer(K3))
    equal("a replacement of all peers is told peer by peer",
          [("peer-removed", K2), ("peer-added", K3)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in listener.events()])
    own = state(netlink)[PUBLIC_KEY]
    netlink.set(VPN0, Attr(PRIVATE_KEY, PSK), peer(own))
    netlink.set(VPN0, Attr(PRIVATE_KEY, SECRET))
    point("so is the removal of a peer whose key becomes ours",
          "peer-removed" in names(listener.events()))

    run("ip", "link", "add", "vpn2", "type", "vpn")
    netlink.set(text(IFNAME, "vpn2"), peer(K1))
    run("ip", "link", "del", "vpn2")
    equal("so is the removal with the device",
          [("peer-added", b"vpn2\0"), ("peer-removed", b"vpn2\0")],
          [(name, device[IFNAME]) for name, device, _ in listener.events()])

    pid = os.fork()
    if not pid:
        elsewhere.enter()
        other = Listener(netlink)
        os.write(other_ready[1], b"r")
        os._exit(len(other.events(1)))
    os.read(other_ready[0], 1)
    netlink.set(VPN0, u32(FWMARK, 6))
    equal("another namespace hears nothing of it", 0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    listener.close()


other_ready = os.pipe()


def test_traffic_events(netlink, here, there):
    """A real tunnel between two namespaces."""
    here.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
             "netns", there.name)
    for namespace, n in ((here, 1), (there, 2)):
        namespace.run("ip", "addr", "add", f"10.0.0.{n}/24", "dev", "eth0")
        namespace.run("ip", "link", "set", "eth0", "up")
        namespace.run("ip", "link", "add", "tun0", "type", "vpn")
        namespace.run("ip", "addr", "add", f"192.168.99.{n}/24", "dev", "tun0")
        namespace.run("ip", "link", "set", "tun0", "up")
    tun0 = text(IFNAME, "tun0")
    there.enter()
    remote = Netlink(netlink.family)
    here.enter()
    netlink.set(tun0, Attr(PRIVATE_KEY, SECRET), u16(LISTEN_PORT, 1001))
    remote.set(tun0, Attr(PRIVATE_KEY, PSK), u16(LISTEN_PORT, 1002))
    near, far = state(netlink, "tun0")[PUBLIC_KEY], state(remote, "tun0")[PUBLIC_KEY]
    listener = Listener(netlink)
    remote.set(tun0, peer(near, allowedip("192.168.99.1/32")))
    netlink.set(tun0, peer(far, ip4(P_IPV4, "10.0.0.2"), be16(P_PORT, 1002),
                           allowedip("192.168.99.2/32")))
    equal("a ping goes through the tunnel", 0,
          here.run("ping", "-q", "-c", "1", "-W", "5", "192.168.99.2", check=False))
    events = listener.events(5, "handshake-done")
    equal("a handshake is told", ["peer-added", "handshake-done"], names(events))
    _, device, one = events[-1]
    point("with the peer, where it is, and when it was",
          device[IFNAME] == b"tun0\0" and one[P_PUBLIC_KEY] == far and
          one[P_IPV4] == socket.inet_aton("10.0.0.2") and
          abs(integer(one[P_HANDSHAKE]) / 1e9 - time.time()) < 10, f"{one}")
    one = peers_of(netlink, "tun0")[far]
    point("a dump has the time and the counters, too",
          P_HANDSHAKE in one and integer(one[P_RX]) > 0 and integer(one[P_TX]) > 148)

    listener.events()
    remote.set(tun0, u16(LISTEN_PORT, 1003))
    there.run("ping", "-q", "-c", "1", "-W", "5", "192.168.99.1", check=False)
    events = listener.events(5, "endpoint-moved")
    equal("a peer that moves is told", ["endpoint-moved"], names(events))
    point("with where to", events and events[-1][2] and
          events[-1][2][P_PORT] == struct.pack("!H", 1003))

    test_expiry(listener, far)
    listener.close()
    remote.close()


def test_expiry(listener, far):
    scale = "/sys/module/vpn/parameters/timescale"
    if not os.path.exists(scale):
        POINTS["all"] += 1
        say(f"ok {POINTS['all']} - an expired session is told # SKIP not a test build")
        return
    sysctl(scale, 100)
    try:
        # Timers that are armed run on the old clock: begin anew.
        run("ip", "link", "set", "tun0", "down")
        run("ip", "link", "set", "tun0", "up")
        run("ping", "-q", "-c", "1", "-W", "5", "192.168.99.2", check=False)
        events = listener.events(30, "session-expired")
    finally:
        sysctl(scale, 1)
    point("an expired session is told",
          events and events[-1][0] == "session-expired" and
          events[-1][2][P_PUBLIC_KEY] == far, f"{names(events)}")


#
# Who may
#

def forked(function):
    """The exit status of a function in a process of its own."""
    pid = os.fork()
    if not pid:
        try:
            status = function()
        except BaseException as error:  # pylint: disable=broad-except
            print(f"# {error!r}", flush=True)
            status = 255
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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


def test_rights(netlink, here):
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
    del here


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
    say("KTAP version 1")
    run("modprobe", "-r", "vpn")
    run("ip", "link", "del", "vpn0", check=False)
    first = Netlink()
    point("the family is loaded when it is asked for",
          first.family and "events" in first.groups, f"{first.family}")
    first.close()

    here, there = Namespace("here"), Namespace("there")
    here.enter()
    run("ip", "link", "add", "vpn0", "type", "vpn")
    run("ip", "link", "add", "vpn1", "type", "vpn")
    netlink = Netlink()

    test_refusals(netlink, socket.if_nametoindex("vpn0"))
    test_core_refusals(netlink)
    test_rights(netlink, here)
    test_settings(netlink)
    test_port(netlink)
    test_noise(netlink)
    test_dumps(netlink)
    test_interrupted(netlink, there)
    test_admin_events(netlink, there)
    test_traffic_events(netlink, here, there)
    test_race(netlink.family, 5)

    say(f"1..{POINTS['all']}")
    return 1 if POINTS["failed"] else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--refused"]:
        sys.exit(refused_everything(int(sys.argv[2]), int(sys.argv[3])))
    if sys.argv[1:2] == ["--own"]:
        sys.exit(own_namespace(int(sys.argv[2]), int(sys.argv[3])))
    sys.exit(main())
