#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the lines of the named files that are not as .editorconfig wants them.

What the columns of a continued line are is left to the other checks: here an
indentation counts as wrong when an editor that follows .editorconfig would not
have made it.
"""

import os
import sys

import editorconfig


def problems(path, want):
    """Yield (line number, what is wrong with it)."""
    with open(path, "rb") as file:
        raw = file.read()
    if not raw:
        return
    if want.get("charset") == "utf-8":
        if raw.startswith(b"\xef\xbb\xbf"):
            yield 1, "byte order mark"
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            yield raw[:error.start].count(b"\n") + 1, "not UTF-8"

    lines = raw.split(b"\n")
    if want.get("insert_final_newline") == "true":
        if lines[-1]:
            yield len(lines), "no newline at the end of the file"
        elif len(lines) > 1 and not lines[-2].strip():
            yield len(lines) - 1, "blank line at the end of the file"

    width = int(want.get("tab_width", 8))
    for number, line in enumerate(lines, 1):
        if want.get("end_of_line") == "lf" and line.endswith(b"\r"):
            yield number, "carriage return"
            line = line[:-1]
        if want.get("trim_trailing_whitespace") == "true" and line != line.rstrip():
            yield number, "trailing whitespace"
        indent = line[:len(line) - len(line.lstrip(b" \t"))]
        if want.get("indent_style") == "space" and b"\t" in indent:
            yield number, "tab in an indentation of spaces"
        if want.get("indent_style") == "tab":
            if b" \t" in indent:
                yield number, "space before a tab"
            elif indent.startswith(b" " * width):
                yield number, "spaces where a tab fits"


status = 0
for name in sys.argv[1:]:
    wanted = editorconfig.get_properties(os.path.abspath(name))
    for where, what in problems(name, wanted):
        print(f"{name}:{where}: {what}")
        status = 1
sys.exit(status)
