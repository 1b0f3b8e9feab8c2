#!/usr/bin/env python3
"""Speed of uf-convert, uf-records, uf-tokenize and uf-pack beside others on the same bytes in one run. `make bench` calls it; see there for its options.

Everything is read from the page cache. Commands that are compared take turns; the table has the medians of the runs and the largest peak. A comparison
with something that computes something else is none: where results can be compared, they are, and the bench stops when they differ.
"""
import argparse, json, os, resource, shutil, statistics, subprocess, sys
from pathlib import Path
import encoders, kept, measure, peers, report
from measure import Command

HERE = Path(__file__).resolve().parent


class Bench:
    def __init__(self, given):
        self.bin, self.folder = Path(given.bin).resolve(), Path(given.folder).resolve()
        self.work, self.log = self.folder / "work", str(self.folder / "work" / "messages.txt")
        self.runs, self.cores, self.given = given.runs, len(os.sched_getaffinity(0)), given
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        facts = report.machine()
        self.report = report.Report({"machine": facts, "release": report.version([self.bin / "uf-convert", "--version"]), "runs": self.runs})
        print(f"{facts['processor']} (family {facts['family']}, model {facts['model']}), {facts['cores']} cores, {facts['memory_bytes'] >> 30} GiB, "
              f"{facts['date']}, load average {facts['load_average']:.1f}")
        print("x: what it took, as a multiple of what ours took; medians of the runs, and of memory the largest peak;")
        print(f"a peak of {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB or less is this program's own")
        if facts["load_average"] > 1:
            print("bench: the machine is busy with other work: processor times mean more than times here", file=sys.stderr)

    def tool(self, name, *arguments):
        return [self.bin / name, *arguments]

    def script(self, name, *arguments, python=sys.executable):
        return [python, HERE / name, *arguments]

    def compare(self, commands, runs=None):
        return measure.compare(commands, runs or self.runs, self.log)

    def must(self, *arguments, **options):
        """Once, unmeasured."""
        measure.run(Command(Path(arguments[0]).name, arguments, **options), self.log)

    # Data

    def read_data(self):
        if self.given.data:
            self.files = sorted(Path(self.given.data).resolve().glob("*.jsonl"))
            if not self.files:
                print(f"bench: BENCH_DATA is {self.given.data}, a folder that should hold files *.jsonl of UltraFeedback", file=sys.stderr)
                sys.exit(66)
        else:
            print(f"making {self.given.records} records", file=sys.stderr)
            (self.work / "data").mkdir()
            self.must(*self.script("make_data.py", self.given.records, self.work / "data"))
            self.files = sorted((self.work / "data").glob("*.jsonl"))
        self.bytes = sum(file.stat().st_size for file in self.files)
        print(f"{len(self.files)} files, {self.bytes} bytes, {'of ' + str(self.given.data) if self.given.data else 'made here'}")
        self.report.contents["data"] = {"files": len(self.files), "bytes": self.bytes, "made": not self.given.data}
        self.rated = self.work / "rated.uf"
        self.must(*self.tool("uf-convert", *self.files, "-o", self.rated, "--report", self.work / "report.json"))
        self.records = json.loads((self.work / "report.json").read_text())["counts"]["records"]

    # uf-convert

    def iterate(self):
        """Against parsing alone: nothing is written, on either side."""
        commands = [Command("uf-convert > /dev/null", self.tool("uf-convert", *self.files))]
        try:
            program = peers.iterate_simdjson(self.work)
            for name, kind in (("simdjson, DOM, every value", "dom"), ("simdjson, On-Demand, every value", "ondemand")):
                commands.append(Command(name, [program, kind, self.cores, *self.files], output=self.work / f"{kind}.txt"))
        except peers.Unavailable as error:
            self.report.skipped("simdjson", error)
        commands.append(Command("cat > /dev/null", ["cat", *self.files]))
        results = self.compare(commands)
        seen = {command.arguments[1]: command.output.read_text().split() for command in commands[1:-1] if command.name in results}
        for kind, (lines, *_) in seen.items():
            if int(lines) != self.records["read"]:
                raise measure.Failed(f"simdjson {kind} saw {lines} records, uf-convert {self.records['read']}")
        if len(set(sum for _, sum, _ in seen.values())) > 1:
            raise measure.Failed("simdjson's two interfaces did not see the same values")
        kernels = ", ".join(f"{kind}: {kernel}" for kind, (*_, kernel) in seen.items())
        self.report.section(f"Raw files to a rated stream, {self.cores} threads", results, self.bytes, commands[0].name,
                            [f"simdjson's kernels: {kernels}; it parses the lines where they lie, and keeps nothing"] if seen else [])

    def convert(self):
        """Against a converter in Python that computes the same."""
        try:
            python = peers.python(self.folder / "python")
        except peers.Unavailable as error:
            return self.report.skipped("the Python converter", error)
        out = self.work / "python"
        ours = Command("uf-convert -o rated.uf", self.tool("uf-convert", *self.files, "-o", self.rated))
        commands = [ours]
        for mode, how in (("record", "record by record"), ("batch", "all ratings at once")):
            for processes in sorted({1, self.cores}):
                commands.append(Command(f"orjson, numpy, {how}, {processes} process{'es' if processes > 1 else ''}",
                                        self.script("convert_python.py", mode, processes, out, *self.files, python=python),
                                        prepare=lambda: shutil.rmtree(out, ignore_errors=True), output=self.work / "python.txt"))
        results = self.compare(commands)
        notes = []
        if len(results) > 1:
            notes.append(self.check(self.rated, "origin_input,origin_line,dimensions,targets", python, "targets", out / "targets.npz"))
        notes.append("ours also hashes inputs and output (SHA-256) and counts oddities and repeated prompts; peaks are of the largest process")
        self.report.section("Raw files to targets in a file", results, self.bytes, ours.name, notes)
        shutil.rmtree(out, ignore_errors=True)

    def check(self, stream, fields, python, what, file):
        """Holds another's results to what the stream says. Returns what was found equal."""
        view = subprocess.Popen(self.tool("uf-records", "view", stream, "--fields", fields), stdout=subprocess.PIPE)
        done = subprocess.run(self.script("check_results.py", what, file, python=python), stdin=view.stdout, capture_output=True, text=True)
        view.stdout.close()
        view.wait()
        if done.returncode != 0:
            raise measure.Failed(f"{what} differ from ours: {done.stderr.strip().splitlines()[-1]}")
        return done.stdout.strip()

    def pairs(self):
        """Against LLaMA-Factory, which reads pairs: the best and the worst response of each record."""
        try:
            python = peers.llamafactory(self.folder / "llamafactory", self.given.llamafactory)
        except peers.Unavailable as error:
            return self.report.skipped("LLaMA-Factory", error)
        folder, cache, told = self.work / "pairs", self.work / "cache", self.work / "aligned.json"
        folder.mkdir()
        self.must("/bin/sh", "-c", f'"$0" view "$1" --fields turns,responses,ratings | "$2" "$3" "$4"', self.bin / "uf-records", self.rated, sys.executable,
                  HERE / "make_pairs.py", folder)
        pairs = folder / "pairs.jsonl"

        def times():
            said = json.loads(told.read_text())
            return said["seconds"], said["processor"]

        ours = Command("uf-convert pairs.jsonl -o pairs.uf", self.tool("uf-convert", pairs, "-o", self.work / "pairs.uf"))
        whole = Command("uf-convert of the raw files", self.tool("uf-convert", *self.files, "-o", self.rated))
        theirs = Command(f"LLaMA-Factory, load and align, {self.cores} processes", prepare=lambda: shutil.rmtree(cache, ignore_errors=True), tells=times,
                         arguments=self.script("align_llamafactory.py", folder, self.cores, cache, told, python=python))
        results = self.compare([ours, whole, theirs], max(1, self.runs // 2))
        notes = ["LLaMA-Factory's own loader and converter (stage rm), from a ShareGPT file of pairs to its aligned form, its imports not counted; peak of its",
                 "largest process, PyTorch included. The pairs are best and worst response of each record, without critiques and rationales."]
        if theirs.name in results:
            notes.insert(0, self.check(self.work / "pairs.uf", "turns,responses", sys.executable, "pairs", told))
        size = pairs.stat().st_size
        self.report.section("Pairs of the same prompts", results, {ours.name: size, theirs.name: size, whole.name: self.bytes}, ours.name, notes)

    def compressed(self):
        largest, packed = max(self.files, key=lambda file: file.stat().st_size), self.work / "raw.jsonl.gz"
        self.must("gzip", "-1", "-c", largest, output=packed)
        commands = [Command("uf-convert raw.jsonl.gz > /dev/null", self.tool("uf-convert", packed)), Command("zcat raw.jsonl.gz > /dev/null", ["zcat", packed])]
        self.report.section("Compressed input (gzip), by its bytes after decompression", self.compare(commands), largest.stat().st_size, commands[0].name)
        packed.unlink()

    # uf-records

    def tenfold(self):
        """Ten times the records, none with another's prompt, through a pipe: peak memory, and a large stream for what follows."""
        self.large = self.work / "large.uf"
        commands = [Command(name, self.tool("uf-convert", "-", "-o", self.large), input=self.script("repeat_records.py", times, *self.files))
                    for name, times in (("uf-convert, the data once", 1), ("uf-convert, ten times the data", 10))]
        self.report.section("Peak memory by size (times are those of the pipe's other end)", self.compare(commands, 1), 0)

    def streams(self):
        for stream, count in ((self.rated, 1), (self.large, 10)):
            size, middle = stream.stat().st_size, count * self.records["kept"] // 2
            self.must("cat", stream)
            full = Command("uf-records check --full", self.tool("uf-records", "check", "--full", stream))
            reading = [full, Command("cat > /dev/null", ["cat", stream])]
            title = f"A rated stream of {size / 1e9:.2f} GB, {count * self.records['kept']} records"
            self.report.section(f"{title}, all of it", self.compare(reading), size, full.name, [self.memory(stream)] if count > 1 else [])
            looking = [Command(f"uf-records {' '.join(what)}", self.tool("uf-records", *what, stream)) for what in (
                ["check"], ["view", "-c"], ["head"], ["view", "--range", f"{middle}:{middle + 10}"])]
            self.report.section(f"{title}, a look at it", self.compare(looking), 0)

    def memory(self, stream):
        said = self.work / "memory.txt"
        self.must(*self.script("copy_memory.py", 5, stream), output=said)
        rate = statistics.median(map(float, said.read_text().split()))
        self.report.contents["memory_copy_bytes_per_second"] = rate
        return f"a copy of it in memory, one core: {rate / 1e9:.1f} GB/s"

    def shuffle(self):
        limit = max(1, self.rated.stat().st_size // (10 << 20))
        results, sizes = {}, {}
        for stream, runs in ((self.rated, self.runs), (self.large, 1)):
            size = stream.stat().st_size
            command = Command(f"uf-records shuffle, {size / 1e9:.2f} GB", environment={"TMPDIR": str(self.work)},
                              arguments=self.tool("uf-records", "shuffle", "--memory", limit, stream, "-o", self.work / "shuffled.uf"))
            results.update(self.compare([command], runs))
            sizes[command.name] = size
        self.report.section(f"Streams in random order, with --memory {limit} (MiB)", results, sizes)

    # uf-tokenize

    def encode(self):
        encoders.without_a_break(self)
        try:
            encoders.compare(self, peers.tokenizers(self.folder / "tokenizers"))
        except peers.Unavailable as error:
            self.report.skipped("other encoders", error)

    # From raw records to packed shards

    def pack(self):
        """The two commands behind uf-convert by themselves (SmolLM2's vocabulary), by the bytes of text and of token ids that go through them, and all three in a pipe."""
        vocabulary = encoders.unpacked(encoders.FIXTURES / "smollm2" / "tokenizer.json.gz", self.work / "tokenizer.json")
        tokens, options = self.work / "tokens.uf", ["--tokenizer", vocabulary, "--template", "chatml"]
        texts = encoders.texts_of(self, self.work / "all.jsonl", self.bytes)
        kept.compare(self, texts)
        size = self.report.contents["kept"][0]["bytes"]
        both = Command("uf-tokenize > /dev/null", self.tool("uf-tokenize", self.rated, *options))
        alone = Command("uf-tokenize -j 1 > /dev/null", self.tool("uf-tokenize", self.rated, *options, "-j", 1))
        self.must(*both.arguments, "-o", tokens)
        own = Command("uf-tokenize --template chat.jinja > /dev/null", self.tool("uf-tokenize", self.rated, "--tokenizer", vocabulary, "--template", encoders.FIXTURES.parent / "templates" / "chat.jinja"))
        self.report.section("A rated stream to a tokens stream, by the bytes of its texts", self.compare([both, alone, own]), size, both.name)
        both, alone = [Command(f"{command.name}, four times over", command.arguments[:1] + [self.rated] * 3 + command.arguments[1:]) for command in (both, alone)]
        beside = Command(f"{self.cores} of the latter side by side", kept.side_by_side(self, alone))
        results = self.compare([both, alone, beside])
        one = results[alone.name].seconds
        self.report.section("The same stream four times over, where the start counts for less", results, {both.name: 4 * size, alone.name: 4 * size, beside.name: 4 * size * self.cores}, both.name, [
            f"{self.cores} threads are {one / results[both.name].seconds:.2f}x one, {self.cores} processes {self.cores * one / results[beside.name].seconds:.2f}x"])
        said = json.loads(subprocess.run(self.tool("uf-records", "stats", "--json", tokens), capture_output=True, text=True, check=True).stdout)
        ids = 4 * (said["counts"]["prompt_tokens"] + said["counts"]["response_tokens"])
        packing = [Command(f"uf-pack --layout {layout} > /dev/null", self.tool("uf-pack", tokens, "--max-length", 4096, "--layout", layout)) for layout in ("shared-prefix", "rows16", "sft")]
        packing.append(Command("uf-pack --max-length 300 > /dev/null", self.tool("uf-pack", tokens, "--max-length", 300)))
        packing.append(Command("uf-pack --order shuffled > /dev/null", self.tool("uf-pack", tokens, "--max-length", 4096, "--order", "shuffled")))
        self.report.section("A tokens stream to bins, by the bytes of its token ids", self.compare(packing), ids, packing[0].name)
        script = 'set -o pipefail; bin=$0 vocabulary=$1 packed=$2; "$bin/uf-convert" "${@:3}" | "$bin/uf-tokenize" --tokenizer "$vocabulary" --template chatml | "$bin/uf-pack" --max-length 4096 -o "$packed"'
        pipe = Command("uf-convert | uf-tokenize | uf-pack -o packed.uf", ["/bin/bash", "-c", script, self.bin, vocabulary, self.work / "packed.uf", *self.files])
        texts.unlink()
        self.report.section("Raw files to packed bins, three commands in a pipe", self.compare([pipe]), self.bytes, None, ["the peak is of the largest of the three"])


def main():
    parser = argparse.ArgumentParser(description="Speed of uf-convert and uf-records beside others.")
    parser.add_argument("--bin", default=".build/release", help="where the commands are")
    parser.add_argument("--folder", default="build/bench", help="where everything goes; only report.json and Python environments stay")
    parser.add_argument("--data", help="a folder with *.jsonl of UltraFeedback; without it data is made")
    parser.add_argument("--records", type=int, default=64000, help="how many records to make")
    parser.add_argument("--runs", type=int, default=5, help="how often each command runs")
    parser.add_argument("--llamafactory", default="", help="install, or a Python that has it")
    parser.add_argument("--tokenizers", default="", help="tokenizer.json files (each may be .gz) to compare encoders with; without it GPT-2's and SmolLM2's")
    parser.add_argument("--texts", default="", help="files of texts, one JSON string a line; without it those of the data")
    given = parser.parse_args()
    if given.records < 1000 or given.runs < 1:
        parser.error("at least 1000 records and 1 run")
    sys.stdout.reconfigure(line_buffering=True)
    bench = Bench(given)
    try:
        bench.read_data()
        for part in (bench.iterate, bench.convert, bench.pairs, bench.compressed, bench.tenfold, bench.streams, bench.shuffle, bench.pack, bench.encode):
            part()
    except measure.Failed as error:
        sys.exit(f"bench: {error}")
    finally:
        shutil.rmtree(bench.work, ignore_errors=True)
    bench.report.write(bench.folder / "report.json")
    print(f"\n{bench.folder / 'report.json'} has the same as JSON")


if __name__ == "__main__":
    main()
