import SystemIO
import TestSupport
import Testing

/// Guarantee G5: `uf-records explain` prints what makes the same bytes again.
@Suite struct ExplainTests {
    private let folder = TemporaryFolder()
    private let elsewhere = TemporaryFolder()
    private let environment = [
        "RAW": Fixtures.path("ultrafeedback/odd.jsonl"), "MORE": Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"),
        "TOKENIZER": Fixtures.path("models/stories260K/tokenizer.json"),
    ]

    /// Makes `x.uf` by `script`, runs what explain prints of it in an empty folder, and compares bytes.
    private func remakes(_ script: String, input: String? = nil, tokenizer: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        let made = Command.shell("{ \(script); } 2>messages && uf-records explain x.uf > again.sh && cp again.sh \(Command.quoted(elsewhere.path))", in: folder.path, environment: environment)
        guard made.status == 0 else {
            Issue.record("\(script): status \(made.status): \(made.errors)\(Command.shell("cat messages", in: folder.path).output.reduce(into: "") { $0 += String(UnicodeScalar($1)) })", sourceLocation: sourceLocation)
            return
        }
        var again = environment
        again["INPUT1"] = input ?? environment["RAW"]
        again["INPUT2"] = environment["MORE"]
        again["TOKENIZER1"] = tokenizer ?? environment["TOKENIZER"]
        let outcome = Command.shell("bash again.sh 2>/dev/null > y.uf && cmp y.uf \(Command.quoted(folder.file("x.uf")))", in: elsewhere.path, environment: again)
        let text = String(decoding: Command.shell("cat again.sh", in: elsewhere.path).output, as: UTF8.self)
        #expect(outcome.status == 0, "\(script)\n\(text)\(outcome.errors)\(String(decoding: outcome.output, as: UTF8.self))", sourceLocation: sourceLocation)
    }

