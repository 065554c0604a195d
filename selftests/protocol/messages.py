# SPDX-License-Identifier: GPL-2.0
"""Messages of both versions: written and read, octet by octet, as
Documentation/protocol.md and protocol-v1.md have them.

Writers do what they are told, be it allowed or not; readers raise Malformed for
what is no message of that form, InvalidTag for what does not open.
"""

import copy
import struct
from typing import NamedTuple

from .noise import (AEAD, AEAD_open, CHACHA20_POLY1305, DH, HASH, MAC, NAMES, Noise,
                    XAEAD, XAEAD_open, public_of)

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
CONTROL = 1             # flag of data messages

IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
LABEL_VERSION_1 = b"vpn protocol version 1"
LABEL_MAC1 = b"mac1----"
LABEL_COOKIE = b"cookie--"

HEADER = struct.Struct("<BBH")
TIMESTAMP_LEN, TAG_LEN, MACS_LEN = 12, 16, 32
TAI_EPOCH = 0x400000000000000a

INITIATION_MIN, INITIATION_MAX = 1200, 4096
RESPONSE_MIN, RESPONSE_MAX = 140, 1200
RESPONSE_STEP = 48      # payloads of version 1 are filled up to a multiple of it
CONTROL_STEP = 16       # and so are control messages

# Least and greatest length, by version and type.
LENGTHS = {
    (0, INITIATION): (148, 148), (0, RESPONSE): (92, 92),
    (1, INITIATION): (INITIATION_MIN, INITIATION_MAX),
    (1, RESPONSE): (RESPONSE_MIN, RESPONSE_MAX),
    (0, COOKIE): (64, 64), (1, COOKIE): (64, 64),
    (0, DATA): (32, 65535), (1, DATA): (32, 65535),
}


class Malformed(Exception):
    """No message of that form, whoever has sent it."""


class Form(NamedTuple):
    """What both ends of a session agree on."""
    version: int = 0
    suite: int = CHACHA20_POLY1305

    def header(self, kind):
        """Of initiation and response."""
        return HEADER.pack(kind, self.version, self.suite)

    def noise(self, responder_public):
        prologue = IDENTIFIER
        if self.version == 1:
            prologue = LABEL_VERSION_1 + self.header(INITIATION)
        return Noise(self.suite, prologue, responder_public)


V0 = Form(0)
V1 = Form(1)
V1_GCM = Form(1, 1)


def flags_fit(kind, version, flags):
    if version == 0:
        return flags == 0
    if kind in (INITIATION, RESPONSE):
        return flags in NAMES
    if kind == DATA:
        return flags in (0, CONTROL)
    return flags == 0


def classify(message):
    """Type, version and flags of what could be a message."""
    if len(message) < 16:
        raise Malformed(f"{len(message)} octets")
    kind, version, flags = HEADER.unpack_from(message)
    if (version, kind) not in LENGTHS:
        raise Malformed(f"type {kind}, version {version}")
    if not flags_fit(kind, version, flags):
        raise Malformed(f"type {kind}, version {version}, flags {flags:#x}")
    least, most = LENGTHS[version, kind]
    fits = least <= len(message) <= most
    if (version, kind) == (1, RESPONSE):
        fits = fits and (len(message) - least) % RESPONSE_STEP == 0
    if not fits:
        raise Malformed(f"type {kind}, version {version}: {len(message)} octets")
    return kind, version, flags


def expect(message, kind, version=None):
    got, its_version, flags = classify(message)
    if got != kind or version not in (None, its_version):
        raise Malformed(f"type {got}, version {its_version} is not what is read here")
    return Form(its_version, flags)


