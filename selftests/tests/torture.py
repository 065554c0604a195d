#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# kernels: 7.3
"""Whatever can change, changes, at random and from several processes at once, while
packets flow; afterwards all is set up again, the tunnel works, and the books balance.

    h1 [vpn0, vpn1..] ====== tunnel, under traffic ====== [vpn0] h2      h3 [vpn8, vpnd]

    torture.py [SEED [SECONDS]]     or SEED and DURATION in the environment

The same seed makes every process do the same things in the same order; which of them
meet is up to the scheduler. What was done last, and by whom, is told at the end if
something failed. make torture SEED=... SECONDS=3600 runs it for long.
"""
import collections
import errno
import mmap
import os
import random
import signal
import subprocess
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
import lab
from abi import (
    Attr, FLAGS, FORCE, FWMARK, F_DUMP, LEASE_GET, LEASE_RELEASE, LISTEN_PORT, Netlink,
    PRIVATE_KEY, P_FLAGS, P_KEEPALIVE, P_PRESHARED_KEY, POOL_ADD, POOL_DEL, POOL_GET,
    POOL_LEASE_TIME, POOL_USED, REMOVE, REPLACE_ALLOWEDIPS, REPLACE_PEERS, VPN0,
    allowedip, be16, end, equal, ip4, key, lease, leased, leases_of, peer, peers_of, point,
    pool, pools_of, say, u16, u32, P_IPV4, P_PORT)

SEED = int((sys.argv[1:2] or [os.environ.get("SEED") or "1"])[0])
SECONDS = float((sys.argv[2:3] or [os.environ.get("DURATION") or "12"])[0])
POOL4, POOL6 = "10.8.0.0/24", "fd08::/120"
NULL = subprocess.DEVNULL
# What a call may answer when another process has been faster, or there is no memory.
FINE = {0, errno.ENODEV, errno.ENOENT, errno.EEXIST, errno.EBUSY, errno.ENOSPC, errno.EADDRINUSE,
        errno.EADDRNOTAVAIL, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, errno.ENONET}


class Trouble(Exception):
    """An answer that must not be."""


class Scene:
    """The hosts, and what everybody does to them."""

    def __init__(self):
        self.h1, self.h2 = lab.cable()
        self.h3 = lab.Host("h3")
        self.one = lab.End(self.h1, 1001, "192.168.99.1/24")
        self.two = lab.End(self.h2, 1002, "192.168.99.2/24")
        self.files = {"one": self.one.file("other", os.urandom(32))}
        self.daemon = self.make_daemon()
        self.restore()

    def make_daemon(self):
        """The file of one, and what its host is like without it."""
        folder = self.one.files
        os.environ.update(VPN_RUNTIME_DIR=f"{folder}/run", VPN_STATE_DIR=f"{folder}/state")
        with open(f"{folder}/srv.toml", "w", encoding="ascii") as file:
            file.write(f"""[server]
virtual_network = ["10.77.0.0/24", "fd77::/64"]
[interface]
name = "vpn8"
[security]
private_key_path = "{folder}/srv.key"
[logging]
output = "{folder}/srv.log"
[metrics]
listen_address = ""
""")
        self.daemon_before = self.daemon_state()
        return f"{folder}/srv.toml"

    def daemon_state(self):
        """What it changes and has to put back."""
        return [self.h3.output("nft", "list", "ruleset"),
                self.h3.output("sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding",
                               "net.ipv6.conf.default.accept_ra"),
                self.h3.output("ip", "rule"), self.h3.output("ip", "route", "show", "table", "all")]

    def kill_daemon(self):
        """It, and nobody who has its number now."""
        try:
            with open(f"{self.one.files}/run/srv.lock", encoding="ascii") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read() == "vpnd\n":
                    os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            pass        # there is none

    def restore(self):
        """All as in the beginning, whatever has become of it."""
        self.h2.run("ip", "addr", "replace", "10.0.0.2/24", "dev", "eth0")
        for host in self.h1, self.h2:
            host.run("ip", "link", "set", "eth0", "mtu", "1500", "up")
        for here, there, ours, address in (
                (self.one, self.two, "192.168.99.1/24", "192.168.99.2"),
                (self.two, self.one, "192.168.99.2/24", "192.168.99.1")):
            host = here.host
            self.h3.run("ip", "link", "set", "vpn0", "netns", host.name, check=False)
            host.run("ip", "link", "add", "vpn0", "type", "vpn", check=False)
            host.run("ip", "link", "set", "vpn0", "mtu", "1420")
            host.run("ip", "addr", "replace", ours, "dev", "vpn0")
            here.set("private-key", here.file("key", here.private), "listen-port",
                     str(here.port), "fwmark", "0", "peer", lab.base64_of(there.public), "remove")
            here.set_peer(there.public, "endpoint", f"{there.host.address}:{there.port}",
                          "allowed-ips", f"{address}/32")
            host.run("ip", "link", "set", "vpn0", "up")

    def traffic(self):
        """Echoes both ways, small and in fragments, as fast as they come back."""
        started = []
        for host, to, size in ((self.h1, "192.168.99.2", "1300"), (self.h2, "192.168.99.1", "40"),
                               (self.h1, "192.168.99.2", "5000"), (self.h1, "192.168.98.9", "200")):
            started.append(subprocess.Popen(
                ["ip", "netns", "exec", host.name, "bash", "-c",
                 f"while :; do ping -q -f -c 300 -s {size} -W 1 {to}; done"],
                stdout=NULL, stderr=NULL, start_new_session=True))
        return started


