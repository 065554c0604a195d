#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""fuzz.py [--grow] [SECONDS] | --proof: what selftests/fuzz/run runs, in the tree,
with /tmp/scratch to write to.
"""

import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, "selftests")
# pylint: disable=wrong-import-position
from protocol import tlv
from protocol.messages import Malformed

HERE = "selftests/fuzz"
SCRATCH = "/tmp/scratch"
PLACES = ("initiation", "response", "control")
COMPARED = 20000        # inputs

# The longest input of each target, and its share of the time.
TARGETS = {"tlv": (4100, 0.9), "header": (6, 0.1)}

# Mistakes that have to be found, and the target that finds them.
MISTAKES = (
    ("tlv", "module/tlv.c", "if (tlv.len > len - TLV_HEADER)", "if (tlv.len > len)"),
    ("tlv", "module/tlv.c", "if (len < TLV_HEADER)", "if (len < TLV_HEADER - 1)"),
    ("tlv", "module/tlv.c", "if (*count >= max || !is_ip_len(tlv->len))",
     "if (*count > max || !is_ip_len(tlv->len))"),
    ("tlv", "module/tlv.c", "if (len > max || !is_text(value, len))",
     "if (len > max + 1 || !is_text(value, len))"),
    ("tlv", "module/tlv.c", "*s < 0x20 || *s == 0x7f", "*s < 0x20"),
    ("tlv", "module/tlv.c", "if (len < n)", "if (!len)"),
    ("tlv", "module/tlv.c", "tlv->value[0] > (tlv->len - 1) * 8", "0"),
    ("tlv", "module/tlv.c", "writer->room -= TLV_HEADER + len;",
     "writer->room -= len;"),
    ("compare", "module/tlv.c", "c < least[n] || ", ""),
    ("compare", "module/tlv.c", "return is_zero(at, len) ? result : -EBADMSG;",
     "return result;"),
    ("header", "module/messages.h", "len <= VPN_V1_INITIATION_MAX",
     "len < VPN_V1_INITIATION_MAX"),
    ("header", "module/messages.h", "return !flags && len ==", "return len =="),
    ("header", "module/messages.h", "header->version ? VPN_DATA_CONTROL : 0",
     "VPN_DATA_CONTROL"),
)

results = {True: 0, False: 0}


def point(text, good, *why):
    results[good] += 1
    for line in () if good else why:
        print("       " + line)
    print(f"{'ok    ' if good else 'not ok'} {text}", flush=True)
    return good


def run(*command, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False,
                          errors="replace", **options)


# Building.

def empty_headers():
    """For headers that userspace has not: kernel.h has what is needed of them."""
    where = f"{SCRATCH}/include"
    for name in glob.glob("module/*.[ch]"):
        with open(name, encoding="utf-8") as file:
            for header in re.findall(r"^#include <(linux/[^>]*)>", file.read(), re.M):
                os.makedirs(os.path.dirname(f"{where}/{header}"), exist_ok=True)
                with open(f"{where}/{header}", "w", encoding="ascii"):
                    pass
    return where


def build(output, target, *options, tree="."):
    sources = [f"{tree}/{HERE}/{target}.c"]
    if target == "tlv":
        sources.append(f"{tree}/module/tlv.c")
    return run("clang", "-std=gnu2x", "-O1", "-g", "-Wall", "-Werror",
               "-Wno-unused" if tree != "." else "-Wunused",    # in mistakes it is
               "-fno-sanitize-recover=all", "-include", f"{tree}/{HERE}/kernel.h",
               "-idirafter", empty_headers(), "-I", tree, *options, *sources, "-o", output)


def build_all(tree="."):
    """Directory with the targets."""
    where = f"{SCRATCH}/bin"
    os.makedirs(where, exist_ok=True)
    for target in TARGETS:
        result = build(f"{where}/{target}", target,
                       "-fsanitize=fuzzer,address,undefined", tree=tree)
        if result.returncode:
            return result.stdout
    return build(f"{where}/print", "tlv", "-fsanitize=address,undefined",
                 "-DTLV_PRINT", tree=tree).stdout


# Inputs. In the tree they are in hexadecimal, one a line.

def vectors():
    """The lists of selftests/vectors, with the octet in front that says of what."""
    with open("selftests/vectors/tlvs.json", encoding="utf-8") as file:
        for vector in json.load(file):
            yield bytes([PLACES.index(vector["place"])]) + bytes.fromhex(vector["octets"])


def edges():
    """Headers, at the edges of the lengths."""
    for version, kind, lengths in ((0, 1, (148,)), (0, 2, (92,)), (0, 3, (64,)),
                                   (1, 1, (1200, 4096)), (1, 2, (140, 188, 1196)),
                                   (1, 3, (64,)), (2, 1, (148,)), (0, 4, (32,)),
                                   (1, 4, (32, 1500))):
        for length in lengths:
            for off in -1, 0, 1:
                for flags in 0, 1, 2:
                    yield (bytes([kind, version, flags, 0]) +
                           (length + off).to_bytes(2, "big"))


def corpus(target):
    with open(f"{HERE}/corpus/{target}.hex", encoding="ascii") as file:
        kept = [bytes.fromhex(line) for line in file if not line.startswith("#")]
    return kept + list(vectors() if target == "tlv" else edges())


def unpack(target):
    where = f"{SCRATCH}/{target}"
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    for number, data in enumerate(corpus(target)):
        with open(f"{where}/{number}", "wb") as file:
            file.write(data)
    return where


# Running.

def last_words(result):
    """What a sanitizer or a check said, and the input."""
    lines = result.stdout.splitlines()
    said = [line for line in lines
            if re.search(r"not true|ERROR|runtime error|taken|^ +#[0-4] ", line)][:8]
    said += [line for line in lines if line.startswith("Base64")][:1]
    return said or lines[-10:]


def fuzz(target, seconds, where):
    longest, share = TARGETS[target]
    result = run(f"{SCRATCH}/bin/{target}", f"-max_len={longest}", "-timeout=10",
                 f"-max_total_time={max(1, int(seconds * share))}",
                 "-print_final_stats=1", where, cwd=SCRATCH)
    return result


def executed(result):
    found = re.search(r"number_of_executed_units: (\d+)", result.stdout)
    return int(found[1]) if found else 0


def replay(target, where):
    return run(f"{SCRATCH}/bin/{target}", "-timeout=10",
               *sorted(glob.glob(f"{where}/*")), cwd=SCRATCH)


# The parser in Python.

def in_python(data):
    place = PLACES[data[0] % 3]
    try:
        tlvs = tlv.read(data[1:], tlv.PLACES[place])
    except tlv.CriticalUnknown:
        return "critical" if place == "initiation" else "malformed"
    except Malformed:
        return "malformed"
    tlvs.sort(key=lambda one: one.kind)
    return " ".join(["read"] + [f"{one.kind}={tlv.octets(*one[:2]).hex()}"
                                for one in tlvs])


def mutate(data, others, dice):
    """Some changes at random."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(6):
            case 0:
                data[at:at + 1] = [dice.randrange(256)]
            case 1:
                data[at:at + 1] = [dice.choice((0, 1, 2, 4, 5, 16, 17, 0x7f, 0x80, 255))]
            case 2:
                data[at:at] = dice.randbytes(dice.randint(1, 5))
            case 3:
                del data[at:at + dice.randint(1, 5)]
            case 4:
                data[at:] = dice.choice(others)[1:]
            case 5:
                data[at:at] = dice.choice(others)[1:]
    return bytes(data[:4100]) or b"\0"