def tai64n(ns):
    return struct.pack(">QI", TAI_EPOCH + ns // 10**9, ns % 10**9)


def fill(data, step, least=0):
    size = max(len(data), least)
    return data + bytes(size + -size % step - len(data))


# Macs and cookies.

def mac1_of(body, receiver_public):
    return MAC(HASH(LABEL_MAC1 + receiver_public), body)


def add_macs(body, receiver_public, cookie=None):
    body += mac1_of(body, receiver_public)
    return body + (MAC(cookie, body) if cookie else bytes(16))


def mac1_fits(message, receiver_public):
    return message[-32:-16] == mac1_of(message[:-32], receiver_public)


def write_cookie(version, receiver, nonce, cookie, mac1, public):
    """public is the key of whoever replies, mac1 that of what is answered."""
    return (HEADER.pack(COOKIE, version, 0) + struct.pack("<I", receiver) + nonce +
            XAEAD(HASH(LABEL_COOKIE + public), nonce, cookie, mac1))


def read_cookie(message, mac1, public):
    """The index that it is for, and the cookie."""
    expect(message, COOKIE)
    return (struct.unpack_from("<I", message, 4)[0],
            XAEAD_open(HASH(LABEL_COOKIE + public), message[8:32], message[32:], mac1))


# The handshake.

class Initiation(NamedTuple):
    """An initiation that was read; noise goes on with the response."""
    noise: Noise
    form: Form
    index: int
    initiator: bytes
    timestamp: bytes
    tlvs: bytes
    ephemeral: bytes


class Response(NamedTuple):
    """A response that was read, and the keys of the session."""
    index: int
    tlvs: bytes
    from_initiator: bytes
    from_responder: bytes


def write_initiation(private, ephemeral, responder, index, timestamp, cookie=None,
                     form=V0, tlvs=b"", size=INITIATION_MIN):
    """The Noise state, and the message; size is the least that it has in version 1."""
    payload = timestamp + tlvs
    if form.version == 1:
        payload = fill(payload, 1, size - 88 - TAG_LEN - MACS_LEN)
    noise = form.noise(responder)
    body = form.header(INITIATION) + struct.pack("<I", index)
    body += noise.ephemeral(public_of(ephemeral))
    body += noise.seal(noise.key(DH(ephemeral, responder)), public_of(private))
    body += noise.seal(noise.key(DH(private, responder)), payload)
    return noise, add_macs(body, responder, cookie)


def read_initiation(private, message):
    form = expect(message, INITIATION)
    noise = form.noise(public_of(private))
    index, = struct.unpack_from("<I", message, 4)
    ephemeral = noise.ephemeral(message[8:40])
    initiator = noise.open(noise.key(DH(private, ephemeral)), message[40:88])
    payload = noise.open(noise.key(DH(private, initiator)), message[88:-MACS_LEN])
    return Initiation(noise, form, index, initiator, payload[:TIMESTAMP_LEN],
                      payload[TIMESTAMP_LEN:], ephemeral)


def write_response(initiation, ephemeral, index, psk, cookie=None, tlvs=b"",
                   padded=True):
    """The message, and the keys of the session as initiator's and responder's. What
    was read stays as it is, so that it can be answered again."""
    noise = copy.copy(initiation.noise)
    form = initiation.form
    if form.version == 1 and padded:
        tlvs = fill(tlvs, RESPONSE_STEP, RESPONSE_STEP)
    body = form.header(RESPONSE) + struct.pack("<II", index, initiation.index)
    body += noise.ephemeral(public_of(ephemeral))
    noise.secret(DH(ephemeral, initiation.ephemeral))
    noise.secret(DH(ephemeral, initiation.initiator))
    body += noise.seal(noise.preshared(psk), tlvs)
    return add_macs(body, initiation.initiator, cookie), *noise.session()


def read_response(noise, form, private, ephemeral, index, message, psk):
    """What was begun stays as it is, so that another response can be read."""
    if expect(message, RESPONSE) != form:
        raise Malformed("not of the initiation's version and flags")
    sender, receiver = struct.unpack_from("<II", message, 4)
    if receiver != index:
        raise Malformed(f"for {receiver:#x}, not for {index:#x}")
    noise = copy.copy(noise)
    remote = noise.ephemeral(message[12:44])
    noise.secret(DH(ephemeral, remote))
    noise.secret(DH(private, remote))
    tlvs = noise.open(noise.preshared(psk), message[44:-MACS_LEN])
    return Response(sender, tlvs, *noise.session())


# Sessions.

def seal_data(form, key, receiver, counter, plain, flags=0):
    head = HEADER.pack(DATA, form.version, flags) + struct.pack("<IQ", receiver, counter)
    return head + AEAD(key, counter, plain, head if form.version == 1 else b"",
                       form.suite)


def data_head(message):
    """Receiver and counter."""
    return struct.unpack_from("<IQ", message, 4)


def open_data(form, key, message):
    """Flags and plaintext."""
    _, flags = expect(message, DATA, form.version)
    return flags, AEAD_open(key, data_head(message)[1], message[16:],
                            message[:16] if form.version == 1 else b"", form.suite)
