# SPDX-License-Identifier: GPL-2.0
"""What the tests of the netlink ABI share: KTAP, namespaces, messages octet by
octet, and devices as dictionaries. Nothing but Python's own library.
"""
import atexit
import ctypes
import errno
import os
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
(POOL_ADD, POOL_DEL, POOL_GET, LEASE_GET, LEASE_RELEASE,
 LEASE_RESTORE) = range(10, 16)
EVENTS = {3: "peer-added", 4: "peer-changed", 5: "peer-removed",
          6: "handshake-done", 7: "endpoint-moved", 8: "session-expired",
          9: "device-changed", 18: "auth-request", 19: "assigned", 20: "refused",
          21: "disconnected", 22: "peer-expired", 23: "echo-done", 24: "lease-added",
          25: "lease-removed"}
(IFINDEX, IFNAME, FLAGS, PRIVATE_KEY, PUBLIC_KEY, LISTEN_PORT, FWMARK,
 PEER_COUNT, PEERS) = range(1, 10)
(P_PUBLIC_KEY, P_PRESHARED_KEY, P_FLAGS, P_NAME, P_IPV4, P_IPV6, P_PORT, P_SCOPE,
 P_KEEPALIVE, P_VERSION, P_HANDSHAKE, P_RX, P_TX, P_ALLOWEDIPS) = range(1, 15)
P_ADDRESS_MODE, P_ADDRESS, P_LEASE = 15, 16, 17
P_PUSH_ROUTES, LIST_ADDRESS = 32, 1
IPADDR, PREFIX_LEN = 1, 2
A_FAMILY, A_IPADDR, A_PREFIX_LEN, A_FLAGS = range(1, 5)
POOL, LEASE, FORCE = 18, 19, 23
MODE_NONE, MODE_AUTO, MODE_LEASE, MODE_REQUEST = range(4)
POOL_PREFIX, POOL_RESERVED, POOL_LEASE_TIME, POOL_SIZE, POOL_USED = range(1, 6)
L_PUBLIC_KEY, L_ADDRESS, L_EXPIRES, L_BOUND, L_NAME = range(1, 6)
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


def skip(text, why):
    POINTS["all"] += 1
    say(f"ok {POINTS['all']} - {text} # SKIP {why}")


def equal(text, wanted, got):
    return point(text, wanted == got, f"wanted {wanted!r}"[:2000],
                 f"got {got!r}"[:2000])


#
# Namespaces and links
#

def run(*command, check=True):
    print("+ " + " ".join(command), file=sys.stderr, flush=True)
    return subprocess.run(command, check=check, timeout=60).returncode


def output(*command, **options):
    """Run a command; what it prints."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, check=False, **options)
    if result.returncode:
        raise OSError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def enter_namespace(file):
    if libc.setns(file.fileno(), 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


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
            enter_namespace(file)

    def run(self, *command, check=True):
        return run("ip", "netns", "exec", self.name, *command, check=check)


def sysctl(name, value):
    with open(name, "w", encoding="ascii") as file:
        file.write(str(value))


#
# Messages
#

def memory_used():
    """Kilobytes of memory that cannot be given back."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")
    with open("/proc/meminfo", encoding="ascii") as file:
        lines = dict(line.split(":") for line in file)
    return sum(int(lines[name].split()[0]) for name in ("SUnreclaim", "Percpu"))


def no_more_memory(before):
    """A point: what was done twice needs no more of it than after the first time."""
    text = "the same messages need no memory the second time"
    # The debug kernel keeps what is freed for long before it is used again.
    if os.uname().release.endswith("-debug"):
        skip(text, "kmemleak looks, instead")
    else:
        grown = memory_used() - before
        point(text, grown < 2048, f"{grown} kB more")


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


def address(kind, value):
    """A nest of an address, of a whole one or with a prefix."""
    ip, _, length = value.partition("/")
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    attrs = [Attr(1, socket.inet_pton(family, ip))]
    return Attr(kind, attrs + [u8(2, int(length))] if length else attrs)


def reserved(first, last=None):
    family = socket.AF_INET6 if ":" in first else socket.AF_INET
    return Attr(POOL_RESERVED, [Attr(n, socket.inet_pton(family, ip))
                                for n, ip in ((1, first), (2, last)) if ip])


