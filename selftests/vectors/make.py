#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Known answers, computed by selftests/protocol from keys that nobody chose.

  make.py           write the files below anew
  make.py --check   fail if one of them is not what would be written

module/selftest/vectors.h      what the module expects of itself when it is loaded,
module/selftest/vectors-v1.h   also of version 1
selftests/vectors/handshakes.json
                               whole handshakes of all forms, and messages on them
selftests/vectors/tlvs.json    lists of TLVs, and what is to become of them

Where a standard has a vector that fits, its result is asserted below.
"""

import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TREE, "selftests"))
# pylint: disable=wrong-import-position
from protocol import tlv
from protocol.messages import (CONTROL, LABEL_COOKIE, V0, V1, V1_GCM, Malformed,
                               fill, mac1_fits, open_data, read_cookie,
                               read_initiation, read_response, seal_data, tai64n,
                               write_cookie, write_initiation, write_response)
from protocol.noise import (AEAD, AES_256_GCM, DH, HASH, KDF, XAEAD, clamp, public_of)


def shake(label, size=32):
    """Octets that anybody can make again, and nobody chose."""
    return hashlib.shake_128(b"vpn self test: " + label.encode()).digest(size)


KEYS = {
    "initiator_private": clamp(shake("initiator")),
    "responder_private": clamp(shake("responder")),
    "initiator_ephemeral": clamp(shake("initiator ephemeral")),
    "responder_ephemeral": clamp(shake("responder ephemeral")),
}
PSK = shake("preshared key")
TIMESTAMP = tai64n(1700000000 * 10**9 + 0x1000000)
INITIATOR_INDEX, RESPONDER_INDEX = 0x12345678, 0x9abcdef0

REQUEST = b"".join((
    tlv.write(tlv.REQUESTED_ADDRESS, "0.0.0.0"),
    tlv.write(tlv.REQUESTED_ADDRESS, "fd00:9::7"),
    tlv.write(tlv.HOST_NAME, "laptop"),
    tlv.write(tlv.CREDENTIAL, (tlv.JWT, b"a.b.c")),
    tlv.write(tlv.SOFTWARE, "vpn 1.0"),
))
ASSIGNMENT = b"".join((
    tlv.write(tlv.ADDRESS, "10.9.0.7/24"),
    tlv.write(tlv.ADDRESS, "fd00:9::7/64"),
    tlv.write(tlv.LEASE, 3600),
    tlv.write(tlv.DNS, "10.9.0.1"),
    tlv.write(tlv.ROUTE, "10.0.0.0/8"),
    tlv.write(tlv.MTU, 1420),
    tlv.write(tlv.KEEPALIVE, 25),
))
REFUSAL = tlv.write(tlv.REJECT, (tlv.POOL_EXHAUSTED, "no address is left"))


# Handshakes.

def handshake(form, psk, request=b"", answer=b"", refused=False):
    """Both ends, which must agree."""
    Si, Sr = KEYS["initiator_private"], KEYS["responder_private"]
    Ei, Er = KEYS["initiator_ephemeral"], KEYS["responder_ephemeral"]
    index = 0 if refused else RESPONDER_INDEX

    noise, initiation = write_initiation(Si, Ei, public_of(Sr), INITIATOR_INDEX,
                                         TIMESTAMP, form=form, tlvs=request)
    got = read_initiation(Sr, initiation)
    assert mac1_fits(initiation, public_of(Sr))
    assert got[1:5] == (form, INITIATOR_INDEX, public_of(Si), TIMESTAMP)
    assert got.tlvs.rstrip(b"\0") == request.rstrip(b"\0")

    response, *keys = write_response(got, Er, index, psk, tlvs=answer)
    assert mac1_fits(response, public_of(Si)) and len(response) <= len(initiation)
    there = read_response(noise, form, Si, Ei, INITIATOR_INDEX, response, psk)
    assert there.index == index and list(there[2:]) == keys
    return initiation, response, keys


def message_on(form, key, receiver, counter, plain, flags=0):
    sealed = seal_data(form, key, receiver, counter, plain, flags)
    assert open_data(form, key, sealed) == (flags, plain)
    return {"flags": flags, "counter": counter, "plain": plain, "message": sealed}


CONTROL_PLAIN = tlv.control(tlv.write(tlv.PING, b"12345678"))
GOODBYE = tlv.control(tlv.write(tlv.DISCONNECT, tlv.LINK_DOWN))


def messages_on(form, keys):
    """What could follow the handshake, both ways."""
    packet = bytes(range(0x45, 0x45 + 48))
    plans = [("initiator", 0, b"", 0), ("responder", 1, packet, 0)]
    if form.version == 1:
        plans += [("initiator", 0x0102030405060708, CONTROL_PLAIN, CONTROL),
                  ("responder", 2, GOODBYE, CONTROL)]
    return [{"from": who, **message_on(
        form, keys[who == "responder"],
        INITIATOR_INDEX if who == "responder" else RESPONDER_INDEX,
        counter, plain, flags)} for who, counter, plain, flags in plans]


def cookie_reply(form, initiation):
    """The responder's, to the initiation."""
    public = public_of(KEYS["responder_private"])
    mac1, cookie = initiation[-32:-16], shake("cookie", 16)
    reply = write_cookie(form.version, INITIATOR_INDEX, shake("cookie nonce", 24),
                         cookie, mac1, public)
    assert read_cookie(reply, mac1, public) == (INITIATOR_INDEX, cookie)
    return reply


