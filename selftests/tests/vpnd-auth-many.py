#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 200
# kernels: 7.3
# machine: icount
"""Five hundred clients that the server has never seen come at once, each with a
certificate: all are judged and connected within ten seconds, although the process that
reads the certificates is killed meanwhile. One that does not answer is replaced. A second
of this machine is a billion instructions of its one processor, however busy the host is.

    h1 [vpn0, vpnd] ---- [10.0.0.2 and fifty more: this program] h2
"""
import base64
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, equal, point, say
from credentials import authority, certify, pem
from lab import begin
from peer import random_index
from protocol import tlv
from protocol.messages import (COOKIE, RESPONSE, V1, classify, read_cookie, read_response,
                               seal_data, tai64n, write_initiation)
from protocol.noise import clamp, public_of

CLIENTS = 500
SOURCES = 50            # addresses that they come from
SECONDS = 10
RETRY = 5               # as a client repeats what is not answered
KILLED_AT = 100         # clients that are in when the process is killed
PORT = 51820


class Client:
    """A key, a certificate, and an initiation that is made beforehand."""

    def __init__(self, number, signer):
        self.private = clamp(os.urandom(32))
        self.tlvs = tlv.write(tlv.CREDENTIAL, (1, certify(signer, number, public_of(self.private))))
        self.done, self.cookie = False, None

    def begin(self, responder):
        self.ephemeral, self.index = clamp(os.urandom(32)), random_index()
        self.noise, self.message = write_initiation(
            self.private, self.ephemeral, responder, self.index, tai64n(time.time_ns()),
            self.cookie, V1, self.tlvs)

    def is_answered(self, message):
        at = 8 if classify(message)[0] == RESPONSE else 4
        return not self.done and self.index == int.from_bytes(message[at:at + 4], "little")

    def take_cookie(self, message, responder):
        self.cookie = read_cookie(message, self.message[-32:-16], responder)

    def finish(self, message):
        """What confirms the session that a response lets us have."""
        response = read_response(self.noise, V1, self.private, self.ephemeral, self.index, message,
                                 bytes(32))
        rejects = tlv.values(tlv.read(response.tlvs, tlv.IN_RESPONSE), tlv.REJECT)
        assert not rejects, rejects
        self.done = True
        return seal_data(V1, response.from_initiator, response.index, 0, b"")


def signal_reader(number):
    """To the process that reads certificates; how many there are."""
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                is_reader = file.read() == b"vpnd\0--verifier\0"
        except OSError:
            continue
        if is_reader:
            os.kill(int(pid), number)
            found += 1
    return found


def open_sockets(host):
    sockets = []
    with host.inside():
        for n in range(SOURCES):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind((f"10.0.0.{10 + n}", 0))
            one.connect(("10.0.0.1", PORT))
            sockets.append(one)
    return sockets


def take_answers(sockets, clients, responder, until, done):
    """All that comes until then; done is told how many are in."""
    while time.monotonic() < until and not all(client.done for client in clients):
        ready = select.select(sockets, [], [], until - time.monotonic())[0]
        for one in ready:
            message = one.recv(65536)
            kind = classify(message)[0]
            for client in filter(lambda client: client.is_answered(message), clients):
                if kind == RESPONSE:
                    one.send(client.finish(message))
                    done(sum(client.done for client in clients))
                elif kind == COOKIE:
                    client.take_cookie(message, responder)
                break


def connect_all(sockets, clients, responder, done):
    """The seconds that it took."""
    for client in clients:
        client.begin(responder)
    began = time.monotonic()
    while not all(client.done for client in clients) and time.monotonic() - began < 6 * RETRY:
        for number, client in enumerate(clients):
            if not client.done:
                sockets[number % SOURCES].send(client.message)
        take_answers(sockets, clients, responder, time.monotonic() + RETRY, done)
        for client in clients:
            if not client.done:
                client.begin(responder)
    return time.monotonic() - began


def main():
    if not shutil.which("vpnd"):
        print("1..0 # SKIP there is no vpnd")
        return 0
    h1, h2 = begin()
    for n in range(SOURCES):
        h2.run("ip", "addr", "add", f"10.0.0.{10 + n}/24", "dev", "eth0")
    files = tempfile.mkdtemp()
    os.environ.update(VPN_RUNTIME_DIR=files + "/run", VPN_STATE_DIR=files + "/state")
    signer, certificate = authority()
    with open(files + "/ca.crt", "wb") as file:
        file.write(pem(certificate))
    with open(files + "/gate.toml", "w", encoding="utf-8") as file:
        file.write(f"""[server]
virtual_network = "10.8.0.0/20"
[security]
private_key_path = "{files}/gate.key"
ca_certificate_path = "{files}/ca.crt"
[logging]
output = "{files}/gate.log"
[metrics]
listen_address = ""
""")
    h1.run("vpnd", "--daemon", files + "/gate.toml")
    with open(files + "/gate.pub", encoding="ascii") as file:
        responder = base64.b64decode(file.read())
    clients = [Client(number, signer) for number in range(CLIENTS)]
    sockets = open_sockets(h2)
    killed = []

    def kill_one(count):
        if count == KILLED_AT:
            killed.append(signal_reader(signal.SIGKILL))

    seconds = connect_all(sockets, clients, responder, kill_one)
    say(f"# {sum(client.done for client in clients)} connected in {seconds:.2f} s")
    point("all are let in", all(client.done for client in clients))
    point(f"within {SECONDS} s", seconds <= SECONDS, f"{seconds:.2f} s")
    with open(files + "/gate.log", encoding="utf-8") as file:
        log = file.read()
    equal("a line of the log for each", CLIENTS, log.count("msg=\"let in\""))
    equal("the process that read them was killed meanwhile", [1], killed)
    equal("which is said", 1, log.count("has ended; another one begins"))

    late = [Client(CLIENTS, signer)]
    equal("one does not answer", 1, signal_reader(signal.SIGSTOP))
    seconds = connect_all(sockets, late, responder, lambda count: None)
    point("and is replaced", late[0].done, f"{seconds:.2f} s")
    equal("by one", 1, signal_reader(0))
    subprocess.run(["vpnctl", "down", "gate"], check=False)
    shutil.rmtree(files)
    return end()


if __name__ == "__main__":
    sys.exit(main())
