#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Version 1 with the kernel as initiator and a program as responder: when it is
spoken, what the kernel asks for, what it makes of answers, refusals and control
messages.

    h1 [vpn0 192.168.99.1/24] ---- [10.0.0.2:1002 this program] h2
"""
import os
import socket
import subprocess
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, say
from lab import End, begin, check, program, timescale, wait_until
from packets import answer
from peer import until_in_time
from protocol import tlv
from protocol.messages import (CONTROL, DATA, INITIATION, V0, V1, V1_GCM, fill,
                               write_response)
from protocol.noise import clamp

INNER, OURS = "192.168.99.1", "192.168.99.2"
PSK = bytes(range(1, 33))
CREDENTIAL = b"eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


class Client:
    """The kernel's end, and the program that it is to reach."""

    def __init__(self, h1, h2):
        self.h2 = h2
        self.end = End(h1, 1001, f"{INNER}/24")
        self.credential = os.path.join(self.end.files, "token")
        with open(self.credential, "wb") as file:
            file.write(CREDENTIAL)
        with h1.inside():
            self.inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def server(self, *settings, psk=bytes(32)):
        """A peer with these settings."""
        peer = program(self.h2, 1002, self.end, psk)
        self.end.set_peer(peer.public, "endpoint", "10.0.0.2:1002", "allowed-ips",
                          f"{OURS}/32", *settings, psk=psk)
        return peer

    def drop(self, peer):
        self.end.set_peer(peer.public, "remove")
        peer.socket.close()

    def shown(self, peer):
        return self.end.peer(peer.public)

    def prompt(self):
        """Give the kernel something to send."""
        self.inner.sendto(b"prompt", (OURS, 9))

    def initiation(self, peer):
        """What comes of that, and what it says. A packet that comes too soon after
        the last initiation does not begin another one."""
        peer.drain()
        for _ in range(20):
            self.prompt()
            message = peer.receive(INITIATION, seconds=0.6)
            if message:
                break
        message, got = peer.initiation(message)
        said = tlv.read(got.tlvs, tlv.IN_INITIATION) if got.form.version else []
        return message, got, said

    def session(self, peer, *assigned):
        def attempt():
            _, got, _ = self.initiation(peer)
            return peer.completes(got, tlvs=b"".join(assigned))

        return until_in_time(attempt)


def quiet(peer, seconds=0.5):
    """Nothing that begins a handshake comes."""
    message = peer.receive(INITIATION, seconds=seconds)
    assert message is None, "an initiation"


def echoes(client, peer, session):
    """A ping of the kernel's, answered by us."""
    with subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{client.end.host.name}", "--", "ping", "-n",
             "-c", "1", "-W", "5", OURS], stdout=subprocess.DEVNULL) as ping:
        while message := peer.receive(DATA, seconds=5):
            if not session.is_for_us(message):
                continue
            flags, plain = session.open(message)
            packet = answer(plain) if not flags else None
            if packet:
                peer.send(session.seal(fill(packet, 16)))
                break
        assert not ping.wait(10), "no answer to the echo"


# Handshakes.

def initiates(client, peer, form):
    message, got, said = client.initiation(peer)
    assert got.form == form, f"{got.form}"
    assert 1200 <= len(message) <= 4096, f"{len(message)} octets"
    assert message[-16:] == bytes(16), "a mac2"
    say(f"# it says: {said}")


def works(client, peer, form):
    initiates(client, peer, form)
    session = client.session(peer)
    echoes(client, peer, session)
    shown = client.shown(peer)
    assert shown["protocol_version"] == 1, shown


def wrong_secret(client, peer):
    _, got, _ = client.initiation(peer)
    with client.end.counted("a response with another preshared key",
                            handshake_refused=1):
        peer.respond(got, psk=os.urandom(32))
    assert peer.receive(DATA, seconds=0.2) is None, "the response was taken"


def test_handshakes(client):
    for name, form, settings in (
            ("AES-256-GCM", V1_GCM, ("cipher", "aes-256-gcm")),
            ("ChaCha20-Poly1305", V1, ("credential", client.credential))):
        for psk in bytes(32), PSK:
            peer = client.server(*settings, psk=psk)
            title = name + (", with a preshared key" if any(psk) else "")
            check(f"{title}: a handshake, and packets both ways", works, client, peer,
                  form)
            if any(psk):
                client.end.restart()
                check(f"{title}: it matters", wrong_secret, client, peer)
            client.drop(peer)

    peer = client.server("cipher", "any")
    check("any cipher is version 1", lambda: client.initiation(peer)[1].form.version == 1)
    client.drop(peer)

    peer = client.server()
    check("a plain peer gets version 0", lambda: client.initiation(peer)[1].form == V0)
    client.end.set_peer(peer.public, "cipher", "chacha20-poly1305")
    client.end.restart()
    peer.form = V1
    check("it may speak version 1 itself", peer.handshake)
    client.end.restart()
    check("and then gets it", lambda: client.initiation(peer)[1].form == V1)
    peer.form = V0
    check("it may go back", peer.handshake)
    client.end.restart()
    check("and then gets that", lambda: client.initiation(peer)[1].form == V0)
    client.drop(peer)


