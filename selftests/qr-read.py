#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""qr-read.py LIBZBAR: read a QR code that was printed for a terminal, as half
blocks, from standard input, and print what it says."""

import ctypes
import sys

# Pixels a module.
SCALE = 4
# Whether the upper and the lower module are light.
BLOCKS = {" ": (0, 0), "\u2584": (0, 1), "\u2580": (1, 0), "\u2588": (1, 1)}
Y800 = 0x30303859
DATA_OF = {"zbar_image_scanner_create": [], "zbar_image_create": [],
           "zbar_image_first_symbol": [ctypes.c_void_p],
           "zbar_symbol_get_data": [ctypes.c_void_p]}


def modules(lines):
    for line in lines:
        pairs = [BLOCKS[c] for c in line]
        yield [upper for upper, _ in pairs]
        yield [lower for _, lower in pairs]


def pixels(lines):
    rows = []
    for row in modules(lines):
        rows += [bytes(255 * light for light in row for _ in range(SCALE))] * SCALE
    return rows


def main():
    zbar = ctypes.CDLL(sys.argv[1])
    for name, arguments in DATA_OF.items():
        getattr(zbar, name).argtypes = arguments
        getattr(zbar, name).restype = ctypes.c_void_p
    rows = pixels(sys.stdin.read().splitlines())
    data = b"".join(rows)
    image = ctypes.c_void_p(zbar.zbar_image_create())
    zbar.zbar_image_set_format(image, ctypes.c_ulong(Y800))
    zbar.zbar_image_set_size(image, len(rows[0]), len(rows))
    zbar.zbar_image_set_data(image, data, ctypes.c_ulong(len(data)), None)
    scanner = ctypes.c_void_p(zbar.zbar_image_scanner_create())
    if zbar.zbar_scan_image(scanner, image) != 1:
        sys.exit("qr-read: there is not one code in it")
    symbol = zbar.zbar_image_first_symbol(image)
    text = ctypes.string_at(zbar.zbar_symbol_get_data(symbol))
    sys.stdout.buffer.write(text)


main()