def compare():
    """Inputs that C and Python do not agree on."""
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    inputs = seeds = [data for data in corpus("tlv") if data]
    inputs = seeds + [mutate(dice.choice(seeds), seeds, dice) for _ in range(COMPARED)]
    result = subprocess.run([f"{SCRATCH}/bin/print"], text=True, check=False,
                            input="".join(data.hex() + "\n" for data in inputs),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = result.stdout.splitlines()
    if result.returncode or len(lines) != len(inputs):
        return [f"exit status {result.returncode}", *lines[-10:]]
    for data, in_c in zip(inputs, lines):
        wanted = in_python(data)
        if wanted != (in_c if wanted != "critical" else in_c.split(" ")[0]):
            return [f"input {data.hex()}", f"C:      {in_c}", f"Python: {wanted}"]
    return []


# What is asked for.

def whole(seconds):
    said = build_all()
    if not point("the parsers compile for userspace", not said, *said.splitlines()):
        return
    for target in TARGETS:
        where = unpack(target)
        result = replay(target, where)
        if not point(f"{target}: what is in the corpus", result.returncode == 0,
                     *last_words(result)):
            continue
        result = fuzz(target, seconds, where)
        point(f"{target}: {executed(result)} inputs that were made of it",
              result.returncode == 0 and executed(result) > 0, *last_words(result))
    differences = compare()
    point(f"{COMPARED} lists mean in C what they mean in Python", not differences,
          *differences)


def grow(seconds):
    """Write a corpus that covers what was found, without what vectors have."""
    whole(seconds)
    os.makedirs(f"{SCRATCH}/corpus", exist_ok=True)
    for target in TARGETS:
        found, least = f"{SCRATCH}/{target}", f"{SCRATCH}/{target}.least"
        os.makedirs(least, exist_ok=True)
        run(f"{SCRATCH}/bin/{target}", "-merge=1", least, found, cwd=SCRATCH)
        known = set(vectors() if target == "tlv" else edges())
        kept = set()
        for name in glob.glob(f"{least}/*"):
            with open(name, "rb") as file:
                kept.add(file.read())
        with open(f"{SCRATCH}/corpus/{target}.hex", "w", encoding="ascii") as file:
            file.write("# SPDX-License-Identifier: GPL-2.0\n")
            for data in sorted(kept - known, key=lambda data: (len(data), data)):
                file.write(data.hex() + "\n")


def found(target):
    """Whether the mistake in the build is."""
    if target == "compare":
        return bool(compare())
    where = unpack(target)
    return replay(target, where).returncode != 0 or \
        fuzz(target, 20, where).returncode != 0


def proof():
    tree = f"{SCRATCH}/tree"
    for target, name, good, bad in MISTAKES:
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(".", tree, symlinks=True)
        with open(f"{tree}/{name}", "r+", encoding="utf-8") as file:
            text = file.read()
            file.seek(0)
            file.truncate()
            file.write(text.replace(good, bad, 1))
        said = build_all(tree)
        point(f"{target} finds '{bad or 'nothing'}' for '{good}'",
              good in text and not said and found(target), *said.splitlines())


def main():
    words = sys.argv[1:]
    seconds = int(words[-1]) if words and words[-1].isdigit() else 10
    if words[:1] == ["--proof"]:
        proof()
    elif words[:1] == ["--grow"]:
        grow(seconds)
    else:
        whole(seconds)
    print(f"{results[True]} passed, {results[False]} failed")
    sys.exit(0 if results[True] and not results[False] else 1)


if __name__ == "__main__":
    main()
