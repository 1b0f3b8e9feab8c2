import TestSupport
import Testing

/// uf-pack export as a user runs it.
@Suite struct ExportCommandTests {
    private let folder = TemporaryFolder()

    /// packed.uf, rows.uf, pairs.uf and tokens.uf of 59 records.
    init() {
        let made = run(
            """
            uf-convert '\(Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"))' | uf-tokenize --tokenizer '\(Fixtures.path("models/stories260K"))' --template plain -o tokens.uf
            for layout in shared-prefix rows16 pairs; do uf-pack tokens.uf --layout $layout --max-length 512 -o $layout.uf 2>/dev/null; done; mv shared-prefix.uf packed.uf
            """)
        #expect(made.status == 0, "\(made.errors)")
    }

    private func run(_ script: String) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: ["PYTHON": Python.withNumpy ?? ""])
    }

    private func expect(_ script: String, _ status: Int32, _ errors: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let outcome = run(script)
        #expect(outcome.status == status && outcome.errors == errors, "\(outcome.status): \(outcome.errors)", sourceLocation: sourceLocation)
    }

    @Test func countsAreTold() {
        expect("uf-pack export --format jsonl packed.uf | wc -l > n; cat n >&2", 0, "59\n")
        expect("uf-pack export --format jsonl packed.uf -o whole; cat packed.uf | uf-pack export --format jsonl > piped; cmp whole piped", 0, "")
        expect("uf-pack export --format trl packed.uf -o x.jsonl -v", 0, "uf-pack: skipped 4 of 59 records: 4 whose responses are all tied\nuf-pack: 59 records as 55 lines\n")
        expect("uf-pack export --format npz rows16.uf packed.uf -o x.npz", 65, "uf-pack: packed.uf: its layout differs from that of rows16.uf; streams made with different options cannot be joined\n")
        expect("uf-pack export --format npz packed.uf packed.uf -o x.npz -v", 0, "uf-pack: 118 records as 472 rows\n")
    }

    @Test func refusals() {
        expect("uf-pack export --format npz < packed.uf", 64, "uf-pack: standard input: npz reads its inputs several times and needs files on disk\n")
        expect("uf-pack export --format npz absent.uf", 66, "uf-pack: absent.uf: cannot be opened for reading: No such file or directory\n")
        expect("uf-pack export --format jsonl tokens.uf", 65, "uf-pack: tokens.uf: a stream of tokens records, expected packed (uf-pack makes them)\n")
        expect("uf-pack export --format jsonl packed.uf -o ./packed.uf", 64, "uf-pack: packed.uf: both input and output; the output would replace the input (write to another name)\n")
        expect("uf-pack export --format npz --pad-to 20 packed.uf -o x", 64, "uf-pack: --pad-to takes a multiple of 8 from 8 to 1048576, found 20 (uf-pack export --help tells more)\n")
        expect("uf-pack export --format npz --pad-token 512 packed.uf -o never.npz", 64, "uf-pack: --pad-token 512 is outside the vocabulary of 512 ids that packed.uf was made with\n")
        expect("uf-pack export --format trl --pad-to 16 packed.uf", 64, "uf-pack: --pad-to and --pad-token go with --format npz (uf-pack export --help tells more)\n")
        expect("head -c 9000 packed.uf > cut.uf; uf-pack export --format npz cut.uf -o x.npz 2>&1 | grep -c '^uf-pack: cut.uf: '", 0, "")
        let short = run("uf-pack export --format npz --pad-to 64 rows16.uf -o short.npz")
        #expect(short.status == 65 && short.errors.contains(" tokens, which --pad-to 64 has no room for; give at least 512\n"), "\(short.errors)")
        #expect(!folder.contents.contains { $0.hasSuffix(".npz") || $0 == "x" || $0.contains(".tmp-") }, "\(folder.contents)")
    }

    /// The paper's rows: NumPy loads what the lines of JSON say.
    @Test(.enabled(if: Python.withNumpy != nil, "needs a Python with numpy (python3, or the one that UFTOOLS_PYTHON names)")) func arraysSayWhatTheLinesSay() {
        let outcome = run(
            """
            for name in packed rows16 pairs; do uf-pack export --format jsonl $name.uf -o $name.jsonl; uf-pack export --format npz $name.uf -o $name.npz; uf-pack export --format npz $name.uf > again.npz
              cmp $name.npz again.npz; done
            uf-pack export --format npz --pad-to 640 --pad-token 3 rows16.uf -o wide.npz
            $PYTHON -c '
            import json
            import numpy as np
            for name in ["packed", "rows16", "pairs"]:
                z, records, at = dict(np.load(name + ".npz")), [json.loads(line) for line in open(name + ".jsonl")], 0
                assert z["input_ids"].shape[1] % 8 == 0 and z["record_ids"].tolist() == [r["id"] for r in records] and z["sources"].tolist() == [r["source"] for r in records]
                for number, record in enumerate(records):
                    assert z["dimensions"].tolist() == record["dimensions"]
                    for dimension in range(len(record["dimensions"]) if name == "rows16" else 1):
                        for i, response in enumerate(record["responses"]):
                            n = len(response["input_ids"])
                            assert z["record"][at] == number and z["response"][at] == i and z["attention_mask"][at].sum() == n
                            assert z["input_ids"][at][:n].tolist() == response["input_ids"] and not z["input_ids"][at][n:].any()
                            assert z["labels"][at][:n].tolist() == response["labels"] and (z["labels"][at][n:] == -100).all()
                            if name == "rows16":
                                assert z["dimension"][at] == dimension and z["pi_target"][at] == np.float32(record["targets"][dimension][i])
                            else:
                                assert z["targets"][:, at].tolist() == [row[i] for row in record["targets"]] and z["ratings"][:, at].tolist() == [row[i] for row in record["ratings"]]
                            at += 1
                assert at == len(z["input_ids"])
            z, pairs, first = np.load("pairs.npz"), [], 0
            for record in records:
                pairs += [[first + i for i in pair] for pair in record["pairs"]]
                first += len(record["responses"])
            assert z["pairs"].tolist() == pairs
            wide, rows = np.load("wide.npz"), np.load("rows16.npz")
            n = rows["input_ids"].shape[1]
            assert wide["labels"].shape[1] == 640 and (wide["labels"][:, :n] == rows["labels"]).all() and (wide["input_ids"][wide["attention_mask"] == 0] == 3).all()
            print("same")
            '
            """)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == "same\n", "\(outcome.errors)")
    }
}
