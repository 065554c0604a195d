#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tokens made by another implementation, and tokens that nobody should believe.

tokens.py DIRECTORY: writes keys and tokens there, and prints a line for each token:
name, the sentence that is expected, and arguments of 'vpnctl token verify'.
"""
import base64
import hashlib
import hmac
import json
import os
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

NOW = int(time.time())
SECRET = "correct horse battery staple, and more"
GOOD = {"sub": "alice", "role": "staff", "exp": NOW + 3600, "iat": NOW}
IS_GOOD = "is good for 'alice', role 'staff', until"
TWICE = "token cannot be read: a part of it is no JSON object in base64url, or has a name twice"
FORGED = "token has a signature that is not right"

keys = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "k1": ec.generate_private_key(ec.SECP256K1()),
    "ed": ed25519.Ed25519PrivateKey.generate(),
    "short": rsa.generate_private_key(65537, 1024),
}


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pem(key):
    return key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())


def public(key):
    return key.public_key().public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)


def write(name, data):
    if isinstance(data, str):
        data = data.encode()
    with open(name, "wb") as file:
        file.write(data)


def token(name, text, expected, arguments):
    write(name + ".jwt", text)
    print(f"{name}\t{expected}\t{arguments}")


def make(name, claims, expected=IS_GOOD, arguments="--key hmac.secret", key=SECRET, alg="HS256",
         headers=None):
    token(name, jwt.encode(claims, key, alg, headers=headers), expected, arguments)


def raw(header, claims, secret=SECRET):
    """Signed, whatever is in it."""
    text = b64(header) + "." + b64(claims)
    return text + "." + b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def algorithms():
    for alg in "HS256", "HS384", "HS512":
        make(alg, GOOD, alg=alg)
    for alg in "RS256", "RS384", "RS512":
        make(alg, GOOD, arguments="--key rsa.pem", key=keys["rsa"], alg=alg)
    for alg, key in ("ES256", "p256"), ("ES384", "p384"), ("ES512", "p521"), ("EdDSA", "ed"):
        make(alg, GOOD, arguments=f"--key {key}.pem", key=keys[key], alg=alg)
    make("PS256", GOOD, "token is signed with 'PS256', which is not accepted",
         "--key rsa.pem", keys["rsa"], "PS256")
    make("ES256K", GOOD, "has a key that tokens cannot be signed with", "--key k1.pem",
         keys["k1"], "ES256K")


def confusion():
    """What has let strangers in elsewhere."""
    header = json.dumps({"alg": "none", "typ": "JWT"})
    nothing = "token is signed with 'none', which is not accepted"
    token("none", f"{b64(header)}.{b64(json.dumps(GOOD))}.", nothing, "--key hmac.secret")
    token("none-rsa", f"{b64(header)}.{b64(json.dumps(GOOD))}.AAAA", nothing, "--key rsa.pem")
    token("none-case", raw('{"alg":"nOnE"}', json.dumps(GOOD)),
          "token is signed with 'nOnE', which is not accepted", "--key hmac.secret")
    # The public key, which everybody has, as if it were a secret.
    for kind in "rsa", "p256", "ed":
        token(f"hmac-{kind}", raw('{"alg":"HS256","typ":"JWT"}', json.dumps(GOOD),
                                  public(keys[kind]).decode()),
              f"token is signed with HS256, for which the key '{kind}' is not",
              f"--key {kind}.pem")
    make("rsa-for-ec", GOOD, "token is signed with RS256, for which the key 'p256' is not",
         "--key p256.pem", keys["rsa"], "RS256")
    make("rsa-for-secret", GOOD, "token is signed with RS256, for which the key 'hmac' is not",
         key=keys["rsa"], alg="RS256")
    make("wrong-curve", GOOD, "token is signed with ES384, for which the key 'p256' is not",
         "--key p256.pem", keys["p384"], "ES384")
    make("other-secret", GOOD, FORGED, key="another secret that is as long as the first one is")
    make("other-ed", GOOD, FORGED, "--key ed.pem", ed25519.Ed25519PrivateKey.generate(), "EdDSA")
    make("other-p256", GOOD, FORGED, "--key p256.pem", ec.generate_private_key(ec.SECP256R1()),
         "ES256")
    # The key that the token brings along is not asked.
    make("jwk", GOOD, FORGED, "--key p256.pem", ec.generate_private_key(ec.SECP256R1()), "ES256",
         {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "jku": "urn:a"})
    token("crit", raw('{"alg":"HS256","crit":["b64"],"b64":true}', json.dumps(GOOD)),
          "token asks for extensions that are not known here", "--key hmac.secret")
    make("typ", GOOD, "token is of another type than JWT", headers={"typ": "at+jwt"})


def rotation():
    several = "--key hmac.secret --key rsa.pem --key p256.pem"
    make("kid", GOOD, arguments=several, key=keys["p256"], alg="ES256", headers={"kid": "p256"})
    make("no-kid", GOOD, "token does not say by which key it is signed, and there are several",
         several)
    make("unknown-kid", GOOD, "token is signed by a key '2019' that is not known here", several,
         headers={"kid": "2019"})
    make("other-kid", GOOD, "token is signed with HS256, for which the key 'rsa' is not", several,
         headers={"kid": "rsa"})
    token("number-kid", raw('{"alg":"HS256","kid":7}', json.dumps(GOOD)),
          "token has a name of its key that is no text", several)
    make("path-kid", GOOD, "token is signed by a key '../../dev/null' that is not known here",
         several, headers={"kid": "../../dev/null"})
    make("short-key", GOOD, "has a key that tokens cannot be signed with", "--key short.pem",
         keys["short"], "RS256")
    make("private", GOOD, "holds a private key", "--key rsa.key", keys["rsa"], "RS256")


def claims():
    def but(**changes):
        return {name: value for name, value in {**GOOD, **changes}.items() if value is not None}

    day = time.strftime("%Y-%m-%d", time.gmtime(NOW - 7200))
    later = time.strftime("%Y-%m-%d", time.gmtime(NOW + 7200))
    make("expired", but(exp=NOW - 7200), f"token expired on {day}")
    make("just-expired", but(exp=NOW - 1), "token expired on")
    make("no-exp", but(exp=None), "token has no end (exp); one is needed")
    make("exp-text", raw_claims(exp="tomorrow"), "token has a time 'exp' that is none")
    make("exp-huge", raw_claims(exp=10 ** 15), "token has a time 'exp' that is none")
    make("exp-negative", raw_claims(exp=-1), "token has a time 'exp' that is none")
    make("exp-fraction", but(exp=NOW + 3600.5))
    make("nbf", but(nbf=NOW + 7200), f"token is not valid before {later}")
    make("iat", but(iat=NOW + 7200), f"token is not valid before {later}")
    make("clock", but(iat=NOW + 30, nbf=NOW + 30))
    make("no-sub", but(sub=None), "token has no 'sub' that is a text of 1 to 63 octets")
    token("sub-number", raw('{"alg":"HS256"}', json.dumps(but(sub=7))),
          "token has no 'sub' that is a text of 1 to 63 octets", "--key hmac.secret")
    for name, value in ("control", "a\nb"), ("long", "a" * 64), ("empty", ""):
        token(f"sub-{name}", raw('{"alg":"HS256"}', json.dumps(but(sub=value))),
              "token has no 'sub' that is a text of 1 to 63 octets", "--key hmac.secret")
    make("role-list", but(role=["a"]), "token has no 'role' that is a text of 1 to 63 octets")
    make("no-role", but(role=None), "is good for 'alice' until")
    make("umlaut", but(sub="Jürgen"), "is good for 'Jürgen', role 'staff', until")
    make("iss", but(iss="urn:id"), arguments="--key hmac.secret --issuer urn:id")
    make("other-iss", but(iss="urn:evil"),
         "token is issued by 'urn:evil', and not by 'urn:id'",
         "--key hmac.secret --issuer urn:id")
    make("no-iss", GOOD, "token is issued by 'nobody', and not by 'x'", "--key hmac.secret --issuer x")
    make("aud", but(aud="vpn"), arguments="--key hmac.secret --audience vpn")
    make("aud-list", but(aud=["mail", "vpn"]), arguments="--key hmac.secret --audience vpn")
    make("other-aud", but(aud="mail"), "token is not for the audience 'vpn'",
         "--key hmac.secret --audience vpn")
    make("no-aud", GOOD, "token is not for the audience 'vpn'", "--key hmac.secret --audience vpn")
    make("aud-unasked", but(aud="mail"), "token is for a certain audience")


def raw_claims(**changes):
    return {**GOOD, **changes}


def binding():
    with open("phone.pub", "rb") as file:
        key = base64.b64decode(file.read())
    jwk = {"kty": "OKP", "crv": "X25519", "x": b64(key)}
    arguments = "--key hmac.secret --public-key phone.pub"
    make("bound", {**GOOD, "cnf": {"jwk": jwk}}, arguments=arguments)
    make("bound-other", {**GOOD, "cnf": {"jwk": {**jwk, "x": b64(bytes(32))}}},
         "token is bound to another key than the one that shows it", arguments)
    odd = "token is bound (cnf) to something else than a key of X25519"
    make("bound-ed", {**GOOD, "cnf": {"jwk": {**jwk, "crv": "Ed25519"}}}, odd, arguments)
    make("bound-short", {**GOOD, "cnf": {"jwk": {**jwk, "x": b64(key[:31])}}}, odd, arguments)
    make("bound-text", {**GOOD, "cnf": "key"}, odd, arguments)
    make("bound-empty", {**GOOD, "cnf": {}}, odd, arguments)
    make("bound-x5t", {**GOOD, "cnf": {"x5t#S256": "AA"}}, odd, arguments)
    make("unbound", GOOD, arguments=arguments)


def hostile():
    head = '{"alg":"HS256","typ":"JWT"}'
    body = json.dumps(GOOD)
    good = raw(head, body)
    parts = good.split(".")
    where = "--key hmac.secret"
    token("twice-alg", raw('{"alg":"HS256","alg":"none"}', body), TWICE, where)
    token("twice-exp", raw(head, body[:-1] + ', "exp": 9}'), TWICE, where)
    token("twice-sub", raw(head, '{"sub":"root",' + body[1:]), TWICE, where)
    token("huge-number", raw(head, body[:-1] + ', "n": 1' + "0" * 400 + "}"), TWICE, where)
    token("huge-real", raw(head, body[:-1] + ', "n": 1e9999}'), TWICE, where)
    deep = body[:-1] + ', "n": ' + "[" * 1000 + "]" * 1000 + "}"
    token("deep", raw(head, deep), IS_GOOD, where)
    token("deep-forged", raw(head, deep, "another secret that is as long as the first is"), FORGED,
          where)
    token("array", raw(head, "[1]"), TWICE, where)
    token("latin-1", b64(head) + "." + b64(b'{"sub":"\xe4"}') + ".AAAA", TWICE, where)
    token("utf-16", b64(head) + "." + b64(body.encode("utf-16")) + ".AAAA", TWICE, where)
    token("surrogate", raw(head, '{"sub":"\\ud800"}'), TWICE, where)
    token("zero", raw(head, '{"sub":"a\\u0000b"}'), TWICE, where)
    token("empty-header", "." + parts[1] + "." + parts[2], TWICE, where)
    token("two-parts", parts[0] + "." + parts[1], "token is not three parts", where)
    token("four-parts", good + ".AAAA", "token is not three parts", where)
    token("jwe", good + ".AAAA.AAAA", "token is not three parts", where)
    token("no-signature", parts[0] + "." + parts[1] + ".", FORGED, where)
    token("cut", good[:-1], FORGED, where)
    token("padded", good + "=", FORGED, where)
    token("space", parts[0] + "." + parts[1] + ". " + parts[2], FORGED, where)
    # The last character of 32 octets has two bits that mean nothing.
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(good[-1])
    stray = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last ^ 1]
    token("stray-bits", good[:-1] + stray, FORGED, where)
    token("standard-base64", parts[0] + "." + parts[1] + "+/." + parts[2], TWICE, where)
    token("changed", parts[0] + "." + b64(body.replace("staff", "admin")) + "." + parts[2], FORGED,
          where)
    token("long", raw(head, body[:-1] + ', "n": "' + "x" * 4000 + '"}'), "token cannot be read",
          where)
    for length in range(0, len(good), 17):
        token(f"cut-{length}", good[:length], "token", where)


def main():
    os.chdir(sys.argv[1])
    for name, key in keys.items():
        write(name + ".key", pem(key))
        write(name + ".pem", public(key))
    write("hmac.secret", SECRET + "\n")
    write("short.secret", "too short\n")
    make("short-secret", GOOD, "has a secret that is too short", "--key short.secret")
    algorithms()
    confusion()
    rotation()
    claims()
    binding()
    hostile()


main()
