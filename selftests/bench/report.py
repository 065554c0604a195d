#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Make of what measure.py has printed a table, and JSON.

report.py DIRECTORY KERNEL...

DIRECTORY has a file KERNEL.jsonl for each.  Prints the table, and writes it to
table.txt beside it, and results.json.
"""
import json
import os
import statistics
import sys

TITLES = {"none": "no tunnel", "wireguard": "WireGuard", "ovpn": "ovpn AES-256",
          "esp": "ESP AES-256", "vpn": "vpn ChaCha20", "vpn-aes": "vpn AES-256"}
COLUMNS = {
    "tcp": "TCP, one flow",
    "tcp8": "TCP, eight flows",
    "tcpboth": "TCP, both ways",
    "relay": "TCP through a gateway with two peers",
    "udp1300": "UDP 1,300 B, single, forwarded",
    "udp64": "UDP 64 B, single, forwarded",
}
OURS = {"vpn": ("wireguard",), "vpn-aes": ("wireguard", "ovpn", "esp")}
# At most so much of a peer's instructions, as the goals have it.
TRAINS = {("vpn", "wireguard"): 0.60, ("vpn-aes", "wireguard"): 0.33,
          ("vpn-aes", "ovpn"): 0.53, ("vpn-aes", "esp"): 0.53}
GOALS = {
    "tcp": TRAINS, "tcp8": TRAINS, "tcpboth": TRAINS, "relay": TRAINS,
    "udp1300": {("vpn", "wireguard"): 0.75, ("vpn-aes", "wireguard"): 0.45,
                ("vpn-aes", "ovpn"): 0.80, ("vpn-aes", "esp"): 0.80},
    "udp64": {("vpn", "wireguard"): 0.65, ("vpn-aes", "ovpn"): 0.75,
              ("vpn-aes", "esp"): 0.75},
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def digest(rows):
    """Per column and peer: rate, instructions a packet, and those above no tunnel."""
    result = {}
    for row in rows:
        cell = result.setdefault(row["column"], {}).setdefault(row["peer"], {"runs": []})
        cell["runs"].append(row)
    for peers in result.values():
        for cell in peers.values():
            costs = [run["ns"] / run["packets"] for run in cell["runs"]]
            cell["instructions"] = statistics.mean(costs)
            cell["spread"] = (max(costs) - min(costs)) / cell["instructions"]
            cell["mbit"] = statistics.mean(run["mbit"] for run in cell["runs"])
            cell["lost"] = sum(run.get("lost", 0) for run in cell["runs"])
        if "none" in peers:
            for cell in peers.values():
                cell["above"] = cell["instructions"] - peers["none"]["instructions"]
    return result


def ratios(columns):
    """What we cost of what each peer costs, with the goal."""
    found = []
    for column, peers in columns.items():
        for mine, others in OURS.items():
            for other in others:
                if mine not in peers or other not in peers:
                    continue
                ratio = peers[mine]["above"] / peers[other]["above"]
                goal = GOALS.get(column, {}).get((mine, other))
                found.append({"column": column, "vpn": mine, "peer": other, "ratio": ratio,
                              "goal": goal, "met": None if goal is None else ratio <= goal})
    return found


def table(kernel, columns, found):
    """Lines for people."""
    peers = [peer for peer in TITLES if any(peer in cells for cells in columns.values())]
    yield f"Linux {kernel}: thousands of instructions a packet above no tunnel, both ends"
    yield "together (Mbit per virtual second)"
    yield ""
    yield f"{'':38}" + "".join(f"{TITLES[peer]:>18}" for peer in peers)
    for column, cells in columns.items():
        line = f"{COLUMNS.get(column, column):38}"
        for peer in peers:
            text = "-"
            if peer in cells:
                cell = cells[peer]
                above = "" if peer == "none" else f"{cell['above'] / 1000:.2f} "
                text = f"{above}({cell['mbit']:,.0f})"
            line += f"{text:>18}"
        yield line
    yield ""
    yield f"{'ratio to':38}{'WireGuard':>18}{'ovpn':>18}{'ESP':>18}"
    for column in columns:
        for mine in OURS:
            row = {entry["peer"]: entry for entry in found
                   if (entry["column"], entry["vpn"]) == (column, mine)}
            if not row:
                continue
            line = f"{column + ' ' + TITLES[mine]:38}"
            for other in ("wireguard", "ovpn", "esp"):
                text = ""
                if other in row:
                    entry = row[other]
                    text = f"{entry['ratio']:.3f}"
                    if entry["goal"]:
                        text += f" {'met' if entry['met'] else 'NOT'} {entry['goal']:.2f}"
                line += f"{text:>18}"
            yield line


def main():
    where, kernels = sys.argv[1], sys.argv[2:]
    results, lines = {}, []
    for kernel in kernels:
        columns = digest(load(os.path.join(where, f"{kernel}.jsonl")))
        found = ratios(columns)
        results[kernel] = {"columns": columns, "ratios": found}
        lines += [*table(kernel, columns, found), ""]
    with open(os.path.join(where, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    with open(os.path.join(where, "table.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    print("\n".join(lines))
    missed = [entry for result in results.values() for entry in result["ratios"]
              if entry["met"] is False]
    return 1 if missed and os.environ.get("GOALS") == "strict" else 0


if __name__ == "__main__":
    sys.exit(main())
