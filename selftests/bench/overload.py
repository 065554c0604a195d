# SPDX-License-Identifier: GPL-2.0
"""What arrives when more is offered than can be carried.

Sealed packets, and initiations evenly among them, are held in front of the cable
from the gateway g to b, and then let go at a rate.  Processor 0 is the sender and
the cable; what b receives is the business of processor 1, and if that cannot keep
up, the queue before it overflows, as the ring of a network card does.
"""
import json
import os
import subprocess
import time

import handshakes
import tunnels

SIZE = 1300
MULTIPLES = (0.5, 1, 2, 4)


def tc(site, *words):
    return tunnels.run("tc", "-n", site.space("g"), *words)


def shape(site, action, rate, burst):
    tc(site, "qdisc", action, "dev", "wan0", "root", "tbf", "rate", f"{int(rate)}bit",
       "burst", str(int(burst)), "limit", "500mb")


def queue(site):
    """Packets and octets that are held."""
    state = json.loads(tc(site, "-s", "-j", "qdisc", "show", "dev", "wan0"))[0]
    return state["qlen"], state["backlog"]


def offer(site, rate, seconds, messages):
    """Packets a second that were offered and that arrived, and handshakes. Of messages:
    a file, how long each is, and how many, if they are whole packets."""
    count = int(rate * seconds)
    shape(site, "replace", 8000, 2000)
    path, *numbers = messages or ("/dev/null", 1)
    with subprocess.Popen(
            [tunnels.FLOOD, "storm" if numbers[1:] else "burst", site.file("a"),
             site.file("b"), tunnels.BEHIND_B, str(SIZE), str(seconds), str(count),
             tunnels.OUTER["b"], path, *map(str, numbers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flood:
        held = json.loads(flood.stdout.readline())
        packets, octets = queue(site)
        each = octets / packets
        # Late timers are made up for, up to two milliseconds.
        share = octets / held["held"]
        shape(site, "change", rate * share * 8, max(16, rate * 0.002) * each)
        flood.stdin.write("go\n")
        flood.stdin.flush()
        result = json.loads(flood.stdout.readline())
        left, _ = queue(site)
        result.update(json.loads(flood.stdout.readline()))
    # The processor of the cable may not have got rid of so many.
    rate = min(rate, held["held"] * (1 - left / packets) / (seconds * 0.8))
    tc(site, "qdisc", "del", "dev", "wan0", "root")
    time.sleep(0.1)
    return {"offered": rate, "arrived": result["arrived"] * 1e9 / result["ns"],
            "held": held["held"], "left": left, "asked": result["asked"],
            "answered": result["answered"]}


def find_peak(site, seconds, messages):
    """The most that arrives while more and more is offered, until it is too much."""
    rate, best = 20000, 0
    while True:
        row = offer(site, rate, seconds, messages())
        best = max(best, row["arrived"])
        if row["arrived"] < rate * 0.85:
            return best
        rate *= 1.25


def curve(site, seconds):
    """Rows of what arrives at multiples of the peak."""
    if not site.handshakes:
        return
    os.sched_setaffinity(0, {0})
    tunnels.run("ip", "netns", "exec", site.space("b"), "sh", "-c",
                "echo 2 >/sys/class/net/eth0/queues/rx-0/rps_cpus")

    def messages():
        return handshakes.prepare(site, 50)

    peak = find_peak(site, seconds / 2, messages)
    for multiple in MULTIPLES:
        row = offer(site, peak * multiple, seconds / 2, messages())
        yield {"multiple": multiple, "peak": peak, **row}