# Requests.

def asks(client, peer):
    message, got, said = client.initiation(peer)
    assert [str(address) for address in tlv.values(said, tlv.REQUESTED_ADDRESS)][:1] \
        == ["0.0.0.0"], said
    assert tlv.values(said, tlv.CREDENTIAL) == [(tlv.JWT, CREDENTIAL)], said
    assert tlv.values(said, tlv.HOST_NAME) == ["it\u00e4"], said
    for one in said:
        wanted = tlv.CRITICAL * (one.kind in (tlv.REQUESTED_ADDRESS, tlv.CREDENTIAL))
        assert one.flags == wanted, one
    assert CREDENTIAL not in message


ASSIGNED = (tlv.write(tlv.ADDRESS, "10.9.0.7/24"), tlv.write(tlv.ADDRESS, "fd00:9::7/64"),
            tlv.write(tlv.LEASE, 3600), tlv.write(tlv.DNS, "10.9.0.1"),
            tlv.write(tlv.DNS, "fd00:9::1"), tlv.write(tlv.ROUTE, "10.0.0.0/8"),
            tlv.write(tlv.ROUTE, "::/0"), tlv.write(tlv.MTU, 1380),
            tlv.write(tlv.KEEPALIVE, 25))


def takes(client, peer):
    client.session(peer, *ASSIGNED)
    got = wait_until(lambda: client.shown(peer)["assigned"])
    del got["time"], got["expires"]
    assert got == {"addresses": ["10.9.0.7/24", "fd00:9::7/64"],
                   "dns": ["10.9.0.1", "fd00:9::1"], "routes": ["10.0.0.0/8", "::/0"],
                   "mtu": 1380, "keepalive": 25, "lease_time": 3600}, got


def asks_again(client, peer):
    """When half of its lease is over."""
    client.session(peer, tlv.write(tlv.ADDRESS, "10.9.0.7/24"), tlv.write(tlv.LEASE, 4))
    began = time.monotonic()
    peer.initiation()
    say(f"# after {time.monotonic() - began:.1f} s")
    assert 1 <= time.monotonic() - began < 5


def as_much_as_there_can_be(client, peer):
    client.session(peer, tlv.write(tlv.ADDRESS, "10.9.0.7/24"),
                   tlv.write(tlv.ADDRESS, "fd00:9::7/64"), tlv.write(tlv.LEASE, 0),
                   *(tlv.write(tlv.DNS, f"fd00:9::{n}") for n in range(8)),
                   *(tlv.write(tlv.ROUTE, f"fd00:{n:x}::/32") for n in range(32)),
                   tlv.write(tlv.MTU, 65535), tlv.write(tlv.KEEPALIVE, 65535))
    got = wait_until(lambda: client.shown(peer)["assigned"])
    assert len(got["routes"]) == 32 and len(got["dns"]) == 8, got


def test_requests(client):
    client.end.set("host-name", "it\u00e4")
    peer = client.server()
    client.end.set_peer(peer.public, "address", "auto", "credential", client.credential)
    check("it asks without traffic", peer.initiation)
    check("for an address, and shows its credential", asks, client, peer)
    check("it takes what is assigned", takes, client, peer)
    client.end.restart()
    check("as much as there can be", as_much_as_there_can_be, client, peer)
    client.end.restart()
    check("it asks again before the lease is over", asks_again, client, peer)
    client.drop(peer)


# Refusals.

def is_refused(client, peer, reason, words):
    _, got, _ = client.initiation(peer)
    message, _, _ = write_response(got, clamp(os.urandom(32)), 0, peer.psk,
                                   tlvs=tlv.write(tlv.REJECT, (reason, words)))
    peer.send(message)
    name = tlv.REASONS[reason] if reason < len(tlv.REASONS) else "unknown"
    assert wait_until(lambda: (client.shown(peer)["last_refusal"] or {}).get("reason")
                      == name), client.shown(peer)["last_refusal"]
    shown = client.shown(peer)["last_refusal"]
    assert (shown["text"], shown["ours"]) == (words or None, False), shown
    # It would repeat an initiation that got lost.
    quiet(peer, 0.8 if reason == 1 else 0)


