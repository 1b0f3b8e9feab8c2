#!/usr/bin/env python3
"""How fast memory is: copies of a file's bytes inside one process, on one core. Prints bytes a second for each of COUNT copies.

    copy_memory.py COUNT FILE
"""
import sys, time

with open(sys.argv[2], "rb") as file:
    data = file.read(1 << 30)
target = memoryview(bytearray(data))
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    target[:] = data
    print(len(data) / (time.perf_counter() - start))
