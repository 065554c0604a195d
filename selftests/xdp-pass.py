#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Load an XDP program that lets every packet pass, and pin it.

xdp-pass.py FILE

FILE is in a BPF file system, for "ip link set dev DEVICE xdp pinned FILE".
"""
import ctypes
import os
import platform
import struct
import sys

BPF_PROG_LOAD, BPF_OBJ_PIN = 5, 6
BPF_PROG_TYPE_XDP, XDP_PASS = 6, 2
SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    data = ctypes.create_string_buffer(attributes, 128)
    result = libc.syscall(SYSCALL, command, data, len(data))
    if result < 0:
        error = ctypes.get_errno()
        sys.exit(f"xdp-pass: bpf command {command}: {os.strerror(error)}")
    return result


def instruction(code, immediate=0):
    return struct.pack("BBhi", code, 0, 0, immediate)


def address(buffer):
    return ctypes.addressof(buffer)


def main():
    program = ctypes.create_string_buffer(instruction(0xb7, XDP_PASS) + instruction(0x95))
    licence = ctypes.create_string_buffer(b"GPL")
    path = ctypes.create_string_buffer(sys.argv[1].encode())
    fd = bpf(BPF_PROG_LOAD, struct.pack("IIQQ", BPF_PROG_TYPE_XDP, 2, address(program),
                                        address(licence)))
    bpf(BPF_OBJ_PIN, struct.pack("QI", address(path), fd))


if __name__ == "__main__":
    main()
