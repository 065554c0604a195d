#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# kernels: 7.3
"""Messages to the module's netlink family, most of them nearly right.

The grammar is what the kernel tells of the family's policies, which are generated from
uapi/vpn.yaml: types, lengths, ranges and nests of the attributes of each command. Values
are from the edges of what is allowed, from a few that fit together (keys, prefixes of
pools), or anything; some messages are damaged after that. Every one has to be answered,
the devices can be read and removed afterwards, and the same messages need no more memory
the second time. A seed makes the same messages again:

    fuzz-netlink.py [SEED [MESSAGES]]     or SEED and MESSAGES in the environment
"""
import collections
import errno
import os
import random
import socket
import struct
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
from abi import (
    F_ACK, F_DUMP, HEADERS, Namespace, Netlink, NLA_NESTED, Answer, end, equal, integer, key,
    memory_used, no_more_memory, parse, peers_of, point, run, say)

SEED = int((sys.argv[1:2] or [os.environ.get("SEED") or "1"])[0])
MESSAGES = int((sys.argv[2:3] or [os.environ.get("MESSAGES") or "8000"])[0])
CONTROLLER, GETPOLICY = 16, 10
A_FAMILY, A_POLICY, A_OP_POLICY = 1, 8, 9
T_TYPE, T_MIN_S, T_MAX_S, T_MIN_U, T_MAX_U, T_MIN_LEN, T_MAX_LEN, T_NEST, T_MASK = (
    1, 2, 3, 4, 5, 6, 7, 8, 12)
FLAG, U8, U16, U32, U64, S8, S64, BINARY, STRING, NUL_STRING, NESTED = (
    1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13)
SIZES = {U8: 1, U16: 2, U32: 4, U64: 8, 6: 1, 7: 2, 8: 4, 9: 8}
NESTS_MAX = 5
DEVICES = ("vpn0", "vpn1")
ADDRESSES = ["10.8.0.0", "10.8.0.1", "10.8.0.77", "10.9.0.0", "192.0.2.1", "0.0.0.0",
             "fd08::", "fd08::9", "2001:db8::1", "::", "255.255.255.255", "::ffff:10.8.0.1"]


class Grammar:
    """Policies by number, and which of them the commands have."""

    def __init__(self, netlink):
        self.policies = collections.defaultdict(dict)
        self.commands = {}
        family, netlink.family = netlink.family, CONTROLLER
        out = bytearray(HEADERS)
        out += struct.pack("=HHHH", 6, A_FAMILY, family, 0)
        netlink.send_raw(GETPOLICY, out, F_DUMP)
        answer = netlink.finish(Answer())
        netlink.family = family
        for message in answer.messages:
            for kind, content in parse(message):
                if kind == A_OP_POLICY:
                    self.read_command(content)
                elif kind == A_POLICY:
                    self.read_policy(content)

    def read_command(self, data):
        for command, content in parse(data):
            for kind, number in parse(content):
                self.commands[command, kind == 2] = integer(number)

    def read_policy(self, data):
        for number, content in parse(data):
            for attr, rules in parse(content):
                self.policies[number][attr] = {rule: integer(value)
                                               for rule, value in parse(rules)}


