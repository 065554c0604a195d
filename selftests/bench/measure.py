#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measure tunnels on this machine.  Run by selftests/bench/run in a test machine.

measure.py --what COLUMN,... [--peers KIND,...] [--rounds N] [--seconds S] [--perf]
           [--native]

Every kind of tunnel is set up and measured in turn, and then all of them again, as
often as there are rounds.  Prints a line of JSON for every measurement.  --perf
samples where the processor is meanwhile.  --native: time is that of the host.
"""
import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
import contention
import handshakes
import overload
import split
import tunnels

HERE = os.path.dirname(os.path.abspath(__file__))
TCP_MSS = 1380                  # set on both ends, so that all packets are equal
TCP_PAYLOAD = TCP_MSS - 12      # less the time stamps
CROWD = 100000                  # peers
RUSH = 1000
PERF_DATA = "/tmp/bench-perf.data"


def note(text):
    print(text, file=sys.stderr, flush=True)


#
# Columns: each takes a site and seconds, and gives a dictionary
#

def iperf(site, client, server, address, seconds, *options):
    """A TCP transfer; what iperf3 has counted."""
    listener = site.start(server, "iperf3", "-s", "-1", "-B", address,
                          stdout=subprocess.DEVNULL)
    for _ in range(100):
        if "5201" in site.execute(server, "ss", "-Hltn", "sport = :5201"):
            break
        time.sleep(0.05)
    # It takes whole seconds only; less is for trying out.
    amount = ("-t", str(int(seconds))) if seconds >= 1 else ("-n", str(int(seconds * 40e6)))
    report = json.loads(site.execute(
        client, "iperf3", "-J", "-c", address, "-B", tunnels.INNER[client], *amount,
        "-M", str(TCP_MSS), *options))
    listener.wait()
    return report["end"]


def tcp(site, seconds, client="g", options=()):
    end = iperf(site, client, "b", tunnels.INNER["b"], seconds, *options)
    received = [end[name] for name in ("sum_received", "sum_received_bidir_reverse")
                if name in end]
    octets = sum(part["bytes"] for part in received)
    ns = max(part["seconds"] for part in received) * 1e9
    return {"packets": octets / TCP_PAYLOAD, "ns": ns, "mbit": octets * 8e3 / ns,
            "retransmits": end["sum_sent"].get("retransmits", 0)}


def stream(mode, origin, target):
    """A column of datagrams of that size, from and to a place."""
    def column(size):
        def work(site, seconds):
            result = site.flood(mode, origin, target, size, seconds)
            return {"packets": result["arrived"], "ns": result["ns"],
                    "mbit": result["arrived"] * size * 8e3 / result["ns"],
                    "lost": result["lost"], "cut": result["cut"]}
        return work
    return column


def connect(site, seconds):
    """From nothing to the first packet's arrival, with a new session each time."""
    if not site.handshakes:
        return None
    times = []
    for _ in range(max(1, int(5 * seconds))):
        for state in ("down", "up"):
            for host in "agb":
                site.ip(host, f"link set tun0 {state}")
        # Initiations of a peer that come too fast are not answered.
        time.sleep(0.2)
        times.append(site.flood("connect", "g", tunnels.INNER["b"], 64, 5)["ns"])
    site.ip("g", f"route replace 192.168.98.0/24 dev tun0 mtu {tunnels.MTU}")
    site.reach()
    return {"connect_ns": statistics.median(times)}


def answered(site, seconds):
    """Handshakes that one responder can answer."""
    if not site.handshakes:
        return None
    count = max(20, int(300 * seconds))
    path, length = handshakes.prepare(site, count)
    result = site.flood("ask", "g", tunnels.OUTER["b"], length, 1, path)
    return {"handshakes": result["arrived"] * 1e9 / result["ns"],
            "sent": result["sent"], "arrived": result["arrived"]}


def forwarded(size):
    """Many a call where calls are slow: they are no part of what is measured."""
    def work(site, seconds):
        mode = "bursts" if site.native else "singles"
        return stream(mode, "a", tunnels.BEHIND_B)(size)(site, seconds)
    return work


def bunches(size):
    """Forwarded, too, but they come to the gateway right behind one another."""
    def work(site, seconds):
        site.execute("a", "ethtool", "-K", "eth0", "tx-udp-segmentation", "off")
        return stream("cut", "a", tunnels.BEHIND_B)(size)(site, seconds)
    return work


