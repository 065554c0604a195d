# SPDX-License-Identifier: GPL-2.0
"""Where the processor was, as perf saw it: by what the functions are for."""
import re

COMMAND = ("perf", "report", "--stdio", "--no-children", "--sort", "symbol",
           "--field-separator", ";", "--percent-limit", "0")
TUNNELS = ("vpn", "wireguard", "ovpn", "esp4")
# The first that fits counts.
PARTS = (
    ("idle", r"^(pv_native_safe_halt|native_safe_halt|default_idle|intel_idle|mwait)"),
    ("cipher", r"chacha|poly1305|aes|gcm|ghash|crypto_|aead|scatterwalk|skcipher|kernel_fpu"
               r"|irq_fpu|blake|curve|simd_|seqiv|blkcipher|sg_(next|init)"),
    ("copy", r"memcpy|memmove|copy_|rep_movs|csum|checksum|skb_copy|__copy|skb_store"),
    ("memory", r"alloc|kfree|kmem|slab|slub|free_|page|memset|clear_|get_partial|put_cpu"
               r"|consume_skb|skb_release|folio|build_skb|cpu_cache|obj_cgroup|rmqueue"),
)


def functions_of_tunnels():
    """What the kernel's modules that are tunnels consist of."""
    with open("/proc/kallsyms", encoding="ascii") as file:
        lines = (line.split() for line in file if line.endswith("]\n"))
        return {words[2] for words in lines if words[3].strip("[]") in TUNNELS}


def part_of(symbol, of_kernel, of_tunnels):
    """What a function is for."""
    if not of_kernel:
        return "program"
    if symbol in of_tunnels or "xfrm" in symbol or symbol.startswith("esp_"):
        return "tunnel"
    for name, pattern in PARTS:
        if re.search(pattern, symbol):
            return name
    return "stack"


def read(report):
    """Shares of the parts, without idleness, and of the busiest functions."""
    parts, functions, of_tunnels = {}, [], functions_of_tunnels()
    for line in report.splitlines():
        match = re.match(r"\s*([0-9.]+)%\s*;\s*\[(.)\]\s*(\S+)", line)
        if not match:
            continue
        share, symbol = float(match[1]), match[3]
        part = part_of(symbol, match[2] == "k", of_tunnels)
        parts[part] = parts.get(part, 0) + share
        functions.append((symbol, share))
    busy = 100 - parts.pop("idle", 0)
    return {"parts": {name: share / busy for name, share in sorted(parts.items())},
            "functions": [(symbol, share / busy) for symbol, share in functions[:25]]}
