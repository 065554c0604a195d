# SPDX-License-Identifier: GPL-2.0
"""A CA and certificates of clients, for tests in Python."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.x509.oid import NameOID


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def authority():
    """A key that signs, and its certificate."""
    key = ed25519.Ed25519PrivateKey.generate()
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(name("CA")).issuer_name(name("CA"))
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9))
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, None))
    return key, certificate


def certify(key, number, public):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder().subject_name(name(f"client {number}")).issuer_name(name("CA"))
        .public_key(x25519.X25519PublicKey.from_public_bytes(public)).serial_number(number + 2)
        .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(5))
        .sign(key, None).public_bytes(serialization.Encoding.DER))


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
