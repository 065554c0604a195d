# SPDX-License-Identifier: GPL-2.0
"""Where processors wait for each other, as perf saw it, and how even their work is."""
import collections
import re

import split

# What perf is to record, and how it tells it: a line for each sample, and one for
# each function on its stack, the innermost first.
RECORD = ("-g",)
COMMAND = ("perf", "script", "-F", "cpu,ip,sym", "--no-inline")
WAITING = re.compile(r"(native_|__pv_)?queued_(spin|read|write)_lock_slowpath"
                     r"|osq_lock|(mutex|rwsem)_spin_on_owner")
# Between those and whoever wants the lock.
TAKING = re.compile(r"_?_?(do_)?raw_(spin|read|write)_|_raw_|(mutex|down)_|__mutex_|rwsem_")
IDLE = re.compile(dict(split.PARTS)["idle"])
CALLERS = 8


def samples(script):
    """(processor, [function, ...]) of each sample."""
    cpu, stack = None, []
    for line in script.splitlines():
        head = re.match(r"\s*\[(\d+)\]", line)
        frame = re.match(r"\s*[0-9a-f]+ (\S+)", line)
        if head:
            cpu, stack = int(head[1]), []
        elif frame:
            stack.append(frame[1])
        elif not line.strip() and stack:
            yield cpu, stack
            stack = []
    if stack:
        yield cpu, stack


def who_wants(stack):
    """The function that takes the lock which is waited for; None if none is."""
    if not WAITING.match(stack[0]):
        return None
    return next((name for name in stack[1:] if not TAKING.match(name)), stack[0])


def read(script):
    """Shares of what the processors did when they were not idle."""
    busy, wanted = collections.Counter(), collections.Counter()
    of_tunnels = split.functions_of_tunnels()
    for cpu, stack in samples(script):
        if any(IDLE.match(name) for name in stack[:3]):
            continue
        busy[cpu] += 1
        who = who_wants(stack)
        if who:
            wanted[who] += 1
    total = sum(busy.values())
    return {"samples": total,
            "cpus": [busy[cpu] / total for cpu in range(max(busy) + 1)],
            "waiting": sum(wanted.values()) / total,
            "tunnel": sum(wanted[name] for name in wanted if name in of_tunnels) / total,
            "callers": [(name, count / total) for name, count in wanted.most_common(CALLERS)]}
