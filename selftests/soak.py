#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""soak.py FOLDER: be the clients of tests/soak.sh for many hours, in their namespace.

Each minute some come, some go, some begin anew with nothing but their key, some change
their port, and some send. Once an hour their whole network gets another address, and
then all come, and it is looked at what there is. Says "# ..." while it goes on, a line
"ok" or "not ok" for what is asked of it, and the figures of each hour.

CLIENTS, HOURS and SEED are in the environment; SERVER is the server's namespace.
"""
import base64
import json
import os
import random
import socket
import sqlite3
import sys
import time

from abi import (Attr, IFNAME, LISTEN_PORT, MODE_REQUEST, Netlink, PRIVATE_KEY,
                 P_ADDRESS_MODE, P_IPV4, P_KEEPALIVE, P_PORT, allowedip, be16, end, ip4,
                 output, peer, point, say, text, u16, u32)
from packets import echo_request

CLIENTS, HOURS, SEED = (int(os.environ[name]) for name in ("CLIENTS", "HOURS", "SEED"))
SERVER = os.environ["SERVER"]
INNER = "10.8.0.1"
STRANGE = "10.8.255.254"  # the address of who has not been told one yet
KEEPALIVE, ALIVE = 50, 4    # seconds; one of so many does it
PORTS = range(2000, 50000)
PATIENCE = 900      # seconds until all are connected again
SETTLED = 3         # hours after which nothing may grow any more
GROWTH = 0.02       # of memory, from then to the end
SLACK = 512         # and KiB


def on_server(*command):
    return output("nsenter", f"--net=/run/netns/{SERVER}", "--", *command)


class Client:
    """A device, a key, and what it was told first."""

    def __init__(self, number, key, public):
        self.number = number
        self.name = f"c{number}"
        self.key = key
        self.public = public
        self.up = False
        self.address = None

    def some_port(self):
        """One of its own: what it has while it is away would be another one's."""
        return u16(LISTEN_PORT, PORTS.start + self.number +
                   CLIENTS * random.randrange(len(PORTS) // CLIENTS))


class Clients:
    """All of them; what changes links is gathered, for one program to do it."""

    def __init__(self, folder):
        self.folder = folder
        self.netlink = Netlink()
        with open(f"{folder}/srv.pub", encoding="ascii") as file:
            self.server = base64.b64decode(file.read())
        with open(f"{folder}/keys", encoding="ascii") as keys, \
                open(f"{folder}/publics", encoding="ascii") as publics:
            self.all = [Client(number, bytes.fromhex(key), public.strip())
                        for number, (key, public) in enumerate(zip(keys, publics))]
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.did = dict.fromkeys(("came", "went", "anew", "ports", "networks", "packets"), 0)
        self.network = 2

    def links(self, lines):
        if lines:
            output("ip", "-batch", "-", input="".join(line + "\n" for line in lines))

    def configure(self, some):
        self.links([f"link add {client.name} type vpn" for client in some])
        for client in some:
            answer = self.netlink.set(
                text(IFNAME, client.name), Attr(PRIVATE_KEY, client.key), client.some_port(),
                peer(self.server, ip4(P_IPV4, "10.0.0.1"), be16(P_PORT, 51820),
                     u16(P_KEEPALIVE, 0 if client.number % ALIVE else KEEPALIVE),
                     u32(P_ADDRESS_MODE, MODE_REQUEST),
                     allowedip(INNER + "/32")))
            assert not answer.errno, f"{client.name}: {answer.errno}"

    def come(self, some):
        self.links([f"link set {client.name} up" for client in some])
        for client in some:
            client.up = True
        self.did["came"] += len(some)

    def go(self, some):
        self.links([f"link set {client.name} down" for client in some])
        for client in some:
            client.up = False
        self.did["went"] += len(some)

    def begin_anew(self, some):
        self.links([f"link del {client.name}" for client in some])
        self.configure(some)
        self.links([f"link set {client.name} up" for client in some if client.up])
        self.did["anew"] += len(some)

    def move(self, some):
        """To another port, as behind a NAT that has forgotten them."""
        for client in some:
            answer = self.netlink.set(text(IFNAME, client.name), client.some_port())
            assert not answer.errno, f"{client.name}: {answer.errno}"
            self.did["ports"] += 1

    def move_all(self):
        """To another address."""
        old, self.network = self.network, self.network % 200 + 2
        self.links([f"addr del 10.0.0.{old}/24 dev eth0",
                    f"addr add 10.0.0.{self.network}/24 dev eth0"])
        self.did["networks"] += 1

    def send(self, some):
        for client in some:
            if client.up:
                self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                                    client.name.encode())
                self.raw.sendto(echo_request(client.address or STRANGE, INNER), (INNER, 0))
                self.did["packets"] += 1

    def minute(self):
        """What happens in it: who is there stays for an hour or so, who is not comes
        back within forty minutes."""
        shuffled = random.sample(self.all, len(self.all))
        there = [client for client in shuffled if client.up]
        away = [client for client in shuffled if not client.up]
        self.go(there[:share(there, 60)])
        self.come(away[:share(away, 40)])
        self.begin_anew(shuffled[:share(self.all, 600)])
        self.move(there[-share(there, 60):])
        self.send(there[-share(there, 20):])

    def told(self):
        """Public keys, and the addresses that they were told."""
        found = {}
        for device in json.loads(output("vpnctl", "-j", "show", "all")):
            for one in device["peers"]:
                for address in (one["assigned"] or {}).get("addresses", []):
                    found.setdefault(device["public_key"], []).append(address.split("/")[0])
        return found


def share(some, minutes):
    """One of so many, on the average."""
    return int(len(some) / minutes + random.random())


def connected():
    lines = on_server("curl", "-sf", "127.0.0.1:9586/metrics").splitlines()
    return int(next(line.split()[1] for line in lines
                    if line.startswith("vpn_peers_connected ")))


def all_connected(clients):
    """They are when they have sent something, unless it gets lost."""
    end_ = time.monotonic() + PATIENCE
    while connected() < len(clients.all):
        if time.monotonic() > end_:
            return False
        clients.send(clients.all)
        time.sleep(20)
    return True


def leases():
    """What the kernel and the daemon's disk have, by address."""
    shown = json.loads(on_server("vpnctl", "-j", "show", "vpn0"))
    kernel = {lease["address"].split("/")[0]: one["public_key"]
              for one in shown["peers"] for lease in one["leases"]}
    return kernel


def on_disk():
    with sqlite3.connect(f"file:{os.environ['VPN_STATE_DIR']}/srv.leases?mode=ro",
                         uri=True) as file:
        return {address.split("/")[0]
                for address, in file.execute("SELECT DISTINCT address FROM lease")}


def memory():
    """KiB of the kernel, without what it only keeps for later; and of vpnd."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")
    with open("/proc/meminfo", encoding="ascii") as file:
        info = {line.split(":")[0]: int(line.split()[1]) for line in file}
    pid = output("pgrep", "-o", "-x", "vpnd").split()[0]
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        daemon, = (int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    return {"slab": info["Slab"], "percpu": info.get("Percpu", 0),
            "vmalloc": info["VmallocUsed"], "free": info["MemFree"], "vpnd": daemon}


class Faults:
    """What went wrong, said once each."""

    def __init__(self):
        self.found = {}

    def note(self, what, who):
        if who:
            self.found.setdefault(what, []).append(who)
            say(f"# {what}: {who}")

    def close(self):
        for what in ("not all connected", "two have one address", "another address than before",
                     "no address", "not leased to whom it was given", "not on disk"):
            point(f"never: {what}", what not in self.found, str(self.found.get(what))[:300])


def look(clients, faults):
    """All are connected, and have what they always had."""
    if not all_connected(clients):
        faults.note("not all connected", connected())
    told, kernel, disk = clients.told(), leases(), on_disk()
    given = [address for addresses in told.values() for address in addresses]
    faults.note("two have one address", sorted({a for a in given if given.count(a) > 1}))
    for client in clients.all:
        address = told.get(client.public, [None])[0]
        if client.address is None:
            client.address = address
        if address is None:
            faults.note("no address", client.name)
        elif address != client.address:
            faults.note("another address than before", (client.name, client.address, address))
        elif kernel.get(address) != client.public:
            faults.note("not leased to whom it was given", (client.name, address))
        elif address not in disk:
            faults.note("not on disk", (client.name, address))


def flat(rows):
    """Whether no figure has grown; they are not the same each hour."""
    if len(rows) <= SETTLED:
        return
    for name in "slab", "percpu", "vmalloc", "vpnd":
        begun, last = rows[SETTLED - 1][name], rows[-1][name]
        point(f"{name}: {begun} KiB after {SETTLED} hours, {last} after {len(rows)}",
              last <= begun * (1 + GROWTH) + SLACK)


def main():
    random.seed(SEED)
    clients, faults, rows = Clients(sys.argv[1]), Faults(), []
    clients.configure(clients.all)
    began = time.time()
    for hour in range(HOURS):
        for _ in range(50):
            clients.minute()
            time.sleep(60)
        clients.move_all()
        clients.come([client for client in clients.all if not client.up])
        look(clients, faults)
        time.sleep(max(0, began + 3600 * (hour + 1) - time.time()))
        rows.append(memory())
        say(f"# hour {hour + 1}: {json.dumps(rows[-1])}")
    say(f"# {CLIENTS} clients, {(time.time() - began) / 3600:.1f} hours, seed {SEED}: "
        f"{json.dumps(clients.did)}")
    faults.close()
    flat(rows)
    return end()


if __name__ == "__main__":
    sys.exit(main())