def crowd(site, seconds):
    """Small datagrams, when both ends of the tunnel know very many peers.  They stay."""
    if not site.handshakes:
        return None
    count = int(CROWD * min(1, seconds))
    for host in "gb":
        site.add_peers(host, handshakes.strangers(count, site.peer_lines))
    return {"crowd": count, **forwarded(64)(site, seconds)}


def rush(site, seconds):
    """How soon very many initiations are answered, while data flows."""
    if not site.handshakes:
        return None
    path, length = handshakes.prepare(site, max(20, int(RUSH * min(1, seconds))))
    data = site.start("g", tunnels.FLOOD, "singles", site.file("a"), site.file("b"),
                      tunnels.BEHIND_B, "1300", str(5 * min(1, seconds)), stdout=subprocess.PIPE)
    time.sleep(0.2)
    result = site.flood("ask", "g", tunnels.OUTER["b"], length, 1, path)
    flow = json.loads(data.communicate()[0])
    return {"rush_ns": result["ns"], "sent": result["sent"], "answered": result["arrived"],
            "data": flow["arrived"], "data_lost": flow["lost"]}


def tcp8(site, seconds):
    return tcp(site, seconds, options=("-P", "8"))


trains = stream("trains", "g", tunnels.INNER["b"])
COLUMNS = {
    "tcp": tcp,
    "tcp8": tcp8,
    "tcpboth": lambda site, seconds: tcp(site, seconds, options=("--bidir",)),
    "relay": lambda site, seconds: tcp(site, seconds, client="a"),
    "gso": trains(1300),
    "udp1300": forwarded(1300),
    "udp64": forwarded(64),
    "row1300": bunches(1300),
    "row64": bunches(64),
    "connect": connect,
    "handshakes": answered,
    "rush": rush,
    "crowd": crowd,
    "contention": tcp8,
}


#
# Where the processor is
#

@contextlib.contextmanager
def sampling(row, name, judge, *options):
    """Add to the row under that name what a module says of where the processor was."""
    their_control, control = os.pipe()
    answer, their_answer = os.pipe()
    with subprocess.Popen(
            ["perf", "record", "-q", "-a", "-B", "-N", "-e", "cpu-clock", "-F", "2000", *options,
             "-o", PERF_DATA, "-D", "-1", "--control", f"fd:{their_control},{their_answer}"],
            stderr=subprocess.DEVNULL, pass_fds=(their_control, their_answer)) as perf:
        os.write(control, b"enable\n")
        os.read(answer, 16)
        yield
        os.write(control, b"disable\n")
        os.read(answer, 16)
        perf.send_signal(signal.SIGINT)
    for fd in their_control, control, answer, their_answer:
        os.close(fd)
    row[name] = judge.read(tunnels.run(*judge.COMMAND, "-i", PERF_DATA))


def sampler(row, column, perf):
    if column == "contention":
        return sampling(row, "contention", contention, *contention.RECORD)
    return sampling(row, "perf", split) if perf else contextlib.nullcontext()


def measure_column(site, column, seconds, perf):
    row = {"took": time.monotonic()}
    with sampler(row, column, perf):
        result = COLUMNS[column](site, seconds)
    row["took"] = time.monotonic() - row["took"]
    return None if result is None else {**result, **row}


def measure(kind, columns, args, number):
    site = tunnels.KINDS[kind](f"bench{number}-{kind}", args.native)
    try:
        site.open()
        for column in columns:
            if column == "overload":
                rows = overload.curve(site, args.seconds)
            else:
                rows = [measure_column(site, column, args.seconds, args.perf)]
            for row in rows:
                if row:
                    print(json.dumps({"peer": kind, "column": column, "round": number,
                                      **row}), flush=True)
    finally:
        site.close()


def listed(known):
    def read(text):
        names = list(dict.fromkeys(text.replace(",", " ").split()))
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"there is no '{name}': there are {', '.join(known)}")
        return names
    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", type=listed([*COLUMNS, "overload"]), required=True)
    parser.add_argument("--peers", type=listed(tunnels.KINDS), default=list(tunnels.KINDS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--perf", action="store_true")
    parser.add_argument("--native", action="store_true")
    args = parser.parse_args()

    tunnels.run("gcc", "-O2", "-o", tunnels.FLOOD, os.path.join(HERE, "flood.c"))
    subprocess.run(["modprobe", "-q", "aesni-intel"], check=False)
    for number in range(args.rounds):
        for kind in args.peers:
            if not tunnels.available(kind):
                note(f"{kind}: this kernel has it not")
                continue
            note(f"round {number + 1}: {tunnels.KINDS[kind].title}")
            measure(kind, args.what, args, number)
    return 0


if __name__ == "__main__":
    sys.exit(main())
