import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// `uf-records` as a user runs it.
@Suite struct RecordsCommandTests {
    private let folder = TemporaryFolder()
    private static let fixtures = Fixtures.path("streams/version-1")
    private static let codecs = ["none", "zlib", "zstd"]
    private static let kinds = ["rated", "tokens", "packed", "logps"]

    private func run(_ script: String, _ environment: [String: String] = [:]) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: environment.merging(["F": Self.fixtures]) { $1 })
    }

    private func text(_ outcome: Command.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    @Test(arguments: kinds) func viewFromFileAndPipe(kind: String) throws {
        let expected = try readWholeFile(Self.fixtures + "/\(kind).jsonl")
        for codec in Self.codecs {
            for script in ["uf-records view $F/\(kind)-\(codec).uf", "cat $F/\(kind)-\(codec).uf | uf-records view", "uf-records view - < $F/\(kind)-\(codec).uf"] {
                let outcome = run(script)
                #expect(outcome.output == expected && outcome.status == 0 && outcome.errors.isEmpty, "\(script): \(outcome.errors)")
            }
        }
    }

    @Test func ranges() throws {
        let lines = text(run("cat $F/rated.jsonl")).split(separator: "\n")
        for (range, expected) in [("0:1", 0 ..< 1), ("1:3", 1 ..< 3), (":2", 0 ..< 2), ("2:", 2 ..< 3), ("1:1", 1 ..< 1), ("3:9", 3 ..< 3), ("0:99", 0 ..< 3), (":", 0 ..< 3)] {
            let joined = lines[expected].map { $0 + "\n" }.joined()
            for script in ["uf-records view --range \(range) $F/rated-zstd.uf", "cat $F/rated-zstd.uf | uf-records view --range \(range)"] {
                let outcome = run(script)
                #expect(text(outcome) == joined && outcome.status == 0, "\(script): \(outcome.errors)")
            }
            let counted = run("uf-records view -c --range \(range) $F/rated-zstd.uf")
            #expect(text(counted) == "\(expected.count)\n")
        }
        let wrong = run("uf-records view --range 3 $F/rated-none.uf")
        #expect(wrong.status == 64 && wrong.errors.contains("--range takes two numbers with a colon between them, such as 0:10, 5: or :3"))
        let reversed = run("uf-records view --range 2:1 $F/rated-none.uf"), negative = run("uf-records view -r -2:1 $F/rated-none.uf")
        #expect(reversed.status == 64 && reversed.errors == "uf-records: --range 2:1: it would end before it begins (uf-records view --help tells more)\n")
        #expect(negative.status == 64 && negative.errors.hasSuffix("such as 0:10, 5: or :3, not \"-2:1\" (uf-records view --help tells more)\n"), "\(negative.errors)")
    }

    @Test func ids() throws {
        for kind in ["rated", "tokens", "packed", "logps"] {
            let line = text(run("grep '\"id\":\"id-1\"' $F/\(kind).jsonl"))
            #expect(text(run("uf-records view --id id-1 $F/\(kind)-none.uf")) == line && !line.isEmpty, "\(kind)")
            #expect(text(run("cat $F/\(kind)-zlib.uf | uf-records view --id id-1")) == line, "\(kind)")
        }
        let none = run("uf-records view --id id-77 $F/rated-none.uf")
        #expect(none.status == 1 && none.output.isEmpty && none.errors == "uf-records: \(Self.fixtures)/rated-none.uf: no record with id id-77\n")
    }

    @Test func fieldsAndCounts() throws {
        #expect(text(run("uf-records view --fields targets,id --range 1:2 $F/tokens-none.uf")) == #"{"targets":[[0.75,0.25],[0.0,0.0]],"id":"id-1"}"# + "\n")
        #expect(text(run("uf-records view --fields segments --range 2: $F/packed-none.uf")).hasPrefix(#"{"segments":[{"start":0,"end":4,"parent":null"#))
        let unknown = run("uf-records view --fields id,nope $F/logps-none.uf")
        #expect(unknown.status == 64 && unknown.errors == "uf-records: logps records have no field nope; they have id, log_probs, token_counts\n")
        for (fields, message) in [
            ("''", "an empty name of a field; logps records have id, log_probs, token_counts"), ("id,", "an empty name of a field; logps records have id, log_probs, token_counts"),
            ("id,token_counts,id", "the field id is named twice; an object has a member once"),
        ] {
            let refused = run("uf-records view --fields \(fields) $F/logps-none.uf")
            #expect(refused.status == 64 && refused.output.isEmpty && refused.errors == "uf-records: \(message)\n", "\(fields): \(refused.errors)")
        }
        #expect(text(run("uf-records view -c $F/logps-none.uf")) == "3\n")
        #expect(text(run("cat $F/logps-none.uf | uf-records view -c")) == "3\n")
        #expect(text(run("uf-records view -c $F/empty.uf")) == "0\n")
        #expect(run("cat $F/bad-no-end-mark.uf | uf-records view -c").status == 65)
    }

    @Test func head() throws {
        let expected = """
            kind      logps
            settings  layout = "shared-prefix"
            made by
              uf-sample --seed 1 <tokenizer 00ff>   (recipe 1)
            column        type  a record has
            id            text  one
            log_probs     f64   a list
            token_counts  u32   a list

            """
        #expect(text(run("uf-records head $F/logps-none.uf")) == expected)
        // A stream that has no end yet has a head all the same.
        #expect(text(run("head -c 1100 $F/logps-none.uf | uf-records head")) == expected)
        #expect(text(run("uf-records head -n 2 $F/logps-zstd.uf")) == text(run("head -n 2 $F/logps.jsonl")))
        #expect(text(run("uf-records head -n 0 $F/logps-zstd.uf")).isEmpty)
        let json = try JSON.parse(run("uf-records head --json $F/packed-none.uf").output)
        #expect(json["kind"]?.string == "packed" && json["columns"]?.array?.count == 19)
    }

    @Test func check() throws {
        let good = run("cd $F && uf-records check --full rated-none.uf rated-zstd.uf packed-zlib.uf empty.uf")
        #expect(good.status == 0 && good.errors.isEmpty)
        let lines = text(good).split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("rated-none.uf: ok, 3 records, 3 blocks, content ") && lines[0].suffix(32) == lines[1].suffix(32))
        #expect(lines[2].hasPrefix("packed-zlib.uf: ok, 3 bins, 3 blocks, content ") && lines[3].hasPrefix("empty.uf: ok, 0 records, 0 blocks, content "))

        let mixed = run("cd $F && uf-records check --full bad-flipped-bit.uf rated-none.uf nowhere.uf")
        #expect(mixed.status == 65 && text(mixed).hasPrefix("rated-none.uf: ok, 3 records"))
        #expect(
            mixed.errors == """
                uf-records: bad-flipped-bit.uf: frame 1 at byte 1152: the payload's checksum does not match: the data is damaged
                uf-records: nowhere.uf: cannot be opened for reading: No such file or directory

                """)
        #expect(run("uf-records check --full $F/nowhere.uf").status == 66)
        let json = try JSON.parse(run("cd $F; uf-records check --full --json bad-index.uf").output)
        #expect(json["ok"] == false && json["status"]?.int == 65 && json["error"]?.string == "bad-index.uf: frame 5 at byte 8960: the index does not match the blocks before it")
    }

    @Test func everyDamagedFileIsNamed() throws {
        let outcome = run("cd $F && uf-records check --full bad-*.uf")
        let files = text(run("cd $F && ls bad-*.uf")).split(separator: "\n")
        #expect(outcome.status == 65 && outcome.output.isEmpty)
        #expect(outcome.errors.split(separator: "\n").count == files.count && files.count == 20)
        for file in files { #expect(outcome.errors.contains("uf-records: \(file): "), "\(file)") }
    }

    @Test func quickCheck() throws {
        let outcome = run("cd $F && uf-records check rated-none.uf bad-flipped-bit.uf bad-no-end-mark.uf")
        #expect(outcome.status == 65)
        let lines = text(outcome).split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("rated-none.uf: has its end mark, 3 records, 3 blocks, content ") && lines[1].hasPrefix("bad-flipped-bit.uf: has its end mark"))
        #expect(outcome.errors == "uf-records: bad-no-end-mark.uf: the file does not end with an end mark: it was cut, is still being written, or is no record stream\n")
        #expect(run("cat $F/bad-flipped-bit.uf | uf-records check").status == 65, "standard input is read to its end")
        let pipes = run("uf-records check <(cat $F/rated-none.uf) && uf-records check <(cat $F/bad-flipped-bit.uf)")
        #expect(pipes.status == 65 && text(pipes).contains(": ok, 3 records, 3 blocks, content "), "as any pipe is: \(pipes.errors)")
        #expect(run("uf-records check nowhere.uf").status == 66)
        let one = run("uf-records view -r :1 $F/rated-none.uf | uf-records import --kind rated -o one.uf; uf-records check one.uf; uf-records digest one.uf; uf-records stats one.uf | head -1; uf-records cat -v one.uf -o two.uf")
        #expect(text(one).contains("one.uf: has its end mark, 1 record, 1 block, ") && text(one).contains("  1 rated record  one.uf\n") && text(one).contains("one.uf: 1 rated record in 1 block, "))
        #expect(one.errors == "uf-records: 1 record read, 1 written\n")
    }

    @Test func statistics() throws {
        let json = try JSON.parse(run("uf-records stats --json $F/rated-zlib.uf").output)
        #expect(json["records"]?.int == 3 && json["blocks"]?.int == 3 && json["codec"]?.string == "zlib" && json["kind"]?.string == "rated")
        let responses = json["columns"]?.array?.first { $0["name"]?.string == "responses" }?["lengths"]
        #expect(responses?["count"]?.int == 6 && responses?["min"]?.int == 0 && responses?["max"]?.int == 5 && responses?["sum"]?.int == 15 && responses?["p50"]?.int == 0)
        let helpfulness = json["dimensions"]?["helpfulness"], honesty = json["dimensions"]?["honesty"]
        #expect(helpfulness?["records"]?.int == 2 && helpfulness?["left_out"]?.int == 0 && helpfulness?["rated"]?.int == 4 && helpfulness?["mean_rating"]?.double == 3)
        #expect(honesty?["left_out"]?.int == 2 && honesty?["rated"]?.int == 2 && honesty?["responses"]?.int == 4)
        // Entropy of (3/4, 1/4) over ln 2.
        #expect(abs((helpfulness?["relative_entropy"]?.double ?? 0) - 0.8112781244591328) < 1e-12)
        let text = text(run("uf-records stats $F/packed-none.uf"))
        #expect(text.contains("3 packed records in 3 blocks") && text.contains("tokens, length in tokens\n   4-7  ########################################  2\n  8-15  ####################                      1\n"))
        #expect(run("uf-records stats $F/bad-matrices.uf").status == 65)
    }

    @Test func closedPipeIsDone() throws {
        let outcome = run("set -o pipefail; for i in 1 2 3 4 5 6; do cat $F/packed.jsonl; done > /dev/null; uf-records view $F/packed-none.uf | true; uf-records head -n 3 $F/rated-none.uf | head -n 1 > /dev/null; echo ${PIPESTATUS[*]}")
        #expect(outcome.errors.isEmpty && text(outcome) == "0 0\n")
        let full = run("uf-records view $F/rated-none.uf > /dev/full")
        #expect(full.status == 74 && full.errors == "uf-records: standard output: writing failed at byte 0: No space left on device\n")
    }

    @Test func damageStopsView() throws {
        let outcome = run("cat $F/bad-blocks-swapped.uf | uf-records view")
        #expect(outcome.status == 65)
        #expect(outcome.errors == "uf-records: standard input: frame 6 at byte 9152: the digest of the content does not match: blocks were exchanged or altered\n")
        let unmapped = run("uf-records view $F/bad-cut-after-block.uf")
        #expect(unmapped.status == 65 && unmapped.output.isEmpty)
    }
}