class Actor:
    """A process that does things, one after the other, as its dice say."""

    def __init__(self, scene, number):
        self.scene = scene
        self.number = number
        self.dice = random.Random(f"{SEED}/{number}")
        self.last = collections.deque(maxlen=8)
        self.done = collections.Counter()

    def command(self, *words):
        """A program, of which it is no matter whether it works."""
        status = subprocess.run(words, stdout=NULL, stderr=NULL, check=False, timeout=60).returncode
        if status < 0:
            raise Trouble(f"{' '.join(words)} was killed by signal {-status}")

    def inside(self, host, *words):
        self.command("nsenter", f"--net=/run/netns/{host.name}", "--", *words)

    def netlink(self, command, *attrs, flags=None):
        """A request in the first host."""
        with self.scene.h1.inside():
            netlink = Netlink()
        try:
            answer = netlink.request(command, attrs, **({} if flags is None else {"flags": flags}))
        finally:
            netlink.close()
        if answer.errno not in FINE:
            raise Trouble(f"{answer}")

    def set(self, *attrs):
        self.netlink(2, VPN0, *attrs)

    def some_key(self):
        return key(0x70000000 + self.dice.randrange(40))

    # What can be done.

    def add_device(self):
        name = f"vpn{self.dice.randrange(1, 4)}"
        self.inside(self.scene.h1, "ip", "link", "add", name, "type", "vpn")
        self.inside(self.scene.h1, "vpnctl", "set", name, "private-key", self.scene.files["one"],
                    "peer", lab.base64_of(self.scene.two.public), "endpoint", "10.0.0.2:1002",
                    "allowed-ips", "192.168.98.0/24", "persistent-keepalive", "1")
        self.inside(self.scene.h1, "ip", "addr", "add", "192.168.98.1/24", "dev", name)
        self.inside(self.scene.h1, "ip", "link", "set", name, "up")

    def delete_device(self):
        self.inside(self.scene.h1, "ip", "link", "del", f"vpn{self.dice.randrange(1, 4)}")

    def delete_tunnel(self):
        host = self.dice.choice((self.scene.h1, self.scene.h2))
        self.inside(host, "ip", "link", "del", "vpn0")
        self.inside(host, "ip", "link", "add", "vpn0", "type", "vpn")

    def repair(self):
        """A tunnel that is broken is no torture."""
        for here, there, address in ((self.scene.one, self.scene.two, "192.168.99.2"),
                                     (self.scene.two, self.scene.one, "192.168.99.1")):
            self.inside(here.host, "vpnctl", "set", "vpn0", "private-key", f"{here.files}/key",
                        "listen-port", str(here.port), "peer", lab.base64_of(there.public),
                        "endpoint", f"{there.host.address}:{there.port}", "allowed-ips",
                        f"{address}/32")
            self.inside(here.host, "ip", "addr", "replace",
                        f"192.168.99.{here.port - 1000}/24", "dev", "vpn0")
            self.inside(here.host, "ip", "link", "set", "vpn0", "up")

    def add_peers(self):
        self.set(*(peer(self.some_key(), ip4(P_IPV4, "10.0.0.2"), be16(P_PORT, 1002 + n),
                        u16(P_KEEPALIVE, n % 2), Attr(P_PRESHARED_KEY, os.urandom(32)),
                        allowedip(f"192.168.{self.dice.randrange(90, 99)}.{n}/32"),
                        allowedip(f"fd99:{n}::/64")) for n in range(self.dice.randrange(1, 9))))

    def remove_peer(self):
        self.set(peer(self.some_key(), u32(P_FLAGS, REMOVE)))

    def remove_all(self):
        self.set(u32(FLAGS, REPLACE_PEERS))

    def move_prefixes(self):
        self.set(peer(self.some_key(), u32(P_FLAGS, REPLACE_ALLOWEDIPS), *(
            allowedip(f"192.168.{n}.0/{self.dice.randrange(20, 33)}") for n in range(90, 98))))

    def change_identity(self):
        self.set(Attr(PRIVATE_KEY, self.dice.randbytes(32)))

    def change_settings(self):
        self.set(u16(LISTEN_PORT, self.dice.choice((1001, 1001, 0, 3001, 3002))),
                 u32(FWMARK, self.dice.randrange(3)))

    def take_lease(self):
        self.set(peer(self.some_key(), *leased()))

    def release_lease(self):
        self.netlink(LEASE_RELEASE, VPN0, lease(self.some_key()))

    def change_pool(self):
        one = self.dice.choice((POOL4, POOL6))
        if self.dice.randrange(4):
            self.netlink(POOL_ADD, VPN0, pool(one, u32(POOL_LEASE_TIME, self.dice.randrange(1, 4))))
        else:
            self.netlink(POOL_DEL, VPN0, pool(one), Attr(FORCE, b""))

    def look(self):
        self.netlink(self.dice.choice((POOL_GET, LEASE_GET, 1)), VPN0, flags=F_DUMP)
        self.inside(self.scene.h1, "ip", "-s", "-d", "link")
        self.inside(self.scene.h1, "ethtool", "-S", "vpn0")

    def up_and_down(self):
        host = self.dice.choice((self.scene.h1, self.scene.h2))
        self.inside(host, "ip", "link", "set", "vpn0", "down")
        self.inside(host, "ip", "link", "set", "vpn0", "up")

    def change_mtu(self):
        device, least = self.dice.choice((("vpn0", 68), ("eth0", 576)))
        self.inside(self.scene.h1, "ip", "link", "set", device, "mtu",
                    str(self.dice.randrange(least, 1501)))

    def roam(self):
        address = f"10.0.0.{self.dice.choice((2, 2, 22, 23))}/24"
        self.inside(self.scene.h2, "ip", "addr", "flush", "dev", "eth0")
        self.inside(self.scene.h2, "ip", "addr", "add", address, "dev", "eth0")

    def move(self):
        """To another namespace, while its socket stays, and back."""
        host = self.scene.h1.name
        self.inside(self.scene.h1, "ip", "link", "set", "vpn0", "netns", self.scene.h3.name)
        self.inside(self.scene.h3, "ip", "link", "set", "vpn0", "up")
        self.inside(self.scene.h3, "ip", "link", "set", "vpn0", "netns", host)

    def namespaces(self):
        """One that ends with a device in it, or with the socket of one elsewhere."""
        name = f"torture-{os.getpid()}"
        self.command("ip", "netns", "add", name)
        device = f"vpn{self.dice.randrange(4, 8)}"
        self.command("ip", "-n", name, "link", "add", device, "type", "vpn")
        self.command("ip", "-n", name, "link", "set", device, "up")
        if self.dice.randrange(2):
            self.command("ip", "-n", name, "link", "set", device, "netns", self.scene.h3.name)
            self.command("ip", "-n", self.scene.h3.name, "link", "set", device, "up")
        self.command("ip", "netns", "del", name)
        self.command("ip", "-n", self.scene.h3.name, "link", "del", device)

    def daemon(self):
        """Starts, reads its file again, is killed, stops, or is undone."""
        what = self.dice.choice(("--daemon", "--daemon", "reload", "kill", "kill", "down",
                                 "--undo"))
        if what == "kill":
            self.scene.kill_daemon()
        elif what == "--daemon":
            self.inside(self.scene.h3, "vpnd", what, self.scene.daemon)
        elif what == "--undo":
            self.inside(self.scene.h3, "vpnd", what, "srv")
        else:
            self.inside(self.scene.h3, "vpnctl", what, "srv")

    def hurry(self):
        """Sessions begin and end the faster."""
        lab.timescale(self.dice.choice((1, 20, 100)))

    def processors(self):
        """One goes and comes."""
        path = f"/sys/devices/system/cpu/cpu{os.cpu_count() - 1}/online"
        if not os.path.exists(path):
            return
        for value in "01":
            try:
                with open(path, "w", encoding="ascii") as file:
                    file.write(value)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise

    def pressure(self):
        """What can be freed is wanted."""
        with open("/proc/meminfo", encoding="ascii") as file:
            free = int(file.readline().split()[1]) // 4
        with mmap.mmap(-1, max(free, 64) << 10) as memory:
            for offset in range(0, len(memory), 4096):
                memory[offset] = 1
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
                file.write("3")

    def unload(self):
        """Not while there are devices."""
        self.command("rmmod", "vpn")

    SHARES = {add_device: 4, delete_device: 4, delete_tunnel: 1, repair: 6, add_peers: 6,
              remove_peer: 4, remove_all: 1, move_prefixes: 2, change_identity: 1,
              change_settings: 2, take_lease: 5, release_lease: 2, change_pool: 3, look: 3,
              up_and_down: 2, change_mtu: 2, roam: 2, move: 2, namespaces: 2, daemon: 3, hurry: 1,
              processors: 1, pressure: 1, unload: 1}

    def act(self, until):
        while time.monotonic() < until:
            what = self.dice.choices(tuple(self.SHARES), tuple(self.SHARES.values()))[0]
            self.last.append(what.__name__)
            try:
                what(self)
            except FileNotFoundError:
                pass        # somebody has just unloaded the module
            self.done[what.__name__] += 1

    def run(self, until):
        """In a process of its own; the id."""
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            self.act(until)
            status = 0
        except Exception as error:  # pylint: disable=broad-except
            say(f"# actor {self.number}: {error!r}; last: {' '.join(self.last)}")
        finally:
            say(f"# actor {self.number}: " + ", ".join(
                f"{count} {what}" for what, count in sorted(self.done.items())))
            os._exit(status)


