#!/usr/bin/env python3
"""LLaMA-Factory's own way from a file of pairs to its aligned form: its loader and its converter, in all the processes given, before any tokenizer.

    align_llamafactory.py FOLDER PROCESSES CACHE RESULT      (needs llamafactory; FOLDER holds pairs.jsonl and dataset_info.json)

Writes one JSON object to the file RESULT: seconds and processor (of loading and aligning, without the imports), records, sample (every 1000th: prompt,
chosen, rejected). CACHE should be empty: what a former run left there is found again.
"""
import json, os, sys, time

folder, processes, cache, result = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.environ.update(HF_HOME=cache, HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

from llamafactory.data.loader import _get_merged_dataset
from llamafactory.hparams import DataArguments, ModelArguments
from transformers import Seq2SeqTrainingArguments

if __name__ == "__main__":
    data = DataArguments(dataset="pairs", dataset_dir=folder, preprocessing_num_workers=processes, overwrite_cache=True)
    model = ModelArguments(model_name_or_path="none", cache_dir=cache)
    training = Seq2SeqTrainingArguments(output_dir=cache, use_cpu=True, report_to=[])
    start, before = time.perf_counter(), sum(os.times()[:4])
    aligned = _get_merged_dataset(data.dataset, model, data, training, stage="rm")
    seconds, processor = time.perf_counter() - start, sum(os.times()[:4]) - before
    sample = []
    for number in range(0, len(aligned), 1000):
        record = aligned[number]
        sample.append([record["_prompt"][-1]["content"], *(response["content"] for response in record["_response"])])
    with open(result, "w") as file:
        json.dump({"seconds": seconds, "processor": processor, "records": len(aligned), "sample": sample}, file)