def pool(prefix, *attrs):
    return Attr(POOL, [address(POOL_PREFIX, prefix), *attrs])


def lease(key=None, ip=None, *more):
    attrs = [Attr(L_PUBLIC_KEY, key)] if key else []
    if ip:
        attrs.append(address(L_ADDRESS, ip))
    return Attr(LEASE, [*attrs, *more])


def leased(*ips, mode=MODE_LEASE):
    """Attributes by which a peer is to have addresses, or any."""
    return [u32(P_ADDRESS_MODE, mode), *(address(P_ADDRESS, ip) for ip in ips)]


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

    def __init__(self, family=None, name="vpn"):
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
            self.resolve(name)

    def close(self):
        self.sock.close()

    def resolve(self, name):
        self.family = 16    # the controller
        answer = self.request(3, [text(2, name)])
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
        if self.family is None:
            raise OSError(errno.ENOENT, f"there is no family {name}")

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


def read_address(data):
    attrs = dict(parse(data))
    family = socket.AF_INET6 if len(attrs[1]) == 16 else socket.AF_INET
    return f"{socket.inet_ntop(family, attrs[1])}/{integer(attrs[2])}"


def read_lease(data):
    attrs = dict(parse(data))
    return {"key": attrs[L_PUBLIC_KEY], "address": read_address(attrs[L_ADDRESS]),
            "expires": integer(attrs[L_EXPIRES]) if L_EXPIRES in attrs else None,
            "bound": L_BOUND in attrs,
            "name": attrs.get(L_NAME, b"").rstrip(b"\0").decode()}


def read_pool(data):
    result = {"reserved": []}
    for kind, content in parse(data):
        if kind == POOL_RESERVED:
            ends = [socket.inet_ntop(socket.AF_INET6 if len(ip) == 16 else
                                     socket.AF_INET, ip)
                    for _, ip in parse(content)]
            result["reserved"].append("-".join(ends))
        elif kind == POOL_PREFIX:
            result["prefix"] = read_address(content)
        else:
            result[kind] = integer(content)
    return result


def read_all(answer, kind, reader):
    """What a dump of pools or leases has told."""
    if answer.errno:
        raise OSError(answer.errno, f"{answer}")
    return [reader(content) for message in answer.messages
            for found, content in parse(message) if found == kind]


def pools_of(netlink, name="vpn0"):
    return read_all(netlink.request(POOL_GET, [text(IFNAME, name)], F_DUMP),
                    POOL, read_pool)


def leases_of(netlink, name="vpn0"):
    return read_all(netlink.request(LEASE_GET, [text(IFNAME, name)], F_DUMP),
                    LEASE, read_lease)


def read_peer(data):
    result = {"allowedips": [], "leases": [], "wanted": []}
    for kind, content in parse(data):
        if kind == P_ALLOWEDIPS:
            result["allowedips"].append(read_prefix(content))
        elif kind == P_LEASE:
            result["leases"].append(read_lease(content)["address"])
        elif kind == P_ADDRESS:
            result["wanted"].append(read_address(content))
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


#
# Events
#

class Listener:
    """Somebody who listens to events."""

    def __init__(self, netlink, group="events"):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, netlink.groups[group])
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
                elif kind == LEASE:
                    one = read_lease(content)
                else:
                    device[kind] = content
            if PRIVATE_KEY in device or one and P_PRESHARED_KEY in one:
                raise AssertionError("an event has a key's attribute")
            result.append((EVENTS[command], device, one))
            if until == EVENTS[command]:
                return result


def names(events):
    return [name for name, _, _ in events]


#
# Processes
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


def start():
    """The header, and a namespace to be in with the devices vpn0 and vpn1."""
    say("KTAP version 1")
    here = Namespace("here")
    here.enter()
    run("ip", "link", "add", "vpn0", "type", "vpn")
    run("ip", "link", "add", "vpn1", "type", "vpn")
    return here, Netlink()


def end():
    """The plan; returns the exit status."""
    say(f"1..{POINTS['all']}")
    return 1 if POINTS["failed"] else 0
