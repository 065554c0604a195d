#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Version 1 with the kernel as responder and a program as initiator, in both cipher
suites: handshakes, what is asked for and what is assigned, refusals, data and
control messages.

    h1 [vpn0 192.168.99.1/24] ---- [10.0.0.2:1002 this program] h2
"""
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import Attr, IFNAME, Listener, Netlink, end, ip4, say, text, u32, u8
from lab import End, begin, check, program, wait_until
from packets import echo_request, is_echo_reply
from protocol import tlv
from protocol.messages import (CONTROL, DATA, MACS_LEN, RESPONSE, V0, V1, V1_GCM,
                               mac1_of)
from cryptography.exceptions import InvalidTag

INNER, OURS = "192.168.99.1", "192.168.99.2"
NAMES = {V0: "version 0", V1: "version 1, ChaCha20-Poly1305",
         V1_GCM: "version 1, AES-256-GCM"}
CIPHERS = ("chacha20-poly1305", "aes-256-gcm")
PSK = bytes(range(1, 33))

POOL_ADD, POOL_DEL, LEASE_RELEASE, PEER_REJECT, PEER_PING = 10, 11, 14, 16, 17
POOL, LEASE, REJECT, PEER_KEY, FORCE = 18, 19, 21, 22, 23   # attributes of a device
LEASE_KEY = 1
REASON, WORDS = 1, 2
POOL_PREFIX, POOL_LEASE_TIME = 1, 3
IPADDR, PREFIX_LEN = 1, 2


class Server:
    """The kernel's end, and a program for each peer."""

    def __init__(self, h1, h2):
        self.h2 = h2
        self.end = End(h1, 1001, f"{INNER}/24")
        with h1.inside():
            self.netlink = Netlink()

    def client(self, *settings, port=1002, psk=bytes(32), form=V1):
        """A peer, with these settings at the server."""
        peer = program(self.h2, port, self.end, psk, form=form)
        self.end.set_peer(peer.public, *settings, psk=psk)
        return peer

    def drop(self, peer):
        self.end.set_peer(peer.public, "remove")
        peer.socket.close()

    def shown(self, peer):
        return self.end.peer(peer.public)

    def command(self, command, *attrs):
        answer = self.netlink.request(command, [text(IFNAME, "vpn0"), *attrs])
        assert not answer.errno, answer

    def pool(self, address, length, lease_time=0):
        self.command(POOL_ADD, Attr(POOL, [
            Attr(POOL_PREFIX, [ip4(IPADDR, address), u8(PREFIX_LEN, length)]),
            u32(POOL_LEASE_TIME, lease_time)]))


def answered(peer, begun):
    """The response, and its TLVs."""
    peer.send(begun.message)
    message = peer.expect(RESPONSE)
    assert len(message) <= len(begun.message), f"{len(message)} octets in answer"
    assert message[-MACS_LEN:] == mac1_of(message[:-MACS_LEN], peer.public) + bytes(16)
    response = peer.read(begun, message)
    return response, tlv.read(response.tlvs, tlv.IN_RESPONSE)


def shake_hands(peer, *tlvs, **contents):
    """A session that the kernel has seen us use, and what it assigned."""
    time.sleep(0.05)    # not more often than we are allowed to
    begun = peer.initiate(tlvs=b"".join(tlvs), **contents)
    response, assigned = answered(peer, begun)
    assert response.index, "the index is zero"
    assert not tlv.values(assigned, tlv.REJECT), f"refused: {assigned}"
    session = peer.session(begun, response)
    peer.send(session.seal())
    return session, assigned


def refusal(peer, *tlvs, **contents):
    """Reason and words of it."""
    time.sleep(0.05)
    begun = peer.initiate(tlvs=b"".join(tlvs), **contents)
    response, said = answered(peer, begun)
    assert response.index == 0, f"a refusal has index {response.index:#x}"
    reasons = tlv.values(said, tlv.REJECT)
    assert reasons, f"not refused: {said}"
    peer.send(peer.session(begun, response).seal())     # there is no session
    return reasons[0]


def refused(peer, reason, *tlvs, **contents):
    got, words = refusal(peer, *tlvs, **contents)
    say(f"# refused: {tlv.REASONS[got]}: {words}")
    assert got == reason, f"refused as {tlv.REASONS[got]}"
    return words


