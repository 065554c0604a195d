#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
"""Daemons that are killed at any moment: a server with leases, NAT and certificates, and a
client with a kill switch, policy routes and a resolver of its own.

    lab [clients that are this program] ---- gw [vpn0, srv.toml] ---- c1 [tun0, cli.toml]

A moment is a system call that changes something, right before it is carried out, in a start, a
reload, the letting in of a stranger with a certificate, a stop, or an undo. Then the daemon begins again, or what it left is undone, or
the power fails, as far as that can be had: all that is not on a disk is gone. After each:

- the host is as the file says, or, when it was undone, as it was before;
- every client has the address that it was told of, and no other one has it;
- nothing of the client that was killed leaves past its tunnel.

    vpnd-crash.py [SEED [KILLS]]     or SEED and KILLS in the environment

What is done is drawn from the seed. make crash SEED=... KILLS=500 runs it for long.
"""
import base64
import glob
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, equal, point, run, say
from lab import Host, program, wait_until
from credentials import authority, certify, pem
from protocol import tlv
from protocol.messages import RESPONSE, V1
from protocol.noise import clamp, public_of

SEED = int((sys.argv[1:2] or [os.environ.get("SEED") or "1"])[0])
KILLS = int((sys.argv[2:3] or [os.environ.get("KILLS") or "6"])[0])
# How many calls of each kind there are in each phase, about: among them it is drawn.
SERVER = {
    "start": {"write": 22, "sendto": 64, "sendmsg": 3, "pwrite64": 11, "fdatasync": 3,
              "ftruncate": 2, "rename": 1, "unlink": 1},
    "reload": {"write": 24, "sendto": 48},
    "stranger": {"write": 3, "sendto": 7, "fsync": 2, "rename": 1, "pwrite64": 2,
                 "fdatasync": 1},
    "stop": {"write": 25, "sendto": 21, "pwrite64": 3, "fdatasync": 3, "unlink": 5,
             "ftruncate": 1},
    "undo": {"write": 29, "sendto": 21, "pwrite64": 11, "fdatasync": 4, "unlink": 3,
             "ftruncate": 3, "rename": 1},
    "idle": {},
}
CLIENT = {
    "start": {"write": 34, "sendto": 80, "sendmsg": 2, "rename": 2, "unlink": 2},
    "reload": {"write": 21, "sendto": 54, "sendmsg": 1},
    "connect": {"write": 60, "sendto": 100, "rename": 1, "unlink": 1},
    "stop": {"write": 29, "sendto": 59, "rename": 1, "unlink": 3},
    "undo": {"write": 43, "sendto": 59, "rename": 2, "unlink": 2},
    "idle": {},
}
SYSCTLS = ("ipv4/ip_forward", "ipv[46]/conf/*/forwarding", "ipv[46]/conf/*/accept_redirects",
           "ipv6/conf/*/accept_ra", "ipv4/conf/*/src_valid_mark", "ipv4/conf/*/rp_filter")
PORT = 51820
PATIENCE = 20           # seconds for what must come
SETTLED = 0.6           # leases are written, guests are saved


