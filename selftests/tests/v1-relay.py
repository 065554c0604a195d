#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
"""Two kernels that speak version 1, and somebody in the middle who changes version,
suite and flags of what passes, or holds it back. He knows both public keys, so mac1
is right where he wants it to be. Nothing of what he does is taken for anything, and
when he stops, the tunnel works.

    h1 [vpn0 192.168.99.1] -- 10.0.0.2:1003 [this program] :1004 -- :1002 [vpn0] h2
                                             all of the right half is in h2
"""
import os
import select
import socket
import struct
import sys
import threading
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, point, say
from lab import End, begin, check, timescale, wait_until
from protocol.messages import (CONTROL, DATA, INITIATION, RESPONSE, add_macs)

INNER = ("192.168.99.1", "192.168.99.2")


class Relay:
    """Passes on what comes on one socket through the other."""

    def __init__(self, host, first, second):
        """first and second: where the ends are."""
        self.tamper = None
        self.passed = []
        self.changed = 0
        with host.inside():
            self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                            for _ in range(2)]
        for one, port, to in zip(self.sockets, (1003, 1004), (first, second)):
            one.bind((host.address, port))
            one.connect(to)
        self.stop = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop:
            for one in select.select(self.sockets, [], [], 0.2)[0]:
                try:
                    self.take(one, one.recv(65536))
                except ConnectionRefusedError:
                    pass

    def take(self, one, message):
        from_first = one is self.sockets[0]
        tamper = self.tamper
        result = tamper(message, from_first) if tamper else message
        if result != message:
            self.changed += 1
        if result is not None:
            self.sockets[from_first].send(result)

    def close(self):
        self.stop = True
        self.thread.join()


class Middle:
    """Two ends, with the relay between them."""

    def __init__(self, h1, h2):
        self.ends = [End(h1, 1001, f"{INNER[0]}/24"), End(h2, 1002, f"{INNER[1]}/24")]
        one, two = self.ends
        psk = os.urandom(32)
        one.set_peer(two.public, "endpoint", "10.0.0.2:1003", "allowed-ips",
                     f"{INNER[1]}/32", "cipher", "aes-256-gcm", psk=psk)
        two.set_peer(one.public, "endpoint", "10.0.0.2:1004", "allowed-ips",
                     f"{INNER[0]}/32", "cipher", "any", psk=psk)
        self.relay = Relay(h2, ("10.0.0.1", 1001), ("10.0.0.2", 1002))
        with h1.inside():
            self.inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def prompt(self):
        """Let h1 send something through the tunnel."""
        self.inner.sendto(b"prompt", (INNER[1], 9))

    def macs(self, message, from_first):
        """A handshake message with the macs that belong to it."""
        return add_macs(message[:-32], self.ends[from_first].public)

    def works(self):
        """Again, and soon."""
        self.relay.tamper = None
        assert wait_until(lambda: self.ends[0].host.ping(INNER[1], 1), 20), \
            "the tunnel does not recover"

    def sessions(self):
        """Whether either end has ever had one since it is up."""
        return [end_.peer(self.ends[1 - n].public)["session_cipher"]
                for n, end_ in enumerate(self.ends)]


def change_header(middle, kind, header, honest=False):
    """Messages of that kind get another header; honest: and the macs for it."""
    def tamper(message, from_first):
        if message[0] != kind:
            return message
        message = header(message[:4]) + message[4:]
        return middle.macs(message, from_first) if honest else message
    return tamper


def version(number):
    return lambda header: header[:1] + bytes([number]) + header[2:]


def flags(number):
    return lambda header: header[:2] + struct.pack("<H", number)


# What he does in a handshake, and at which end which counter has it.
HANDSHAKES = (
    ("initiation: version 0", INITIATION, version(0), True, 1, "rx_malformed"),
    ("initiation: version 2", INITIATION, version(2), True, 1, "rx_malformed"),
    ("initiation: the other suite", INITIATION, flags(0), False, 1, "handshake_bad_mac"),
    ("initiation: the other suite, and mac1", INITIATION, flags(0), True, 1,
     "handshake_refused"),
    ("initiation: a suite that there is not", INITIATION, flags(2), True, 1,
     "rx_malformed"),
    ("initiation: a flag", INITIATION, flags(0x8001), True, 1, "rx_malformed"),
    ("response: version 0", RESPONSE, version(0), True, 0, "rx_malformed"),
    ("response: the other suite", RESPONSE, flags(0), False, 0, "handshake_bad_mac"),
    ("response: the other suite, and mac1", RESPONSE, flags(0), True, 0,
     "handshake_refused"),
    ("response: a suite that there is not", RESPONSE, flags(3), True, 0, "rx_malformed"),
)

