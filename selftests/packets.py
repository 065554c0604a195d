# SPDX-License-Identifier: GPL-2.0
"""Packets by hand."""

import socket
import struct

REPLY, REQUEST = 0, 8
WORDS = b"hostile"


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def echo(kind, source, target, identity=77, words=WORDS):
    icmp = struct.pack("!BBHHH", kind, 0, 0, identity, 1) + words
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 1, 0, 64, 1, 0,
                         socket.inet_aton(source), socket.inet_aton(target))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + icmp


def echo_request(source, target):
    return echo(REQUEST, source, target)


def is_echo_reply(packet):
    """To a request of ours."""
    return (packet[9:10] == b"\1" and packet[20:21] == bytes([REPLY]) and
            WORDS in packet)


def answer(packet):
    """The reply to somebody's echo request, or None for another packet."""
    if len(packet) < 28 or packet[0] != 0x45 or packet[9] != 1 or packet[20] != REQUEST:
        return None
    size, = struct.unpack_from("!H", packet, 2)
    icmp = bytes([REPLY, 0, 0, 0]) + packet[24:size]
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    return packet[:12] + packet[16:20] + packet[12:16] + icmp