class Fuzzer:
    """Makes messages."""

    def __init__(self, grammar, seed):
        self.grammar = grammar
        self.dice = random.Random(seed)

    def odds(self, of):
        return self.dice.randrange(of) == 0

    def octets(self, length):
        return self.dice.randbytes(length)

    def number(self, rules, size):
        """At the edges of what is allowed, mostly."""
        least, most = rules.get(T_MIN_U, 0), rules.get(T_MAX_U, (1 << 8 * size) - 1)
        if T_MASK in rules:
            most = rules[T_MASK]
        value = self.dice.choice((least, most, self.dice.randrange(least, most + 1),
                                  min(most, least + 1), max(least, most - 1)))
        if self.odds(20):
            value = self.dice.choice((most + 1, least - 1, 0, 1))
        return (value & (1 << 8 * size) - 1).to_bytes(size, sys.byteorder)

    def blob(self, rules):
        """Octets: an address or a key, if it may be."""
        least, most = rules.get(T_MIN_LEN, 0), rules.get(T_MAX_LEN, 64)
        if self.odds(30):
            return self.octets(self.dice.choice((least + most // 2, most + 1, max(least - 1, 0))))
        if least <= 32 <= most and not self.odds(4):
            return key(0x11111111 * self.dice.randrange(1, 9))
        one = self.dice.choice(ADDRESSES)
        one = socket.inet_pton(socket.AF_INET6 if ":" in one else socket.AF_INET, one)
        if least <= len(one) <= most:
            return one
        return self.octets(self.dice.randrange(least, min(most, least + 64) + 1))

    def content(self, rules, depth):
        kind = rules.get(T_TYPE, 0)
        if kind in SIZES:
            return self.number(rules, SIZES[kind])
        if kind == FLAG:
            return b""
        if kind in (STRING, NUL_STRING):
            return self.dice.choice((b"vpn0\0", b"vpn1\0", b"name\0", b"\0", b"x" * 300,
                                     self.octets(9), b"none\0"))
        if kind == NESTED and T_NEST in rules:
            return self.attributes(rules[T_NEST], depth + 1)
        return self.blob(rules)

    def attribute(self, kind, rules, depth):
        content = self.content(rules, depth)
        if rules.get(T_TYPE) == NESTED and not self.odds(40):
            kind |= NLA_NESTED
        length = len(content) + 4
        if self.odds(300):
            length = self.dice.choice((0, 3, 4, length - 1, length + 1, 65535))
        return struct.pack("=HH", length & 65535, kind) + content + bytes(-len(content) % 4)

    def attributes(self, number, depth=0):
        """Some of those of a policy, some of them more than once."""
        policy = self.grammar.policies[number]
        if depth > NESTS_MAX or not policy:
            return b""
        kinds = self.dice.choices(list(policy), k=self.dice.randrange(0, len(policy) + 3))
        if not self.odds(8):
            # What names a thing comes first, and is seldom forgotten.
            kinds = [min(policy), *kinds]
        if not depth and not self.odds(20):
            # Devices are named, as no number is likely to be right.
            kinds = [kind for kind in kinds if kind > 2]
        if self.odds(50):
            kinds.append(self.dice.randrange(200))
        return b"".join(self.attribute(kind, policy.get(kind, {}), depth) for kind in kinds)

    def message(self):
        """A command, its flags, and the message without its header's numbers."""
        (command, dump), number = self.dice.choice(list(self.grammar.commands.items()))
        out = bytearray(HEADERS)
        if not self.odds(10):
            name = self.dice.choice(DEVICES).encode() + b"\0"
            out += struct.pack("=HH", 4 + len(name), 2) + name + bytes(-len(name) % 4)
        out += self.attributes(number)
        if self.odds(20):
            for _ in range(self.dice.randrange(1, 4)):
                out[self.dice.randrange(HEADERS, len(out) + 1) - 1] ^= 1 << self.dice.randrange(8)
        if self.odds(50):
            del out[self.dice.randrange(HEADERS, len(out) + 1):]
        return command, F_DUMP if dump else F_ACK, out


def send_all(netlink, grammar, seed, count):
    """What became of the messages: how many by error."""
    fuzzer = Fuzzer(grammar, seed)
    results = collections.Counter()
    for _ in range(count):
        command, flags, out = fuzzer.message()
        netlink.send_raw(command, out, flags)
        answer = netlink.finish(Answer())
        results[errno.errorcode.get(answer.errno, answer.errno) if answer.errno else "fine"] += 1
    return results


def devices(number):
    for name in DEVICES:
        run("ip", "link", "add", name, "type", "vpn")
        run("ip", "address", "add", f"10.8.0.{number}/24", "dev", name)
        run("ip", "link", "set", name, "up")


def remove_devices():
    for name in DEVICES:
        run("ip", "link", "del", name)


def main():
    say("KTAP version 1")
    say(f"# seed {SEED}, {MESSAGES} messages")
    here = Namespace("here")
    here.enter()
    devices(1)
    netlink = Netlink()
    grammar = Grammar(netlink)
    point("the kernel tells the policies of all commands",
          len(grammar.commands) >= 8 and len(grammar.policies) >= 5,
          f"{grammar.commands}, {len(grammar.policies)} policies")
    results = send_all(netlink, grammar, SEED, MESSAGES)
    say("# " + ", ".join(f"{count} {name}" for name, count in results.most_common()))
    equal("every message is answered", MESSAGES, sum(results.values()))
    point("some of them mean something", results["fine"] > MESSAGES // 50)
    point("the devices can be read", all(isinstance(peers_of(netlink, name), dict)
                                         for name in DEVICES))
    remove_devices()
    before = memory_used()
    devices(2)
    send_all(netlink, grammar, SEED, MESSAGES)
    remove_devices()
    no_more_memory(before)
    return end()


if __name__ == "__main__":
    sys.exit(main())
