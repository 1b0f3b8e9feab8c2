#!/usr/bin/env python3
"""Did the others compute what our commands did? Exits 1 and says where not.

    uf-records view rated.uf --fields origin_input,origin_line,dimensions,targets | check_results.py targets TARGETS.npz     (needs numpy)
    uf-records view pairs.uf --fields turns,responses | check_results.py pairs ALIGNED.json

targets: those of every record, to 1e-12, with the place that it came from. pairs: their number, and the texts of each in LLaMA-Factory's sample.
"""
import json, sys


def targets(path):
    import numpy as np
    import convert_python
    theirs = np.load(path)
    arrays, count = {name: theirs[name] for name in theirs.files}, 0
    for count, line in enumerate(sys.stdin, 1):
        ours, row = json.loads(line), count - 1
        if row == len(arrays["origins"]) or [ours["origin_input"], ours["origin_line"]] != arrays["origins"][row].tolist():
            sys.exit(f"record {row}: the two converters kept different records")
        for k, name in enumerate(convert_python.DIMENSIONS):
            values = arrays["targets"][row, k]
            expected = np.zeros(len(values))
            if name in ours["dimensions"]:
                at = ours["dimensions"].index(name)
                expected[:len(ours["targets"][at])] = ours["targets"][at]
            if not np.abs(values - expected).max() <= 1e-12:
                sys.exit(f"record {row}: {name}: targets {values.tolist()}, expected {expected.tolist()}")
    if count != len(arrays["origins"]):
        sys.exit(f"{len(arrays['origins'])} records, expected {count}")
    print(f"the targets of all {count} records are equal to 1e-12")


def pairs(path):
    with open(path) as file:
        theirs = json.load(file)
    sample, count = theirs["sample"], 0
    for count, line in enumerate(sys.stdin, 1):
        if (count - 1) % 1000 == 0:
            ours = json.loads(line)
            if [ours["turns"][-1]["content"], *ours["responses"]] != sample[(count - 1) // 1000]:
                sys.exit(f"pair {count - 1}: the texts differ")
    if count != theirs["records"]:
        sys.exit(f"{theirs['records']} pairs, expected {count}")
    print(f"{count} pairs in both, and the texts of {len(sample)} of them are equal")


if __name__ == "__main__":
    {"targets": targets, "pairs": pairs}[sys.argv[1]](sys.argv[2])
