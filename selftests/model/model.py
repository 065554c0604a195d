#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""model.py [--short|--whole] [MODEL...]: what selftests/model/run runs, in the
tree, with /tmp/scratch to write to.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = "selftests/model"
SCRATCH = "/tmp/scratch"
MEGABYTES = 2000

# Its world, and the larger one of --whole. A world with '~' is too large to be
# seen whole: states are told apart by hashes, and some are missed.
MODELS = {
    "session": ("-DEARLY=1", "~-DEARLY=2"),
    "lifetime": ("", ""),
    "handshake": ("-DINITIATIONS=2", "-DINITIATIONS=3"),
    "lease": ("-DKEYS=2", "~-DKEYS=3"),
}

# Mistakes that have to be found: the model, what it would be in the module, and
# the change. More than one change is a list.
MISTAKES = (
    ("session", "any initiation of ours is forgotten when the peer's comes",
     ":: pending[e] && due[e] -> pending[e] = 0", ":: pending[e] -> pending[e] = 0"),
    ("session", "a replayed initiation is answered",
     ":: (id) % N + 1 > seen[e] -> answer", ":: true -> answer"),
    ("session", "a replayed response is taken",
     "pending[e] = 0;\n\t\tbegin_as_initiator", "begin_as_initiator"),
    ("session", "nobody confirms", ":: next[e] == (s) ->", ":: false ->"),
    ("session", "what can't be sent asks for no session",
     ":: else -> retry[e] = true\t\t\t\t\\\n\t\tfi }",
     ":: else\t\t\t\t\\\n\t\tfi }"),
    ("session", "the responder keeps what it had when it confirms",
     "drop(e, previous[e]);\n\t\tprevious[e] = former;\n\t\tformer = 0;\n\t\tretry",
     "next[e] = former;\n\t\tformer = 0;\n\t\tretry"),
    ("lifetime", "the end is looked at before the lock is taken",
     "!dead && running && !over ->\n\t\t\td_step", "!dead && running ->\n\t\t\td_step"),
    ("lifetime", "an initiation is made while the link goes down",
     "!dead && running && !over ->\n\t\t\td_step", "!dead && !over ->\n\t\t\td_step"),
    ("lifetime", "a session begins on a seat that went with others",
     "seated = true;\n\t\t\tcheck_seat()", "check_seat()"),
    ("lifetime", "handshakes are cleared without their lock",
     "lock(handshake_lock);\n\tpending = false;\n\tunlock(handshake_lock)", "pending = false"),
    ("lifetime", "sessions end before handshakes are cleared",
     "handshake_clear();\n\t\td_step { end_all() };\n\t\tatomic",
     "d_step { end_all() };\n\t\thandshake_clear();\n\t\tatomic"),
    ("lifetime", "the dead go on",
     [("!dead && !over ->\n\t\t\t/* vpn_terms", "!over ->\n\t\t\t/* vpn_terms"),
      (":: !dead ->\n\t\t\tin_time();\n\t\t\tnext", ":: true ->\n\t\t\tin_time();\n\t\t\tnext")]),
    ("lifetime", "nobody waits for handshakes when the link goes down",
     "\thandlers == 0;\n", ""),
    ("handshake", "the prologue of version 1 is that of version 0",
     "(k.version -> 1 + k.suite : 0)", "0"),
    ("handshake", "the suite is in neither prologue nor name",
     "((k.suite * 4 + prologue(k)) * 2 + (to))", "(k.version * 2 + (to))"),
    ("handshake", "the response's header is not that of the initiation",
     "same(header, sent[part].asked))\n#define opens_response", "true)\n#define opens_response"),
    ("handshake", "a replayed initiation is answered", "payload + 1 > latest[e]", "true"),
    ("handshake", "the response's payload is not bound to the handshake",
     "mix(sent[part].hash, ephemeral) == given[payload].sealed_payload", "true"),
    ("handshake", "who wants version 1 begins in what was heard",
     "(wants_version_1() -> 1 : spoken[e].version)", "spoken[e].version"),
    ("lease", "what a renewal finds is not looked at",
     "seen[k] = leased[k];\t\t\t\t\t\\\n\t\tif\t\t\t\t\t\t\t\\\n\t\t:: seen[k] ->\t",
     "if\t\t\t\t\t\t\t\\\n\t\t:: seen[k] ->\t"),
    ("lease", "the allowed IP stays when a lease ends",
     "ends[a] = 0;\n\tallowed[a] = NOBODY", "ends[a] = 0"),
    ("lease", "a fixed address is taken from whoever has it",
     "wanted[k] && (holder[wanted[k] - 1] == NOBODY || holder[wanted[k] - 1] == (k) + 1) ->",
     "wanted[k] ->"),
    ("lease", "a lease ends with its peer",
     "ends[leased[k] - 1] = LEASE + 1;\n\t\tleased[k] = 0",
     "ends[leased[k] - 1] = 1;\n\t\tleased[k] = 0"),
    ("lease", "it is told for longer than it is given",
     "told_for[k] = (end -> end - 1 : EVER)", "told_for[k] = (end -> end : EVER)"),
    ("lease", "nobody restores leases that were saved",
     "(saved_ends[i] == 1 -> NOBODY : saved[i])", "NOBODY"),
)

