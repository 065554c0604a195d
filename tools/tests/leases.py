#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""leases.py PROGRAM: the power fails while leases are written. PROGRAM (leases.c) is watched by
strace. For many moments the files are made as a disk may have them after that: with all that was
synchronised, and of what was written since, any part, by sectors. SQLite opens them, finds no
fault, and has all that was promised until then, and nothing else."""

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys

CHANGES = 420           # so many that the log is written back in between
CUTS = 150
SECTOR = 512
ADDRESSES = 97
CALLS = "openat,close,write,pwrite64,fdatasync,fsync,ftruncate,unlink"
SEED = 1


def octets(text):
    return bytes.fromhex(text.replace("\\x", ""))


class File:
    """What is on disk for sure, and what was written since."""

    def __init__(self):
        self.sure, self.since = bytearray(), []

    @staticmethod
    def apply(data, change):
        at, new = change
        if new is None:
            del data[at:]
            data.extend(bytes(at - len(data)))
            return
        data.extend(bytes(max(0, at - len(data))))
        data[at:at + len(new)] = new

    def sync(self):
        for change in self.since:
            self.apply(self.sure, change)
        self.since = []

    def after_a_cut(self, dice):
        """Any part of what is not sure."""
        data = bytearray(self.sure)
        for at, new in self.since:
            if new is None:
                if dice.randrange(2):
                    self.apply(data, (at, None))
                continue
            for first in range(0, len(new), SECTOR):
                if dice.randrange(3):
                    self.apply(data, (at + first, new[first:first + SECTOR]))
        return data


class Disk:
    """Files by name, as the calls leave them."""

    def __init__(self):
        self.files, self.names, self.promised = {}, {}, 0

    def take(self, line):
        call, _, rest = line.partition("(")
        result = rest.rpartition("= ")[2].split()[0]
        first = rest.split(",")[0].split(")")[0]
        name = self.names.get(first)
        if call == "openat":
            path = octets(re.search(r'"((?:\\x..)*)"', rest)[1]).decode()
            if re.search(r"\.leases(-wal)?$", path) and result.isdigit():
                self.names[result] = path
                self.files.setdefault(path, File())
        elif call == "close":
            self.names.pop(first, None)
        elif call == "write" and first == "1":
            self.promised = int(octets(re.search(r'"(.*)"', rest)[1]))
        elif call == "unlink":
            self.files.pop(octets(re.search(r'"(.*)"', rest)[1]).decode(), None)
        elif not name:
            return
        elif call == "pwrite64":
            data, _, at = re.search(r'"(.*)", (\d+), (\d+)\)', rest).groups()
            self.files[name].since.append((int(at), octets(data)))
        elif call in ("fdatasync", "fsync"):
            self.files[name].sync()
        elif call == "ftruncate":
            self.files[name].since.append((int(re.search(r", (\d+)\)", rest)[1]), None))

    def cut(self, folder, dice):
        for path, file in self.files.items():
            with open(f"{folder}/{os.path.basename(path)}", "wb") as copy:
                copy.write(file.after_a_cut(dice))


def leases_after(number):
    """Address to key and end."""
    leases = {}
    for n in range(1, number + 1):
        leases[f"10.0.0.{n * 7 % ADDRESSES}"] = (bytes([n % 256]) * 32, 1000 + n)
        if n % 5 == 4:
            leases.pop(f"10.0.0.{(n - 3) * 7 % ADDRESSES}", None)
    return leases


def fault(folder, promised):
    """What is wrong after a cut, or None."""
    try:
        database = sqlite3.connect(f"{folder}/x.leases")
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return "SQLite finds a fault"
        there = database.execute(
            "SELECT name FROM sqlite_master WHERE name = 'lease'").fetchall()
        rows = database.execute("SELECT address, public_key, expires FROM lease").fetchall() \
            if there else []
        database.close()
    except sqlite3.DatabaseError as error:
        return str(error)
    leases = {address: (key, expires) for address, key, expires in rows}
    # The next one may be there as well, as a whole.
    return None if leases in (leases_after(promised), leases_after(promised + 1)) else \
        f"{len(leases)} leases are not those after change {promised}"


def main():
    work, cut = os.path.abspath("leases.work"), os.path.abspath("leases.cut")
    shutil.rmtree(work, ignore_errors=True)
    os.mkdir(work)
    subprocess.run(["strace", "-qqq", "-xx", "-s", "100000", "-o", f"{work}/calls", "-e",
                    f"trace={CALLS}", "-e", "signal=none", os.path.abspath(sys.argv[1]),
                    f"{work}/x.leases", str(CHANGES)], check=True,
                   stdout=subprocess.DEVNULL)
    with open(f"{work}/calls", encoding="ascii") as file:
        calls = file.readlines()
    dice = random.Random(SEED)
    moments = set(dice.sample(range(len(calls)), CUTS))
    disk, faults = Disk(), []
    for number, line in enumerate(calls):
        if number in moments:
            shutil.rmtree(cut, ignore_errors=True)
            os.mkdir(cut)
            disk.cut(cut, dice)
            why = fault(cut, disk.promised)
            if why:
                faults.append(f"call {number}: {why}")
        disk.take(line)
    print(f"# {len(calls)} calls, cut off at {CUTS}, {disk.promised} changes")
    for line in faults[:10]:
        print(f"# {line}")
    return 1 if faults or disk.promised != CHANGES else 0


if __name__ == "__main__":
    sys.exit(main())
