#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measure tunnels on this machine.  Run by selftests/bench/run in a test machine.

measure.py [--what COLUMN,...] [--peers KIND,...] [--rounds N] [--seconds S]

Every kind of tunnel is set up and measured in turn, and then all of them again, as
often as there are rounds.  Prints a line of JSON for every measurement.
"""
import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
import tunnels

HERE = os.path.dirname(os.path.abspath(__file__))
FLOOD = "/tmp/bench-flood"
TCP_MSS = 1380                  # set on both ends, so that all packets are equal
TCP_PAYLOAD = TCP_MSS - 12      # less the time stamps


def note(text):
    print(text, file=sys.stderr, flush=True)


def iperf(site, client, server, address, seconds, *options):
    """A TCP transfer; what it makes of a second."""
    listener = site.start(server, "iperf3", "-s", "-1", "-B", address,
                          stdout=subprocess.DEVNULL)
    for _ in range(100):
        if "5201" in site.execute(server, "ss", "-Hltn", "sport = :5201"):
            break
        time.sleep(0.05)
    report = json.loads(site.execute(
        client, "iperf3", "-J", "-c", address, "-B", tunnels.INNER[client],
        "-t", str(seconds), "-M", str(TCP_MSS), *options))
    listener.wait()
    return report["end"]


def tcp(site, seconds, client="g", options=()):
    end = iperf(site, client, "b", tunnels.INNER["b"], seconds, *options)
    octets = sum(end[name]["bytes"] for name in ("sum_received", "sum_received_bidir_reverse")
                 if name in end)
    ns = end["sum_received"]["seconds"] * 1e9
    return {"packets": octets / TCP_PAYLOAD, "ns": ns, "mbit": octets * 8e3 / ns,
            "retransmits": end["sum_sent"].get("retransmits", 0)}


def singles(site, seconds, size):
    result = json.loads(run_flood(site, "singles", "a", "b", tunnels.BEHIND_B, size, seconds))
    return {"packets": result["arrived"], "ns": result["ns"],
            "mbit": result["arrived"] * size * 8e3 / result["ns"], "lost": result["lost"]}


def run_flood(site, mode, origin, target, *arguments):
    return tunnels.run(FLOOD, mode, site.file(origin), site.file(target),
                       *(str(argument) for argument in arguments))


COLUMNS = {
    "tcp": tcp,
    "tcp8": lambda site, seconds: tcp(site, seconds, options=("-P", "8")),
    "tcpboth": lambda site, seconds: tcp(site, seconds, options=("--bidir",)),
    "relay": lambda site, seconds: tcp(site, seconds, client="a"),
    "udp1300": lambda site, seconds: singles(site, seconds, 1300),
    "udp64": lambda site, seconds: singles(site, seconds, 64),
}


def measure(kind, columns, seconds, number):
    site = None
    try:
        site = tunnels.KINDS[kind](f"bench{number}-{kind}")
        site.reach()
        for column in columns:
            begun = time.monotonic()
            result = COLUMNS[column](site, seconds)
            print(json.dumps({"peer": kind, "column": column, "round": number, **result,
                              "took": time.monotonic() - begun}), flush=True)
    finally:
        if site:
            site.close()


def listed(known):
    def read(text):
        names = text.replace(",", " ").split()
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"there is no '{name}': there are {', '.join(known)}")
        return names
    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", type=listed(COLUMNS), default=list(COLUMNS))
    parser.add_argument("--peers", type=listed(tunnels.KINDS), default=list(tunnels.KINDS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    args = parser.parse_args()

    tunnels.run("gcc", "-O2", "-o", FLOOD, os.path.join(HERE, "flood.c"))
    subprocess.run(["modprobe", "-q", "aesni-intel"], check=False)
    for number in range(args.rounds):
        for kind in args.peers:
            if not tunnels.available(kind):
                note(f"{kind}: this kernel has it not")
                continue
            note(f"round {number + 1}: {tunnels.KINDS[kind].title}")
            measure(kind, args.what, args.seconds, number)
    return 0


if __name__ == "__main__":
    sys.exit(main())
