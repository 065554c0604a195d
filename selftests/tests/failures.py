#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 900
"""Every allocation fails once: each call fails cleanly or does without, leaves a
state that can be read, and works when it is repeated.

What a process of ours asks for fails by /proc/self/fail-nth, the first allocation of
a call in the first round, the second one in the second, until a round has none left.
What the module's own workers and the network's interrupts ask for fails by failslab,
limited to where the module is on the stack. Only a kernel made for it can do both:
make check KERNEL=debug TEST=failures
"""
import errno
import os
import socket
import struct
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import (
    Attr, F_ACK, F_DUMP, F_REQUEST, FLAGS, FORCE, FWMARK, K1, K2, LEASE_GET,
    LISTEN_PORT, MSG_ERROR, Netlink, P_FLAGS, P_KEEPALIVE, P_NAME, P_PRESHARED_KEY, POOL_ADD,
    POOL_DEL, POOL_GET, PRIVATE_KEY, PSK, REMOVE, REPLACE_ALLOWEDIPS, REPLACE_PEERS, SECRET,
    Namespace, VPN0, allowedip, equal, ip4, ip6, be16, leased, peer, point, pool, reserved, run,
    say, state, text, u16, u32, end, P_IPV4, P_IPV6, P_PORT)
import lab

NTH = "/proc/thread-self/fail-nth"
FAULTS = "/sys/kernel/debug"
ROUNDS = 5000       # more than any call allocates
CLEAN = {0, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, errno.ENFILE}
NEWLINK, DELLINK = 16, 17
F_CREATE, F_EXCL = 0x400, 0x200
UP = 1


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


class Links:
    """Links by messages of this very process, since only its own calls fail."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.bind((0, 0))
        self.sock.settimeout(60)
        self.seq = 0

    def ask(self, kind, flags, change, *attrs, index=0, up=0):
        """The error that comes of it, zero for none."""
        out = bytearray(32)
        for attr in attrs:
            attr.write(out, [])
        self.seq += 1
        struct.pack_into("=IHHIIBBHiII", out, 0, len(out), kind, F_REQUEST | F_ACK | flags,
                         self.seq, 0, 0, 0, 0, index, up, change)
        try:
            self.sock.send(out)
        except OSError as error:
            return error.errno
        while True:
            data = self.sock.recv(65536)
            _, answer, _, seq, _, code = struct.unpack_from("=IHHIIi", data)
            if answer == MSG_ERROR and seq == self.seq:
                return -code

    def add(self, name):
        return self.ask(NEWLINK, F_CREATE | F_EXCL, 0, text(3, name), Attr(18, [text(1, "vpn")]))

    def delete(self, name):
        return self.ask(DELLINK, 0, 0, text(3, name))

    def up(self, name, up=True):
        return self.ask(NEWLINK, 0, UP, text(3, name), up=int(up))

    def mtu(self, name, octets):
        return self.ask(NEWLINK, 0, 0, text(3, name), u32(4, octets))

    def move(self, name, file):
        return self.ask(NEWLINK, 0, 0, text(3, name), u32(28, file.fileno()))


class Failure:
    """What fails in this thread; the file stays open, for to open it may fail, too."""
    file = None

    @classmethod
    def set(cls, nth):
        if cls.file is None:
            cls.file = os.open(NTH, os.O_RDWR)
        os.pwrite(cls.file, str(nth).encode(), 0)

    @classmethod
    def left(cls):
        return int(os.pread(cls.file, 20, 0))


def with_failure(nth, call):
    """What the call gives, and whether an allocation failed in it."""
    Failure.set(nth)
    try:
        result = call()
    except OSError as error:
        result = error.errno
    finally:
        left = Failure.left()
        Failure.set(0)
    return result, left == 0


def range_of(function):
    """Where the kernel's function begins, and where the next one does."""
    with open("/proc/kallsyms", encoding="ascii") as symbols:
        begin = 0
        for line in symbols:
            address, _, name = line.split()[:3]
            if begin and int(address, 16) > begin:
                return begin, int(address, 16)
            if name == function:
                begin = int(address, 16)
    raise LookupError(function)


def spare(function):
    """What is asked for on behalf of this function of the kernel does not fail."""
    begin, behind = range_of(function) if function else (0, 0)
    for kind in "failslab", "fail_page_alloc":
        write(f"{FAULTS}/{kind}/stacktrace-depth", 32)
        write(f"{FAULTS}/{kind}/reject-start", hex(begin))
        write(f"{FAULTS}/{kind}/reject-end", hex(behind))


