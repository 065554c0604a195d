#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print where the named files are not in the grammar of Debian 12's Python."""

import ast
import sys

status = 0
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        text = file.read()
    try:
        ast.parse(text, name, feature_version=(3, 11))
    except SyntaxError as error:
        print(f"{name}:{error.lineno}: {error.msg}")
        status = 1
sys.exit(status)