def whole_handshakes():
    forms = (("version 0", V0), ("version 1, ChaCha20-Poly1305", V1),
             ("version 1, AES-256-GCM", V1_GCM))
    for name, form in forms:
        contents = [("", b"", b"", False)]
        if form.version == 1:
            contents += [(", with an address", REQUEST, ASSIGNMENT, False),
                         (", refused", REQUEST, REFUSAL, True)]
        for psk_name, psk in ("", bytes(32)), (", with a preshared key", PSK):
            for content_name, request, answer, refused in contents:
                initiation, response, keys = handshake(form, psk, request, answer,
                                                       refused)
                vector = {
                    "name": name + psk_name + content_name,
                    "version": form.version, "suite": form.suite,
                    **KEYS,
                    "preshared_key": psk,
                    "timestamp": TIMESTAMP,
                    "initiator_index": INITIATOR_INDEX,
                    "request": request,
                    "initiation": initiation,
                    "responder_index": 0 if refused else RESPONDER_INDEX,
                    "answer": answer,
                    "response": response,
                    "cookie_reply": cookie_reply(form, initiation),
                }
                if not refused:
                    vector["to_responder"], vector["to_initiator"] = keys
                    vector["messages"] = messages_on(form, keys)
                yield vector


# TLVs.

def tlv_lists():
    """Name, place, octets."""
    w = tlv.write
    text = tlv.HOST_NAME
    credential = (tlv.X509, bytes(range(256)) * 14)
    yield from (
        ("nothing", "initiation", b""),
        ("padding alone", "initiation", bytes(7)),
        ("a request", "initiation", REQUEST),
        ("a request and padding", "initiation", fill(REQUEST, 64)),
        ("the longest credential", "initiation", w(tlv.CREDENTIAL, credential)),
        ("a longer one", "initiation",
         w(tlv.CREDENTIAL, (tlv.X509, bytes(3585)))),
        ("an empty one", "initiation", w(tlv.CREDENTIAL, bytes([1]))),
        ("one without a kind", "initiation", w(tlv.CREDENTIAL, b"")),
        ("one of kind 0", "initiation", w(tlv.CREDENTIAL, (0, b"x"))),
        ("one of a kind that is not known", "initiation", w(tlv.CREDENTIAL, (3, b"x"))),
        ("two", "initiation", w(tlv.CREDENTIAL, (2, b"x")) * 2),
        ("an address of 5 octets", "initiation", w(tlv.REQUESTED_ADDRESS, bytes(5))),
        ("an empty address", "initiation", w(tlv.REQUESTED_ADDRESS, b"")),
        ("two addresses of a family", "initiation",
         w(tlv.REQUESTED_ADDRESS, "10.0.0.1") + w(tlv.REQUESTED_ADDRESS, "10.0.0.2")),
        ("an address not marked as critical", "initiation",
         w(tlv.REQUESTED_ADDRESS, "10.0.0.1", critical=False)),
        ("the longest host name", "initiation", w(text, "n" * 63)),
        ("a longer one", "initiation", w(text, "n" * 64)),
        ("an empty one", "initiation", w(text, "")),
        ("UTF-8", "initiation", w(text, "Zürich €\U0001f600")),
        ("the end of a character is missing", "initiation", w(text, b"Z\xc3")),
        ("the begin of a character is missing", "initiation", w(text, b"\xbcrich")),
        ("a longer code than need be", "initiation", w(text, b"\xc0\xaf")),
        ("another", "initiation", w(text, b"\xe0\x80\xaf")),
        ("a surrogate", "initiation", w(text, b"\xed\xa0\x80")),
        ("beyond Unicode", "initiation", w(text, b"\xf4\x90\x80\x80")),
        ("a zero in a text", "initiation", w(text, b"a\0b")),
        ("a line feed", "initiation", w(text, "a\nb")),
        ("a delete", "initiation", w(text, "a\x7fb")),
        ("what begins a command for a terminal", "initiation", w(text, "a\x9b31m")),
        ("the first character behind those", "initiation", w(text, "a\xa0b")),
        ("two host names", "initiation", w(text, "a") * 2),
        ("flags that nobody knows", "initiation", w(text, "a", flags=0xfe)),
        ("an unknown type", "initiation", w(200, b"whatever", False) + w(text, "a")),
        ("an unknown type, critical", "initiation", w(200, b"", True)),
        ("the same, and malformed", "initiation", w(200, b"", True) + w(text, "")),
        ("an address assigned in an initiation", "initiation",
         w(tlv.ADDRESS, "10.0.0.1/24")),
        ("the same, critical", "initiation", w(tlv.ADDRESS, "10.0.0.1/24", True)),
        ("a type alone", "initiation", b"\2"),
        ("no length", "initiation", b"\2\0"),
        ("half a length", "initiation", b"\2\0\0"),
        ("no value", "initiation", b"\2\0\0\1"),
        ("a value cut off", "initiation", w(text, "abc")[:-1]),
        ("an unknown type cut off", "initiation", w(200, b"abc", False)[:-1]),
        ("the greatest length", "initiation", b"\2\0\xff\xff" + b"a" * 60),
        ("padding that is not zero", "initiation", w(text, "a") + b"\0\0\1"),
        ("its last octet is not", "initiation", bytes(500) + b"\x80"),
        ("a type of zero with more", "initiation", b"\0\0\0\1a"),

        ("an assignment", "response", fill(ASSIGNMENT, 48)),
        ("a refusal", "response", fill(REFUSAL, 48)),
        ("a refusal without words", "response", w(tlv.REJECT, (1, ""))),
        ("without a reason", "response", w(tlv.REJECT, b"")),
        ("for reason zero", "response", w(tlv.REJECT, (0, ""))),
        ("for an unknown reason", "response", w(tlv.REJECT, (99, "because"))),
        ("with all words", "response", w(tlv.REJECT, (2, "w" * 127))),
        ("with more", "response", w(tlv.REJECT, (2, "w" * 128))),
        ("with a control character", "response", w(tlv.REJECT, (2, "\x1b[31m"))),
        ("two refusals", "response", REFUSAL * 2),
        ("a refusal and an address", "response",
         REFUSAL + w(tlv.ADDRESS, "10.0.0.1/24")),
        ("a prefix longer than its address", "response",
         w(tlv.ADDRESS, bytes([33, 10, 0, 0, 1]))),
        ("another", "response", w(tlv.ROUTE, bytes([129]) + bytes(16))),
        ("a prefix without its address", "response", w(tlv.ADDRESS, bytes([0]))),
        ("a route to everywhere", "response", w(tlv.ROUTE, "0.0.0.0/0")),
        ("two addresses of a family", "response",
         w(tlv.ADDRESS, "10.0.0.1/24") + w(tlv.ADDRESS, "10.0.1.1/24")),
        ("a lease of 3 octets", "response", w(tlv.LEASE, bytes(3))),
        ("a lease for ever", "response", w(tlv.LEASE, 0)),
        ("8 servers", "response",
         b"".join(w(tlv.DNS, f"10.0.0.{n}") for n in range(8))),
        ("9 servers", "response",
         b"".join(w(tlv.DNS, f"10.0.0.{n}") for n in range(9))),
        ("32 routes", "response",
         b"".join(w(tlv.ROUTE, f"fd00:{n:x}::/32") for n in range(32))),
        ("33 routes", "response",
         b"".join(w(tlv.ROUTE, f"fd00:{n:x}::/32") for n in range(33))),
        ("the least MTU", "response", w(tlv.MTU, 576)),
        ("a lesser one", "response", w(tlv.MTU, 575)),
        ("a keepalive of zero", "response", w(tlv.KEEPALIVE, 0)),
        ("an unknown type, critical", "response", w(99, b"", True)),
        ("a ping in a response", "response", w(tlv.PING, bytes(8))),

        ("a disconnect", "control", GOODBYE),
        ("for an unknown reason", "control", w(tlv.DISCONNECT, 200)),
        ("for no reason", "control", w(tlv.DISCONNECT, b"")),
        ("for reason zero", "control", w(tlv.DISCONNECT, 0)),
        ("a ping", "control", CONTROL_PLAIN),
        ("a pong", "control", tlv.control(w(tlv.PONG, b"12345678"))),
        ("a ping of 7 octets", "control", w(tlv.PING, bytes(7))),
        ("two pings", "control", w(tlv.PING, bytes(8)) * 2),
        ("a ping and a pong", "control",
         w(tlv.PING, bytes(8)) + w(tlv.PONG, bytes(8))),
        ("an assignment", "control", tlv.control(ASSIGNMENT)),
        ("a refusal where it does not belong", "control",
         w(tlv.REJECT, (1, ""), critical=False)),
        ("the same, critical", "control", REFUSAL),
    )