def received(peer, session, fits, seconds=5):
    """The first message of the session that does: its plaintext."""
    end_of_it = time.monotonic() + seconds
    while time.monotonic() < end_of_it:
        message = peer.receive(DATA, seconds=seconds)
        if message and session.is_for_us(message):
            flags, plain = session.open(message)
            if fits(flags, plain):
                return plain
    return None


def echoes(peer, session):
    """A packet each way."""
    packet = echo_request(OURS, INNER)
    peer.send(session.seal(packet + bytes(-len(packet) % 16)))
    assert received(peer, session, lambda flags, plain:
                    not flags and is_echo_reply(plain)), "no answer to an echo"


def controls(peer, session, kind, seconds=5):
    """The values of the first control message that has such."""
    def fits(flags, plain):
        return flags == CONTROL and tlv.values(tlv.read(plain, tlv.IN_CONTROL), kind)

    plain = received(peer, session, fits, seconds)
    assert plain is not None, f"no control message of type {kind}"
    assert len(plain) % 16 == 0, f"{len(plain)} octets"
    return tlv.values(tlv.read(plain, tlv.IN_CONTROL), kind)


# Handshakes and data.

def handshake_works(server, peer, form):
    session, assigned = shake_hands(peer)
    assert not assigned, f"assigned: {assigned}"
    echoes(peer, session)
    shown = server.shown(peer)
    assert (shown["protocol_version"], shown["session_cipher"]) == \
        (form.version, CIPHERS[form.suite]), shown


def secret_matters(peer):
    time.sleep(0.05)
    begun = peer.initiate()
    peer.send(begun.message)
    message = peer.expect(RESPONSE)
    for psk in bytes(32), os.urandom(32):
        try:
            peer.read(begun, message, psk)
        except InvalidTag:
            continue
        raise AssertionError("the response opens with another preshared key")


def header_is_authentic(server, peer):
    """All octets in front of what is sealed are associated data."""
    session, _ = shake_hands(peer)
    message = bytearray(session.seal(counter=7))
    message[2] ^= CONTROL
    with server.end.counted("a data message made a control message", rx_bad_tag=1):
        peer.send(bytes(message))
    message = bytearray(session.seal(counter=8, flags=CONTROL, plain=bytes(16)))
    message[2] ^= CONTROL
    with server.end.counted("a control message made a data message", rx_bad_tag=1):
        peer.send(bytes(message))
    echoes(peer, session)


def test_handshakes(server):
    for form in V0, V1, V1_GCM:
        for psk in bytes(32), PSK:
            name = NAMES[form] + (", with a preshared key" if any(psk) else "")
            peer = server.client("allowed-ips", f"{OURS}/32", "cipher",
                                 CIPHERS[form.suite], psk=psk, form=form)
            check(f"{name}: a handshake, and packets both ways", handshake_works,
                  server, peer, form)
            if any(psk):
                check(f"{name}: nothing opens without it", secret_matters, peer)
            if form.version == 1 and any(psk):
                check(f"{name}: the header is authentic", header_is_authentic, server,
                      peer)
            server.drop(peer)
    peer = server.client("allowed-ips", f"{OURS}/32", form=V1)
    check("a longer initiation than need be", shake_hands, peer, size=4096)
    check("the peer can go back to version 0", lambda: echoes(
        peer, shake_hands(peer, form=V0)[0]))
    check("and to version 1", lambda: echoes(peer, shake_hands(peer)[0]))
    server.drop(peer)


# Requests.

def identity_is_told(server, peer):
    shake_hands(peer, tlv.write(tlv.HOST_NAME, "laptop \u20ac"),
                tlv.write(tlv.SOFTWARE, "python 3"))
    shown = server.shown(peer)
    assert (shown["host_name"], shown["software"]) == ("laptop \u20ac", "python 3"), shown


def only(assigned, kind):
    values = tlv.values(assigned, kind)
    assert len(values) == 1, f"type {kind}: {values}"
    return values[0]