def books_balance(scene):
    """Leases, pools and peers tell the same; what one end sends the other receives."""
    with scene.h1.inside():
        netlink = Netlink()
    leases, peers, pools = leases_of(netlink), peers_of(netlink), pools_of(netlink)
    equal("pools count their leases", len(leases), sum(one[POOL_USED] for one in pools))
    addresses = [one["address"] for one in leases]
    equal("no address is leased twice", len(addresses), len(set(addresses)))
    equal("peers hold what is bound to them",
          {(one["key"], one["address"]) for one in leases if one["bound"]},
          {(public, ip) for public, one in peers.items() for ip in one["leases"]})
    netlink.close()

    before = scene.one.counters(), scene.two.counters()
    scene.h1.output("ping", "-q", "-f", "-c", "200", "192.168.99.2")
    grown = [{name: value - old[name] for name, value in new.items()} for old, new in
             zip(before, (scene.one.counters(), scene.two.counters()))]
    equal("no packet is dropped", [{}, {}],
          [{name: value for name, value in one.items() if name.startswith("drop_") and value}
           for one in grown])


def main():
    say("KTAP version 1")
    say(f"# seed {SEED}, {SECONDS:g} s")
    scene = Scene()
    point("the tunnel works", scene.h1.ping("192.168.99.2"))
    traffic = scene.traffic()
    until = time.monotonic() + SECONDS
    actors = [Actor(scene, number).run(until) for number in range(4)]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in actors]
    equal("nobody gets an answer that must not be", [0] * len(actors), statuses)
    for one in traffic:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()

    lab.timescale(1)
    for name in (f"vpn{n}" for n in range(1, 4)):
        scene.h1.run("ip", "link", "del", name, check=False)
    scene.kill_daemon()
    scene.h3.run("vpnd", "--undo", "srv", check=False)
    equal("nothing is left of the daemon", scene.daemon_before, scene.daemon_state())
    scene.restore()
    point("the tunnel works again",
          lab.wait_until(lambda: scene.h1.ping("192.168.99.2", 1), 30))
    books_balance(scene)
    for one in scene.one, scene.two:
        one.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
