import JSON
import SystemIO
import TestSupport
import Testing

/// uf-convert --decontaminate as a user runs it.
@Suite struct DecontaminationCommandTests {
    private let folder = TemporaryFolder()

    private func run(_ script: String) -> Command.Outcome {
        Command.shell("F=\(Command.quoted(Fixtures.path("ultrafeedback"))) B=\(Command.quoted(Fixtures.path("benchmarks"))); " + script, in: folder.path)
    }

    /// Three records, the second of which repeats a question of b/art_test.csv in its prompt, and the folder of benchmarks.
    private static let data = """
        record() { printf '{"source":"s","instruction":"%s","completions":[{"response":"a %s","annotations":{"x":{"Rating":"1"}}},{"response":"b %s","annotations":{"x":{"Rating":"2"}}}]}\\n' "$1" "$1" "$1"; }
        { record 'First things first.'; record 'Say: which painter of the north drew the *small* boats at low tide, in which year?'; record 'Last words.'; } > raw.jsonl
        mkdir -p b/data; printf '"Which painter of the north drew the small boats at low tide, in which year?",1,2,3,4,A\\n' > b/data/art_test.csv; cp "$B/gsm8k_test.jsonl" b; echo text > b/README
        """

    @Test func leavesOutAndTells() throws {
        let outcome = run(Self.data + "\nuf-convert raw.jsonl --decontaminate b -o x.uf --report r.json -v && uf-records view x.uf | wc -l")
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self).hasSuffix("2\n"), "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("uf-convert: dropped 1 of 3 records: 1 with text of a benchmark; found raw.jsonl: line 2 in b/data/art_test.csv: line 1\n"))
        #expect(outcome.errors.contains("dropped: with text of a benchmark") && outcome.errors.contains("mmlu"))
        let report = try JSON.parse(readWholeFile(folder.file("r.json")))
        #expect(report["counts"]?["records"]?["dropped"]?["contaminated"] == 1)
        let decontamination = try #require(report["decontamination"])
        #expect(decontamination["passed_over"] == .array(["b/README"]))
        #expect(decontamination["files"]?.array?.map { $0["path"] } == ["b/data/art_test.csv", "b/gsm8k_test.jsonl"])
        #expect(decontamination["removed"]?[0]?["words"] == "which painter of the north drew the small boats at low tide in")
        #expect(decontamination["removed"]?[0]?["in"] == "turn 0")
    }

    /// What explain prints makes the same bytes from the benchmarks in other packing, and nothing from others.
    @Test func explainMakesTheSameBytes() {
        let outcome = run(Self.data + """

            uf-convert raw.jsonl --decontaminate b/gsm8k_test.jsonl --decontaminate b/data --temperature 0.7 -o x.uf 2>/dev/null && uf-records explain x.uf > again.sh || exit 1
            mkdir other; tar -C b -czf other/b.tar.gz data README; gzip -c b/gsm8k_test.jsonl > other/z.gz; gunzip -c other/z.gz > other/z.jsonl; rm other/z.gz
            INPUT1=raw.jsonl BENCHMARKS1=other bash again.sh 2>/dev/null > y.uf && cmp x.uf y.uf || exit 2
            for j in 1 2 5; do uf-convert -j $j raw.jsonl --decontaminate b --temperature 0.7 2>/dev/null | cmp - x.uf || exit 3; done
            INPUT1=raw.jsonl BENCHMARKS1=b/data bash again.sh > z.uf
            """)
        #expect(outcome.status == 65 && outcome.errors.contains("uf-convert: the benchmark files' digest is ")
            && outcome.errors.contains("these are not the files that the stream was made with"), "\(outcome.errors)")
        let none = run("bash again.sh")
        #expect(none.status != 0 && none.errors.contains("INPUT1: set it to the file"))
        let noBenchmarks = run("INPUT1=raw.jsonl bash again.sh")
        #expect(noBenchmarks.status != 0 && noBenchmarks.errors.contains("BENCHMARKS1: set it to the folder of benchmark files"), "\(noBenchmarks.errors)")
    }

    @Test(arguments: [
        ("--decontaminate none", 66, "uf-convert: none: cannot be opened for reading: No such file or directory"),
        ("--decontaminate raw.jsonl", 65, "uf-convert: raw.jsonl: line 1: no document of a known benchmark by its keys completions, instruction, source; expected "),
        ("--decontaminate b/README", 65, "uf-convert: b/README: no file of a known benchmark; expected JSON, CSV, or the Winograd schemas as XML or text (see --help)"),
        ("--decontaminate -", 64, "uf-convert: --decontaminate takes a path, and - (standard input or output) is none; a file of that name is ./-"),
        ("--benchmarks-sha256 00", 64, "uf-convert: --benchmarks-sha256 needs --decontaminate PATH"),
        ("--decontaminate b -o b/gsm8k_test.jsonl --decontaminate b/gsm8k_test.jsonl", 64, "uf-convert: b/gsm8k_test.jsonl: both input and output; the output would replace the input (write to another name)"),
    ])
    func badBenchmarksAreTold(options: String, status: Int32, message: String) {
        let outcome = run(Self.data + "\nuf-convert raw.jsonl \(options) > out.uf")
        #expect(outcome.status == status && outcome.errors.hasPrefix(message), "\(outcome.status) \(outcome.errors)")
    }
}
