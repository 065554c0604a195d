#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Make one end of a tunnel of the kernel's ovpn, and keep it.

ovpn.py DEVICE PORT ID:NUMBER,OUTER,INNER...

For each peer: its number here, that of the pair, from which the keys come, the
address to send to, and the address inside.  With several peers the device is one
for many.  Says "ready", and stays: the socket is its own.  Keys are made of the
pair's number; that's good enough to measure.
"""
import hashlib
import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
import abi

PEER_NEW, KEY_NEW = 1, 6
A_IFINDEX, A_PEER, A_KEYCONF = 1, 2, 3
P_ID, P_REMOTE_IPV4, P_REMOTE_PORT, P_SOCKET, P_VPN_IPV4 = 1, 2, 5, 6, 8
K_PEER_ID, K_SLOT, K_KEY_ID, K_CIPHER, K_ENCRYPT, K_DECRYPT = range(1, 7)
AES_GCM, PRIMARY = 1, 0
NEWLINK, CREATE, EXCLUSIVE = 16, 0x400, 0x200
IFLA_IFNAME, IFLA_LINKINFO, INFO_KIND, INFO_DATA, OVPN_MODE = 3, 18, 1, 2, 1


def ids(host, other):
    """How a host names another: the number that packets of both carry."""
    pair = "".join(sorted(host + other))
    return f"{ {'ag': 1, 'bg': 2}[pair] }:{host}"


def add_link(name, many):
    out, found = bytearray(32), []
    kind = [abi.text(INFO_KIND, "ovpn"), abi.Attr(INFO_DATA, [abi.u8(OVPN_MODE, many)])]
    for attr in (abi.text(IFLA_IFNAME, name), abi.Attr(IFLA_LINKINFO, kind)):
        attr.write(out, found)
    struct.pack_into("=IHHII", out, 0, len(out), NEWLINK,
                     abi.F_REQUEST | abi.F_ACK | CREATE | EXCLUSIVE, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(out)
        error = struct.unpack_from("=i", sock.recv(8192), 16)[0]
    if error:
        raise OSError(-error, os.strerror(-error), name)


def direction(kind, pair, sender):
    """Key and nonce of what one end of a pair sends."""
    secret = hashlib.sha512(f"{pair} {sender}".encode()).digest()
    return abi.Attr(kind, [abi.Attr(1, secret[:32]), abi.Attr(2, secret[32:40])])


def ask(netlink, command, *attrs):
    answer = netlink.request(command, attrs)
    if answer.errno:
        raise OSError(answer.errno, repr(answer))


def add_peer(netlink, sock, port, peer, many):
    name, outer, inner = peer.split(",")
    number, host = name.split(":")
    number = int(number)
    first = host != "g"
    index = abi.u32(A_IFINDEX, socket.if_nametoindex(sys.argv[1]))
    attrs = [abi.u32(P_ID, number), abi.u32(P_SOCKET, sock.fileno()),
             abi.ip4(P_REMOTE_IPV4, outer), abi.be16(P_REMOTE_PORT, port)]
    if many:
        attrs.append(abi.ip4(P_VPN_IPV4, inner))
    ask(netlink, PEER_NEW, index, abi.Attr(A_PEER, attrs))
    ask(netlink, KEY_NEW, index, abi.Attr(A_KEYCONF, [
        abi.u32(K_PEER_ID, number), abi.u32(K_SLOT, PRIMARY), abi.u32(K_KEY_ID, 0),
        abi.u32(K_CIPHER, AES_GCM), direction(K_ENCRYPT, number, first),
        direction(K_DECRYPT, number, not first)]))


def main():
    device, port, peers = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    add_link(device, len(peers) > 1)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("0.0.0.0", port))
    netlink = abi.Netlink(name="ovpn")
    for peer in peers:
        add_peer(netlink, sock, port, peer, len(peers) > 1)
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