def whole_assignment(server, peer):
    session, assigned = shake_hands(peer, tlv.write(tlv.REQUESTED_ADDRESS, "0.0.0.0"))
    address = only(assigned, tlv.ADDRESS)
    say(f"# assigned: {assigned}")
    assert str(address.network) == "10.9.0.0/24", address
    assert only(assigned, tlv.LEASE) == 3600
    assert [str(server) for server in tlv.values(assigned, tlv.DNS)] == \
        ["10.9.0.1", "fd00:9::1"]
    assert [str(route) for route in tlv.values(assigned, tlv.ROUTE)] == \
        ["10.0.0.0/8", "fd00::/8"]
    assert only(assigned, tlv.MTU) == 1380
    assert only(assigned, tlv.KEEPALIVE) == 25
    assert f"{address.ip}/32" in server.shown(peer)["allowed_ips"]
    packet = echo_request(str(address.ip), INNER)
    server.end.host.run("ip", "route", "replace", "10.9.0.0/24", "dev", "vpn0")
    peer.send(session.seal(packet + bytes(-len(packet) % 16)))
    assert received(peer, session, lambda flags, plain:
                    not flags and is_echo_reply(plain)), "no answer to an echo"
    return address


def same_address(peer, address):
    _, assigned = shake_hands(peer, tlv.write(tlv.REQUESTED_ADDRESS, "0.0.0.0"))
    assert only(assigned, tlv.ADDRESS) == address, assigned


def routes_are(peer, *wanted):
    _, assigned = shake_hands(peer, tlv.write(tlv.REQUESTED_ADDRESS, "0.0.0.0"))
    routes = tuple(str(route) for route in tlv.values(assigned, tlv.ROUTE))
    assert routes == wanted, routes


def own_routes(server, peer):
    many = [f"fd{n:02x}:1::/64" for n in range(32)]
    for setting, wanted in (("10.20.0.0/16", ["10.20.0.0/16"]), (",".join(many), many),
                            ("", []), ("off", ["10.0.0.0/8", "fd00::/8"])):
        server.end.set_peer(peer.public, "push-routes", setting)
        routes_are(peer, *wanted)


def wish_is_granted(server):
    peer = server.client("address", "auto", port=1003)
    _, assigned = shake_hands(peer, tlv.write(tlv.REQUESTED_ADDRESS, "10.9.0.77"))
    assert str(only(assigned, tlv.ADDRESS)) == "10.9.0.77/24", assigned
    return peer


def refused_saying(peer, wish, words):
    said = refused(peer, tlv.ADDRESS_NOT_AVAILABLE,
                   tlv.write(tlv.REQUESTED_ADDRESS, wish))
    assert words in said, said


def test_requests(server):
    peer = server.client("allowed-ips", f"{OURS}/32", form=V1_GCM, psk=PSK)
    server.end.set_peer(peer.public, "cipher", "any")
    check("host name and software are told", identity_is_told, server, peer)
    server.drop(peer)

    check("a pool", server.pool, "10.9.0.0", 24, 3600)
    server.end.set("push-dns", "10.9.0.1,fd00:9::1", "push-routes",
                   "10.0.0.0/8,fd00::/8", "push-mtu", "1380", "push-keepalive", "25")
    peer = server.client("address", "auto")
    address = []
    check("an address is assigned, with all that belongs to it",
          lambda: address.append(whole_assignment(server, peer)))
    check("the same once more", lambda: same_address(peer, address[0]))
    check("routes of the peer's own take the place of the device's: one, 32, and none",
          own_routes, server, peer)
    other = []
    check("an address that is asked for is given", lambda:
          other.append(wish_is_granted(server)))
    for wish, words in ("10.9.0.77", "another key"), ("10.77.0.1", "no pool"):
        check(f"an address of {words} is not", refused_saying, peer, wish, words)
    server.command(POOL_DEL, Attr(POOL, [Attr(POOL_PREFIX, [
        ip4(IPADDR, "10.9.0.0"), u8(PREFIX_LEN, 24)])]), Attr(FORCE, b""))
    for one in peer, *other:
        server.drop(one)


# Refusals.

