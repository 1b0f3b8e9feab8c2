#!/usr/bin/env python3
"""Best and worst response of each record, by the mean of its ratings, as the pairs that LLaMA-Factory reads (ShareGPT layout).

    uf-records view rated.uf --fields turns,responses,ratings | make_pairs.py FOLDER      (FOLDER/pairs.jsonl, FOLDER/dataset_info.json)
"""
import json, sys
from pathlib import Path

folder = Path(sys.argv[1])
with open(folder / "pairs.jsonl", "w", encoding="ascii") as file:
    for line in sys.stdin:
        record = json.loads(line)
        means = []
        for ratings in zip(*record["ratings"]):
            given = [rating for rating in ratings if rating is not None]
            means.append(sum(given) / len(given) if given else 0)
        best, worst = means.index(max(means)), len(means) - 1 - means[::-1].index(min(means))
        pair = {name: {"from": "gpt", "value": record["responses"][i]} for name, i in (("chosen", best), ("rejected", worst))}
        file.write(json.dumps({"conversations": [{"from": "human", "value": record["turns"][-1]["content"]}], **pair}) + "\n")
columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}
(folder / "dataset_info.json").write_text(json.dumps({"pairs": {"file_name": "pairs.jsonl", "ranking": True, "formatting": "sharegpt", "columns": columns}}))