BROKEN = (
    ("an unknown TLV that is critical", tlv.write(99, b"", True)),
    ("a value that is cut off", (tlv.write(200, bytes(39), False) +
                                 tlv.write(tlv.MTU, 1400))[:48]),
    ("two MTUs", tlv.write(tlv.MTU, 1400) * 2),
    ("an address of 5 octets", tlv.write(tlv.DNS, bytes(5))),
    ("a keepalive of zero", tlv.write(tlv.KEEPALIVE, 0)),
    ("padding that is not zero", bytes(20) + b"\1"),
    ("a refusal without a reason", tlv.write(tlv.REJECT, b"")),
)


def is_broken(client, peer, name, tlvs):
    before = client.shown(peer)["assigned"]
    _, got, _ = client.initiation(peer)
    with client.end.counted(f"a response with {name}", handshake_refused=1):
        peer.respond(got, tlvs=tlvs)
    assert client.shown(peer)["assigned"] == before, "the assignment was taken"
    assert peer.receive(DATA, seconds=0.1) is None, "the response was taken"


def test_refusals(client):
    peer = client.server("cipher", "aes-256-gcm", psk=PSK)
    for reason in (*range(1, 10), 77):
        words = "" if reason % 2 else f"reason {reason} \u20ac"
        check(f"refusal for reason {reason}", is_refused, client, peer, reason, words)
    check("after all of them it works", lambda: echoes(client, peer,
                                                      client.session(peer)))
    for name, tlvs in BROKEN:
        client.end.restart()
        check(f"no session comes of a response with {name}", is_broken, client, peer,
              name, tlvs)
    client.end.restart()
    check("of a good one there does", lambda: echoes(client, peer,
                                                     client.session(peer)))
    client.drop(peer)


# Control messages.

def control(peer, session, *tlvs):
    peer.send(session.seal(tlv.control(*tlvs), CONTROL))


def says(peer, session, kind, seconds=10):
    while message := peer.receive(DATA, seconds=seconds):
        if not session.is_for_us(message):
            continue
        flags, plain = session.open(message)
        if flags == CONTROL:
            return tlv.values(tlv.read(plain, tlv.IN_CONTROL), kind)
    raise AssertionError(f"no control message of type {kind}")


def ping_is_answered(peer, session):
    octets = os.urandom(8)
    control(peer, session, tlv.write(tlv.PING, octets))
    assert says(peer, session, tlv.PONG) == [octets]


def pings_by_itself(client, peer, session):
    """The initiator does, each minute in which something came."""
    peer.send(session.seal())
    octets, = says(peer, session, tlv.PING)
    control(peer, session, tlv.write(tlv.PONG, octets))
    assert wait_until(lambda: client.shown(peer)["rtt_ns"]), "no round-trip time"


def assignment_is_replaced(client, peer, session):
    control(peer, session, tlv.write(tlv.ADDRESS, "10.9.0.8/24"), tlv.write(tlv.MTU, 1400))
    assert wait_until(lambda: (client.shown(peer)["assigned"] or {}).get("mtu") == 1400)
    control(peer, session, tlv.write(tlv.DNS, "10.9.0.1"))
    assert wait_until(lambda: client.shown(peer)["assigned"]["dns"])
    got = client.shown(peer)["assigned"]
    assert not got["mtu"] and not got["addresses"], got


def goodbye(client, peer, session):
    control(peer, session, tlv.write(tlv.DISCONNECT, tlv.PEER_REMOVED))
    assert wait_until(lambda: client.shown(peer)["last_disconnect"])
    assert client.shown(peer)["last_disconnect"]["reason"] == "peer-removed"
    quiet(peer)
    client.session(peer)


def test_controls(client):
    peer = client.server("cipher", "aes-256-gcm")
    session = client.session(peer)
    check("a ping is answered", ping_is_answered, peer, session)
    check("an assignment replaces another", assignment_is_replaced, client, peer, session)
    check("a goodbye ends the session, until there is something to send", goodbye,
          client, peer, session)
    timescale(20)
    client.end.restart()
    session = client.session(peer)
    check("the kernel pings by itself", pings_by_itself, client, peer, session)
    client.drop(peer)


def main():
    h1, h2 = begin()
    client = Client(h1, h2)
    only_these = sys.argv[1:]
    try:
        for test in test_handshakes, test_requests, test_refusals, test_controls:
            if not only_these or test.__name__[5:] in only_these:
                say(f"# {test.__name__[5:]}")
                # Whoever waits for the next initiation waits less.
                timescale(10)
                test(client)
    finally:
        timescale(1)
    client.end.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
