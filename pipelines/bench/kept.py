"""What uf-tokenize keeps of the rate of its encoder, and what it makes of the processors."""
import json, statistics
import encoders
from measure import Command


def compare(bench, texts):
    """For each vocabulary, all in turns: the encoder by itself on one thread, in its first pass over the texts of the rated stream and in the best of three; uf-tokenize with -j 1 of that stream, which is a first pass,
    and of the same four times over, of which three parts are later passes; on all processors; and as many of it with -j 1 side by side as there are processors, more than which no threads could make of them."""
    print(f"\nuf-tokenize and its encoder, over the same texts; medians of {bench.runs} runs in turns, GB/s of text\n")
    print(f"  {'':16} {'encoder, one thread':>24} {'uf-tokenize -j 1':>21} {'of four such streams':>28} {f'on {bench.cores} threads':>20} {'side by side':>14}")
    rows = []
    for vocabulary in encoders.vocabularies(bench):
        row = _row(bench, vocabulary.parent.name, encoders.unpacked(vocabulary, bench.work / "tokenizer.json"), texts)
        rows.append(row)
        first, best = 100 * row["one_thread"] / row["first"], 100 * row["one_thread_of_four"] / row["best"]
        print(f"  {row['tokenizer']:16} {row['first'] / 1e9:10.3f} first {row['best'] / 1e9:.3f} best {row['one_thread'] / 1e9:7.3f}, {first:.0f} % of first "
              f"{row['one_thread_of_four'] / 1e9:11.3f}, {best:.0f} % of best {row['all_threads'] / 1e9:10.3f}, {row['all_threads'] / row['one_thread']:.2f}x {row['side_by_side'] / row['one_thread']:10.2f}x")
    bench.report.contents["kept"] = rows


def _row(bench, name, vocabulary, texts):
    said, best = bench.work / "said.json", []

    def first_pass():
        one = json.loads(said.read_text())
        best.append(one["best"])
        return one["bytes"] / one["first"], 0

    options = ["--tokenizer", vocabulary, "--template", "plain"]
    encoder = Command(f"the encoder of {name}", bench.tool("uf-tokenizer-speed", "--passes", "3", vocabulary, texts), output=said, tells=first_pass)
    one = Command(f"uf-tokenize -j 1, {name}", bench.tool("uf-tokenize", bench.rated, *options, "-j", 1))
    four = Command(f"uf-tokenize -j 1 of four streams, {name}", bench.tool("uf-tokenize", *[bench.rated] * 4, *options, "-j", 1))
    threaded = Command(f"uf-tokenize, {name}", bench.tool("uf-tokenize", bench.rated, *options))
    several = Command(f"{bench.cores} x uf-tokenize -j 1, {name}", side_by_side(bench, one))
    results = bench.compare([encoder, one, four, threaded, several])
    size = json.loads(said.read_text())["bytes"]
    return {"tokenizer": name, "bytes": size, "first": size / results[encoder.name].seconds, "best": statistics.median(best), "one_thread": size / results[one.name].seconds,
            "one_thread_of_four": 4 * size / results[four.name].seconds, "all_threads": size / results[threaded.name].seconds, "side_by_side": bench.cores * size / results[several.name].seconds}


def side_by_side(bench, command):
    """As many of a command at once as there are processors; fails where one of them does."""
    script = 'others=(); for ((i = 1; i < $0; i++)); do "$@" & others+=($!); done; "$@"; status=$?; for other in "${others[@]}"; do wait "$other" || status=$?; done; exit "$status"'
    return ["/bin/bash", "-c", script, bench.cores, *command.arguments]
