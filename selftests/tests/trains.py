#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 60
"""One train of datagrams has messages of two peers, who share an address and a port.
Segments of a TCP flow are put together by their headers; but what follows in the flow
of one peer, and is of the other, has not been looked at for its source yet.

    h1 [vpn0 192.168.99.1/24] ---- [192.168.99.2 and 192.168.99.3 at 10.0.0.2:1002] h2
"""
import os
import socket
import struct
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import end, equal
from lab import End, begin, program
from packets import checksum

INNER, OURS, OTHERS = "192.168.99.1", "192.168.99.2", "192.168.99.3"
UDP_SEGMENT = 103
ACK = 0x10
PAYLOAD = 1160
TRAIN = 20          # messages: so many octets are in pages


def segment(source, number, identity):
    """One of a TCP flow that nobody knows."""
    tcp = struct.pack("!HHIIBBHHH", 1, 2, 1000 + number * PAYLOAD, 1, 5 << 4, ACK, 1000, 0, 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + PAYLOAD, identity + number, 0, 64, 6,
                         0, socket.inet_aton(source), socket.inet_aton(INNER))
    return (header[:10] + struct.pack("!H", checksum(header)) + header[12:] + tcp +
            bytes(PAYLOAD))


def join(end_, host, port, inner):
    """A peer, and its session."""
    peer = program(host, port, end_)
    end_.set_peer(peer.public, "allowed-ips", f"{inner}/32")
    session = peer.handshake()
    peer.send(session.seal())
    return peer, session


def send_train(peer, messages):
    size = len(messages[0])
    peer.socket.sendmsg([b"".join(messages)],
                        [(socket.SOL_UDP, UDP_SEGMENT, struct.pack("H", size))])


def main():
    h1, h2 = begin()
    end_ = End(h1, 1001, f"{INNER}/24")
    peer, ours = join(end_, h2, 1002, OURS)
    _, others = join(end_, h2, 1003, OTHERS)

    def train(who, identity):
        """Each segment follows the one before it; that peer sends the last but one."""
        sealers = [ours] * TRAIN
        sealers[-2] = who
        send_train(peer, [sealer.seal(segment(OURS, number, identity))
                          for number, sealer in enumerate(sealers)])

    with end_.counted("all of one peer"):
        train(ours, 100)
    trains = end_.counters()["rx_trains"]
    with end_.counted("one of them of the other peer", rx_source=1):
        train(others, 200)
    with end_.counted("and one more", rx_source=1):
        train(others, 300)
    equal("both came as trains", trains + 2, end_.counters()["rx_trains"])
    end_.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