    @Test func convert() { remakes(#"uf-convert "$RAW" "$MORE" --temperature 0.7 --missing mean -o x.uf"#) }

    /// A map is a file of the pipeline, known by its digest; options by dimension come back as they were.
    @Test func mapsAndDimensions() throws {
        let map = Fixtures.path("sources/forum.map.json"), forum = Fixtures.path("sources/forum.jsonl")
        let made = Command.shell(
            """
            uf-convert --map "$MAP" "$FORUM" --dimensions useful=good,order --scale good=1:5,order=0:1 --temperature 2,order=0.25 -o x.uf 2>told; uf-records explain x.uf > again.sh
            MAP1="$MAP" INPUT1="$FORUM" bash again.sh 2>told | cmp - x.uf && cat again.sh
            { cat "$MAP"; echo; } > other.json; MAP1=other.json INPUT1="$FORUM" bash again.sh > y.uf
            """, in: folder.path, environment: ["MAP": map, "FORUM": forum])
        let script = String(decoding: made.output, as: UTF8.self)
        #expect(script.contains("uf-convert --map \"$MAP1\" --dimensions useful=good,order --scale good=1:5,order=0:1 --missing mask --temperature 2.0,order=0.25 --on-bad-record stop"), "\(script)")
        #expect(made.status == 65 && made.errors.hasPrefix("MAP1: not what the stream was made of: its SHA-256 should be "), "\(made.errors)")
    }

    @Test func sourcesAndScores() {
        let source = Fixtures.path("sources")
        for line in ["uf-convert --score-from overall_score --from ultrafeedback \"$RAW\" --scale 1:5", "uf-convert --from helpsteer \"$RAW\" --missing floor"] {
            let raw = source + (line.contains("helpsteer") ? "/helpsteer.jsonl" : "/ultrafeedback-scores.jsonl")
            let outcome = Command.shell("{ \(line) -o x.uf; } 2>told; uf-records explain x.uf > again.sh; INPUT1=\"$RAW\" bash again.sh 2>told | cmp - x.uf", in: folder.path, environment: ["RAW": raw])
            #expect(outcome.status == 0 && outcome.output.isEmpty, "\(line): \(outcome.errors)")
        }
    }

    @Test func compressed() { remakes(#"uf-convert "$RAW" "$MORE" --codec zstd | uf-tokenize --tokenizer "$TOKENIZER" --template plain --codec zlib -o x.uf"#) }

    @Test func splitAndTokenize() {
        let unpacked = folder.file("tokenizer.json")
        let outcome = Command.shell("gzip -dc \(Command.quoted(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz"))) > tokenizer.json", in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        remakes(#"uf-convert "$RAW" "$MORE" --split train=0.8,test=0.2 --part train -o r.uf; uf-tokenize r.uf --tokenizer tokenizer.json --template chatml --system "it's \$HOME" -o x.uf"#, tokenizer: unpacked)
    }

    @Test func severalInputStreams() {
        remakes(#"uf-convert "$RAW" -o a.uf; uf-convert "$MORE" -o b.uf; uf-tokenize a.uf b.uf --tokenizer "$TOKENIZER" --template plain -o x.uf"#)
    }

    @Test func joinedAndReordered() {
        remakes(#"uf-convert "$RAW" -o a.uf; uf-convert "$MORE" -o b.uf; uf-records cat a.uf b.uf --codec zlib -o x.uf"#)
        remakes(#"uf-convert "$RAW" "$MORE" | uf-records sort --by id | uf-records shuffle --seed 18446744073709551615 -o x.uf"#)
    }

    /// The branches of a pipeline read one file: it has one variable.
    @Test func dividedAndMerged() {
        remakes(#"uf-convert "$RAW" "$MORE" -o a.uf; uf-records split --parts 3 a.uf -o p-%.uf; uf-records merge --by origin p-002.uf p-000.uf p-001.uf -o x.uf"#)
        remakes(#"uf-convert "$RAW" "$MORE" -o a.uf; uf-records split --records 20 a.uf -o p-%.uf; mv p-001.uf x.uf"#)
    }

    @Test func imported() {
        let lines = folder.file("lines")
        remakes(#"uf-convert "$RAW" -o a.uf; uf-records view a.uf > lines; uf-records import --like a.uf lines -o x.uf"#, input: lines)
        remakes(#"uf-convert "$RAW" -o a.uf; uf-records view --with-head a.uf | sed 's/"source":"/"source":"new /' > lines; uf-records import --edited lines | uf-tokenize --tokenizer "$TOKENIZER" --template plain -o x.uf"#, input: lines)
        // Unchanged records keep the provenance that they had.
        remakes(#"uf-convert "$RAW" -o a.uf; uf-records view --with-head a.uf | uf-records import -o x.uf"#)
    }

    @Test func salvaged() {
        remakes(#"uf-convert "$RAW" -o a.uf; head -c -128 a.uf > cut.uf; uf-records salvage cut.uf -o x.uf"#, input: folder.file("cut.uf"))
    }

    /// A file that is not the one that was used stops the script before it makes anything: raw inputs by their decompressed bytes, a model by its own digest.
    @Test func otherFilesAreRefused() throws {
        let stories = Fixtures.path("models/stories260K")
        let made = Command.shell(
            """
            zcat "$MORE" | head -2 > raw.jsonl; gzip -k raw.jsonl; xz -k raw.jsonl; cp -r \(Command.quoted(stories)) model; cp -r model other; chmod -R u+w other
            sed -i 's/"rms_norm_eps": [^,]*/"rms_norm_eps": 0.5/' other/config.json; sed 's/a/b/' raw.jsonl | gzip > changed.jsonl.gz; { cat model/tokenizer.json; echo; } > tokenizer.json
            uf-convert raw.jsonl | uf-tokenize --tokenizer model --template plain | uf-pack --max-length 512 --overlong cut 2>/dev/null | uf-eval score --model model -o x.uf
            uf-records explain x.uf > again.sh
            """, in: folder.path, environment: environment)
        #expect(made.status == 0, "\(made.errors)")
        func again(_ input: String, _ tokenizer: String, _ model: String) -> Command.Outcome {
            Command.shell("bash again.sh | cmp - x.uf; exit ${PIPESTATUS[0]}", in: folder.path, environment: ["INPUT1": input, "TOKENIZER1": tokenizer, "MODEL1": model])
        }
        for input in ["raw.jsonl", "raw.jsonl.gz", "raw.jsonl.xz"] {
            let same = again(input, "model/tokenizer.json", "model")
            #expect(same.status == 0 && same.output.isEmpty && !same.errors.contains("cmp"), "\(input): \(same.errors)")
        }
        let raw = again("changed.jsonl.gz", "model/tokenizer.json", "model")
        #expect(raw.status == 65 && raw.errors.hasPrefix("INPUT1: not what the stream was made of: its SHA-256 should be "), "\(raw.errors)")
        let tokenizer = again("raw.jsonl", "tokenizer.json", "model")
        #expect(tokenizer.status == 65 && tokenizer.errors.hasPrefix("TOKENIZER1: not what the stream was made of"), "\(tokenizer.errors)")
        let model = again("raw.jsonl", "model/tokenizer.json", "other")
        #expect(model.status == 65 && model.errors.contains("uf-eval: other: its digest is "), "\(model.errors)")
    }

    @Test func missingVariablesAreNamed() {
        let outcome = Command.shell(#"uf-convert "$RAW" 2>/dev/null | uf-records explain > s.sh; bash s.sh"#, in: folder.path, environment: environment)
        #expect(outcome.status != 0 && outcome.errors.contains("INPUT1: set it to the file"))
    }
}
