#!/usr/bin/env python3
"""The rate of another library's encoder by itself, on one thread, as uf-tokenizer-speed tells that of ours: bytes a second of the first pass over all texts and
of the best, and the SHA-256 of all ids (4 bytes each, little-endian), so that it shows whether the same was computed.

    encode_texts.py LIBRARY PASSES tokenizer.json texts.jsonl      (LIBRARY: tokenizers, gigatoken, fastokens; texts: one JSON string a line)
"""
import os
os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")
import array, hashlib, json, sys, time

library, passes, tokenizer, file = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
with open(file, encoding="ascii") as lines:
    texts = [json.loads(line) for line in lines]
size = sum(len(text.encode()) for text in texts)

if library == "tokenizers":
    from tokenizers import Tokenizer
    encoder = Tokenizer.from_file(tokenizer)
    encoder.no_truncation()
    encoder.no_padding()
    encoder.encode_special_tokens = True
    encode = lambda: encoder.encode_batch_fast(texts, add_special_tokens=False)
    lists = lambda result: (one.ids for one in result)
elif library == "gigatoken":
    import gigatoken
    encoder = gigatoken.Tokenizer(tokenizer)
    encode = lambda: encoder.encode_batch(texts, parallel=False)
    lists = lambda result: encoder.encode_batch_list(texts, parallel=False)
else:
    import fastokens
    encoder = getattr(fastokens.Tokenizer, "from_file", fastokens.Tokenizer)(tokenizer)
    encode = lambda: encoder.encode_batch(texts, add_special_tokens=False)
    lists = lambda result: (getattr(one, "ids", one) for one in result)

seconds = []
for _ in range(passes):
    start = time.perf_counter()
    result = encode()
    seconds.append(time.perf_counter() - start)
digest = hashlib.sha256()
for ids in lists(result):
    words = array.array("I", ids)
    if sys.byteorder == "big":
        words.byteswap()
    digest.update(words)
print(json.dumps({"bytes": size, "first": size / seconds[0], "best": size / min(seconds), "sha256": digest.hexdigest()}))
