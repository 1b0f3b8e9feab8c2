"""Encoders by themselves, in process and on one processor: ours beside those of other libraries, on the same texts."""
import gzip, json, os, shutil, subprocess, sys
from pathlib import Path
import measure, peers

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent.parent / "fixtures" / "tokenizers"


def compare(bench, python, passes=3, runs=3):
    """For each vocabulary and file of texts the rates of the first pass and of the best; stops where our ids are not those of the reference.

    A first pass is one by a process that has encoded nothing: some libraries keep what they learn beyond the life of an encoder. Of several processes, one library's after the other's in turn,
    the best counts: where the system is slow to give memory, it is so for all of them."""
    files = [Path(path).resolve() for path in bench.given.texts.split()] or [texts_of(bench, bench.work / "texts.jsonl", 16_000_000)]
    print(f"\nEncoders on one processor, without reading and writing: MB/s of the first pass of {runs} processes, and of the best of all {passes * runs} passes\n")
    print(f"  {'':36} {'texts':20} {'MB':>6} " + "".join(f"{name:>22}" for name in ("uf-tokenize", "gigatoken", "fastokens", "tokenizers")))
    rows = []
    for vocabulary in vocabularies(bench):
        plain = unpacked(vocabulary, bench.work / "tokenizer.json")
        for file in files:
            commands = {"uf-tokenize": [bench.bin / "uf-tokenizer-speed", "--passes", passes, plain, file]}
            for library in ("gigatoken", "fastokens", "tokenizers"):
                commands[library] = [python, HERE / "encode_texts.py", library, 1 if library == "tokenizers" else passes, plain, file]
            said = {}
            for run in range(runs):
                for library, command in commands.items():
                    # The reference is some forty times slower.
                    if run > 0 and (library == "tokenizers" or "refused" in said[library]):
                        continue
                    one = _run(command, may_fail=library in ("gigatoken", "fastokens"))
                    before = said.setdefault(library, one)
                    if "first" in one:
                        before.update(first=max(before["first"], one["first"]), best=max(before["best"], one["best"]))
            for one in said.values():
                one["equal"] = one.get("sha256") == said["tokenizers"]["sha256"]
            if not said["uf-tokenize"]["equal"]:
                raise measure.Failed(f"uf-tokenize gives other ids than tokenizers for {file.name} with {vocabulary.parent.name}")
            rows.append({"tokenizer": vocabulary.parent.name, "texts": file.name, **said})
            print(f"  {vocabulary.parent.name:36} {file.name:20} {said['uf-tokenize']['bytes'] / 1e6:6.1f} " + "".join(f"{_shown(one):>22}" for one in said.values()))
    print("  *: other ids than those of tokenizers with special tokens off in texts; a library that refuses a vocabulary has no rate")
    bench.report.contents["tokenizers"] = rows


def without_a_break(bench):
    """Seconds that uf-tokenize takes for a megabyte of one kind of character, and for four; stops where a megabyte takes half a second."""
    print("\nTexts without a break, milliseconds for 1 MB / 4 MB\n")
    said = {vocabulary.parent.name: _run([bench.bin / "uf-tokenizer-speed", unpacked(vocabulary, bench.work / "tokenizer.json")])["runs"] for vocabulary in vocabularies(bench)}
    print(f"  {'':24}" + "".join(f"{name:>20}" for name in said))
    for rows in zip(*said.values()):
        print(f"  {rows[0]['of']:24}" + "".join(f"{1e3 * row['1 MB']:12.1f} / {1e3 * row['4 MB']:5.0f}" for row in rows))
        if max(row["1 MB"] for row in rows) > 0.5:
            raise measure.Failed(f"uf-tokenize takes more than half a second for a megabyte of one {rows[0]['of']} after the other")
    bench.report.contents["without a break"] = said


def vocabularies(bench):
    return [Path(path).resolve() for path in bench.given.tokenizers.split()] or [FIXTURES / name / "tokenizer.json.gz" for name in ("gpt2", "smollm2")]


def unpacked(vocabulary, plain):
    with (gzip.open if vocabulary.suffix == ".gz" else open)(vocabulary, "rb") as source, open(plain, "wb") as copy:
        shutil.copyfileobj(source, copy)
    return plain


def _shown(said):
    return f"{said['first'] / 1e6:.1f} / {said['best'] / 1e6:.1f}{' ' if said['equal'] else '*'}" if "first" in said else "- "


def _run(arguments, may_fail=False):
    # fastokens takes all processors that it is given, whatever it is told of threads.
    one = {max(os.sched_getaffinity(0))}
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, one))
    if done.returncode == 0:
        return json.loads(done.stdout)
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    if may_fail:
        return {"refused": last}
    raise peers.Unavailable(f"{Path(arguments[0]).name}: {last}")


def texts_of(bench, file, most):
    """Prompts and responses of the data, one JSON string a line, at most about so many bytes of them."""
    view = subprocess.Popen([str(part) for part in bench.tool("uf-records", "view", bench.rated, "--fields", "turns,responses")], stdout=subprocess.PIPE, text=True)
    size = 0
    with open(file, "w", encoding="ascii") as out:
        for line in view.stdout:
            record = json.loads(line)
            for text in [turn["content"] for turn in record["turns"]] + record["responses"]:
                out.write(json.dumps(text) + "\n")
                size += len(text)
            if size > most:
                break
    view.stdout.close()
    view.wait()
    return file
