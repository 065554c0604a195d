# SPDX-License-Identifier: GPL-2.0
"""What is inside of messages of version 1: Documentation/protocol-v1.md, "TLV"."""

import ipaddress
import struct
from typing import NamedTuple

from .messages import CONTROL_STEP, Malformed, fill

CRITICAL = 1

(REQUESTED_ADDRESS, HOST_NAME, CREDENTIAL, SOFTWARE) = range(1, 5)
(ADDRESS, LEASE, DNS, ROUTE, MTU, KEEPALIVE, REJECT) = range(16, 23)
(DISCONNECT, PING, PONG) = range(32, 35)

X509, JWT = 1, 2
CREDENTIAL_MAX = 3584

REASONS = ("", "unauthorised", "expired", "revoked", "not-yet-valid",
           "pool-exhausted", "server-full", "cipher-not-allowed",
           "address-not-available", "version-not-supported")
(UNAUTHORISED, EXPIRED, REVOKED, NOT_YET_VALID, POOL_EXHAUSTED, SERVER_FULL,
 CIPHER_NOT_ALLOWED, ADDRESS_NOT_AVAILABLE, VERSION_NOT_SUPPORTED) = range(1, 10)
ENDINGS = ("", "link-down", "peer-removed", "expired")
LINK_DOWN, PEER_REMOVED, OVER = range(1, 4)


class CriticalUnknown(Malformed):
    """Of unknown type, and critical: the one defect that an initiation is told of."""


class Tlv(NamedTuple):
    kind: int
    value: object
    flags: int = 0


# Values. Readers give what a value means, and raise ValueError for what it can't be.

def need(fits, what):
    if not fits:
        raise ValueError(what)


def read_address(data):
    need(len(data) in (4, 16), f"an address of {len(data)} octets")
    return ipaddress.ip_address(data)


def read_prefix(data):
    need(len(data) in (5, 17), f"a prefix of {len(data)} octets")
    address = ipaddress.ip_address(data[1:])
    need(data[0] <= address.max_prefixlen, f"a prefix length of {data[0]}")
    return ipaddress.ip_interface((address, data[0]))


def text_reader(least, most):
    def read_text(data):
        need(least <= len(data) <= most, f"a text of {len(data)} octets")
        text = data.decode("utf-8")     # UnicodeDecodeError is a ValueError
        need(all(" " <= c < "\x7f" or c > "\x9f" for c in text), "control characters")
        return text
    return read_text


def read_credential(data):
    need(2 <= len(data) <= 1 + CREDENTIAL_MAX, f"a credential of {len(data)} octets")
    need(data[0], "a credential of no kind")
    return data[0], bytes(data[1:])


def read_reject(data):
    need(1 <= len(data) <= 128, f"a reason of {len(data)} octets")
    need(data[0], "a reason of zero")
    return data[0], text_reader(0, 127)(data[1:])


def number_reader(size, least=0):
    def read_number(data):
        need(len(data) == size, f"a number of {len(data)} octets")
        number = int.from_bytes(data, "big")
        need(number >= least, f"the number {number}")
        return number
    return read_number


def read_echo(data):
    need(len(data) == 8, f"an echo of {len(data)} octets")
    return bytes(data)


def one(_):
    return 1, None


def a_family(value):
    return 1, value.version


def at_most(count):
    return lambda _: (count, None)


# For each place the types that belong there: how to read one, and how often it may
# come: a number, and among which (None: among all of its type).
ASSIGNED = {
    ADDRESS: (read_prefix, a_family),
    LEASE: (number_reader(4), one),
    DNS: (read_address, at_most(8)),
    ROUTE: (read_prefix, at_most(32)),
    MTU: (number_reader(2, 576), one),
    KEEPALIVE: (number_reader(2, 1), one),
}
IN_INITIATION = {
    REQUESTED_ADDRESS: (read_address, a_family),
    HOST_NAME: (text_reader(1, 63), one),
    CREDENTIAL: (read_credential, one),
    SOFTWARE: (text_reader(1, 63), one),
}
IN_RESPONSE = {**ASSIGNED, REJECT: (read_reject, one)}
IN_CONTROL = {
    **ASSIGNED,
    DISCONNECT: (number_reader(1, 1), one),
    PING: (read_echo, one),
    PONG: (read_echo, one),
}
PLACES = {"initiation": IN_INITIATION, "response": IN_RESPONSE, "control": IN_CONTROL}


def split(data):
    """Type, flags and octets of each."""
    while data and data[0]:
        if len(data) < 4:
            raise Malformed("cut off in its header")
        kind, flags, length = struct.unpack_from(">BBH", data)
        if len(data) < 4 + length:
            raise Malformed(f"type {kind}: cut off in its value")
        yield kind, flags, data[4:4 + length]
        data = data[4 + length:]
    if any(data):
        raise Malformed("padding that is not zero")


def read(data, place):
    """Those that are known in that place. What is critical and unknown counts only
    when nothing else is wrong."""
    result, seen, unknown = [], {}, None
    for kind, flags, octets in split(data):
        if kind not in place:
            if flags & CRITICAL and unknown is None:
                unknown = kind
            continue
        reader, rule = place[kind]
        try:
            value = reader(octets)
        except ValueError as error:
            raise Malformed(f"type {kind}: {error}") from error
        most, among = rule(value)
        seen[kind, among] = seen.get((kind, among), 0) + 1
        if seen[kind, among] > most:
            raise Malformed(f"type {kind}: too often")
        result.append(Tlv(kind, value, flags))
    if unknown is not None:
        raise CriticalUnknown(f"type {unknown} is critical and unknown")
    return result


def values(tlvs, kind):
    return [tlv.value for tlv in tlvs if tlv.kind == kind]


# Writing. These take octets, or what the readers above give.

def octets(kind, value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str) and kind in (REQUESTED_ADDRESS, DNS):
        value = ipaddress.ip_address(value)
    elif isinstance(value, str) and kind in (ADDRESS, ROUTE):
        value = ipaddress.ip_interface(value)
    if isinstance(value, (ipaddress.IPv4Interface, ipaddress.IPv6Interface)):
        return bytes([value.network.prefixlen]) + value.packed
    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return value.packed
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, tuple):    # credential, reject
        number, rest = value
        return bytes([number]) + octets(None, rest)
    return value.to_bytes({LEASE: 4, MTU: 2, KEEPALIVE: 2, DISCONNECT: 1}[kind], "big")


def write(kind, value, critical=None, flags=None):
    """A TLV, marked as critical where its sender has to."""
    if critical is None:
        critical = kind in (REQUESTED_ADDRESS, CREDENTIAL, REJECT)
    value = octets(kind, value)
    return struct.pack(">BBH", kind, CRITICAL * critical if flags is None else flags,
                       len(value)) + value


def control(*tlvs):
    """The plaintext of a control message."""
    return fill(b"".join(tlvs), CONTROL_STEP)
