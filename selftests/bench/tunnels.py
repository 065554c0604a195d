# SPDX-License-Identifier: GPL-2.0
"""What is compared: the same three hosts with each kind of tunnel between them.

    a [eth0 10.1.0.2] ---- [lan0 10.1.0.1] g [wan0 10.2.0.1] ---- [eth0 10.2.0.2] b
      192.168.99.1  ==== tunnel ====  .254    ==== tunnel ====      192.168.99.2
                                                                    192.168.98.2

What a sends to 192.168.98.2 comes to the gateway g without a tunnel and goes on by
one.  What it sends to 192.168.99.2 goes by both tunnels.  All packets are at most
MTU octets inside, also without a tunnel.
"""
import base64
import json
import os
import subprocess
import sys
import time

import ovpn
from abi import output as run

MTU = 1420
PORT = 1001
FLOOD = "/tmp/bench-flood"      # flood.c, compiled
OUTER = {"a": "10.1.0.2", "b": "10.2.0.2"}
OUTER_OF_G = {"a": "10.1.0.1", "b": "10.2.0.1"}
INNER = {"a": "192.168.99.1", "g": "192.168.99.254", "b": "192.168.99.2"}
BEHIND_B = "192.168.98.2"
# Addresses that a tunnel to that host carries.
CARRIED = {"a": "192.168.99.1/32",
           "b": "192.168.99.2/32,192.168.98.0/24",
           "g": "192.168.99.0/24,10.1.0.0/24"}
# What there is between whom, and by which tunnels it goes.
FLOWS = (("agb", INNER["a"], INNER["b"]), ("gb", INNER["g"], INNER["b"]),
         ("gb", OUTER["a"], BEHIND_B))


