#!/usr/bin/env python3
"""Writes the rows of Parquet files as JSON Lines, one row group at a time: parquet_to_jsonl.py FILE... | uf-convert -o rated.uf

Needs pyarrow. A float that is no number becomes null (it stands for a missing value), a date or time its ISO form; raw bytes stop it, since JSON has no form for them.
"""
import json
import math
import sys

import pyarrow.parquet


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(element) for element in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"a value of type {type(value).__name__}, which JSON has no form for; choose other columns")


def main(files):
    if not files:
        sys.exit("usage: parquet_to_jsonl.py FILE...")
    for name in files:
        with pyarrow.parquet.ParquetFile(name) as table:
            number = 0
            for batch in table.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    try:
                        line = json.dumps(plain(row), ensure_ascii=False)
                    except TypeError as error:
                        sys.exit(f"parquet_to_jsonl.py: {name}: row {number}: {error}")
                    sys.stdout.write(line + "\n")


sys.stdout.reconfigure(encoding="utf-8")
try:
    main(sys.argv[1:])
    sys.stdout.flush()
except BrokenPipeError:
    sys.stderr.close()
    sys.exit(141)
except (OSError, pyarrow.ArrowException) as error:
    sys.exit(f"parquet_to_jsonl.py: {error}")
