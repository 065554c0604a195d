#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""names.py BIND [NAME=ADDRESS...]: a name server that knows these, and no others."""

import ipaddress
import socket
import struct
import sys

TYPES = {4: 1, 6: 28}       # A and AAAA, by version


def read_question(query):
    """The name, the type, and where the question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    return ".".join(labels), struct.unpack_from(">H", query, at + 1)[0], at + 5


def answer(query, known):
    name, kind, end = read_question(query)
    found = [one.packed for host, one in known if host == name and TYPES[one.version] == kind]
    code = 0 if not name or any(host == name for host, _ in known) else 3
    head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
    # The name of a record is a pointer to that of the question.
    records = [struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(one)) + one for one in found]
    return head + query[12:end] + b"".join(records)


def main():
    known = [(host, ipaddress.ip_address(address))
             for host, address in (word.split("=") for word in sys.argv[2:])]
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind((sys.argv[1], 53))
        while True:
            query, client = server.recvfrom(512)
            server.sendto(answer(query, known), client)


main()
