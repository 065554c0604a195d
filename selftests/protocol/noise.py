# SPDX-License-Identifier: GPL-2.0
"""The handshake as the WireGuard white paper and the Noise specification write it,
on other people's primitives (hashlib, hmac, the package cryptography). Nothing of
messages; see messages.py.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey, X25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CHACHA20_POLY1305, AES_256_GCM = 0, 1

NAMES = {CHACHA20_POLY1305: b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s",
         AES_256_GCM: b"Noise_IKpsk2_25519_AESGCM_BLAKE2s"}


# Primitives, under the white paper's names.

def HASH(data):
    return hashlib.blake2s(data).digest()


def MAC(key, data):
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def HMAC(key, data):
    return hmac.new(key, data, hashlib.blake2s).digest()


def KDF(count, key, data):
    secret = HMAC(key, data)
    keys, last = [], b""
    for i in range(1, count + 1):
        last = HMAC(secret, last + bytes([i]))
        keys.append(last)
    return keys


def clamp(key):
    return bytes([key[0] & 248]) + key[1:31] + bytes([key[31] & 127 | 64])


def DH(private, public):
    """Raises ValueError when the result is zero."""
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(public))


def public_of(private):
    return X25519PrivateKey.from_private_bytes(private).public_key() \
        .public_bytes(Encoding.Raw, PublicFormat.Raw)


def cipher(suite, key, counter):
    """The cipher under this key, and the nonce that has this counter."""
    if suite == AES_256_GCM:
        return AESGCM(key), bytes(4) + struct.pack(">Q", counter)
    return ChaCha20Poly1305(key), bytes(4) + struct.pack("<Q", counter)


def AEAD(key, counter, plain, auth, suite=CHACHA20_POLY1305):
    how, nonce = cipher(suite, key, counter)
    return how.encrypt(nonce, plain, auth)


def AEAD_open(key, counter, sealed, auth, suite=CHACHA20_POLY1305):
    """Raises cryptography.exceptions.InvalidTag."""
    how, nonce = cipher(suite, key, counter)
    return how.decrypt(nonce, sealed, auth)


def hchacha20(key, nonce):
    def rotate(x, n):
        return (x << n | x >> (32 - n)) & 0xffffffff

    def quarter(a, b, c, d):
        for x, y, z, n in (a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7):
            s[x] = (s[x] + s[y]) & 0xffffffff
            s[z] = rotate(s[z] ^ s[x], n)

    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def XAEAD(key, nonce, plain, auth):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(
        bytes(4) + nonce[16:], plain, auth)


def XAEAD_open(key, nonce, sealed, auth):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(
        bytes(4) + nonce[16:], sealed, auth)


class Noise:
    """Both sides compute the same; only whose private keys they have differs."""

    def __init__(self, suite, prologue, responder_public):
        self.suite = suite
        self.C = HASH(NAMES[suite])
        self.H = HASH(self.C + prologue)
        self.mix(responder_public)

    def mix(self, data):
        self.H = HASH(self.H + data)

    def ephemeral(self, public):
        self.C, = KDF(1, self.C, public)
        self.mix(public)
        return public

    def key(self, secret):
        self.C, key = KDF(2, self.C, secret)
        return key

    def secret(self, secret):
        self.C, = KDF(1, self.C, secret)

    def preshared(self, psk):
        self.C, tau, key = KDF(3, self.C, psk)
        self.mix(tau)
        return key

    def seal(self, key, plain):
        sealed = AEAD(key, 0, plain, self.H, self.suite)
        self.mix(sealed)
        return sealed

    def open(self, key, sealed):
        plain = AEAD_open(key, 0, sealed, self.H, self.suite)
        self.mix(sealed)
        return plain

    def session(self):
        """Keys of what the initiator and of what the responder sends."""
        return KDF(2, self.C, b"")
