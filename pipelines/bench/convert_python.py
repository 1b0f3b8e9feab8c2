#!/usr/bin/env python3
"""A straightforward converter of UltraFeedback: ratings to softmax targets with orjson and numpy. What uf-convert is compared with.

    convert_python.py record|batch PROCESSES FOLDER FILE...      (needs numpy and orjson)

Targets are computed for each record as it is read (record), or for all ratings at once at the end (batch). Writes
FOLDER/texts-*.jsonl (source, prompt, responses, models; one record a line, in order) and FOLDER/targets.npz:
    targets, ratings, rated   [records, 4, responses]   float64, float64, bool; padded with 0, NaN and false
    origins                   [records, 2]              input and line, from 1
A rating that is missing, null, "N/A" or not within 1..5 takes no part. A dimension with fewer than two ratings has a row of zeros; a record with fewer
than two completions is dropped. Prints how many records were read, dropped and kept.
"""
import functools, multiprocessing, os, sys
from pathlib import Path
import numpy as np
import orjson

DIMENSIONS = ["helpfulness", "honesty", "instruction_following", "truthfulness"]
PORTION = 32 << 20


def rating(annotation):
    try:
        value = float(annotation["Rating"])
    except (KeyError, TypeError, ValueError):
        return np.nan
    return value if 1 <= value <= 5 else np.nan


def softmax(ratings):
    """[..., responses] with NaN where there is no rating, to (targets, rated)."""
    rated = ~np.isnan(ratings)
    rated &= rated.sum(axis=-1, keepdims=True) >= 2
    powers = np.where(rated, np.exp(np.where(rated, ratings, 0) - 5), 0)
    sums = powers.sum(axis=-1, keepdims=True)
    return np.divide(powers, sums, out=np.zeros_like(powers), where=sums > 0), rated


def convert(by_record, portion):
    """One stretch of lines. Its texts go to a file of their own. Returns (lines, records read, lines of the kept ones, for each of those 4 x N ratings or,
    by record, (ratings, targets, rated))."""
    path, start, end, texts = portion
    number, read, kept, values = -1, 0, [], []
    with open(path, "rb") as file, open(texts, "wb") as out:
        file.seek(start)
        for number, line in enumerate(file.read(end - start).splitlines()):
            if not line.strip():
                continue
            read += 1
            record = orjson.loads(line)
            completions = record["completions"]
            if len(completions) < 2:
                continue
            annotations = [completion.get("annotations") or {} for completion in completions]
            ratings = [[rating(annotation.get(name)) for annotation in annotations] for name in DIMENSIONS]
            if by_record:
                ratings = np.array(ratings)
                values.append((ratings, *softmax(ratings)))
            else:
                values.append(ratings)
            kept.append(number)
            out.write(orjson.dumps({"source": record["source"], "prompt": record["instruction"], "responses": [c["response"] for c in completions],
                                    "models": [c["model"] for c in completions]}) + b"\n")
    return number + 1, read, kept, values


def portions(paths, folder):
    """Stretches of whole lines: (input, path, start, end, file for the texts)."""
    for number, path in enumerate(paths, 1):
        size, start = os.path.getsize(path), 0
        with open(path, "rb") as file:
            while start < size:
                file.seek(min(start + PORTION, size))
                file.readline()
                yield number, path, start, file.tell(), folder / f"texts-{number:02}-{start:012}.jsonl"
                start = file.tell()


def padded(arrays, fill):
    """4 x N each, to [records, 4, the largest N]."""
    result = np.full((len(arrays), len(DIMENSIONS), max((len(array[0]) for array in arrays), default=0)), fill)
    for row, array in zip(result, arrays):
        row[:, :len(array[0])] = array
    return result


def main(mode, processes, folder, paths):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cut = list(portions(paths, folder))
    work, task = [portion[1:] for portion in cut], functools.partial(convert, mode == "record")
    if processes == 1:
        results = list(map(task, work))
    else:
        with multiprocessing.Pool(processes) as pool:
            results = pool.map(task, work, chunksize=1)
            # Its processes end by themselves and are waited for, so that their times are counted.
            pool.close()
            pool.join()
    read, values, origins, before, last = 0, [], [], 0, 0
    for (number, *_), (lines, count, kept, more) in zip(cut, results):
        before = before if number == last else 0
        read += count
        values += more
        origins += [(number, before + 1 + line) for line in kept]
        before, last = before + lines, number
    if mode == "record":
        ratings, targets, rated = (padded([value[i] for value in values], fill) for i, fill in enumerate((np.nan, 0.0, False)))
    else:
        ratings = padded(values, np.nan)
        targets, rated = softmax(ratings)
    np.savez(folder / "targets.npz", targets=targets, ratings=ratings, rated=rated, origins=np.array(origins))
    print(f"{read} read, {read - len(origins)} dropped, {len(origins)} kept")


if __name__ == "__main__":
    if len(sys.argv) < 5 or sys.argv[1] not in ("record", "batch"):
        sys.exit("usage: convert_python.py record|batch PROCESSES FOLDER FILE...")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
