#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Make a table, JSON and drawings of what measure.py has printed.

report.py DIRECTORY NAME...

DIRECTORY has a file NAME.jsonl for each NAME, which is that of a kernel, or
"native".  Prints the table; writes it to table.txt, all to results.json, and a
drawing each to plot-NAME.svg.  With GOALS=strict in the environment the exit
status is 1 if a goal is missed.
"""
import json
import os
import statistics
import sys

import plot
from tunnels import KINDS

TITLES = {name: kind.title for name, kind in KINDS.items()}
PACKETS = {
    "tcp": "TCP, one flow",
    "tcp8": "TCP, eight flows",
    "tcpboth": "TCP, both ways",
    "relay": "TCP through two tunnels",
    "gso": "UDP trains, 1,300 B",
    "udp1300": "UDP 1,300 B, forwarded",
    "udp64": "UDP 64 B, forwarded",
    "row1300": "UDP 1,300 B, in rows",
    "row64": "UDP 64 B, in rows",
    "crowd": "UDP 64 B, 100,000 peers",
}
PEERS = {"wireguard": "WireGuard", "ovpn": "ovpn", "esp": "ESP"}
# The forms of a peer, of which the cheapest counts.
FORMS = {"esp": ("esp", "esp-if")}
OURS = {"vpn": ("wireguard",), "vpn-aes": tuple(PEERS)}
# At most so much of a peer's instructions: the goals.
TRAINS = {("vpn", "wireguard"): 0.60, ("vpn-aes", "wireguard"): 0.33,
          ("vpn-aes", "ovpn"): 0.53, ("vpn-aes", "esp"): 0.53}
GOALS = {
    **dict.fromkeys(("tcp", "tcp8", "tcpboth", "relay", "gso"), TRAINS),
    "udp1300": {("vpn", "wireguard"): 0.75, ("vpn-aes", "wireguard"): 0.45,
                ("vpn-aes", "ovpn"): 0.80, ("vpn-aes", "esp"): 0.80},
    "udp64": {("vpn", "wireguard"): 0.65, ("vpn-aes", "ovpn"): 0.75,
              ("vpn-aes", "esp"): 0.75},
}
OVERLOAD_GOAL = 0.90


def load(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def spread(values):
    return (max(values) - min(values)) / statistics.mean(values)


def packet_cell(runs):
    costs = [run["ns"] / run["packets"] for run in runs]
    return {"each": statistics.median(costs), "spread": spread(costs), "runs": costs,
            "mbit": statistics.median(run["mbit"] for run in runs),
            "lost": sum(run.get("lost", 0) for run in runs),
            "cut": any(run.get("cut") for run in runs)}


def of_rows(rows, column, key):
    """{peer: runs of a column} of what has that key."""
    found = {}
    for row in rows:
        if row["column"] == column and key in row:
            found.setdefault(row["peer"], []).append(row)
    return found


def above(peers):
    """Add what is above no tunnel, of the means and of each round."""
    base = peers.get("none")
    for cell in peers.values():
        if base:
            cell["above"] = cell["each"] - base["each"]
            cell["above_runs"] = [a - b for a, b in zip(cell["runs"], base["runs"])]


def digest(rows):
    result = {"packets": {}, "rates": {}, "overload": {},
              "rush": of_rows(rows, "rush", "rush_ns"),
              "contention": of_rows(rows, "contention", "contention")}
    for column in PACKETS:
        found = of_rows(rows, column, "packets")
        if found:
            peers = {peer: packet_cell(runs) for peer, runs in found.items()}
            above(peers)
            for peer, runs in of_rows(rows, "perf-" + column, "perf").items():
                peers[peer]["perf"] = runs[0]["perf"]
            result["packets"][column] = peers
    for column, key in (("connect", "connect_ns"), ("handshakes", "handshakes")):
        found = of_rows(rows, column, key)
        if found:
            result["rates"][column] = {
                peer: {"value": statistics.mean(run[key] for run in runs),
                       "spread": spread([run[key] for run in runs])}
                for peer, runs in found.items()}
    for peer, points in of_rows(rows, "overload", "multiple").items():
        result["overload"][peer] = points
    return result


def cheapest(cells, peer):
    """Of the forms of a peer, if there is what is above no tunnel."""
    return min((cells[form] for form in FORMS.get(peer, (peer,)) if "above" in cells.get(form, ())),
               key=lambda cell: cell["above"], default=None)


def ratios(packets):
    """What we cost of what each peer costs, with the goal."""
    found = []
    for column, cells in packets.items():
        for mine, others in OURS.items():
            for other in others:
                ours, theirs = cheapest(cells, mine), cheapest(cells, other)
                if not ours or not theirs:
                    continue
                goal = GOALS.get(column, {}).get((mine, other))
                ratio = ours["above"] / theirs["above"]
                each = [a / b for a, b in zip(ours["above_runs"], theirs["above_runs"])]
                found.append({"column": column, "vpn": mine, "peer": other, "ratio": ratio,
                              "least": min(each), "most": max(each), "rounds": len(each),
                              "goal": goal, "met": None if goal is None else ratio <= goal})
    return found


#
# For people
#

def grid(head, rows, first=26, width=17):
    yield f"{head[0]:{first}}" + "".join(f"{text:>{width}}" for text in head[1:])
    for row in rows:
        yield f"{row[0]:{first}}" + "".join(f"{text:>{width}}" for text in row[1:])
    yield ""


def packet_text(cells, peer):
    if peer not in cells:
        return "-"
    cell = cells[peer]
    rate = f"({cell['mbit']:,.0f})"
    if peer == "none" or "above" not in cell:
        return f"{cell['each'] / 1000:.2f} {rate}"
    return f"{cell['above'] / 1000:.2f} {rate}"


def packet_table(packets, native):
    peers = [peer for peer in TITLES if any(peer in cells for cells in packets.values())]
    unit = "Microseconds" if native else "Thousands of instructions"
    yield f"{unit} a packet, both ends together, above the same without a tunnel; the"
    yield f"column without one as it is; (Mbit per {'second' if native else 'virtual second'})"
    yield ""
    yield from grid(["", *(TITLES[peer] for peer in peers)],
                    [[PACKETS[column], *(packet_text(cells, peer) for peer in peers)]
                     for column, cells in packets.items()])


def ratio_text(entry, native):
    if entry is None:
        return ""
    if native:
        return f"{entry['ratio']:.2f} ({entry['least']:.2f}-{entry['most']:.2f})"
    if entry["goal"] is None:
        return f"{entry['ratio']:.3f}"
    return f"{entry['ratio']:.3f} {'<=' if entry['met'] else '> '} {entry['goal']:.2f}"


def ratio_table(found, native):
    yield "Of what the peer costs" + (", least and most" if native else
                                      ", and the goal: <= met, > missed")
    yield ""
    rows = []
    for mine in OURS:
        for column in PACKETS:
            row = {entry["peer"]: entry for entry in found
                   if (entry["column"], entry["vpn"]) == (column, mine)}
            if row:
                rows.append([f"{TITLES[mine]}: {column}",
                             *(ratio_text(row.get(peer), native) for peer in PEERS)])
    yield from grid(["", *PEERS.values()], rows, width=19)


def rate_table(rates):
    names = {"connect": ("first packet arrives, ms", 1e-6), "handshakes": ("answered a second", 1)}
    peers = [peer for peer in TITLES if any(peer in cells for cells in rates.values())]
    yield from grid(["Handshakes", *(TITLES[peer] for peer in peers)],
                    [[names[column][0],
                      *(f"{cells[peer]['value'] * names[column][1]:,.2f}" if peer in cells
                        else "-" for peer in peers)]
                     for column, cells in rates.items()])


def scale_table(result):
    crowd, few = (result["packets"].get(name, {}) for name in ("crowd", "udp64"))
    for peer in crowd:
        if peer in few:
            ratio = crowd[peer]["each"] / few[peer]["each"]
            yield f"Crowd, {TITLES[peer]}: a packet costs {ratio:.3f} of what it costs without"
    for peer, rows in result["rush"].items():
        yield (f"Rush, {TITLES[peer]}: {rows[0]['answered']} of {rows[0]['sent']} initiations were "
               f"answered in {rows[0]['rush_ns'] / 1e9:.2f} s, while data flowed, of which "
               f"{rows[0]['data_lost']} of {rows[0]['data']} packets were lost")
    if crowd or result["rush"]:
        yield ""


def overload_table(overload):
    rows = []
    for peer, points in overload.items():
        peak = points[0]["peak"]
        rows.append([TITLES[peer], f"{peak:,.0f}",
                     *(f"{point['arrived'] / peak:.2f} of {point['offered'] / peak:.2f} "
                       f"({point['answered']}/{point['asked']})" for point in points)])
    multiples = [point["multiple"] for point in next(iter(overload.values()))]
    yield "Overload: what arrives of what is offered, as shares of the peak; (handshakes answered"
    yield f"of those asked for meanwhile); the goal at 4 times is {OVERLOAD_GOAL}"
    yield ""
    yield from grid(["", "peak, packets/s", *(f"{multiple:g} times" for multiple in multiples)],
                    rows, width=23)


def contention_table(contention):
    """How four processors get on with eight flows."""
    if not contention:
        return
    seen = {peer: rows[0]["contention"] for peer, rows in contention.items()}
    names = [f"CPU {number}" for number in range(max(len(of["cpus"]) for of in seen.values()))]
    yield "Contention: of the time in which four processors are busy with eight TCP flows, what each"
    yield "of them has, what is spent waiting for locks, and for those that the tunnel's code takes"
    yield ""
    yield from grid(["", *names, "waiting", "for the tunnel"], [
        [TITLES[peer], *(f"{share:.2%}" for share in (*of["cpus"], of["waiting"], of["tunnel"]))]
        for peer, of in seen.items()], width=18)
    for peer, of in seen.items():
        yield f"{TITLES[peer]} waits in " + (", ".join(
            f"{name} {share:.2%}" for name, share in of["callers"]) or "nothing")
    yield ""


def split_table(packets):
    for column, cells in packets.items():
        seen = {peer: cell for peer, cell in cells.items() if "perf" in cell}
        if not seen:
            continue
        names = sorted({name for cell in seen.values() for name in cell["perf"]["parts"]})
        yield f"{PACKETS[column]}: where the instructions of a packet go, thousands"
        yield ""
        yield from grid(["", *names, "all"], [
            [TITLES[peer], *(f"{cell['perf']['parts'].get(name, 0) * cell['each'] / 1000:.2f}"
                             for name in names), f"{cell['each'] / 1000:.2f}"]
            for peer, cell in seen.items()], width=10)


def tables(name, result):
    native = name == "native"
    yield "User-mode Linux 7.3, at the speed of this machine" if native else f"Linux {name}"
    yield ""
    if result["packets"]:
        yield from packet_table(result["packets"], native)
    if result["ratios"]:
        yield from ratio_table(result["ratios"], native)
    if result["rates"]:
        yield from rate_table(result["rates"])
    yield from scale_table(result)
    yield from contention_table(result["contention"])
    if result["overload"]:
        yield from overload_table(result["overload"])
    yield from split_table(result["packets"])


def goal_marks(packets):
    """How long a bar of ours may be to meet the hardest of its goals."""
    marks = {}
    for column, cells in packets.items():
        for (mine, other), goal in GOALS.get(column, {}).items():
            theirs = cheapest(cells, other)
            if theirs:
                limit = goal * theirs["above"] / 1000
                marks[column, mine] = min(limit, marks.get((column, mine), limit))
    return marks


def draw(name, result):
    native = name == "native"
    drawing = plot.Drawing()
    packets = {column: cells for column, cells in result["packets"].items() if "none" in cells}
    peers = {peer: TITLES[peer] for peer in TITLES
             if peer != "none" and (peer in result["overload"] or
                                    any(peer in cells for cells in packets.values()))}
    unit = "Microseconds" if native else "Thousands of instructions"
    drawing.heading("User-mode Linux, timed" if native else f"Linux {name}",
                    f"{unit} a packet, both ends together, above no tunnel; "
                    "shorter is better; a mark is where our goal is")
    drawing.legend(peers)
    groups = [(column, PACKETS[column], {peer: cells[peer]["above"] / 1000
                                         for peer in peers if peer in cells})
              for column, cells in packets.items()]
    groups = [group for group in groups if group[2]]
    if groups:
        drawing.bars(groups, {} if native else goal_marks(packets))
    if result["overload"]:
        drawing.heading("Overload", "What arrives, as a share of the peak")
        drawing.curves({peer: [(point["offered"] / point["peak"], point["arrived"] / point["peak"])
                               for point in points]
                        for peer, points in result["overload"].items()})
    return drawing.finish()


def write(where, name, text):
    with open(os.path.join(where, name), "w", encoding="utf-8") as file:
        file.write(text)


def missed(name, result):
    """Goals that are for counted instructions."""
    if name == "native":
        return []
    return ([entry for entry in result["ratios"] if entry["met"] is False] +
            [point for points in result["overload"].values() for point in points
             if point["peer"] in OURS and point["multiple"] >= 1 and
             (point["arrived"] < OVERLOAD_GOAL * point["peak"] or not point["answered"])])


def main():
    where, names = sys.argv[1], sys.argv[2:]
    results, lines = {}, []
    for name in names:
        result = digest(load(os.path.join(where, f"{name}.jsonl")))
        result["ratios"] = ratios(result["packets"])
        results[name] = result
        lines += tables(name, result)
        write(where, f"plot-{name}.svg", draw(name, result))
    text = "\n".join(lines)
    write(where, "results.json", json.dumps(results, indent=1) + "\n")
    write(where, "table.txt", text + "\n")
    print(text)
    short = sum(len(missed(name, result)) for name, result in results.items())
    return 1 if short and os.environ.get("GOALS") == "strict" else 0


if __name__ == "__main__":
    sys.exit(main())
