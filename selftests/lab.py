# SPDX-License-Identifier: GPL-2.0
"""Two hosts on a cable, for tests in Python of what goes over it:

    h1 [eth0 10.0.0.1/24] ---- [eth0 10.0.0.2/24] h2

Ends of tunnels are devices of the kernel (End) or programs (peer.Peer).
"""

import base64
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from abi import Namespace, enter_namespace, equal, point, run, say
from peer import Peer, Surroundings
from protocol.messages import Malformed
from protocol.noise import clamp, public_of
from cryptography.exceptions import InvalidTag

TIMESCALE = "/sys/module/vpn/parameters/timescale"
PATIENCE = 10       # seconds for what must come
SIOCETHTOOL, GSTRINGS, GSTATS, GSSET_INFO = 0x8946, 0x1b, 0x1d, 0x37
NAME_LEN = 32       # octets of the name of a counter
ADDRESSES = {"h1": "10.0.0.1", "h2": "10.0.0.2"}


def base64_of(key):
    return base64.b64encode(key).decode()


def timescale(factor):
    """Let the protocol's clocks run so many times as fast."""
    with open(TIMESCALE, "w", encoding="ascii") as file:
        file.write(str(factor))


def wait_until(true, seconds=10):
    """What it gives as soon as that is true; otherwise false."""
    end = time.monotonic() + seconds
    while True:
        result = true()
        if result or time.monotonic() > end:
            return result
        time.sleep(0.05)


def check(text, function, *arguments, **options):
    """A point: the function does not complain, or does not give False."""
    print(f"+ {text}", file=sys.stderr, flush=True)
    try:
        result = function(*arguments, **options)
    except (AssertionError, InvalidTag, Malformed, OSError, ValueError, TypeError,
            LookupError, subprocess.SubprocessError) as error:
        where = error.__traceback__
        while where.tb_next:
            where = where.tb_next
        return point(text, False, f"{type(error).__name__}: {error}",
                     f"{os.path.basename(where.tb_frame.f_code.co_filename)}, line "
                     f"{where.tb_lineno}")
    return point(text, result is not False)


def ethtool(via, device, request):
    """What the driver of a device answers to a request, which it writes over."""
    buffer = bytearray(request)
    place = (ctypes.c_char * len(buffer)).from_buffer(buffer)
    fcntl.ioctl(via, SIOCETHTOOL, struct.pack("16sQ16x", device.encode(),
                                              ctypes.addressof(place)))
    return bytes(buffer)


class Host(Namespace):
    """A namespace, in which a part of the program can be."""

    def __init__(self, name):
        super().__init__(name)
        self.address = ADDRESSES.get(name)

    @contextlib.contextmanager
    def inside(self):
        with open("/proc/self/ns/net", "rb") as before:
            self.enter()
            try:
                yield self
            finally:
                enter_namespace(before)

    def output(self, *command, check=True):
        print("+ " + " ".join(command), file=sys.stderr, flush=True)
        result = subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.name}", "--", *command], check=False,
            timeout=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if check and result.returncode:
            raise OSError(f"{' '.join(command)}: {result.stderr}")
        return result.stdout

    def ping(self, address, seconds=5):
        """Whether an echo is answered."""
        return " 1 received" in self.output("ping", "-n", "-c", "1", "-W", str(seconds),
                                            address, check=False)


class End:
    """A device vpn0 of the kernel."""

    def __init__(self, host, port, inner):
        self.host = host
        self.port = port
        self.private = clamp(os.urandom(32))
        self.public = public_of(self.private)
        self.files = tempfile.mkdtemp(prefix="vpn-lab.")
        self.names, self.socket = [], None
        host.run("ip", "link", "add", "vpn0", "type", "vpn")
        host.run("sysctl", "-qw", "net.ipv6.conf.vpn0.disable_ipv6=1")
        host.run("ip", "addr", "add", inner, "dev", "vpn0")
        self.set("private-key", self.file("key", self.private), "listen-port", str(port))
        host.run("ip", "link", "set", "vpn0", "up")

    def close(self):
        shutil.rmtree(self.files)
        if self.socket:
            self.socket.close()

    def file(self, name, key):
        """A file with a key in it."""
        path = os.path.join(self.files, name)
        with open(path, "w", encoding="ascii",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(base64_of(key) if any(key) else "")
        return path

    def set(self, *words):
        self.host.output("vpnctl", "set", "vpn0", *words)

    def set_peer(self, public, *words, psk=None):
        if psk is not None:
            words = ("preshared-key", self.file("psk", psk), *words)
        self.set("peer", base64_of(public), *words)

    def restart(self):
        """No session, no handshake; time stamps are not forgotten."""
        self.host.run("ip", "link", "set", "vpn0", "down")
        self.host.run("ip", "link", "set", "vpn0", "up")

    def peer(self, public):
        """What the tool shows of it."""
        shown = json.loads(self.host.output("vpnctl", "-j", "show", "vpn0"))
        for peer in shown["peers"]:
            if peer["public_key"] == base64_of(public):
                return peer
        raise KeyError(f"no peer {base64_of(public)}")

    def counters(self):
        """Those of "ethtool -S", without starting it."""
        if not self.names:
            with self.host.inside():
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            answer = ethtool(self.socket, "vpn0", struct.pack("IIQI", GSSET_INFO, 0, 2, 0))
            count, = struct.unpack_from("I", answer, 16)
            answer = ethtool(self.socket, "vpn0",
                             struct.pack("III", GSTRINGS, 1, count) + bytes(count * NAME_LEN))
            self.names = [answer[at:at + NAME_LEN].split(b"\0", 1)[0].decode()
                          for at in range(12, len(answer), NAME_LEN)]
        answer = ethtool(self.socket, "vpn0", struct.pack("II", GSTATS, len(self.names)) +
                         bytes(len(self.names) * 8))
        return dict(zip(self.names, struct.unpack_from(f"{len(self.names)}Q", answer, 8)))

    def drops(self):
        return {name: value for name, value in self.counters().items()
                if name.startswith("drop_")}

    @contextlib.contextmanager
    def counted(self, text, **more):
        """A point: what is done makes these counters of drops grow, and no other."""
        wanted = self.drops()
        for name, value in more.items():
            wanted[f"drop_{name}"] += value
        yield
        wait_until(lambda: self.drops() == wanted, 3)
        got = self.drops()
        equal(f"{text}: counted", {}, {name: f"{value}, not {wanted[name]}"
                                       for name, value in got.items()
                                       if value != wanted[name]})


def cable():
    """The two hosts."""
    h1, h2 = Host("h1"), Host("h2")
    run("ip", "link", "add", "eth0", "netns", h1.name, "type", "veth", "peer", "name",
        "eth0", "netns", h2.name)
    for host in h1, h2:
        host.run("ip", "addr", "add", f"{host.address}/24", "dev", "eth0")
        host.run("ip", "link", "set", "eth0", "up")
    return h1, h2


def program(host, port, end, psk=bytes(32), private=None, **options):
    """A peer of a device that is a program, on another host."""
    where = Surroundings(private or os.urandom(32), psk, end.public,
                         (host.address, port), (end.host.address, end.port))
    with host.inside():
        peer = Peer(surroundings=where, **options)
    peer.patience = PATIENCE
    return peer


def begin():
    say("KTAP version 1")
    return cable()
