#!/usr/bin/env python3
"""Does the PyTorch data set see in packed streams what uf-records view shows and uf-pack export writes, and can a model use its batches?

    check_packed_dataset.py PACKED.uf|FOLDER ... [--model FOLDER] [--bins N]        (needs torch, with --model transformers; uf-records and uf-pack on the PATH)

Every operand is a data set of its own. With --model the first N bins go through the model, in double precision: as shared-prefix batches of two bins, and each
response with its prompt by itself; every token's log-probability must be the same. One line a data set; exits 1 at the first difference.
"""
import argparse, json, os, subprocess, sys, tempfile
import numpy as np
import torch
import packed_dataset
from packed_dataset import IGNORED, PackedDataset

parser = argparse.ArgumentParser()
parser.add_argument("operands", nargs="+"); parser.add_argument("--model"); parser.add_argument("--bins", type=int, default=20)
arguments = parser.parse_args()


def numbers(matrix):
    return [[None if value != value else value for value in row] for row in matrix.tolist()]


def shown(bin):
    """The object that uf-records view makes of a bin."""
    none = lambda number: None if number < 0 else int(number)
    segments = [
        {"start": int(bin.starts[s]), "end": int(bin.starts[s + 1]), "parent": none(bin.parents[s]), "record": int(bin.records[s]),
         "response": none(bin.responses[s]), "label_start": int(bin.label_starts[s])}
        for s in range(len(bin.parents))]
    members = []
    for m in bin.members:
        member = {
            "id": m.id, "origin_input": m.origin[0], "origin_line": m.origin[1], "source": m.source, "dimensions": m.dimensions, "ratings": numbers(m.ratings),
            "rated": m.rated.tolist(), "targets": m.targets.tolist(), "prompt_cuts": m.prompt_cuts.tolist(), "response_cuts": m.response_cuts.tolist()}
        members.append(member | ({"row_map": m.row_map.tolist(), "pi_target": m.pi_target.tolist()} if m.row_map.size else {}))
    return {"tokens": bin.tokens.tolist(), "positions": bin.positions.tolist(), "segments": segments, "records": members}


def compare_view(data, operand):
    lines = []
    for stream in data.streams:
        lines += subprocess.run(["uf-records", "view", stream.path], check=True, capture_output=True).stdout.splitlines()
    if len(lines) != len(data):
        sys.exit(f"{operand}: {len(data)} bins, uf-records view shows {len(lines)}")
    for number in torch.randperm(len(data)).tolist():   # at random
        line = json.loads(lines[number])
        for record in line["records"]:
            record.pop("prompt_gaps", None)   # the data set does not read them
        if shown(data[number]) != line:
            sys.exit(f"{operand}: bin {number} is not what uf-records view shows")


def compare_export(data, operand):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "x.npz")
        subprocess.run(["uf-pack", "export", "--format", "npz", *[stream.path for stream in data.streams], "-o", file], check=True)
        arrays = dict(np.load(file))
    bins, length = list(data), arrays["input_ids"].shape[1]
    rows, paper = packed_dataset.response_rows(bins), packed_dataset.paper_rows(bins)
    made = paper if data.settings["layout"] == "rows16" else rows
    for name in set(made) & set(arrays):
        if not np.array_equal(made[name].numpy(), arrays[name]) or made[name].numpy().dtype != arrays[name].dtype:
            sys.exit(f"{operand}: {name} is not what uf-pack export writes")
    at = 0
    for number, member in enumerate(rows["members"]):
        for target in member.pi_target.reshape(member.targets.shape) if member.pi_target.size else member.targets:
            own, of_paper = np.flatnonzero(rows["record"].numpy() == number), slice(at, at + len(target))
            is_same = all(torch.equal(paper[name][of_paper], rows[name][own]) for name in ["input_ids", "attention_mask", "labels"])
            if not is_same or not np.array_equal(paper["pi_target"][of_paper].numpy(), target.astype(np.float32)):
                sys.exit(f"{operand}: the paper's rows of {member.id}")
            at += len(target)
    loader = torch.utils.data.DataLoader(data, batch_size=2, num_workers=2, collate_fn=packed_dataset.response_rows)
    if sum(len(batch["input_ids"]) for batch in loader) != len(rows["input_ids"]) or rows["input_ids"].shape[1] != length:
        sys.exit(f"{operand}: a DataLoader with workers gives other rows")


def compare_model(data, operand, model):
    differences = []
    for start in range(0, min(len(data), arguments.bins), 2):
        batch = packed_dataset.shared_prefix([data[number] for number in range(start, min(start + 2, len(data)))])
        with torch.no_grad():
            logits = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], attention_mask=batch["attention_mask"]).logits
            together = packed_dataset.token_log_probs(logits, batch)
            for row, members in enumerate(batch["sequences"]):
                for sequence in (sequence for member in members for sequence in member):
                    tokens, labels = batch["input_ids"][row, sequence], batch["labels"][row, sequence]
                    table = torch.log_softmax(model(tokens[None]).logits[0], -1)[:-1].gather(1, tokens[1:, None])[:, 0]
                    learnt = labels[1:] != IGNORED
                    differences.append((table - together[row, sequence][1:])[learnt].abs())
    differences = torch.cat(differences)
    if not len(differences) or not differences.max() < 1e-9:
        sys.exit(f"{operand}: log-probabilities of {len(differences)} tokens differ by up to {differences.max():.2e} from those of each response by itself")
    return f", {len(differences)} tokens have the log-probabilities that they have by themselves"


model = None
if arguments.model:
    from transformers import AutoModelForCausalLM
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float64).eval()
torch.manual_seed(1)
for operand in arguments.operands:
    data = PackedDataset(operand)
    compare_view(data, operand)
    compare_export(data, operand)
    told = compare_model(data, operand, model) if model else ""
    print(f"{operand}: {len(data)} bins of layout {data.settings['layout']}{told}")