class Site:
    """The three hosts without a tunnel; other kinds of tunnel derive from it."""

    title = "no tunnel"
    modules = ()
    cipher = None
    handshakes = False  # whether the kernel does them

    def __init__(self, name, native=False):
        self.name = name
        self.native = native
        self.processes = []

    def open(self):
        """Make it, so that packets get through."""
        self.cables()
        self.build()
        self.reach()

    def cables(self):
        for host in "agb":
            run("ip", "netns", "add", self.space(host))
        self.ip("g", "link add lan0 type veth peer name eth0 netns " + self.space("a"),
                "link add wan0 type veth peer name eth0 netns " + self.space("b"),
                "link set lo up", "link set lan0 up", "link set wan0 up",
                "address add 10.1.0.1/24 dev lan0", "address add 10.2.0.1/24 dev wan0")
        self.ip("a", "link set lo up", "link set eth0 up",
                "address add 10.1.0.2/24 dev eth0",
                "route add 10.2.0.0/24 via 10.1.0.1",
                f"route add 192.168.98.0/24 via 10.1.0.1 mtu {MTU}")
        self.ip("b", "link set lo up", "link set eth0 up",
                "address add 10.2.0.2/24 dev eth0",
                f"address add {BEHIND_B}/32 dev lo",
                "route add 10.1.0.0/24 via 10.2.0.1")
        self.execute("g", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")

    def space(self, host):
        return f"{self.name}-{host}"

    def file(self, host):
        return "/run/netns/" + self.space(host)

    def ip(self, host, *lines):
        run("ip", "-n", self.space(host), "-batch", "-", input="\n".join(lines) + "\n")

    def inside(self, host, *command):
        return ["nsenter", "--net=" + self.file(host), "--", *command]

    def execute(self, host, *command, **options):
        return run(*self.inside(host, *command), **options)

    def flood(self, mode, origin, address, *arguments):
        """Traffic from that host to an address of b; what flood.c says of it."""
        return json.loads(run(FLOOD, mode, self.file(origin), self.file("b"), address,
                              *(str(argument) for argument in arguments)))

    def start(self, host, *command, **options):
        """A program that runs until it is ended."""
        process = subprocess.Popen(self.inside(host, *command), **options)
        self.processes.append(process)
        return process

    def build(self):
        """Inner addresses, on the loopback, and routes between them by the cable."""
        for host, address in INNER.items():
            self.ip(host, f"address add {address}/32 dev lo")
        for host in "ab":
            self.ip(host, f"route add 192.168.99.0/24 via {OUTER_OF_G[host]} "
                          f"src {INNER[host]} mtu {MTU}")
            self.ip("g", f"route add {INNER[host]} via {OUTER[host]} "
                         f"src {INNER['g']} mtu {MTU}")
        self.ip("g", f"route add 192.168.98.0/24 via {OUTER['b']} mtu {MTU}")

    def reach(self):
        """Sessions of all tunnels are there, as are neighbours and routes."""
        for host, address in (("a", INNER["b"]), ("a", BEHIND_B), ("g", INNER["b"]),
                              ("b", INNER["a"])):
            source = [] if address == BEHIND_B else ["-I", INNER[host]]
            self.execute(host, "ping", "-q", "-c", "2", "-i", "0.1", "-W", "5", *source,
                         address)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        for host in "agb":
            if os.path.exists(self.file(host)):
                run("ip", "netns", "del", self.space(host))


class WireGuard(Site):
    """Also what has the same grammar."""

    title = "WireGuard"
    modules = ("wireguard",)
    kind = "wireguard"
    tool = "wg"
    cipher = "ChaCha20-Poly1305"
    handshakes = True
    extra = ()          # settings of every peer
    peer_lines = ""     # the same in a file

    def build(self):
        self.keys = {host: base64.b64encode(os.urandom(32)).decode() for host in "agb"}
        self.public = {host: run(self.tool, "pubkey", input=key).strip()
                       for host, key in self.keys.items()}
        for host in "agb":
            self.ip(host, f"link add tun0 mtu {MTU} type {self.kind}",
                    f"address add {INNER[host]}/24 dev tun0")
            self.execute(host, self.tool, "set", "tun0", "listen-port", str(PORT),
                         "private-key", "/dev/stdin", input=self.keys[host])
        for host in "ab":
            self.peer(host, "g", OUTER_OF_G[host])
            self.peer("g", host, OUTER[host])
        for host in "agb":
            self.ip(host, "link set tun0 up")
        self.ip("g", "route add 192.168.98.0/24 dev tun0")

    def peer(self, host, other, endpoint):
        self.execute(host, self.tool, "set", "tun0", "peer", self.public[other],
                     "endpoint", f"{endpoint}:{PORT}", "allowed-ips",
                     CARRIED[other], *self.extra)


    def add_peers(self, host, text):
        self.execute(host, self.tool, "addconf", "tun0", "/dev/stdin", input=text)


class Vpn(WireGuard):
    title = "vpn ChaCha20"
    modules = ("vpn",)
    kind = "vpn"
    tool = "vpnctl"


class VpnAes(Vpn):
    title = "vpn AES-256"
    cipher = "AES-256-GCM"
    extra = ("cipher", "aes-256-gcm")
    peer_lines = "Cipher = aes-256-gcm"


def unload(module):
    """Have the kernel without that module; what used it goes a little later than its
    namespace."""
    for _ in range(100):
        if not os.path.exists(f"/sys/module/{module}/refcnt"):
            return
        subprocess.run(["modprobe", "-q", "-r", module], stderr=subprocess.DEVNULL, check=False)
        time.sleep(0.1)
    raise OSError(f"the module {module} does not go: somebody uses it")


class Esp(Site):
    """The kernel's IPsec in tunnel mode, without a device and without esp4_offload:
    the cheapest form for single packets."""

    title = "ESP AES-256"
    modules = ("esp4", "xfrm_user")
    cipher = "AES-256-GCM"
    mark = ""           # what associations and policies belong to

    def build(self):
        unload("esp4_offload")
        super().build()
        self.associate()

    def associate(self):
        spi = 0x100
        for sender, source, receiver, target in (
                ("a", OUTER["a"], "g", OUTER_OF_G["a"]), ("g", OUTER_OF_G["a"], "a", OUTER["a"]),
                ("b", OUTER["b"], "g", OUTER_OF_G["b"]), ("g", OUTER_OF_G["b"], "b", OUTER["b"])):
            spi += 1
            self.hop(sender, receiver, f"src {source} dst {target}", spi)

    def hop(self, sender, receiver, tunnel, spi):
        """One direction of a tunnel: the association at both ends, and who is to
        use it: pairs of addresses, which the kernel finds faster than prefixes."""
        key = os.urandom(36).hex()
        mark = self.mark.format("a" if "a" in sender + receiver else "b")
        state = (f"xfrm state add {tunnel} proto esp spi {spi:#x} reqid {spi} mode tunnel "
                 f"aead rfc4106(gcm(aes)) 0x{key} 128 replay-window 32 {mark}")
        template = f"{mark} tmpl {tunnel} proto esp reqid {spi} mode tunnel"
        leaving, arriving = [state], [state]
        for path, first, last in FLOWS:
            for way, source, target in ((path, first, last), (path[::-1], last, first)):
                if sender + receiver not in way:
                    continue
                policy = f"xfrm policy add src {source} dst {target} dir"
                leaving.append(f"{policy} out {template}")
                arriving += [f"{policy} in {template}", f"{policy} fwd {template}"]
        self.ip(sender, *leaving)
        self.ip(receiver, *arriving)


class EspInterface(Esp):
    """The same by interfaces, with esp4_offload: the cheapest form for trains."""

    title = "ESP interface"
    modules = ("esp4", "esp4_offload", "xfrm_user", "xfrm_interface")
    mark = "if_id 0x{}"

    def build(self):
        for host, link, cable, other in (("a", "tun0", "eth0", "a"), ("b", "tun0", "eth0", "b"),
                                         ("g", "tuna", "lan0", "a"), ("g", "tunb", "wan0", "b")):
            self.ip(host, f"link add {link} mtu {MTU} type xfrm dev {cable} "
                          + self.mark.format(other),
                    f"link set {link} up", f"address add {INNER[host]}/32 dev {link}")
        for host in "ab":
            self.ip(host, f"route add 192.168.99.0/24 dev tun0 src {INNER[host]}")
            self.ip("g", f"route add {INNER[host]} dev tun{host} src {INNER['g']}")
        self.ip("g", "route add 192.168.98.0/24 dev tunb")
        self.ip("b", "route change 10.1.0.0/24 dev tun0")
        self.associate()


class Ovpn(Site):
    """OpenVPN's data channel in the kernel, with keys of our own making."""

    title = "ovpn AES-256"
    modules = ("ovpn",)
    cipher = "AES-256-GCM"

    def build(self):
        for host in "agb":
            self.start_end(host)
        for host in "agb":
            self.ip(host, f"link set tun0 mtu {MTU} up",
                    f"address add {INNER[host]}/24 dev tun0")
        self.ip("g", f"route add 192.168.98.0/24 via {INNER['b']} dev tun0")
        self.ip("b", f"route change 10.1.0.0/24 via {INNER['g']} dev tun0")

    def start_end(self, host):
        """A program that sets the device up and keeps its socket."""
        peers = []
        for other in ("ab" if host == "g" else "g"):
            outer = OUTER[other] if host == "g" else OUTER_OF_G[host]
            peers.append(f"{ovpn.ids(host, other)},{outer},{INNER[other]}")
        process = self.start(host, sys.executable, ovpn.__file__, "tun0", str(PORT),
                             *peers, stdout=subprocess.PIPE)
        if process.stdout.readline() != b"ready\n":
            raise OSError("ovpn could not be set up")


KINDS = {"none": Site, "wireguard": WireGuard, "ovpn": Ovpn, "esp": Esp,
         "esp-if": EspInterface, "vpn": Vpn, "vpn-aes": VpnAes}


def available(name):
    """Whether the kernel has what that kind needs; loads it."""
    return all(subprocess.run(["modprobe", "-q", module], check=False).returncode == 0
               for module in KINDS[name].modules)