results = {True: 0, False: 0}


def point(text, good, *why):
    results[good] += 1
    for line in () if good else why:
        print("       " + line)
    print(f"{'ok    ' if good else 'not ok'} {text}", flush=True)


def run(*command, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)


def check(text, world):
    """What spin says of this model in that world; no result if it is no model."""
    where = f"{SCRATCH}/model"
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    with open(f"{where}/model.pml", "w", encoding="ascii") as file:
        file.write(text)
    defines = world.lstrip("~").split()
    space = ["-DBITSTATE"] if world[:1] == "~" else ["-DCOLLAPSE", f"-DMEMLIM={MEGABYTES}"]
    for command in (["spin", *defines, "-a", "model.pml"],
                    ["gcc", "-O1", "-w", "-DSAFETY", *space, "-o", "pan", "pan.c"]):
        result = run(*command, cwd=where)
        if result.returncode or "Error" in result.stdout:
            return result.stdout
    size = ["-w31"] if world[:1] == "~" else []
    return run("./pan", "-m3000000", *size, cwd=where).stdout


def trail(world):
    """The last steps of what was found."""
    shown = run("spin", *world.lstrip("~").split(), "-t", "-p", "-g", "model.pml",
                cwd=f"{SCRATCH}/model").stdout
    return shown.splitlines()[-50:]


def explored(said):
    """Error or None, states, depth."""
    error = re.search(r"^(pan:1: .*|error: .*|pan: reached.*)$", said, re.M)
    # From a hundred millions on, spin counts states as 1.2345678e+08.
    numbers = re.search(r"depth reached (\d+), errors: (\d+)\s+([\d.e+]+) states, stored", said)
    if not numbers:
        return "spin made nothing of it", 0, 0
    if numbers[2] != "0" or error:
        return error[1] if error else "errors", round(float(numbers[3])), int(numbers[1])
    return None, round(float(numbers[3])), int(numbers[1])


def read(name):
    with open(f"{HERE}/{name}.pml", encoding="ascii") as file:
        return file.read()


def model(name, world):
    said = check(read(name), world)
    error, states, depth = explored(said)
    whole = "some of more than" if world[:1] == "~" else "all"
    words = f"{name}{' ' + world.lstrip('~') if world else ''}"
    if error:
        lines = trail(world) if "pan:1" in error else said.splitlines()[-20:]
        point(f"{words}: {error}", False, *lines)
    else:
        point(f"{words}: {whole} {states} states, {depth} steps deep", True)


def mistake(name, meaning, change, world):
    text = read(name)
    planted = text
    for good, bad in change:
        if good not in planted:
            point(f"{name}: {meaning}", False, f"there is no '{good}' to change")
            return
        planted = planted.replace(good, bad)
    said = check(planted, world)
    error, _, _ = explored(said)
    found = error is not None and error.startswith("pan:1: ")
    point(f"{name} finds: {meaning}", found, error or "nothing was found", *said.splitlines()[-5:])


def main():
    words = sys.argv[1:]
    option = words.pop(0) if words[:1] in (["--short"], ["--whole"]) else None
    names = words
    wrong = [name for name in names if name not in MODELS]
    if wrong:
        print(f"no model '{wrong[0]}': there are {' '.join(MODELS)}", file=sys.stderr)
        print("0 passed, 1 failed")
        sys.exit(2)
    for name in names or MODELS:
        model(name, MODELS[name][option == "--whole"])
        for entry in MISTAKES:
            if entry[0] == name and option != "--short":
                change = entry[2] if isinstance(entry[2], list) else [entry[2:]]
                mistake(name, entry[1], change, MODELS[name][0])
    print(f"{results[True]} passed, {results[False]} failed")
    sys.exit(0 if results[True] and not results[False] else 1)


if __name__ == "__main__":
    main()
