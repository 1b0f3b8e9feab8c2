import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// Packed sets of shards, and releases that are added to them.
@Suite struct PackShardsTests {
    private let folder = TemporaryFolder()

    private func run(_ script: String) -> Command.Outcome { Command.shell(script, in: folder.path) }

    private func text(_ outcome: Command.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    /// Two releases as tokens streams, of other records.
    init() throws {
        for (name, lines) in [("first", 1 ... 40), ("second", 41 ... 60)] {
            let file = try AtomicFile(path: folder.file(name + ".jsonl"))
            for line in lines {
                try file.write("{\"prompt\":\"Question \(line % 37) of \(line)\",\"chosen\":\"Yes, \(line * line)\",\"rejected\":\"No \(line)\"}\n")
            }
            try file.finish()
        }
        let made = run("gzip -dc '\(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz"))' > tokenizer.json && for r in first second; do"
            + " uf-convert $r.jsonl | uf-tokenize --tokenizer tokenizer.json --template chatml -o $r.uf; done")
        try #require(made.status == 0, "\(made.errors)")
    }

    private static let pack = "uf-pack --max-length 64 --max-tokens 128"

    @Test func shardsAreTheWholeDividedByPrompt() throws {
        let made = run("\(Self.pack) first.uf --shards 3 --report report.json -o set-%d-of-%d.uf && \(Self.pack) first.uf --report whole.json -o whole.uf"
            + " && uf-records check --full set.MANIFEST && sha256sum --check --quiet set.MANIFEST")
        #expect(made.status == 0 && text(made).hasPrefix("set.MANIFEST: ok, 3 shards, "), "\(made.errors)\(text(made))")
        func ids(_ files: String) -> [String] {
            text(run("for f in \(files); do uf-records view $f; done | grep -o '\"id\":\"[0-9a-f]*\"'")).split(separator: "\n").map(String.init)
        }
        let all = ids("whole.uf"), divided = (0 ..< 3).map { ids("set-\($0)-of-3.uf") }
        #expect(all.count == 40 && divided.flatMap { $0 }.sorted() == all.sorted() && divided.allSatisfy { !$0.isEmpty })
        // The reports agree on everything but how bins came to be filled.
        for path in [["counts", "records"], ["counts", "tokens"], ["lengths", "response"], ["tokens", "shared_prefix"]] {
            func value(_ file: String) throws -> JSONValue? { try path.reduce(JSON.parse(readWholeFile(folder.file(file)))) { $0?[$1] } }
            #expect(try value("report.json") != nil && value("report.json") == value("whole.json"), "\(path)")
        }
        for index in 0 ..< 3 {
            let one = run("\(Self.pack) first.uf --shard \(index)/3 | cmp - set-\(index)-of-3.uf")
            #expect(one.status == 0, "shard \(index): \(one.errors)\(text(one))")
        }
        let explained = run("uf-records explain set-1-of-3.uf")
        #expect(text(explained).contains("--shard 1/3"), "\(text(explained))")
    }

    /// The same prompt goes to the same shard, in any release and in any layout.
    @Test func promptsKeepTheirShard() throws {
        let made = run("\(Self.pack) first.uf --shards 3 -o a-%d-of-%d.uf && \(Self.pack) first.uf --layout pairs --order shuffled --seed 9 --shards 3 -o b-%d-of-%d.uf"
            + " && for i in 0 1 2; do for s in a b; do uf-records view $s-$i-of-3.uf | grep -o '\"id\":\"[0-9a-f]*\"' | sort > $s$i; done; cmp a$i b$i || exit 1; done")
        #expect(made.status == 0, "\(made.errors)\(text(made))")
    }

    @Test func aReleaseIsAddedWithoutTouchingTheOld() throws {
        let made = run("mkdir data && \(Self.pack) first.uf --shards 2 -o data/one-%d-of-%d.uf && cp -r data before && touch -d 2001-01-01 data/one-*.uf"
            + " && \(Self.pack) second.uf --shards 3 --append data/one.MANIFEST -o data/two-%d-of-%d.uf && ls data && uf-records check --full data && uf-records check data")
        #expect(made.status == 0, "\(made.errors)")
        let lines = text(made).split(separator: "\n")
        #expect(lines.prefix(6) == ["one-0-of-2.uf", "one-1-of-2.uf", "one.MANIFEST", "two-0-of-3.uf", "two-1-of-3.uf", "two-2-of-3.uf"], "\(lines)")
        #expect(lines.count == 8 && lines[6].hasPrefix("data/one.MANIFEST: ok, 5 shards, "), "\(lines)")
        #expect(run("for f in one-0-of-2.uf one-1-of-2.uf; do cmp data/$f before/$f && [ $(stat -c %y data/$f | cut -c1-4) = 2001 ] || exit 1; done; head -2 data/one.MANIFEST | cmp - before/one.MANIFEST").status == 0)
        // What goes missing, of either release, is noticed.
        for change in ["rm data/two-1-of-3.uf", "rm data/one-1-of-2.uf", "sed -i 5d data/one.MANIFEST", "sed -i 2d data/one.MANIFEST", "sed -i '1{h;d};2{G}' data/one.MANIFEST"] {
            let outcome = run("cp -r data kept; \(change); uf-records check data; s=$?; rm -rf data; mv kept data; exit $s")
            #expect(outcome.status == 65 || outcome.status == 66, "\(change): \(outcome.status)")
        }
    }

    @Test func whatCannotBeAddedIsRefused() {
        #expect(run("\(Self.pack) first.uf --shards 2 -o one-%d-of-%d.uf && cp one.MANIFEST before && mkdir other").status == 0)
        func refused(_ options: String, _ status: Int32, _ message: String) {
            let outcome = run("uf-pack --max-tokens 128 second.uf \(options)")
            #expect(outcome.status == status && outcome.errors.contains(message), "\(options): \(outcome.status) \(outcome.errors)")
            #expect(run("cmp one.MANIFEST before && ! ls | grep -q two").status == 0, "\(options)")
        }
        refused("--max-length 64 --append one.MANIFEST -o two.uf", 64, "--append goes with --shards")
        refused("--max-length 64 --shards 2 --append one.MANIFEST -o one-%d-of-%d.uf", 64, "one.MANIFEST: lists one-0-of-2.uf already, of an earlier release; give -o another pattern")
        refused("--max-length 64 --shards 2 --append one.MANIFEST -o other/two-%d-of-%d.uf", 64, "not in the folder of one.MANIFEST")
        refused("--max-length 63 --shards 2 --append one.MANIFEST -o two-%d-of-%d.uf", 65, "one-0-of-2.uf: its max_length differs from that of the new records")
        refused("--max-length 64 --shards 2 --append none.MANIFEST -o two-%d-of-%d.uf", 66, "none.MANIFEST: cannot be opened")
        // A set of an earlier release, which did not keep where prompts were cut.
        let old = run(#"""
            mkdir old; uf-pack --max-length 64 --max-tokens 128 first.uf --shards 1 -o new-%d-of-%d.uf 2> /dev/null && uf-records view --with-head new-0-of-1.uf |
              sed -e '1s/,{\\"as\\":\\"number\\",\\"depth\\":2,\\"name\\":\\"prompt_gaps\\",\\"type\\":\\"u32\\"}//' -e '2,$s/,"prompt_gaps":\[\[\]\]//g' |
              uf-records import --edited -o old/one-0-of-1.uf && cd old && sha256sum one-0-of-1.uf > one.MANIFEST &&
              uf-pack --max-length 64 --max-tokens 128 ../second.uf --shards 1 --append one.MANIFEST -o two-%d-of-%d.uf
            """#)
        let laidOut = "uf-pack: one-0-of-1.uf: its packed records are laid out otherwise than the new ones (missing: prompt_gaps; unknown: none); make the earlier sets again with this release, or begin a new list\n"
        #expect(old.status == 65 && old.errors == laidOut, "\(old.errors)")
        #expect(run("rm one-1-of-2.uf").status == 0)
        refused("--max-length 64 --shards 2 --append one.MANIFEST -o two-%d-of-%d.uf", 66, "one-1-of-2.uf: cannot be opened")
    }
}
