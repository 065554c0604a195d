#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write module/selftest/vectors.h: what the self test of the module expects.

The handshake is written here once more from the WireGuard white paper, section
5.4, on other people's primitives (hashlib, hmac, the package cryptography), so
that the module is not compared with itself. Where an RFC has a vector that fits,
its result is asserted below.

    selftests/vectors/noise.py > module/selftest/vectors.h
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey, X25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
LABEL_MAC1 = b"mac1----"
LABEL_COOKIE = b"cookie--"


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
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(public))


def public_of(private):
    return X25519PrivateKey.from_private_bytes(private).public_key() \
        .public_bytes(Encoding.Raw, PublicFormat.Raw)


def nonce_of(counter):
    return bytes(4) + struct.pack("<Q", counter)


def AEAD(key, counter, plain, auth):
    return ChaCha20Poly1305(key).encrypt(nonce_of(counter), plain, auth)


def AEAD_open(key, counter, sealed, auth):
    """Raises cryptography.exceptions.InvalidTag."""
    return ChaCha20Poly1305(key).decrypt(nonce_of(counter), sealed, auth)


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


# The handshake.

class Noise:
    """Both sides compute the same; only whose private keys they have differs."""

    def __init__(self, responder_public):
        self.C = HASH(CONSTRUCTION)
        self.H = HASH(self.C + IDENTIFIER)
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
        sealed = AEAD(key, 0, plain, self.H)
        self.mix(sealed)
        return sealed

    def open(self, key, sealed):
        plain = AEAD_open(key, 0, sealed, self.H)
        self.mix(sealed)
        return plain

    def session(self):
        """Keys of what the initiator and of what the responder sends."""
        return KDF(2, self.C, b"")


def add_macs(body, receiver_public, cookie=None):
    body += MAC(HASH(LABEL_MAC1 + receiver_public), body)
    return body + (MAC(cookie, body) if cookie else bytes(16))


def write_initiation(private, ephemeral, responder, index, timestamp, cookie=None):
    n = Noise(responder)
    body = struct.pack("<BxxxI", 1, index)
    body += n.ephemeral(public_of(ephemeral))
    body += n.seal(n.key(DH(ephemeral, responder)), public_of(private))
    body += n.seal(n.key(DH(private, responder)), timestamp)
    return n, add_macs(body, responder, cookie)


def read_initiation(private, message):
    """The state, the initiator's index and public key, the time stamp."""
    n = Noise(public_of(private))
    index, = struct.unpack_from("<I", message, 4)
    ephemeral = n.ephemeral(message[8:40])
    initiator = n.open(n.key(DH(private, ephemeral)), message[40:88])
    timestamp = n.open(n.key(DH(private, initiator)), message[88:116])
    return n, index, initiator, timestamp


def write_response(n, ephemeral, initiation, initiator, index, psk, cookie=None):
    receiver, = struct.unpack_from("<I", initiation, 4)
    body = struct.pack("<BxxxII", 2, index, receiver)
    body += n.ephemeral(public_of(ephemeral))
    n.secret(DH(ephemeral, initiation[8:40]))
    n.secret(DH(ephemeral, initiator))
    body += n.seal(n.preshared(psk), b"")
    return add_macs(body, initiator, cookie)


def read_response(n, private, ephemeral, message, psk):
    """The responder's index."""
    remote = n.ephemeral(message[12:44])
    n.secret(DH(ephemeral, remote))
    n.secret(DH(private, remote))
    assert n.open(n.preshared(psk), message[44:60]) == b""
    return struct.unpack_from("<I", message, 4)[0]


def handshake(v):
    """Both ends, which must agree."""
    Si, Sr = v["initiator_private"], v["responder_private"]
    Ei, Er = v["initiator_ephemeral"], v["responder_ephemeral"]
    psk = v["preshared_key"]
    Sip, Srp = public_of(Si), public_of(Sr)

    i, initiation = write_initiation(Si, Ei, Srp, v["initiator_index"],
                                     v["timestamp"])
    r, index, who, when = read_initiation(Sr, initiation)
    assert (index, who, when) == (v["initiator_index"], Sip, v["timestamp"])
    response = write_response(r, Er, initiation, who, v["responder_index"], psk)
    assert read_response(i, Si, Ei, response, psk) == v["responder_index"]
    assert i.session() == r.session()
    to_responder, to_initiator = i.session()
    return {
        "initiator_public": Sip,
        "responder_public": Srp,
        "static_static": DH(Si, Srp),
        "initiation": initiation,
        "response": response,
        "to_responder": to_responder,
        "to_initiator": to_initiator,
    }


# What is tested.

def fill(label, size=32):
    """Octets that anybody can make again, and nobody chose."""
    return hashlib.shake_128(b"vpn self test: " + label.encode()).digest(size)


