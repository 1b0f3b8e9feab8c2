#!/usr/bin/env python3
"""Does transformers load a model folder of uf-train, and does it give the log-probabilities that uf-eval score gives?

    check_trained_folder.py FOLDER PACKED.uf LOG_PROBS.uf [--bins N]        (needs torch, transformers; uf-records on the PATH)

PACKED.uf is a shared-prefix stream and LOG_PROBS.uf what `uf-eval score PACKED.uf --model FOLDER` made of it. Prints the greatest difference
in nats a token; exits 1 when one is not within 1e-4 (as when it is no number), or when the two streams do not hold the same responses.
"""
import argparse, json, subprocess, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("folder"); parser.add_argument("packed"); parser.add_argument("log_probs"); parser.add_argument("--bins", type=int, default=5)
arguments = parser.parse_args()


def view(path):
    lines = subprocess.run(["uf-records", "view", path], check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


model = AutoModelForCausalLM.from_pretrained(arguments.folder, dtype=torch.float32).eval()
AutoTokenizer.from_pretrained(arguments.folder)
expected = iter(view(arguments.log_probs))
differences = []
for packed in view(arguments.packed)[: arguments.bins]:
    text = lambda segment: packed["tokens"][segment["start"]:segment["end"]]
    for number, record in enumerate(packed["records"]):
        segments = [s for s in packed["segments"] if s["record"] == number]
        prompt = next(text(s) for s in segments if s["response"] is None)
        answers = {s["response"]: text(s) for s in segments if s["response"] is not None}
        scored = next(expected, {"id": None, "token_counts": None})
        if (scored["id"], scored["token_counts"]) != (record["id"], [len(answers[i]) for i in sorted(answers)]):
            sys.exit(f"{arguments.log_probs}: record {record['id']} of {arguments.packed} was expected, with its token counts; found {scored['id']}")
        for index, answer in answers.items():
            with torch.no_grad():
                table = torch.log_softmax(model(torch.tensor([prompt + answer])).logits[0].double(), -1)
            total = sum(table[len(prompt) - 1 + i, token].item() for i, token in enumerate(answer))
            differences.append(abs(total - scored["log_probs"][index]) / len(answer))
print(f"{len(differences)} responses, greatest difference {max(differences, default=0):.2e} nats a token")
sys.exit(not differences or not all(d <= 1e-4 for d in differences))