class Daemon:
    """One file, and the process that runs it, if any does."""

    def __init__(self, host, name, etc, files):
        self.host, self.name, self.etc, self.files = host, name, etc, files
        self.path = f"{files}/{name}.toml"
        self.process = None
        self.before = self.state()
        self.ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ready.bind(f"{files}/{name}.ready")

    def command(self, *command):
        """With the /etc of that host."""
        return ["unshare", "-m", "--propagation", "private", "sh", "-c",
                'mount --bind "$0" /etc && exec "$@"', self.etc, *command] if self.etc \
            else command

    def output(self, *command, given=None):
        """Of a program that does without that /etc."""
        with self.host.inside():
            return subprocess.run(command, check=False, timeout=60, text=True,
                                  input=given or "", stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT).stdout

    def state(self):
        """What a daemon may change and has to put back."""
        what = "addr show\nroute show table all\nrule show\n"
        lines = ["link show\n" + what, what]
        lines = [re.sub(r"^\d+: |@if\d+|valid_lft.*|pref medium", "", line)
                 for family, given in zip("46", lines)
                 for line in self.output("ip", f"-{family}", "-o", "-batch", "-",
                                         given=given).splitlines()
                 if not re.search(r"(^| )(fe80|ff00|multicast)", line)]
        with self.host.inside():
            for pattern in SYSCTLS:
                for name in glob.glob(f"/proc/sys/net/{pattern}"):
                    with open(name, encoding="ascii") as file:
                        lines.append(f"{name}: {file.read()}")
        for name in glob.glob(f"{self.etc}/resolv.conf*") if self.etc else ():
            with open(name, encoding="ascii") as file:
                lines.append(f"{name}: {os.stat(name).st_mode:o} {file.read()}")
        return sorted(lines) + self.output("nft", "list", "ruleset").splitlines()

    def use(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def spawn(self, *command):
        environment = dict(os.environ, NOTIFY_SOCKET=f"{self.files}/{self.name}.ready")
        with self.host.inside():
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                self.command(*command), env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def start(self, *tracer):
        """Whether it has begun."""
        self.spawn(*tracer, "vpnd", self.path)
        self.ready.settimeout(0.05)
        until = time.monotonic() + PATIENCE
        while self.runs() and time.monotonic() < until:
            try:
                if b"READY=1" in self.ready.recv(4096):
                    return True
            except TimeoutError:
                pass
        return False

    def pid(self):
        with open(f"{self.files}/run/{self.name}.lock", encoding="ascii") as file:
            return int(file.read())

    def attach(self, *options):
        """What sees the calls of the process from now on."""
        # pylint: disable-next=consider-using-with
        tracer = subprocess.Popen(["strace", "-p", str(self.pid()), *options],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        tracer.stderr.readline()
        return tracer

    def gone(self, seconds):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self):
        """Only the daemon: what it has started has to end by itself."""
        if self.runs():
            os.kill(self.pid(), signal.SIGKILL)
            self.gone(PATIENCE)

    def undo(self, *tracer):
        return self.output(*self.command(*tracer, "vpnd", "--undo", self.name))


class Stranger:
    """A client that shows a certificate, and was told an address."""

    def __init__(self, lab, number, signer, server):
        private = clamp(os.urandom(32))
        self.tlvs = (tlv.write(tlv.CREDENTIAL, (tlv.X509, certify(signer, number,
                                                                  public_of(private)))) +
                     tlv.write(tlv.REQUESTED_ADDRESS, "0.0.0.0"))
        self.peer = program(lab, 2000 + number, server, private=private, form=V1)
        self.key = base64.b64encode(self.peer.public).decode()

    def connect(self, seconds):
        """The address that we were told, or None."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = self.peer.initiate(tlvs=self.tlvs)
            self.peer.send(begun.message)
            message = self.peer.receive(RESPONSE, seconds=min(1, seconds))
            if not message or int.from_bytes(message[8:12], "little") != begun.index:
                continue
            response = self.peer.read(begun, message)
            said = tlv.read(response.tlvs, tlv.IN_RESPONSE)
            addresses = [str(one.ip) for one in tlv.values(said, tlv.ADDRESS)]
            if addresses:
                self.peer.send(self.peer.session(begun, response).seal())
                return addresses[0]
        return None


class Crash:
    """Both daemons, what clients were told, and what they and the hosts are held to."""

    def __init__(self, lab, files):
        self.lab, self.files = lab, files
        self.dice = random.Random(SEED)
        self.told, self.settled = {}, set()
        self.strangers = []
        self.counts = {"killed": 0, "late": 0, "undone": 0, "power": 0}
        self.faults = []

    # Phases, of a daemon that runs unless it is to start.

    def phase_start(self, daemon):
        """It was done before."""

    def phase_reload(self, daemon):
        daemon.file = 1 - daemon.file
        daemon.use(daemon.texts[daemon.file])
        daemon.output("vpnctl", "reload", daemon.name)

    def phase_stranger(self, daemon):
        """One that was never seen, one that comes back, and time to write that down."""
        one = Stranger(self.lab, len(self.strangers), self.signer, self.server)
        self.strangers.append(one)
        self.meet(one, 2)
        if self.told and daemon.runs():
            self.meet(self.dice.choice(self.strangers), 1)
        daemon.gone(SETTLED)

    def phase_idle(self, daemon):
        daemon.gone(0.1)

    def phase_connect(self, daemon):
        daemon.output("vpnctl", "disconnect", daemon.name)
        daemon.output("vpnctl", "connect", daemon.name)
        daemon.gone(SETTLED)

    def phase_stop(self, daemon):
        daemon.output("vpnctl", "down", daemon.name)

    def fault(self, text):
        self.faults.append(f"kill {self.counts['killed']}: {text}")
        say(f"# {self.faults[-1]}")

    def meet(self, stranger, seconds):
        """What it is told is kept; nothing else may be told later."""
        address = stranger.connect(seconds)
        before = self.told.get(stranger.key)
        if address and before and address != before:
            self.fault(f"{before} of {stranger.key} is {address} now")
        if address:
            self.told[stranger.key] = address
        return address

    # What has to hold.

    def leases(self):
        """By key, as the kernel has them."""
        lines = self.gate.output("vpnctl", "lease", "dump", "vpn0").splitlines()
        return {words[1]: words[0].split("/")[0] for words in map(str.split, lines)
                if len(words) > 1 and re.match(r"[0-9.]+/\d+$", words[0])}

    def check_leases(self, known):
        leases = self.leases()
        for key in known:
            if leases.get(key) != self.told[key]:
                self.fault(f"{self.told[key]} of {key} is {leases.get(key)} in the kernel")
        if len(set(leases.values())) != len(leases):
            self.fault("an address is leased twice")
        self.told.update((key, leases[key]) for key in leases if key not in known)
        self.settled = set(self.told)

    def check_state(self, daemon, wanted, what):
        if wait_until(lambda: daemon.state() == wanted, 3):
            return
        got = daemon.state()
        difference = [f"-{line}" for line in wanted if line not in got]
        difference += [f"+{line}" for line in got if line not in wanted]
        self.fault(f"{daemon.name} {what}: the host differs: {difference[:12]}")

    def connected(self):
        """What goes to the internet leaves the client by the tunnel."""
        def source():
            with self.laptop.host.inside(), \
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.connect(("198.51.100.1", 9))
                except OSError:
                    return ""
                return probe.getsockname()[0]
        return wait_until(lambda: source().startswith("10.8."), PATIENCE)

    def leaks(self):
        """Whether a packet gets out of a client past its tunnel."""
        with self.laptop.host.inside(), \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto(b"past", ("10.0.1.1", 9))
            except OSError:
                pass
        try:
            while True:
                if self.ear.recvfrom(16)[1][0] == "10.0.1.2":
                    return True
        except BlockingIOError:
            return False

    # Life.

    def begin(self, daemon):
        """Start, or start again, without being killed; it is as its file says."""
        if not daemon.start():
            with open(f"{self.files}/{daemon.name}.log", encoding="utf-8") as file:
                self.fault(f"{daemon.name} does not start: {file.readlines()[-3:]}")
            return
        if daemon is self.laptop and not self.connected():
            self.fault("the client does not connect")
        self.check_state(daemon, daemon.running[daemon.file], "runs")
        if daemon is self.gate:
            self.check_leases(set(self.told))

    def moment(self, daemon, phase):
        """CALL, N: right before the Nth call of that kind."""
        calls = [(call, number + 1) for call, count in daemon.phases[phase].items()
                 for number in range(count)]
        return self.dice.choice(calls or [("write", 1)])

    def kill_in(self, daemon, phase):
        """One run through a phase, which ends early."""
        call, number = self.moment(daemon, phase)
        inject = ["-e", "signal=none", "-e", f"trace={call}", "-e",
                  f"inject={call}:signal=KILL:when={number}", "-o", "/dev/null"]
        whole = ["strace", "-f", "--seccomp-bpf", "-qqq", *inject]
        if phase in ("start", "undo"):
            daemon.kill()
        if phase == "undo":
            daemon.undo(*whole)
            return f"undo {call}:{number}"
        if phase == "start":
            daemon.start(*whole)
        else:
            tracer = daemon.attach(*inject)
            getattr(self, f"phase_{phase}")(daemon)
        if daemon.runs() and not daemon.gone(SETTLED):
            self.counts["late"] += 1
            daemon.kill()
        if phase not in ("start", "undo"):
            tracer.wait()
        return f"{phase} {call}:{number}"

    def fail_power(self):
        """All that is not on a disk goes: what is undone may not write to it."""
        self.counts["power"] += 1
        shutil.rmtree(f"{self.files}/disk", ignore_errors=True)
        shutil.copytree(f"{self.files}/state", f"{self.files}/disk")
        self.gate.undo()
        self.check_state(self.gate, self.gate.before, "is undone")
        shutil.rmtree(f"{self.files}/state")
        os.rename(f"{self.files}/disk", f"{self.files}/state")
        for key in set(self.told) - self.settled:
            del self.told[key]

    def recover(self, daemon, phase, number):
        """What an administrator, systemd, or the next boot does then."""
        how = self.dice.choice(("start", "start", "undo", "power"))
        if how == "power" and daemon is self.gate:
            self.fail_power()
        elif how == "undo" or phase == "undo":
            self.counts["undone"] += 1
            daemon.undo()
            self.check_state(daemon, daemon.before, "is undone")
        self.begin(daemon)
        if daemon is self.gate and self.strangers and number % 3 == 0 and \
                not self.meet(self.dice.choice(self.strangers), PATIENCE):
            self.fault("a client that is known does not get in")

    def go(self):
        """Draw, kill, look."""
        for number in range(1, KILLS + 1):
            daemon = self.dice.choice((self.gate, self.gate, self.laptop))
            # Of strangers there is more to be lost.
            phase = self.dice.choice([*daemon.phases, *(["stranger"] * 3 if daemon is self.gate
                                                        else [])])
            self.counts["killed"] = number
            where = self.kill_in(daemon, phase)
            say(f"# {number}: {daemon.name}, {where}")
            if daemon is self.laptop and phase in ("reload", "idle") and self.leaks():
                self.fault("what a killed client sends leaves past its tunnel")
            faults = len(self.faults)
            self.recover(daemon, phase, number)
            if len(self.faults) > faults:
                say(f"# after {daemon.name}, {where}")
            if len(self.faults) > 20:
                return


def server_file(files, key, more):
    return f"""[server]
virtual_network = ["10.8.0.0/22", "fd08::/64"]
{more}
[security]
private_key_path = "{files}/srv.key"
ca_certificate_path = "{files}/ca.crt"
[logging]
output = "{files}/srv.log"
[metrics]
listen_address = ""
[[peer]]
name = "laptop"
public_key = "{key}"
"""


def client_file(files, more):
    return f"""[client]
server_address = "10.0.1.1:51820"
server_public_key_path = "{files}/srv.pub"
[security]
private_key_path = "{files}/cli.key"
[interface]
name = "tun0"
[routes]
default_gateway = true
split_tunnel = false
{more}
[dns]
use_vpn_dns = true
dns_servers = ["10.8.0.1"]
[firewall]
kill_switch = true
[logging]
output = "{files}/cli.log"
"""


def link(one, device, address, other, device2, address2):
    run("ip", "link", "add", device, "netns", one.name, "type", "veth", "peer", "name",
        device2, "netns", other.name)
    for host, name, prefix in ((one, device, address), (other, device2, address2)):
        host.run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
        host.run("ip", "addr", "add", f"{prefix}/24", "dev", name)
        host.run("ip", "link", "set", name, "up")


def build(files):
    """Hosts and files."""
    lab, gw, c1 = Host("lab"), Host("gw"), Host("c1")
    lab.address = "10.0.0.2"
    link(gw, "eth0", "10.0.0.1", lab, "eth0", "10.0.0.2")
    link(gw, "eth1", "10.0.1.1", c1, "eth0", "10.0.1.2")
    c1.run("ip", "route", "add", "default", "via", "10.0.1.1")
    os.environ.update(VPN_RUNTIME_DIR=files + "/run", VPN_STATE_DIR=files + "/state")
    etc = f"{files}/etc"
    run("cp", "-a", "/etc", etc)
    for name in os.listdir(etc):
        if name.startswith("resolv.conf"):
            os.unlink(f"{etc}/{name}")
    with open(f"{etc}/resolv.conf", "w", encoding="ascii") as file:
        file.write("nameserver 10.0.1.1\n")
    crash = Crash(lab, files)
    crash.signer, certificate = authority()
    with open(f"{files}/ca.crt", "wb") as file:
        file.write(pem(certificate))
    private = clamp(os.urandom(32))
    with open(f"{files}/cli.key", "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) \
            as file:
        file.write(base64.b64encode(private) + b"\n")
    key = base64.b64encode(public_of(private)).decode()
    crash.gate = Daemon(gw, "srv", "", files)
    crash.gate.texts = (server_file(files, key, ""),
                        server_file(files, key, 'lease_time = "2d"'))
    crash.gate.phases = SERVER
    crash.laptop = Daemon(c1, "cli", etc, files)
    crash.laptop.texts = (client_file(files, ""),
                          client_file(files, 'exclude_routes = ["10.0.2.0/24"]'))
    crash.laptop.phases = CLIENT
    with gw.inside():
        crash.ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        crash.ear.bind(("10.0.1.1", 9))
        crash.ear.setblocking(False)
    return crash


def learn(crash, daemon):
    """How it is with either file, both without being killed."""
    daemon.running, daemon.file = [], 1
    for text in reversed(daemon.texts):
        daemon.use(text)
        daemon.file = daemon.texts.index(text)
        if not daemon.start() or (daemon is crash.laptop and not crash.connected()):
            with open(f"{crash.files}/{daemon.name}.log", encoding="utf-8") as file:
                say(f"# {file.read()}")
            say("Bail out! it does not start")
            sys.exit(1)
        if daemon is crash.gate:
            with open(f"{crash.files}/srv.pub", encoding="ascii") as file:
                public = base64.b64decode(file.read())
            crash.server = types.SimpleNamespace(
                public=public, port=PORT, host=types.SimpleNamespace(address="10.0.0.1"))
        daemon.running.insert(0, daemon.state())
        daemon.output("vpnctl", "down", daemon.name)
        daemon.gone(PATIENCE)
        crash.check_state(daemon, daemon.before, "is stopped")
    crash.begin(daemon)
    if daemon is crash.gate:
        crash.phase_stranger(daemon)


def main():
    for program_needed in "vpnd", "strace":
        if not shutil.which(program_needed):
            say(f"1..0 # SKIP there is no {program_needed}")
            return 0
    say("KTAP version 1")
    say(f"# seed {SEED}, {KILLS} kills")
    files = tempfile.mkdtemp(prefix="vpnd-crash.")
    crash = build(files)
    learn(crash, crash.gate)
    learn(crash, crash.laptop)
    equal("what comes and goes without being killed leaves no trace", [], crash.faults)
    crash.go()
    counts = crash.counts
    equal("killed as often as was asked for", KILLS, counts["killed"])
    equal("each time the hosts and all leases are as they should be", [], crash.faults)
    for daemon in crash.laptop, crash.gate:
        daemon.output("vpnctl", "down", daemon.name)
        daemon.gone(PATIENCE)
        equal(f"{daemon.name}: the host is as it was", daemon.before, daemon.state())
    left = subprocess.run(["pgrep", "-a", "-x", "vpnd"], check=False, text=True,
                          stdout=subprocess.PIPE).stdout
    equal("no process is left", "", left)
    say(f"# {counts['late']} were killed after what was to be interrupted, {counts['undone']} "
        f"were undone, {counts['power']} times the power failed, {len(crash.told)} clients")
    point("files are as they were", not os.path.exists(f"{files}/run/srv.journal"))
    shutil.rmtree(files)
    return end()


if __name__ == "__main__":
    sys.exit(main())
