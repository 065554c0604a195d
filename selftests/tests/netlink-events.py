#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Events: each is told once, to those who listen in the device's namespace, and
carries no key.
"""
import os
import socket
import struct
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import (
    Attr, FAR, FLAGS, FWMARK, IFINDEX, IFNAME, K1, K2, K3, LISTEN_PORT,
    Listener, Namespace, Netlink, PEER_COUNT, POINTS, PORT, PRIVATE_KEY, PSK,
    PUBLIC_KEY, P_FLAGS, P_HANDSHAKE, P_IPV4, P_KEEPALIVE, P_NAME, P_PORT,
    P_PRESHARED_KEY, P_PUBLIC_KEY, P_RX, P_TX, REMOVE, REPLACE_PEERS, SECRET,
    UPDATE_ONLY, VPN0, allowedip, bad, be16, end, equal, integer, ip4, names,
    peer, peers_of, point, run, say, start, state, sysctl, text, u16, u32)


def test_admin_events(netlink, here, elsewhere):
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS), Attr(PRIVATE_KEY, bytes(32)))
    listener = Listener(netlink)
    netlink.set(VPN0, Attr(PRIVATE_KEY, SECRET), u16(LISTEN_PORT, 4000), u32(FWMARK, 5))
    events = listener.events()
    equal("a change of the device is told", ["device-changed"], names(events))
    _, device, _ = events[0]
    equal("with what it is now", (b"vpn0\0", 4000, 5, 0, False),
          (device[IFNAME], integer(device[LISTEN_PORT]), integer(device[FWMARK]),
           integer(device[PEER_COUNT]), PUBLIC_KEY in device))

    netlink.set(VPN0, peer(K1, text(P_NAME, "one"), Attr(P_PRESHARED_KEY, PSK), FAR, PORT,
                           u16(P_KEEPALIVE, 9), allowedip("10.1.0.0/16")), peer(K2))
    events = listener.events()
    equal("new peers are told", [("peer-added", K1), ("peer-added", K2)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in events])
    _, device, one = events[0]
    equal("with their settings", (integer(device[IFINDEX]), b"one\0", FAR.content, 9),
          (socket.if_nametoindex("vpn0"), one[P_NAME], one[P_IPV4],
           integer(one[P_KEEPALIVE])))

    netlink.set(VPN0, peer(K1, u16(P_KEEPALIVE, 0)), peer(K3, u32(P_FLAGS, UPDATE_ONLY)))
    equal("a change of a peer is told", [("peer-changed", K1)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in listener.events()])
    netlink.set(VPN0, peer(K1, u32(P_FLAGS, REMOVE)), peer(K3, u32(P_FLAGS, REMOVE)))
    equal("a removal is told", [("peer-removed", K1)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in listener.events()])
    netlink.set(VPN0, peer(K3, u16(P_KEEPALIVE, 70000 & 0xffff), FAR, bad(be16(P_PORT, 0))))
    equal("a refusal is not", [], listener.events())
    netlink.set(VPN0, u32(FLAGS, REPLACE_PEERS), peer(K3))
    equal("a replacement of all peers is told peer by peer",
          [("peer-removed", K2), ("peer-added", K3)],
          [(name, one[P_PUBLIC_KEY]) for name, _, one in listener.events()])
    own = state(netlink)[PUBLIC_KEY]
    netlink.set(VPN0, Attr(PRIVATE_KEY, PSK), peer(own))
    netlink.set(VPN0, Attr(PRIVATE_KEY, SECRET))
    point("so is the removal of a peer whose key becomes ours",
          "peer-removed" in names(listener.events()))

    run("ip", "link", "add", "vpn2", "type", "vpn")
    netlink.set(text(IFNAME, "vpn2"), peer(K1))
    run("ip", "link", "del", "vpn2")
    equal("so is the removal with the device",
          [("peer-added", b"vpn2\0"), ("peer-removed", b"vpn2\0")],
          [(name, device[IFNAME]) for name, device, _ in listener.events()])

    elsewhere.enter()
    other = Listener(netlink)
    here.enter()
    netlink.set(VPN0, u32(FWMARK, 6))
    equal("another namespace hears nothing of it", [], names(other.events()))
    other.close()
    listener.close()


def test_traffic_events(netlink, here, there):
    """A real tunnel between two namespaces."""
    here.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
             "netns", there.name)
    for namespace, n in ((here, 1), (there, 2)):
        namespace.run("ip", "addr", "add", f"10.0.0.{n}/24", "dev", "eth0")
        namespace.run("ip", "link", "set", "eth0", "up")
        namespace.run("ip", "link", "add", "tun0", "type", "vpn")
        namespace.run("ip", "addr", "add", f"192.168.99.{n}/24", "dev", "tun0")
        namespace.run("ip", "link", "set", "tun0", "up")
    tun0 = text(IFNAME, "tun0")
    there.enter()
    remote = Netlink(netlink.family)
    here.enter()
    netlink.set(tun0, Attr(PRIVATE_KEY, SECRET), u16(LISTEN_PORT, 1001))
    remote.set(tun0, Attr(PRIVATE_KEY, PSK), u16(LISTEN_PORT, 1002))
    near, far = state(netlink, "tun0")[PUBLIC_KEY], state(remote, "tun0")[PUBLIC_KEY]
    listener = Listener(netlink)
    remote.set(tun0, peer(near, allowedip("192.168.99.1/32")))
    netlink.set(tun0, peer(far, ip4(P_IPV4, "10.0.0.2"), be16(P_PORT, 1002),
                           allowedip("192.168.99.2/32")))
    equal("a ping goes through the tunnel", 0,
          here.run("ping", "-q", "-c", "1", "-W", "5", "192.168.99.2", check=False))
    events = listener.events(5, "handshake-done")
    equal("a handshake is told", ["peer-added", "handshake-done"], names(events))
    _, device, one = events[-1]
    point("with the peer, where it is, and when it was",
          device[IFNAME] == b"tun0\0" and one[P_PUBLIC_KEY] == far and
          one[P_IPV4] == socket.inet_aton("10.0.0.2") and
          abs(integer(one[P_HANDSHAKE]) / 1e9 - time.time()) < 10, f"{one}")
    one = peers_of(netlink, "tun0")[far]
    point("a dump has the time and the counters, too",
          P_HANDSHAKE in one and integer(one[P_RX]) > 0 and integer(one[P_TX]) > 148)

    listener.events()
    remote.set(tun0, u16(LISTEN_PORT, 1003))
    there.run("ping", "-q", "-c", "1", "-W", "5", "192.168.99.1", check=False)
    events = listener.events(5, "endpoint-moved")
    equal("a peer that moves is told", ["endpoint-moved"], names(events))
    point("with where to", events and events[-1][2] and
          events[-1][2][P_PORT] == struct.pack("!H", 1003))

    test_expiry(listener, far)
    listener.close()
    remote.close()


def test_expiry(listener, far):
    scale = "/sys/module/vpn/parameters/timescale"
    if not os.path.exists(scale):
        POINTS["all"] += 1
        say(f"ok {POINTS['all']} - an expired session is told # SKIP not a test build")
        return
    sysctl(scale, 100)
    try:
        # Timers that are armed run on the old clock: begin anew.
        run("ip", "link", "set", "tun0", "down")
        run("ip", "link", "set", "tun0", "up")
        run("ping", "-q", "-c", "1", "-W", "5", "192.168.99.2", check=False)
        events = listener.events(30, "session-expired")
    finally:
        sysctl(scale, 1)
    point("an expired session is told",
          events and events[-1][0] == "session-expired" and
          events[-1][2][P_PUBLIC_KEY] == far, f"{names(events)}")


def main():
    here, netlink = start()
    there = Namespace("there")
    test_admin_events(netlink, here, there)
    test_traffic_events(netlink, here, there)
    return end()


if __name__ == "__main__":
    sys.exit(main())
