#!/usr/bin/env python3
"""Writes the lines of files TIMES times to standard output, each time with another beginning of the instruction: ten times the data, and no prompt twice.

    repeat_records.py TIMES FILE...
"""
import sys

KEY = b'"instruction":'

for turn in range(int(sys.argv[1])):
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            for line in file:
                before, key, rest = line.partition(KEY)
                sys.stdout.buffer.write(before + key + rest.replace(b'"', b'"%d: ' % turn, 1))
