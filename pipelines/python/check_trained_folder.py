#!/usr/bin/env python3
"""Does transformers load a model folder of uf-train, and does it give the log-probabilities that uf-eval score gives?

    check_trained_folder.py FOLDER PACKED.uf LOG_PROBS.uf [--bins N]        (needs torch, transformers; uf-records on the PATH)

PACKED.uf is a shared-prefix stream and LOG_PROBS.uf what `uf-eval score PACKED.uf --model FOLDER` made of it. Prints the greatest difference
in nats a token; exits 1 when it is above 1e-4.
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
worst, responses = 0.0, 0
for packed in view(arguments.packed)[: arguments.bins]:
    for number in range(len(packed["records"])):
        segments = [s for s in packed["segments"] if s["record"] == number]
        text = lambda s: packed["tokens"][s["start"]:s["end"]]
        prompt = next(text(s) for s in segments if s["response"] in (-1, None))
        scores = next(expected)["log_probs"]
        for segment in (s for s in segments if s["response"] not in (-1, None)):
            answer = text(segment)
            with torch.no_grad():
                table = torch.log_softmax(model(torch.tensor([prompt + answer])).logits[0].double(), -1)
            total = sum(table[len(prompt) - 1 + i, token].item() for i, token in enumerate(answer))
            worst = max(worst, abs(total - scores[segment["response"]]) / len(answer))
            responses += 1
print(f"{responses} responses, greatest difference {worst:.2e} nats a token")
sys.exit(worst > 1e-4 or responses == 0)