def meaning(value):
    if isinstance(value, tuple):
        return [meaning(part) for part in value]
    return value if isinstance(value, (int, bytes)) else str(value)


def tlv_vectors():
    for name, place, octets in tlv_lists():
        vector = {"name": name, "place": place, "octets": octets}
        try:
            read = tlv.read(octets, tlv.PLACES[place])
            vector["result"] = [{"type": kind, "value": meaning(value)}
                                for kind, value, _ in read]
        except tlv.CriticalUnknown:
            vector["result"] = "critical"
        except Malformed:
            vector["result"] = "malformed"
        yield vector


# What the module's self test has beside that.

def handshake_vectors():
    initiation, response, keys = handshake(V0, PSK)
    v = {**KEYS, "preshared_key": PSK, "timestamp": TIMESTAMP,
         "initiator_index": INITIATOR_INDEX, "responder_index": RESPONDER_INDEX}
    v["initiator_public"] = public_of(v["initiator_private"])
    v["responder_public"] = public_of(v["responder_private"])
    v["static_static"] = DH(v["initiator_private"], v["responder_public"])
    v["initiation"], v["response"] = initiation, response
    v["to_responder"], v["to_initiator"] = keys
    return v


def kdf_vectors():
    key, data = shake("kdf key"), shake("kdf input")
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


