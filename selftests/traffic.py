#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Send data from one network namespace to another and back, and see whether it
arrives as it was.

traffic.py tcp FROM TO ADDRESS,... [--octets N] [--segment MSS,...] [--streams N] [--options]
traffic.py udp FROM TO ADDRESS,... [--count N] [--size A-B,...] [--gso] [--gro] [--lossy]
                                   [--window N] [--hop] [--behind N]
traffic.py mix FROM TO ADDRESS,... [options of both]

FROM and TO are names of network namespaces, each ADDRESS is one of TO's.  TCP sends
random data both ways at once, in pieces of odd sizes, and compares it.  UDP
has every datagram echoed and compares it; --gso sends trains of equal datagrams
with one call each, --gro receives them so.  --lossy allows datagrams to get lost,
but not to be changed or to come twice.  --hop makes each call on the next processor, and
--behind is how many later datagrams one may come behind.  --options puts options into every IPv4 header, or
an extension behind every IPv6 header.  What is a list is done one after the other,
every combination; starting a program takes longer than most of it.
"""
import ctypes
import errno
import os
import select
import socket
import struct
import sys
import threading
import time

UDP_SEGMENT = 103
SO_RCVBUFFORCE = 33     # beyond net.core.rmem_max, which a few jumbo datagrams fill
UDP_GRO = 104
PATIENCE = 20       # seconds without anything

libc = ctypes.CDLL(None, use_errno=True)


def numbers(seed):
    """The same ones for the same seed, without end (Lehmer's generator)."""
    state = seed % 2147483646 + 1
    while True:
        state = state * 48271 % 2147483647
        yield state >> 8


def release():
    """The kernel's version, as (major, minor)."""
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


def enter(name):
    """Make this thread's new sockets belong to a namespace."""
    with open("/run/netns/" + name, encoding="ascii") as file:
        if libc.setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns", name)


def socket_in(name, address, kind):
    enter(name)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.settimeout(PATIENCE)
    return sock


def add_options(sock):
    """No-operation thrice and the end; or destination options that are padding."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\1\1\1\0")
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, b"\0\0\1\4\0\0\0\0")


class Tcp:
    """Connections, side by side, that carry --octets each way."""

    def __init__(self, args, address, segment):
        self.args = args
        self.address = address
        self.segment = segment
        self.errors = []
        self.good = True

    def send(self, sock, data):
        begin = 0
        for size in numbers(len(data)):
            end = begin + (1, 7, 999, 1447, 4095, 16383, 70001)[size % 7]
            sock.sendall(data[begin:end])
            begin = end
            if begin >= len(data):
                break
        sock.shutdown(socket.SHUT_WR)

    def receive(self, sock, wanted, way):
        got = bytearray()
        while data := sock.recv(1 << 17):
            got += data
        same = got == wanted
        print(f"tcp {self.address} {self.segment or ''} {way}: {len(got)} octets"
              f"{'' if same else ', not those that were sent'}")
        self.good &= same

    def guard(self, function, *args):
        def body():
            try:
                function(*args)
            except OSError as error:
                self.errors.append(f"{function.__name__}: {error}")

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread

    def connect(self, server):
        near = socket_in(self.args.origin, self.address, socket.SOCK_STREAM)
        if self.segment:
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, self.segment)
        if self.args.options:
            add_options(near)
        near.connect((self.address, self.args.port))
        far, _ = server.accept()
        far.settimeout(PATIENCE)
        return near, far

    def run(self):
        server = socket_in(self.args.to, self.address, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.segment:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, self.segment)
        if self.args.options:
            add_options(server)
        server.bind((self.address, self.args.port))
        server.listen()
        threads = []
        for near, far in [self.connect(server) for _ in range(self.args.streams)]:
            there, back = os.urandom(self.args.octets), os.urandom(self.args.octets)
            threads += [
                self.guard(self.send, near, there),
                self.guard(self.send, far, back),
                self.guard(self.receive, far, there, "there"),
                self.guard(self.receive, near, back, "back"),
            ]
        for thread in threads:
            thread.join()
        for error in self.errors:
            print(error, file=sys.stderr)
        return self.good and not self.errors


class Udp:
    """Datagrams and their echoes."""

    def __init__(self, args, address, size):
        self.args = args
        self.address = address
        low, _, high = size.partition("-")
        low, high = int(low), int(high or low)
        self.sizes = [low + size % (high - low + 1)
                      for size, _ in zip(numbers(args.count), range(args.count))]
        if args.gso:
            # The same size within a train; the last may be shorter.
            for i in range(args.count):
                if i % args.train:
                    self.sizes[i] = self.sizes[i - 1]
            for i in range(args.train - 1, args.count, args.train):
                self.sizes[i] = max(4, self.sizes[i] - i % 9)
        self.noise = os.urandom(1 << 17)
        self.stop = False
        self.served = 0
        self.cpus = sorted(os.sched_getaffinity(0))
        self.latest = self.behind = 0   # by number; by how much one was late

    def datagram(self, i):
        begin = i * 7919 % (1 << 16)
        return struct.pack("!I", i) + self.noise[begin:begin + self.sizes[i] - 4]

    def receive(self, sock):
        """A list of datagrams and where they came from."""
        data, ancillary, _, peer = sock.recvmsg(1 << 16, 64)
        size = len(data) or 1
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_UDP, UDP_GRO):
                size = struct.unpack("i", value[:4])[0]
        return [data[i:i + size] for i in range(0, len(data), size)], peer

    def serve(self, sock):
        while not self.stop:
            if not select.select([sock], [], [], 0.2)[0]:
                continue
            for data in (got := self.receive(sock))[0]:
                self.served += 1
                number = struct.unpack("!I", data[:4])[0]
                self.latest = max(self.latest, number)
                self.behind = max(self.behind, self.latest - number)
                sock.sendto(data, got[1])

    def next_train(self, i):
        """Datagrams that go with one call from the i-th on."""
        if not self.args.gso:
            return 1
        return min(self.args.train - i % self.args.train, self.args.count - i)

    def send(self, sock, i):
        n = self.next_train(i)
        if self.args.hop:
            os.sched_setaffinity(0, {self.cpus[i // n % len(self.cpus)]})
        data = b"".join(self.datagram(j) for j in range(i, i + n))
        if n == 1:
            sock.send(data)
            return n
        size = struct.pack("H", self.sizes[i])
        try:
            sock.sendmsg([data], [(socket.SOL_UDP, UDP_SEGMENT, size)])
        except OSError as error:
            # Before 6.11 a device that makes no checksums is given no trains.
            if error.errno != errno.EIO or release() >= (6, 11):
                raise
            for j in range(i, i + n):
                sock.send(self.datagram(j))
        return n

    def run(self):
        args = self.args
        server = socket_in(args.to, self.address, socket.SOCK_DGRAM)
        client = socket_in(args.origin, self.address, socket.SOCK_DGRAM)
        for sock in server, client:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
            if args.gro:
                sock.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
            if args.options:
                add_options(sock)
        server.bind((self.address, args.port))
        client.connect((self.address, args.port))
        thread = threading.Thread(target=self.serve, args=(server,), daemon=True)
        thread.start()

        seen, changed, sent, heard = {}, 0, 0, time.monotonic()
        patience = 1 if args.lossy else PATIENCE
        while len(seen) < args.count:
            room = sent - len(seen) + (self.next_train(sent) if sent < args.count else 0)
            if sent < args.count and room <= args.window:
                sent += self.send(client, sent)
                if select.select([client], [], [], 0)[0] == []:
                    continue
            if not select.select([client], [], [], 0.1)[0]:
                if time.monotonic() - heard < patience:
                    continue
                if not args.lossy or sent == args.count:
                    break
                # What is missing is lost.
                for i in range(sent):
                    seen.setdefault(i, 0)
                continue
            for data in self.receive(client)[0]:
                heard = time.monotonic()
                i = struct.unpack("!I", data[:4])[0] if len(data) >= 4 else args.count
                if i >= sent or data != self.datagram(i):
                    changed += 1
                else:
                    seen[i] = seen.get(i, 0) + 1
        self.stop = True
        thread.join()
        arrived = sum(1 for n in seen.values() if n)
        twice = sum(1 for n in seen.values() if n > 1)
        print(f"udp {self.address} of {min(self.sizes)} to {max(self.sizes)}: {sent} of {args.count} sent, {self.served} arrived, "
              f"{arrived} came back, {twice} more than once, {changed} changed, "
              f"at most {self.behind} behind")
        if args.behind is not None and self.behind > args.behind:
            return False
        return not changed and not twice and arrived and (
            args.lossy or arrived == args.count)


# What each option is without being given; "behind" is not looked at then.
OPTIONS = {
    "port": 7000, "octets": 1 << 20, "segment": "0", "streams": 1, "window": 48,
    "count": 200, "size": "4-1372", "train": 24, "behind": 0, "options": False,
    "gso": False, "gro": False, "lossy": False, "hop": False,
}


class Arguments:
    """Of the command line; argparse alone takes as long as all else at the start."""

    def __init__(self, kind, origin, to, address):
        self.kind, self.origin, self.to, self.address = kind, origin, to, address
        self.__dict__.update(OPTIONS)
        self.behind = None

    def take(self, words):
        while words:
            name = words.pop(0).removeprefix("--")
            if name not in OPTIONS:
                sys.exit(f"traffic.py: no option '{name}': there are {', '.join(OPTIONS)}")
            kind = type(OPTIONS[name])
            if kind is not bool and not words:
                sys.exit(f"traffic.py: --{name} needs a value")
            setattr(self, name, True if kind is bool else kind(words.pop(0)))


def arguments(words):
    if len(words) < 4 or words[0] not in ("tcp", "udp", "mix"):
        sys.exit(__doc__)
    args = Arguments(*words[:4])
    args.take(words[4:])
    return args


def main():
    args = arguments(sys.argv[1:])
    good = True
    for address in args.address.split(","):
        if args.kind in ("tcp", "mix"):
            for segment in args.segment.split(","):
                good &= bool(Tcp(args, address, int(segment)).run())
        if args.kind in ("udp", "mix"):
            for size in args.size.split(","):
                good &= bool(Udp(args, address, size).run())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
