#!/usr/bin/env python3
"""Does the numpy reader see in record streams what uf-records view shows?

    check_record_stream.py STREAM.uf ...        (needs numpy; uf-records on the PATH)

Every record of every stream is compared, and in uncompressed streams every array is held to lie in the mapped file on a multiple of 64 bytes. One line a
stream; exits 1 at the first difference.
"""
import json, subprocess, sys
import record_stream

STATES = ["rated", "n/a", "missing", "null", "out_of_range", "unreadable"]
MATRICES = ["ratings", "rated", "targets", "rating_states"]


def value(definition, column, record):
    """The record's value of a column: a number, a text, or lists of them."""
    def innermost(start, end):
        values = column.values[start:end]
        if definition["as"] == "text":
            return values.tobytes().decode("utf-8", "surrogatepass")
        if definition["as"] == "dictionary":
            return [column.dictionary[number].decode("utf-8", "surrogatepass") for number in values]
        return [None if number != number else number for number in values.tolist()]

    if definition["depth"] == 0:
        return innermost(record, record + 1)[0]
    start, end = column.offsets[0][record: record + 2]
    if definition["depth"] == 1:
        return innermost(start, end)
    return [innermost(*column.offsets[1][inner: inner + 2]) for inner in range(start, end)]


def rows(values, count):
    width = len(values) // count if count else 0
    return [values[row * width: (row + 1) * width] for row in range(count)]


def shown(kind, record):
    """The object that uf-records view makes of a record's columns."""
    if kind == "rated":
        record["turns"] = [{"role": role, "content": content} for role, content in zip(record.pop("roles"), record.pop("contents"), strict=True)]
        record["rating_states"] = [STATES[state] for state in record["rating_states"]]
    if kind in ("rated", "tokens"):
        return {name: rows(values, len(record["dimensions"])) if name in MATRICES else values for name, values in record.items()}
    if kind != "packed":
        return record
    starts, none = record["segment_starts"], lambda number: None if number < 0 else number
    segments = [
        {"start": starts[i], "end": starts[i + 1], "parent": none(record["segment_parents"][i]), "record": record["segment_records"][i],
         "response": none(record["segment_responses"][i]), "label_start": record["label_starts"][i]}
        for i in range(len(starts) - 1)]
    single = {"id": "ids", "origin_input": "origin_inputs", "origin_line": "origin_lines", "source": "sources"}
    members, prompts = [], iter(record.get("prompt_gaps", []))   # a list for each prompt, record after record
    for i in range(len(record["ids"])):
        member = {name: record[column][i] for name, column in single.items()}
        member |= {name: record[name][i] for name in ["dimensions", "prompt_cuts", "response_cuts"]}
        member |= {name: rows(record[name][i], len(member["dimensions"])) for name in MATRICES[:3]}
        if "prompt_gaps" in record:
            member["prompt_gaps"] = [[{"at": at, "tokens": tokens} for at, tokens in zip(gaps[::2], gaps[1::2])] for _, gaps in zip(member["prompt_cuts"], prompts)]
        members.append(member | ({name: record[name][i] for name in ["row_map", "pi_target"]} if record["row_map"][i] else {}))
    return {"tokens": record["tokens"], "positions": record["positions"], "segments": segments, "records": members}


def in_place(block):
    """Whether every array is a view of the mapped file, on a multiple of 64 bytes."""
    arrays = [array for column in block.values() for array in [*column.offsets, column.values] if array.size]
    return all(array.ctypes.data % 64 == 0 and not array.flags.owndata and not array.flags.writeable for array in arrays)


for path in sys.argv[1:]:
    frames = list(record_stream.frames(path))
    head, is_plain = json.loads(bytes(frames[0].payload)), not any(frame.codec for frame in frames)
    lines = subprocess.run(["uf-records", "view", path], check=True, capture_output=True).stdout.splitlines()
    count = 0
    for block in record_stream.read(path):
        if is_plain and not in_place(block):
            sys.exit(f"{path}: an array does not lie in the file on a multiple of 64 bytes")
        for record in range(len(next(iter(block.values())).offsets[0]) - 1):
            columns = {definition["name"]: value(definition, block[definition["name"]], record) for definition in head["columns"]}
            if shown(head["kind"], columns) != json.loads(lines[count]):
                sys.exit(f"{path}: record {count}: {shown(head['kind'], columns)} is not {lines[count].decode()}")
            count += 1
    if count != len(lines):
        sys.exit(f"{path}: {count} records, uf-records view shows {len(lines)}")
    print(f"{path}: {count} {head['kind']} records")