def check_aes_gcm():
    """McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 and
    14: key and nonce are zero."""
    assert AEAD(bytes(32), 0, b"", b"", AES_256_GCM).hex() == \
        "530f8afbc74536b9a963b4f1c4cb738b"
    assert AEAD(bytes(32), 0, bytes(16), b"", AES_256_GCM).hex() == \
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"


DATA_TEXT = bytes(i % 251 for i in range(2048))
DATA_LENGTHS = (0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1023,
                1024, 1025, 1420, 2000)


def data_vectors():
    """Lengths around the blocks of the ciphers; only a hash of each result."""
    key = shake("data key")
    cases = []
    for i, size in enumerate(DATA_LENGTHS):
        counter = i * 0x0123456789abcdef & (1 << 64) - 1
        plain = DATA_TEXT[:size]
        hashes = [HASH(AEAD(key, counter, plain, b""))]
        # In version 1 the whole header is authentic; that is a part of what is sent.
        hashes += [HASH(seal_data(form, key, RESPONDER_INDEX, counter, plain)[16:])
                   for form in (V1, V1_GCM)]
        cases.append((size, counter, hashes))
    return {"data_key": key}, cases


def cookie_vectors(v):
    """The keys that cookies to the responder are sealed with."""
    return {"responder_cookie_key": HASH(LABEL_COOKIE + v["responder_public"])}


# C.

def octets(data, indent):
    lines = [", ".join(f"0x{o:02x}" for o in data[i:i + 10])
             for i in range(0, len(data), 10)]
    return "".join(f"{indent}{line},\n" for line in lines)


def show(name, value, size=None):
    """With a size, what is missing is zero."""
    if isinstance(value, int):
        return f"static const u64 {name} = {value:#x}ULL;\n\n"
    return (f"static const u8 {name}[{size or len(value)}] = {{\n"
            f"{octets(value, chr(9))}}};\n\n")