def each_fails(what, call, before=None, works=None, spared=None):
    """Points: with each allocation failing in turn the call ends cleanly, and then it
    works. `works` says so, if it isn't that it gives zero."""
    bad, failed = [], 0
    spare(spared)
    for nth in range(1, ROUNDS):
        if before:
            before()
        result, injected = with_failure(nth, call)
        if not injected:
            break
        failed += result != 0
        if result not in CLEAN:
            bad.append(f"allocation {nth}: {errno.errorcode.get(result, result)}")
    point(f"{what}: fails cleanly at each of {nth - 1} allocations, {failed} of which matter",
          not bad and 1 < nth < ROUNDS - 1, *bad[:10])
    if before:
        before()
    equal(f"{what}: works afterwards", 0, call() if works is None else works())


def the_links(links):
    """Links come, go, change and move."""
    def gone():
        links.delete("vpn7")

    def there():
        gone()
        links.add("vpn7")

    def device_up():
        there()
        return links.up("vpn7")

    # Without a name for its object the kernel finds the device invalid: netdev_register_kobject()
    # does not look at what dev_set_name() gives, and device_add() says EINVAL.
    each_fails("a device is added", lambda: links.add("vpn7"), gone, spared="dev_set_name")
    each_fails("it goes up", lambda: links.up("vpn7"), there)
    each_fails("it goes down", lambda: links.up("vpn7", False), device_up)
    each_fails("its MTU changes", lambda: links.mtu("vpn7", 1300), there)
    each_fails("it is deleted", lambda: links.delete("vpn7"), there)
    there()
    other = Namespace("other")
    with open(f"/run/netns/{other.name}", "rb") as file:
        def come_back():
            other.run("ip", "link", "del", "vpn7", check=False)
            there()
        # In the middle of a move there is no way back: should the object not get its new name
        # in sysfs, __dev_change_net_namespace() warns and goes on.
        each_fails("it moves to another namespace", lambda: links.move("vpn7", file), come_back,
                   spared="device_rename")
    other.run("ip", "link", "del", "vpn7")


def one_peer():
    return peer(K1, text(P_NAME, "one"), Attr(P_PRESHARED_KEY, PSK), ip4(P_IPV4, "192.0.2.1"),
                be16(P_PORT, 7), u16(P_KEEPALIVE, 25), allowedip("10.1.0.0/16"),
                allowedip("10.1.2.0/24"), allowedip("fd01::/64"), allowedip("fd01::7/128"))


def the_device(netlink):
    """Everything that is set."""
    def empty():
        netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS))
        for one in "10.8.0.0/24", "fd08::/64":
            netlink.request(POOL_DEL, [VPN0, pool(one), Attr(FORCE, b"")])

    def filled():
        empty()
        netlink.set(VPN0, one_peer())

    def pooled():
        empty()
        for one in "10.8.0.0/24", "fd08::/64":
            netlink.request(POOL_ADD, [VPN0, pool(one)])

    def do_set(*attrs):
        return lambda: netlink.set(VPN0, *attrs).errno

    def dump(command):
        return lambda: Netlink(netlink.family).request(command, [VPN0], F_DUMP).errno

    each_fails("a private key is set", do_set(Attr(PRIVATE_KEY, SECRET)))
    each_fails("a port is set", do_set(u16(LISTEN_PORT, 51821)))
    each_fails("a mark is set", do_set(u32(FWMARK, 7)))
    each_fails("a peer is added", do_set(one_peer()), empty)
    each_fails("a peer changes", do_set(peer(
        K1, u32(P_FLAGS, REPLACE_ALLOWEDIPS), allowedip("10.7.0.0/16"), allowedip("fd07::/64"),
        ip6(P_IPV6, "2001:db8::1"), be16(P_PORT, 8), Attr(P_PRESHARED_KEY, bytes(32)),
        text(P_NAME, "another"))), filled)
    each_fails("prefixes move to another peer", do_set(peer(
        K2, allowedip("10.1.0.0/16"), allowedip("fd01::/64"))), filled)
    each_fails("a peer is removed", do_set(peer(K1, u32(P_FLAGS, REMOVE))), filled)
    each_fails("a pool is added", lambda: netlink.request(
        POOL_ADD, [VPN0, pool("10.8.0.0/24", reserved("10.8.0.1"),
                              reserved("10.8.0.100", "10.8.0.120"))]).errno, empty)
    each_fails("a peer gets leases", do_set(peer(K1, *leased())), pooled)
    each_fails("it gets those it is to have", do_set(peer(
        K1, *leased("10.8.0.9", "fd08::9"))), pooled)
    for what, command in ("pools", POOL_GET), ("leases", LEASE_GET):
        each_fails(f"the {what} are shown", dump(command))
    filled()
    each_fails("the device is shown", lambda: Netlink(netlink.family).get(VPN0).errno)
    shown = state(netlink)["peers"]
    equal("and is what it was", ["10.1.0.0/16", "10.1.2.0/24", "fd01::/64", "fd01::7/128"],
          sorted(shown[0]["allowedips"]))


