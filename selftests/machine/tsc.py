#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print how many thousand ticks a second the TSC of this host makes, which is that of an
emulated machine, too. A machine that finds out by itself while the host is busy may err
by a factor of ten. Prints nothing where there is no such counter.
"""
import ctypes
import mmap
import platform
import time

# rdtsc; shl $32, %rdx; or %rdx, %rax; ret
CODE = bytes.fromhex("0f3148c1e2204809d0c3")
SECONDS = 0.1


def together(ticks):
    """Clock in nanoseconds and ticks, of the same moment: the closest of many."""
    looks = []
    for _ in range(100):
        before = time.monotonic_ns()
        tick = ticks()
        looks.append((time.monotonic_ns() - before, before, tick))
    took, before, tick = min(looks)
    return before + took // 2, tick


def main():
    if platform.machine() != "x86_64":
        return
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE |
                   mmap.PROT_EXEC) as page:
        page.write(CODE)
        place = ctypes.c_char.from_buffer(page)
        ticks = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(place))
        began, first = together(ticks)
        time.sleep(SECONDS)
        ended, last = together(ticks)
        print((last - first) * 10**6 // (ended - began))
        del ticks, place


if __name__ == "__main__":
    main()
