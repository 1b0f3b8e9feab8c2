import Glibc
import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// uf-convert's sources, maps and options on ratings, as a user runs them.
@Suite struct ConvertSourcesTests {
    private let folder = TemporaryFolder()
    private let fixtures = Fixtures.path("sources")

    private func run(_ script: String) -> Command.Outcome { Command.shell("S=\(Command.quoted(fixtures)); " + script, in: folder.path) }

    /// Each fixture of a source in one wrapping or another, and what -v says it is.
    private static let wrapped = [
        ("argilla.jsonl", "gzip -c", "argilla"), ("argilla-chatml.jsonl", "xz -c", "argilla"), ("helpsteer.jsonl", "zstd -qc", "helpsteer"), ("helpsteer3.jsonl", "bzip2 -c", "helpsteer"),
        ("pku-saferlhf.jsonl", "tar", "pku-saferlhf"), ("hh-rlhf.jsonl", "gzip -c", "hh-rlhf"), ("nectar.jsonl", "zip", "nectar"), ("trl.jsonl", "bzip2 -c", "trl"),
        ("llamafactory-dpo.json", "tar", "llamafactory"), ("llamafactory-kto.json", "zstd -qc", "llamafactory"), ("llamafactory-alpaca.jsonl", "zip", "llamafactory"),
        ("messages.jsonl", "xz -c", "messages"), ("sharegpt.jsonl", "gzip -c", "sharegpt"), ("alpaca.jsonl", "zip", "alpaca"), ("ultrachat.jsonl", "tar", "ultrachat"),
        ("ultrafeedback-2023-08.jsonl", "zstd -qc", "ultrafeedback"), ("ultrafeedback-scores.jsonl", "tar", "ultrafeedback"),
    ]

    static let hasTools = Command.shell("command -v zip zstd xz bzip2", in: "/").status == 0