def fields(names, values, depth):
    """Members of a structure, one after the other."""
    tabs = "\t" * depth
    return "".join(
        f"{tabs}.{name} = {{\n{octets(value, tabs + chr(9))}{tabs}}},\n"
        for name, value in zip(names, values))


def version_1():
    """Both suites, from the keys of version 0's handshake."""
    names = ("initiation", "response", "refusal", "to_responder", "to_initiator",
             "keepalive", "control")
    vectors = []
    for form in V1, V1_GCM:
        initiation, response, keys = handshake(form, PSK, REQUEST, ASSIGNMENT)
        again, refusal, _ = handshake(form, PSK, REQUEST, REFUSAL, refused=True)
        assert again == initiation
        messages = messages_on(form, keys)
        vectors.append((initiation, response, refusal, *keys,
                        messages[0]["message"], messages[2]["message"]))
    sizes = [len(value) for value in vectors[0]]
    assert sizes == [len(value) for value in vectors[1]]

    result = ("/*\n * With the keys, the time stamp and the indices of vectors.h. What"
              " the payloads\n * have behind these octets is zero.\n */\n")
    for name, value, size in (
            ("v1_initiation_payload", TIMESTAMP + REQUEST, sizes[0] - 136),
            ("v1_response_payload", ASSIGNMENT, sizes[1] - 92),
            ("v1_refusal_payload", REFUSAL, sizes[2] - 92),
            ("v1_control_plain", CONTROL_PLAIN, None)):
        result += show(name, value, size)
    result += ("/*\n * By suite. The keepalive is the initiator's, with counter 0; so"
               " is the control\n * message, with counter 0x0102030405060708.\n */\n"
               "static const struct v1_vector {\n")
    result += "".join(f"\tu8 {name}[{size}];\n" for name, size in zip(names, sizes))
    result += "} v1_vectors[] = {\n"
    for vector in vectors:
        result += "\t{\n" + fields(names, vector, 2) + "\t},\n"
    return result + "};\n\n"


def header(name, content):
    guard = "VPN_SELFTEST_" + name.upper().replace("-", "_") + "_H"
    return ("/* SPDX-License-Identifier: GPL-2.0 */\n"
            "/* Generated by selftests/vectors/make.py; do not edit. */\n"
            f"#ifndef {guard}\n#define {guard}\n\n"
            f"#include <linux/types.h>\n\n{content}#endif\n")


def primitives():
    v = handshake_vectors()
    data, cases = data_vectors()
    result = ""
    for vectors in (v, cookie_vectors(v), kdf_vectors(), rfc8439_vectors(),
                    xchacha_vectors(), data):
        for name, value in vectors.items():
            result += show(name, value)
    result += ("/*\n * Hashes of what is sealed, tag and all: v1 has one by suite,"
               " for data messages\n * to responder_index, whose 16 octets in front"
               " are authentic, too.\n */\n"
               "static const struct data_vector {\n\tunsigned int len;\n"
               "\tu64 counter;\n\tu8 hash[32];\n\tu8 v1[2][32];\n"
               "} data_vectors[] = {\n")
    for size, counter, (first, *others) in cases:
        result += (f"\t{{ {size}, {counter:#x}ULL, {{\n{octets(first, chr(9) * 2)}"
                   "\t}, { {\n" + "\t}, {\n".join(octets(other, "\t\t")
                                                 for other in others) + "\t} } },\n")
    return result + "};\n\n"


def as_json(vectors):
    """One line a member, so that a change can be read."""
    return json.dumps(list(vectors), indent=1, default=bytes.hex) + "\n"


FILES = {
    "module/selftest/vectors.h": lambda: header("vectors", primitives()),
    "module/selftest/vectors-v1.h": lambda: header("vectors-v1", version_1()),
    "selftests/vectors/handshakes.json": lambda: as_json(whole_handshakes()),
    "selftests/vectors/tlvs.json": lambda: as_json(tlv_vectors()),
}


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    check_aes_gcm()
    stale = []
    for name, make in FILES.items():
        path, wanted = os.path.join(TREE, name), make()
        if sys.argv[1:]:
            try:
                with open(path, encoding="utf-8") as file:
                    if file.read() == wanted:
                        continue
            except FileNotFoundError:
                pass
            stale.append(name)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(wanted)
    if stale:
        sys.exit("not what selftests/vectors/make.py writes: " + ", ".join(stale))


if __name__ == "__main__":
    main()