DATAS = (
    ("data: version 0", version(0), "rx_malformed"),
    ("data: version 2", version(2), "rx_malformed"),
    ("data: a control message", flags(CONTROL), "rx_bad_tag"),
    ("data: flags that there are not", flags(2), "rx_malformed"),
    ("data: and others", flags(0x100 | CONTROL), "rx_malformed"),
)


def only_that(end_, before, counter):
    """Of all drops only this one has grown."""
    after = end_.drops()
    grown = {name for name, value in after.items() if value > before[name]}
    return grown == {f"drop_{counter}"} or grown


def spoils_handshake(middle, kind, header, honest, where, counter):
    for end_ in middle.ends:
        end_.restart()
    end_ = middle.ends[where]
    before = end_.drops()
    middle.relay.changed = 0
    middle.relay.tamper = change_header(middle, kind, header, honest)
    for _ in range(20):
        middle.prompt()
        if wait_until(lambda: end_.drops()[f"drop_{counter}"] > before[f"drop_{counter}"],
                      0.5):
            break
    assert middle.relay.changed, "nothing was changed"
    grown = only_that(end_, before, counter)
    assert grown is True, f"these have grown: {grown}"
    # At the initiator: whoever answers does not know yet that it was in vain.
    assert middle.sessions()[0] is None, "a session"
    middle.works()
    assert middle.sessions() == ["aes-256-gcm"] * 2, middle.sessions()


def spoils_data(middle, header, counter):
    end_ = middle.ends[1]
    middle.works()
    before = end_.drops()
    middle.relay.tamper = change_header(middle, DATA, header)
    for _ in range(3):
        middle.prompt()
    assert wait_until(lambda: end_.drops()[f"drop_{counter}"] >=
                      before[f"drop_{counter}"] + 3, 5), end_.drops()
    grown = only_that(end_, before, counter)
    assert grown is True, f"these have grown: {grown}"
    middle.works()


def cut_off(middle):
    """What he shortens or lengthens does not pass for a message either."""
    sizes = iter((1199, 1200 - 48, 1201, 4096, 4097))

    def tamper(message, from_first):
        if message[0] != INITIATION:
            return message
        size = next(sizes, None)
        if size is None:
            return None
        body = message[:-32] + bytes(4097)
        return add_macs(body[:size - 32], middle.ends[from_first].public)

    for end_ in middle.ends:
        end_.restart()
    before = middle.ends[1].counters()["tx_responses"]
    middle.relay.changed = 0
    middle.relay.tamper = tamper
    middle.prompt()
    assert wait_until(lambda: middle.relay.changed >= 5, 20), middle.relay.changed
    assert middle.ends[1].counters()["tx_responses"] == before, "an answer"
    middle.works()


def no_amplification(middle):
    """No answer is longer than what it answers."""
    longest = {INITIATION: [], RESPONSE: []}

    def tamper(message, _):
        if message[0] in longest:
            longest[message[0]].append(len(message))
        return message

    for end_ in middle.ends:
        end_.restart()
    middle.relay.tamper = tamper
    middle.prompt()
    assert wait_until(lambda: longest[RESPONSE], 10)
    assert max(longest[RESPONSE]) <= min(longest[INITIATION]), longest
    say(f"# {longest}")


def replays(middle):
    """What has passed, all of it once more, at either end."""
    passed = ([], [])

    def tamper(message, from_first):
        passed[from_first].append(message)
        return message

    for end_ in middle.ends:
        end_.restart()
    middle.relay.tamper = tamper
    assert wait_until(lambda: middle.ends[0].host.ping(INNER[1], 1), 20)
    time.sleep(0.2)
    middle.relay.tamper = None
    responses = middle.ends[1].counters()["tx_responses"]
    for end_, messages, through in zip(middle.ends, passed, middle.relay.sockets):
        datas = sum(message[0] == DATA for message in messages)
        others = len(messages) - datas
        assert datas and others, [message[0] for message in messages]
        with end_.counted(f"all that went to {end_.host.address} once more",
                          rx_replay=datas, handshake_refused=others):
            for message in messages:
                through.send(message)
    assert middle.ends[1].counters()["tx_responses"] == responses, "an answer"
    middle.works()


def main():
    h1, h2 = begin()
    middle = Middle(h1, h2)
    timescale(10)
    try:
        check("both speak version 1", middle.works)
        point("with AES-256-GCM", middle.sessions() == ["aes-256-gcm"] * 2)
        check("no answer is longer than the question", no_amplification, middle)
        for name, *how in HANDSHAKES:
            check(name, spoils_handshake, middle, *how)
        # Else every prompt would begin a handshake.
        timescale(1)
        for name, *how in DATAS:
            check(name, spoils_data, middle, *how)
        timescale(10)
        check("shortened and lengthened", cut_off, middle)
        timescale(1)
        check("replayed", replays, middle)
    finally:
        timescale(1)
    middle.relay.close()
    for end_ in middle.ends:
        end_.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
