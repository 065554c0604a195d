#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""names.py BIND [NAME=ADDRESS|WAY...]: a name server that knows these, and no others.

* is every name. WAY is how it fails: "silent" does not answer, "servfail" says that it
cannot, and "other" answers another question, with 10.0.2.1.
"""

import ipaddress
import socket
import struct
import sys

TYPES = {4: 1, 6: 28}       # A and AAAA, by version
WAYS = ("silent", "servfail", "other")
SERVFAIL, NXDOMAIN = 2, 3


def read_question(query):
    """The name, the type, and where the question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    return ".".join(labels), struct.unpack_from(">H", query, at + 1)[0], at + 5


def message(query, question, code, kind, found):
    head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
    # The name of a record is a pointer to that of the question.
    records = [struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(one)) + one for one in found]
    return head + question + b"".join(records)


def answer(query, known):
    name, kind, end = read_question(query)
    known = [one for host, one in known if host in (name, "*")]
    if "silent" in known:
        return None
    if "servfail" in known:
        return message(query, query[12:end], SERVFAIL, kind, [])
    if "other" in known:
        return message(query, b"\5other" + query[12:end], 0, 1, [bytes([10, 0, 2, 1])])
    found = [one.packed for one in known if TYPES[one.version] == kind]
    return message(query, query[12:end], 0 if not name or known else NXDOMAIN, kind, found)


def main():
    known = [(host, word if word in WAYS else ipaddress.ip_address(word))
             for host, word in (argument.split("=") for argument in sys.argv[2:])]
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind((sys.argv[1], 53))
        while True:
            query, client = server.recvfrom(512)
            said = answer(query, known)
            if said:
                server.sendto(said, client)


main()