    @Test(.enabled(if: hasTools, "needs zip, zstd, xz and bzip2"), arguments: wrapped)
    func everySourceInsideCompressionOrArchive(name: String, tool: String, source: String) {
        let wrap = switch tool {
        case "tar": "tar -C \"$S\" -czf wrapped \(name)"
        case "zip": "(cd \"$S\" && zip -q - \(name)) > wrapped"
        default: "\(tool) \"$S\"/\(name) > wrapped"
        }
        let outcome = run("\(wrap) && uf-convert wrapped -v -o w.uf && uf-convert \"$S\"/\(name) -o p.uf && uf-convert --from \(source) \"$S\"/\(name) -o n.uf")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("uf-convert: wrapped\(["tar", "zip"].contains(tool) ? ": \(name)" : ""): read as \(source)\n"), "\(outcome.errors)")
        #expect(run("cmp w.uf p.uf && uf-records check --full w.uf > checked").status == 0)
        #expect(run("for f in w n; do uf-records view $f.uf > $f; done; cmp w n").status == 0, "named or detected, the records are the same")
    }

    @Test func bytesDependNeitherOnThreadsNorOnFilesOrPipes() {
        let outcome = run("""
            uf-convert -j 1 "$S"/helpsteer.jsonl "$S"/nectar.jsonl "$S"/helpsteer.jsonl "$S"/messages.jsonl -o 1.uf 2>told
            for j in 2 3; do uf-convert -j $j "$S"/helpsteer.jsonl "$S"/nectar.jsonl "$S"/helpsteer.jsonl "$S"/messages.jsonl 2>>told > $j.uf; cmp 1.uf $j.uf || exit 1; done
            { cat "$S"/helpsteer.jsonl; } | uf-convert - "$S"/nectar.jsonl "$S"/helpsteer.jsonl "$S"/messages.jsonl 2>>told | cmp 1.uf - || exit 2
            sort -u told
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(String(decoding: outcome.output, as: UTF8.self)
            == "uf-convert: dropped 2 of 15 records: 2 with fewer than two responses; ratings not there: 2 null, 2 out of range; kept 3 repeated prompts, 3 repeated records\n")
    }

    /// Thousands of rows, so that groups lie across the chunks that go to threads.
    @Test func rowsAreJoinedAcrossChunks() {
        let outcome = run(#"""
            for i in $(seq 1 2000); do for r in 1 2 3; do
                printf '{"prompt":"%s %0600d","response":"r%d","helpfulness":%d,"correctness":1,"coherence":1,"complexity":1,"verbosity":1}\n' $((i - i % 2)) $((i - i % 2)) $((i * 3 + r)) $r
            done; done > rows.jsonl
            [ $(wc -c < rows.jsonl) -gt 3145728 ] || exit 9
            for j in 1 2 3; do uf-convert -j $j rows.jsonl -o $j.uf && cmp 1.uf $j.uf || exit 1; done
            uf-records view 1.uf | grep -o '"responses":\[[^]]*\]' | tr -cd ',\n' | sort | uniq -c
            """#)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(String(decoding: outcome.output, as: UTF8.self).split(whereSeparator: \.isWhitespace) == ["2", ",,", "999", ",,,,,"], "1 and 2000 stand alone, the others go by pairs")
    }

    /// UFTOOLS_PYTHON or `python3`, where it has pyarrow.
    private static let python: String? = {
        let chosen = Command.quoted(getenv("UFTOOLS_PYTHON").map { String(cString: $0) } ?? "python3")
        return Command.shell("\(chosen) -c 'import pyarrow.parquet'", in: "/").status == 0 ? chosen : nil
    }()

    @Test(.enabled(if: python != nil, "needs a Python with pyarrow: set UFTOOLS_PYTHON to one")) func parquetIsPipedIn() throws {
        let python = try #require(Self.python)
        let outcome = run("""
            \(python) - "$S"/argilla.jsonl "$S"/helpsteer.jsonl <<'END'
            import json, sys, pyarrow, pyarrow.parquet
            for name, path in zip(("a", "h"), sys.argv[1:]):
                pyarrow.parquet.write_table(pyarrow.Table.from_pylist([json.loads(line) for line in open(path)]), name + ".parquet", row_group_size=2)
            pyarrow.parquet.write_table(pyarrow.table({"prompt": ["é"], "mark": [float("nan")], "day": pyarrow.array([0], pyarrow.date32())}), "odd.parquet")
            pyarrow.parquet.write_table(pyarrow.table({"image": [b"x"]}), "raw.parquet")
            END
            tool=\(Command.quoted(repositoryRoot))/pipelines/python/parquet_to_jsonl.py
            \(python) "$tool" a.parquet | uf-convert -o a.uf && uf-convert "$S"/argilla.jsonl -o b.uf && \(python) "$tool" h.parquet | uf-convert -o h.uf && uf-convert "$S"/helpsteer.jsonl -o i.uf
            for f in a b h i; do uf-records view $f.uf > $f || exit 1; done; cmp a b && cmp h i && \(python) "$tool" odd.parquet || exit 2
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(String(decoding: outcome.output, as: UTF8.self) == "{\"prompt\": \"é\", \"mark\": null, \"day\": \"1970-01-01\"}\n")
        let raw = run("\(python) \(Command.quoted(repositoryRoot))/pipelines/python/parquet_to_jsonl.py raw.parquet")
        #expect(raw.status == 1 && raw.errors == "parquet_to_jsonl.py: raw.parquet: row 1: a value of type bytes, which JSON has no form for; choose other columns\n")
    }

    @Test(arguments: [
        (#"printf 'PAR1\0\0PAR1' > x.parquet; uf-convert x.parquet -o o.uf"#, 65, "uf-convert: x.parquet: a Parquet file, which is not read here; pipe its rows in as JSON Lines: "
            + "duckdb -c \"COPY (FROM 'FILE') TO '/dev/stdout' (FORMAT json)\" | ..., or pipelines/python/parquet_to_jsonl.py FILE | ...\n"),
        (#"printf 'PAR1\0\0PAR1' > x.parquet; tar -czf x.tgz x.parquet; uf-convert x.tgz -o o.uf"#, 65, "uf-convert: x.tgz: x.parquet: a Parquet file, which is not read here; pipe its rows in as JSON Lines: "
            + "duckdb -c \"COPY (FROM 'FILE') TO '/dev/stdout' (FORMAT json)\" | ..., or pipelines/python/parquet_to_jsonl.py FILE | ...\n"),
        ("uf-convert --map no.json \"$S\"/forum.jsonl -o o.uf", 66, "uf-convert: no.json: cannot be opened for reading: No such file or directory\n"),
        ("echo '{\"prompt\":\"/p\"}' > m.json; uf-convert --map m.json \"$S\"/forum.jsonl -o o.uf", 65, "uf-convert: m.json: responses is missing, expected a JSON Pointer or an array of such\n"),
        ("uf-convert \"$S\"/forum.jsonl -o o.uf", 65,
         "uf-convert: $S/forum.jsonl: line 1: its keys show no source that is known: thread, replies, accepted; name one with --from, or describe the records with --map (--on-bad-record skip to continue)\n"),
        ("uf-convert --map \"$S\"/forum.map.json \"$S\"/nectar.jsonl -o o.uf", 65, "uf-convert: $S/nectar.jsonl: line 1: /thread/posts is missing, expected an array (--on-bad-record skip to continue)\n"),
        ("uf-convert --from nectar \"$S\"/trl.jsonl -o o.uf", 65, "uf-convert: $S/trl.jsonl: line 1: prompt is no transcript, expected it to begin with \"\\n\\nHuman:\" (--on-bad-record skip to continue)\n"),
        ("cat \"$S\"/nectar.jsonl \"$S\"/argilla.jsonl > mixed; uf-convert mixed -o o.uf", 65,
         "uf-convert: mixed: line 2: no nectar record, as the first of its input is; its keys are source, prompt, chosen, chosen-rating, chosen-model, rejected, rejected-rating, rejected-model (--on-bad-record skip to continue)\n"),
        ("uf-convert --dimensions rang \"$S\"/nectar.jsonl -o o.uf", 65, "uf-convert: --dimensions: no record has a dimension \"rang\"; the dimensions are rank\n"),
        ("uf-convert --score-from overall_score \"$S\"/nectar.jsonl -o o.uf", 65, "uf-convert: --score-from: no input is of ultrafeedback, which alone has such scores\n"),
        ("uf-convert --rating-range 2..3 \"$S\"/nectar.jsonl -o o.uf", 65,
         "uf-convert: --rating-range: no input's ratings are numbers of a range; ranks and choices (nectar) have none to set\n"),
        ("uf-convert --system completion \"$S\"/nectar.jsonl -o o.uf", 65, "uf-convert: --system completion: no input is of ultrafeedback, which alone has such system prompts\n"),
    ])
    func refusals(script: String, status: Int32, message: String) {
        let outcome = run(script)
        #expect(outcome.status == status && outcome.errors == message.replacing("$S", with: fixtures), "\(script): \(outcome.errors)")
        #expect(!folder.contents.contains("o.uf"))
    }

    /// Where no input shows a source, none can be said to lack a range.
    @Test func ratingRangeOfUnknownRecordsThatArePassedOver() {
        let outcome = run(#"printf '{"zzz":1}\n' | uf-convert --rating-range 1..5 --on-bad-record skip -o o.uf"#)
        #expect(outcome.status == 0 && outcome.errors == "uf-convert: dropped 1 of 1 record: 1 with another schema\n", "\(outcome.errors)")
    }

    /// From raw data to the bin: each response after its own system prompt, which no label covers.
    @Test func systemPromptsOfCompletions() {
        let raw = #"{"instruction":"Hi","completions":[{"response":"A","custom_system_prompt":"Be kind.","annotations":{"help":{"Rating":1}}},"#
            + #"{"response":"B","annotations":{"help":{"Rating":2}}}]}"#
        let outcome = run("""
            gunzip -c \(Command.quoted(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz"))) > tokenizer.json; printf '%s\\n' '\(raw)' > raw.jsonl
            uf-convert --system completion raw.jsonl -o rated.uf && uf-records view --fields response_systems,responses rated.uf
            uf-tokenize --tokenizer tokenizer.json --template chatml rated.uf -o tokens.uf && uf-records view --fields turn_roles tokens.uf
            uf-pack --max-length 64 tokens.uf -o packed.uf && uf-records view --fields tokens packed.uf | sed 's/.*:\\(.*\\)}/\\1/' | uf-tokenize decode --tokenizer tokenizer.json
            uf-records view --fields segments packed.uf | grep -o '"parent":[^,]*\\|"label_start":[0-9]*' | paste -s -d ' '
            uf-convert --system none raw.jsonl | uf-records view --fields response_systems
            uf-records explain rated.uf | grep -c -e '--system completion'
            """)
        let text = #"<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nA<|im_end|>"#
        let other = #"user\nHi<|im_end|>\n<|im_start|>assistant\nB<|im_end|>"#
        #expect(String(decoding: outcome.output, as: UTF8.self) == """
            {"response_systems":["Be kind.",""],"responses":["A","B"]}
            {"turn_roles":[["system","user"],["user"]]}
            "\(text)\(other)"
            "parent":null "label_start":1 "parent":0 "label_start":18 "parent":0 "label_start":29
            {"response_systems":[]}
            1

            """, "\(outcome.errors)")
    }

    @Test(arguments: [
        ("--map m.json --from trl", "uf-convert: --map describes the records, so --from does not go with it"),
        ("--score-from overall_score --from trl", "uf-convert: --score-from goes with --from ultrafeedback, which alone has such scores"),
        ("--system completion --from trl", "uf-convert: --system completion goes with --from ultrafeedback, which alone has such system prompts"),
        ("--score-from best", "uf-convert: The value 'best' is invalid for '--score-from <key>'"), ("--from uf", "uf-convert: The value 'uf' is invalid for '--from <source>'"),
        ("--scale 5:1", "uf-convert: The value '5:1' is invalid for '--scale <low:high>'"), ("--scale a=1", "uf-convert: The value 'a=1' is invalid for '--scale <low:high>'"),
        ("--temperature a=0", "uf-convert: The value 'a=0' is invalid for '--temperature <T>': \"0\" is no number above 0"), ("--temperature a=b", "uf-convert: The value 'a=b' is invalid for '--temperature <T>'"), ("--dimensions a,a", "uf-convert: The value 'a,a' is invalid for '--dimensions <name,...>'"),
    ])
    func wrongCommandLines(options: String, message: String) {
        let outcome = run("uf-convert \(options) \"$S\"/trl.jsonl > out")
        #expect(outcome.status == 64 && outcome.errors.hasPrefix(message), "\(options): \(outcome.errors)")
    }

    @Test func helpNamesEverySource() {
        let text = String(decoding: run("uf-convert --help").output, as: UTF8.self)
        for name in ["ultrafeedback", "pku-saferlhf", "nectar", "helpsteer", "llamafactory", "hh-rlhf", "argilla", "ultrafeedback-binarized", "trl", "messages", "sharegpt", "alpaca", "ultrachat"] {
            #expect(text.contains("\n\(name) "), "\(name)")
        }
    }

    /// What a later stage does with records of one response: they are laid out and tokenized, and no choice among responses can be learnt from them.
    @Test func oneResponseDownThePipeline() {
        let stories = Command.quoted(Fixtures.path("models/stories260K"))
        let outcome = run("""
            uf-convert "$S"/messages.jsonl "$S"/llamafactory-kto.json -o r.uf && uf-tokenize r.uf --tokenizer \(stories) --template plain -o t.uf && uf-records check --full r.uf t.uf > checked || exit 1
            uf-pack t.uf --max-length 512 -o p.uf; echo $?; uf-train \(stories) --data p.uf -o model; echo $?; uf-eval score p.uf --model \(stories) -o s.uf; echo $?
            uf-eval preference p.uf --model \(stories) --reference \(stories) > told; echo $?; head -c 24 told
            """)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == "0\n65\n0\n0\n0 records, 0 responses: ")
        #expect(outcome.errors.hasPrefix("uf-pack: dropped 4 of 4 records: 4 with fewer than two responses\nuf-train: p.uf: holds no records, so there is nothing to learn from\n"), "\(outcome.errors)")
    }
}
