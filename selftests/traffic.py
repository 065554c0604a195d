#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send data from one network namespace to another and back, and see whether it
arrives as it was.

traffic.py tcp FROM TO ADDRESS,... [--octets N] [--segment MSS,...] [--streams N] [--options]
traffic.py udp FROM TO ADDRESS,... [--count N] [--size A-B,...] [--gso] [--gro] [--lossy]
                                   [--window N] [--hop] [--behind N]
traffic.py mix FROM TO ADDRESS,... [options of both]

FROM and TO are names of network namespaces, each ADDRESS is one of TO's.  TCP sends
random data both ways at once, in pieces of odd sizes, and compares digests.  UDP
has every datagram echoed and compares it; --gso sends trains of equal datagrams
with one call each, --gro receives them so.  --lossy allows datagrams to get lost,
but not to be changed or to come twice.  --hop makes each call on the next processor, and
--behind is how many later datagrams one may come behind.  --options puts options into every IPv4 header, or
an extension behind every IPv6 header.  What is a list is done one after the other,
every combination; starting a program takes longer than most of it.
"""
import argparse
import ctypes
import errno
import hashlib
import os
import random
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
        sizes = random.Random(len(data))
        begin = 0
        while begin < len(data):
            end = begin + sizes.choice((1, 7, 999, 1447, 4095, 16383, 70001))
            sock.sendall(data[begin:end])
            begin = end
        sock.shutdown(socket.SHUT_WR)

    def receive(self, sock, wanted, way):
        digest = hashlib.sha256()
        octets = 0
        while True:
            data = sock.recv(1 << 17)
            if not data:
                break
            octets += len(data)
            digest.update(data)
        same = octets == len(wanted) and digest.digest() == hashlib.sha256(wanted).digest()
        print(f"tcp {self.address} {self.segment or ''} {way}: {octets} octets, "
              f"sha256 {digest.hexdigest()}{'' if same else ', which is wrong'}")
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
        sizes = random.Random(args.count)
        self.sizes = [sizes.randint(low, high) for _ in range(args.count)]
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


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("tcp", "udp", "mix"))
    parser.add_argument("origin", metavar="FROM")
    parser.add_argument("to", metavar="TO")
    parser.add_argument("address", metavar="ADDRESS")
    parser.add_argument("--port", type=int, default=7000)
    parser.add_argument("--octets", type=int, default=1 << 20)
    parser.add_argument("--segment", default="0")
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--window", type=int, default=48, help="datagrams under way")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--size", default="4-1372")
    parser.add_argument("--train", type=int, default=24)
    parser.add_argument("--options", action="store_true")
    parser.add_argument("--gso", action="store_true")
    parser.add_argument("--gro", action="store_true")
    parser.add_argument("--lossy", action="store_true")
    parser.add_argument("--hop", action="store_true")
    parser.add_argument("--behind", type=int)
    args = parser.parse_args()
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