def test_refusals(server):
    peer = server.client("allowed-ips", f"{OURS}/32")
    check("a cipher that is not allowed", refused, peer, tlv.CIPHER_NOT_ALLOWED,
          form=V1_GCM)
    check("which the tool shows", lambda: (
        lambda refusal: refusal["reason"] == "cipher-not-allowed" and refusal["ours"])(
            server.shown(peer)["last_refusal"]))
    server.end.set_peer(peer.public, "cipher", "aes-256-gcm")
    check("the other way round", refused, peer, tlv.CIPHER_NOT_ALLOWED)
    check("what is allowed is not refused", shake_hands, peer, form=V1_GCM)
    server.end.set_peer(peer.public, "cipher", "any")
    check("something critical that nobody knows", refused, peer,
          tlv.VERSION_NOT_SUPPORTED, tlv.write(99, b"?", True))
    check("not if it is not critical", shake_hands, peer, tlv.write(99, b"?", False))
    check("something critical that does not belong there", refused, peer,
          tlv.VERSION_NOT_SUPPORTED, tlv.write(tlv.ADDRESS, "10.0.0.1/24", True))
    server.end.set_peer(peer.public, "expires", "2020-01-01")
    check("who has expired", refused, peer, tlv.EXPIRED)
    check("who has expired, in the other suite", refused, peer, tlv.EXPIRED, form=V1_GCM)
    server.end.set_peer(peer.public, "expires", "never")
    check("who expires no more", shake_hands, peer)
    server.drop(peer)

    server.end.set("max-peers", "1")
    first = server.client("allowed-ips", f"{OURS}/32")
    second = server.client("allowed-ips", "192.168.99.3/32", port=1003)
    check("a server that has room", shake_hands, first)
    check("and is full", refused, second, tlv.SERVER_FULL)
    check("but not for who is there", shake_hands, first)
    server.end.set("max-peers", "off")
    check("and has room again", shake_hands, second)
    for one in first, second:
        server.drop(one)

    server.pool("10.8.0.0", 30)
    peers = [server.client("address", "auto", port=1002 + n) for n in range(2)]
    wish = tlv.write(tlv.REQUESTED_ADDRESS, "0.0.0.0")
    check("a small pool has two addresses", lambda: [
        shake_hands(peer, wish) for peer in peers])
    server.command(LEASE_RELEASE, Attr(LEASE, [Attr(LEASE_KEY, peers[0].public)]))
    peers.append(server.client("address", "auto", port=1004))
    check("one of which has gone to somebody else", shake_hands, peers[2], wish)
    check("and there is no third one", refused, peers[0], tlv.POOL_EXHAUSTED, wish)
    for one in peers:
        server.drop(one)
    peer = server.client("allowed-ips", f"{OURS}/32")
    check("who is to have no address gets none", refused, peer,
          tlv.ADDRESS_NOT_AVAILABLE, wish)
    server.drop(peer)


# Strangers.

def test_strangers(server):
    """A refusal for each reason, with and without words."""
    credential = tlv.write(tlv.CREDENTIAL, (tlv.X509, os.urandom(1000)))
    silent = program(server.h2, 1002, server.end, form=V1)
    with server.end.counted("a stranger whom nobody wants to know",
                            handshake_refused=1):
        silent.send(silent.initiate(tlvs=credential).message)
    silent.silence("a stranger", 0.3)
    silent.socket.close()
    with server.end.host.inside():
        listener = Listener(server.netlink, "auth")
    for reason in range(1, 10):
        peer = program(server.h2, 1002, server.end, PSK, form=(V1, V1_GCM)[reason % 2])
        words = f"because of {reason}" if reason % 3 else ""
        check(f"a stranger is told that it is {tlv.REASONS[reason]}", stranger_refused,
              server, listener, peer, credential, reason, words)
        peer.socket.close()
    peer = program(server.h2, 1002, server.end, PSK, form=V1_GCM)
    check("a stranger is let in, and answered at once", stranger_let_in, server,
          listener, peer, credential)
    server.drop(peer)


def stranger_asks(listener, peer, credential):
    begun = peer.initiate(tlvs=credential)
    peer.send(begun.message)
    assert listener.events(10, "auth-request"), "nobody is asked"
    peer.silence("a stranger of whom nothing is decided", 0.1)
    return begun


def stranger_refused(server, listener, peer, credential, reason, words):
    begun = stranger_asks(listener, peer, credential)
    server.command(PEER_REJECT, Attr(PEER_KEY, peer.public), Attr(REJECT, [
        u32(REASON, reason), *([text(WORDS, words)] if words else [])]))
    response = peer.read(begun, peer.expect(RESPONSE), bytes(32))
    said = tlv.read(response.tlvs, tlv.IN_RESPONSE)
    assert tlv.values(said, tlv.REJECT) == [(reason, words)], said
    assert all(one.flags == tlv.CRITICAL for one in said) and response.index == 0, said


def stranger_let_in(server, listener, peer, credential):
    begun = stranger_asks(listener, peer, credential)
    server.end.set_peer(peer.public, "allowed-ips", f"{OURS}/32", "cipher", "any",
                        psk=PSK)
    session = peer.finish(begun, peer.expect(RESPONSE))
    peer.send(session.seal())
    echoes(peer, session)


# Control messages.

