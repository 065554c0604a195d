#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print what the documents among the named files refer to and is not there.

Links between documents and to files, and their headings; files of the tree; targets of
make; tests, after TEST= and in the last column of a table that says "shown by". The
names that are given are all files of the tree.
"""

import os
import re
import sys

ROOMS = "Documentation|debian|deploy|module|selftests|tools|uapi"
# Of the Linux sources, and names that stand for others.
ELSEWHERE = re.compile(r"tools/(net|testing)/|.*\b[A-Z]{4,}\.")


def slug(heading, seen):
    """What a heading is called in a link, as the usual servers of Markdown do it."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    text = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
    seen[text] = seen.get(text, 0) + 1
    return text if seen[text] == 1 else f"{text}-{seen[text] - 1}"


def prose(path):
    """Yield (line number, line) of what is not in a fenced block."""
    fenced = False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("```"):
                fenced = not fenced
            elif not fenced:
                yield number, line.rstrip("\n")


def anchors(path):
    seen = {}
    return {slug(line.lstrip("#"), seen) for _, line in prose(path)
            if re.match(r"#+ ", line)}


class Tree:
    def __init__(self, names):
        self.names = set(names)
        self.folders = {"."}
        for name in names:
            parts = name.split("/")
            self.folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
        self.tests = {os.path.splitext(os.path.basename(name))[0] for name in names
                      if name.startswith("selftests/tests/")}
        with open("Makefile", encoding="utf-8") as file:
            self.targets = set(re.findall(r"^([a-z][a-z-]*):", file.read(), re.M))

    def has(self, name):
        return name in self.names or name.rstrip("/") in self.folders


def link_problems(tree, path, line):
    for link in re.findall(r"\]\(([^)]*)\)", line):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        name = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
        if not tree.has(name):
            yield f"the link to {link} leads nowhere"
        elif anchor and (not name.endswith(".md") or anchor not in anchors(name)):
            yield f"{name} has no heading for the link to #{anchor}"


def name_problems(tree, line):
    """Of a line, be it in a block or not."""
    line = re.sub(r"\]\([^)]*\)", "]", line)
    for name in re.findall(rf"(?<![\w./$~-])((?:{ROOMS})/[\w./-]*\w/?)", line):
        if not tree.has(name) and not ELSEWHERE.match(name):
            yield f"there is no {name}"
    for target in re.findall(r"(?:^|`|sudo )make ([a-z][a-z-]*)", line):
        if target not in tree.targets:
            yield f"the Makefile has no target {target}"
    for tests in re.findall(r"\bTEST=([\w,-]+)", line):
        for test in tests.split(","):
            if test not in tree.tests | {"NAME", "a", "b"}:
                yield f"there is no test {test}"


def table_problems(tree, path):
    """Names in the last column of tables that say what shows something."""
    inside = False
    for number, line in prose(path):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[-1] == "shown by":
            inside = True
        elif inside:
            for word in re.findall(r"`([a-z0-9-]+)`", cells[-1]):
                if word not in tree.tests:
                    yield number, f"there is no test {word}"
            if not re.search(r"`|\[", cells[-1]) and not set(cells[-1]) <= set("-: "):
                yield number, "no test is named"


def problems(tree, path):
    for number, line in prose(path):
        for what in link_problems(tree, path, line):
            yield number, what
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            for what in name_problems(tree, line):
                yield number, what
    yield from table_problems(tree, path)


def main():
    tree = Tree(sys.argv[1:])
    status = 0
    for path in sys.argv[1:]:
        if path.endswith(".md"):
            for number, what in problems(tree, path):
                print(f"{path}:{number}: {what}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
