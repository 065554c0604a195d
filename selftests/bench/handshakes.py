# SPDX-License-Identifier: GPL-2.0
"""Initiations made beforehand, each of a key of its own, that host b knows."""
import base64
import os
import tempfile
import time

from protocol.messages import V0, V1_GCM, tai64n, write_initiation
from protocol.noise import clamp, public_of


def secret():
    return clamp(os.urandom(32))


def peers_of(keys, lines):
    """A piece of a configuration file."""
    return "".join(f"[Peer]\nPublicKey = {base64.b64encode(public_of(key)).decode()}\n{lines}\n"
                   for key in keys)


def strangers(count, lines):
    """The same of peers that will never say anything, each with an address."""
    return "".join(f"[Peer]\nPublicKey = {base64.b64encode(os.urandom(32)).decode()}\n"
                   f"AllowedIPs = 11.{n >> 16}.{n >> 8 & 255}.{n & 255}/32\n{lines}\n"
                   for n in range(count))


def prepare(site, count):
    """Let host b know so many new peers; a file with an initiation of each, and the
    length of one."""
    keys = [secret() for _ in range(count)]
    site.add_peers("b", peers_of(keys, site.peer_lines))
    responder = base64.b64decode(site.public["b"])
    form = V1_GCM if site.extra else V0
    messages = [write_initiation(key, secret(), responder, index, tai64n(time.time_ns()),
                                 form=form)[1]
                for index, key in enumerate(keys, 1)]
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"".join(messages))
    return file.name, len(messages[0])