def ping(peer, session):
    octets = os.urandom(8)
    peer.send(session.seal(tlv.control(tlv.write(tlv.PING, octets)), CONTROL))
    assert controls(peer, session, tlv.PONG) == [octets], "not the same octets"


def pinged(server, peer, session):
    server.command(PEER_PING, Attr(PEER_KEY, peer.public))
    octets, = controls(peer, session, tlv.PING)
    time.sleep(0.05)
    peer.send(session.seal(tlv.control(tlv.write(tlv.PONG, octets)), CONTROL))
    assert wait_until(lambda: (server.shown(peer)["rtt_ns"] or 0) >= 5 * 10**7), \
        server.shown(peer)["rtt_ns"]


def not_answered(peer, session):
    """Keepalives answer data, after 10 s, and no control message."""
    peer.send(session.seal(tlv.control(tlv.write(tlv.PONG, bytes(8))), CONTROL))
    assert not received(peer, session, lambda flags, plain: True, 0.5)


def nonsense(server, peer, session):
    for name, plain in (
            ("control: a ping that is too short",
             tlv.control(tlv.write(tlv.PING, bytes(7)))),
            ("control: something critical", tlv.control(tlv.write(99, b"", True))),
            ("control: cut off", tlv.write(tlv.PING, bytes(8))[:-1]),
            ("control: not zero behind the list",
             tlv.write(tlv.PING, bytes(8)) + b"\0\0\0\1")):
        with server.end.counted(name, rx_malformed=1):
            peer.send(session.seal(plain, CONTROL))
    assert not received(peer, session, lambda flags, plain: True, 0.5), "an answer"
    peer.send(session.seal(tlv.control(tlv.write(99, b"", False)), CONTROL))
    ping(peer, session)


def we_say_goodbye(server, peer):
    session, _ = shake_hands(peer)
    echoes(peer, session)
    goodbye = tlv.control(tlv.write(tlv.DISCONNECT, tlv.LINK_DOWN))
    peer.send(session.seal(goodbye, CONTROL))
    assert wait_until(lambda: server.shown(peer)["last_disconnect"])
    assert server.shown(peer)["last_disconnect"]["reason"] == "link-down"
    with server.end.counted("a session that was ended", rx_unknown_index=1):
        peer.send(session.seal())
    peer.silence("a goodbye", 0.5)


def it_says_goodbye(peer, reason, act):
    session, _ = shake_hands(peer)
    echoes(peer, session)
    act()
    assert controls(peer, session, tlv.DISCONNECT) == [reason]
    assert not received(peer, session, lambda flags, plain: True, 0.3), "twice"


def assignment_changes(server, peer):
    session, _ = shake_hands(peer)
    server.end.set("push-mtu", "1300")
    assert controls(peer, session, tlv.MTU) == [1300]


def test_controls(server):
    end_ = server.end
    for form in V1, V1_GCM:
        name = NAMES[form]
        peer = server.client("allowed-ips", f"{OURS}/32", "cipher", "any", form=form)
        session, _ = shake_hands(peer)
        check(f"{name}: a ping is answered", ping, peer, session)
        check(f"{name}: a ping is sent on request", pinged, server, peer, session)
        check(f"{name}: nothing is said to a pong", not_answered, peer, session)
        if form == V1:
            check("nonsense is not answered", nonsense, server, peer, session)
        check(f"{name}: we say goodbye", we_say_goodbye, server, peer)
        check(f"{name}: the device goes down", it_says_goodbye, peer, tlv.LINK_DOWN,
              lambda: end_.host.run("ip", "link", "set", "vpn0", "down"))
        end_.host.run("ip", "link", "set", "vpn0", "up")
        check(f"{name}: the peer's time is over", it_says_goodbye, peer, tlv.OVER,
              lambda: end_.set_peer(peer.public, "expires", "+1s"))
        end_.set_peer(peer.public, "expires", "never")
        check(f"{name}: the peer is removed", it_says_goodbye, peer, tlv.PEER_REMOVED,
              lambda: end_.set_peer(peer.public, "remove"))
        peer.socket.close()


def main():
    h1, h2 = begin()
    server = Server(h1, h2)
    only_these = sys.argv[1:]
    for test in test_handshakes, test_requests, test_refusals, test_strangers, test_controls:
        if not only_these or test.__name__[5:] in only_these:
            say(f"# {test.__name__[5:]}")
            test(server)
    server.end.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