class Workers:
    """Allocations fail that have the module on their stack, whoever asks."""
    KNOBS = {"times": 0, "ignore-gfp-wait": "N", "verbose": 0, "stacktrace-depth": 32,
             "probability": 100, "task-filter": "N", "space": 0}
    # How many were counted since the machine began: those that met an interval above 1
    # while something could fail.
    count = 0

    def __init__(self):
        sections = "/sys/module/vpn/sections/"
        begin = int(read(sections + ".text"), 16)
        size = max((int(read(sections + name), 16) for name in os.listdir(sections)
                    if name.startswith(".text")), default=begin) - begin + (1 << 20)
        for knob, value in self.KNOBS.items():
            write(f"{FAULTS}/failslab/{knob}", value)
        write(f"{FAULTS}/failslab/require-start", hex(begin))
        write(f"{FAULTS}/failslab/require-end", hex(begin + size))

    def arm(self, nth):
        """The allocation of that number fails, once. What fails is that at which the count
        is a multiple of the interval; and the count is never set back."""
        interval = self.count + nth
        write(f"{FAULTS}/failslab/interval", interval)
        write(f"{FAULTS}/failslab/times", 1)
        # The next failure leaves it at that.
        self.count = interval if interval > 1 else 0

    @staticmethod
    def spent():
        """Whether it has; nothing more fails."""
        left = int(read(f"{FAULTS}/failslab/times"))
        write(f"{FAULTS}/failslab/times", 0)
        return left == 0


def the_tunnel():
    """Handshakes and packets, with each allocation of the module failing in turn."""
    h1, h2 = lab.cable()
    one, two = lab.End(h1, 1001, "192.168.99.1/24"), lab.End(h2, 1002, "192.168.99.2/24")
    one.set_peer(two.public, "endpoint", "10.0.0.2:1002", "allowed-ips", "192.168.99.2/32")
    two.set_peer(one.public, "allowed-ips", "192.168.99.1/32")
    lab.timescale(20)
    spare(None)
    workers = Workers()
    dead, nth = [], 0
    for nth in range(1, ROUNDS):
        one.restart()
        two.restart()
        workers.arm(nth)
        h1.ping("192.168.99.2", 1)
        if not workers.spent():
            break
        if not lab.wait_until(lambda: h1.ping("192.168.99.2", 1), 15):
            dead.append(nth)
    point(f"a tunnel survives the failure of each of {nth - 1} allocations",
          not dead and 10 < nth < ROUNDS - 1, f"dead after {dead}")
    write(f"{FAULTS}/failslab/probability", 0)
    point("and works", h1.ping("192.168.99.2"))
    lab.timescale(1)
    for one_end in one, two:
        one_end.close()


def main():
    if not os.path.exists(NTH):
        say("1..0 # SKIP this kernel can't let allocations fail; KERNEL=debug can")
        return 0
    say("KTAP version 1")
    for kind in "failslab", "fail_page_alloc":
        write(f"{FAULTS}/{kind}/ignore-gfp-wait", "N")
        write(f"{FAULTS}/{kind}/verbose", 0)
    write(f"{FAULTS}/fail_page_alloc/min-order", 0)
    here = Namespace("here")
    here.enter()
    run("ip", "link", "add", "vpn0", "type", "vpn")
    run("ip", "link", "set", "vpn0", "up")
    the_links(Links())
    the_device(Netlink())
    run("ip", "link", "del", "vpn0")
    begun = time.monotonic()
    the_tunnel()
    say(f"# the tunnel took {time.monotonic() - begun:.0f} s")
    return end()


if __name__ == "__main__":
    sys.exit(main())