def handshake_vectors():
    v = {
        "initiator_private": clamp(fill("initiator")),
        "responder_private": clamp(fill("responder")),
        "initiator_ephemeral": clamp(fill("initiator ephemeral")),
        "responder_ephemeral": clamp(fill("responder ephemeral")),
        "preshared_key": fill("preshared key"),
        "timestamp": struct.pack(">QI", 0x4000000000000000 + 10 + 1700000000,
                                 0x1000000),
        "initiator_index": 0x12345678,
        "responder_index": 0x9abcdef0,
    }
    v.update(handshake(v))
    return v


def kdf_vectors():
    key, data = fill("kdf key"), fill("kdf input")
    three = KDF(3, key, data)
    assert three[:2] == KDF(2, key, data) and three[:1] == KDF(1, key, data)
    return {"kdf_key": key, "kdf_input": data, "kdf_first": three[0],
            "kdf_second": three[1], "kdf_third": three[2]}


def rfc8439_vectors():
    """RFC 8439, appendix A.5: its nonce begins with four zeros, as ours do."""
    key = bytes.fromhex("1c9240a5eb55d38af333888604f6b5f0"
                        "473917c1402b80099dca5cbc207075c0")
    auth = bytes.fromhex("f33388860000000000004e91")
    counter = int.from_bytes(bytes.fromhex("0102030405060708"), "little")
    plain = ("Internet-Drafts are draft documents valid for a maximum of six "
             "months and may be updated, replaced, or obsoleted by other "
             "documents at any time. It is inappropriate to use "
             "Internet-Drafts as reference material or to cite them other "
             "than as /\u201cwork in progress./\u201d").encode()
    sealed = AEAD(key, counter, plain, auth)
    assert sealed[:16].hex() == "64a0861575861af460f062c79be643bd"
    assert sealed[-16:].hex() == "eead9d67890cbb22392336fea1851f38"
    return {"rfc8439_key": key, "rfc8439_auth": auth,
            "rfc8439_counter": counter, "rfc8439_plain": plain,
            "rfc8439_sealed": sealed,
            "rfc8439_tag_without_auth": AEAD(key, counter, plain, b"")[-16:]}


def xchacha_vectors():
    """draft-irtf-cfrg-xchacha-03, appendix A.3.1."""
    key = bytes(range(0x80, 0xa0))
    auth = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    nonce = bytes(range(0x40, 0x58))
    plain = (b"Ladies and Gentlemen of the class of '99: If I could offer you "
             b"only one tip for the future, sunscreen would be it.")
    sealed = XAEAD(key, nonce, plain, auth)
    assert sealed[-16:].hex() == "c0875924c1c7987947deafd8780acf49"
    return {"xchacha_key": key, "xchacha_auth": auth, "xchacha_nonce": nonce,
            "xchacha_plain": plain, "xchacha_sealed": sealed}


def data_vectors():
    """Lengths around the blocks of the ciphers; only a hash of each result."""
    key = fill("data key")
    text = bytes(i % 251 for i in range(2048))
    cases = []
    for i, size in enumerate((0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 511,
                              512, 513, 1023, 1024, 1025, 1420, 2000)):
        counter = i * 0x0123456789abcdef & (1 << 64) - 1
        cases.append((size, counter, HASH(AEAD(key, counter, text[:size], b""))))
    return {"data_key": key}, cases


def cookie_vectors(v):
    """The keys that cookies to the responder are sealed with."""
    return {"responder_cookie_key": HASH(LABEL_COOKIE + v["responder_public"])}


# C.

def octets(data, indent):
    lines = [", ".join(f"0x{o:02x}" for o in data[i:i + 10])
             for i in range(0, len(data), 10)]
    return "".join(f"{indent}{line},\n" for line in lines)


def show(name, value):
    if isinstance(value, int):
        print(f"static const u64 {name} = {value:#x}ULL;\n")
    else:
        print(f"static const u8 {name}[{len(value)}] = {{\n"
              f"{octets(value, chr(9))}}};\n")


def main():
    print("/* SPDX-License-Identifier: GPL-2.0 */\n"
          "/* Generated by selftests/vectors/noise.py; do not edit. */\n"
          "#ifndef VPN_SELFTEST_VECTORS_H\n"
          "#define VPN_SELFTEST_VECTORS_H\n\n"
          "#include <linux/types.h>\n")
    v = handshake_vectors()
    data, cases = data_vectors()
    for vectors in (v, cookie_vectors(v), kdf_vectors(), rfc8439_vectors(),
                    xchacha_vectors(), data):
        for name, value in vectors.items():
            show(name, value)
    print("static const struct data_vector {\n\tunsigned int len;\n"
          "\tu64 counter;\n\tu8 hash[32];\n} data_vectors[] = {")
    for size, counter, digest in cases:
        print(f"\t{{ {size}, {counter:#x}ULL, {{\n{octets(digest, chr(9) * 2)}"
              "\t} },")
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
