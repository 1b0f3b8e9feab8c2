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
    private func remakes(_ script: String, tokenizer: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        let made = Command.shell("{ \(script); } 2>messages && uf-records explain x.uf > again.sh && cp again.sh \(Command.quoted(elsewhere.path))", in: folder.path, environment: environment)
        guard made.status == 0 else {
            Issue.record("\(script): status \(made.status): \(made.errors)\(Command.shell("cat messages", in: folder.path).output.reduce(into: "") { $0 += String(UnicodeScalar($1)) })", sourceLocation: sourceLocation)
            return
        }
        var again = environment
        again["INPUT1"] = environment["RAW"]
        again["INPUT2"] = environment["MORE"]
        again["TOKENIZER1"] = tokenizer ?? environment["TOKENIZER"]
        let outcome = Command.shell("bash again.sh 2>/dev/null > y.uf && cmp y.uf \(Command.quoted(folder.file("x.uf")))", in: elsewhere.path, environment: again)
        let text = String(decoding: Command.shell("cat again.sh", in: elsewhere.path).output, as: UTF8.self)
        #expect(outcome.status == 0, "\(script)\n\(text)\(outcome.errors)\(String(decoding: outcome.output, as: UTF8.self))", sourceLocation: sourceLocation)
    }

    @Test func convert() { remakes(#"uf-convert "$RAW" "$MORE" --temperature 0.7 --missing mean -o x.uf"#) }

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

    @Test func missingVariablesAreNamed() {
        let outcome = Command.shell(#"uf-convert "$RAW" 2>/dev/null | uf-records explain > s.sh; bash s.sh"#, in: folder.path, environment: environment)
        #expect(outcome.status != 0 && outcome.errors.contains("INPUT1: set it to the file"))
    }
}
