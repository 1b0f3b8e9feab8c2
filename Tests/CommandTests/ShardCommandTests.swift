import JSON
import SystemIO
import TestSupport
import Testing

/// Sets of shards as a user makes and checks them.
@Suite struct ShardCommandTests {
    private let folder = TemporaryFolder()
    private let raw = [Fixtures.path("ultrafeedback/binarized.jsonl.gz"), Fixtures.path("ultrafeedback/odd.jsonl")].map(Command.quoted).joined(separator: " ")

    private func run(_ script: String) -> Command.Outcome { Command.shell(script, in: folder.path) }

    private func text(_ outcome: Command.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    @Test func shardsAreTheWholeDividedByPrompt() throws {
        let made = run("mkdir set && uf-convert \(raw) --shards 5 -o 'set/train-%03d-of-%03d.uf' 2>/dev/null && uf-convert \(raw) -o all.uf 2>/dev/null && ls set")
        #expect(made.status == 0 && text(made) == "train-000-of-005.uf\ntrain-001-of-005.uf\ntrain-002-of-005.uf\ntrain-003-of-005.uf\ntrain-004-of-005.uf\ntrain.MANIFEST\n", "\(made.errors)")
        // Nothing is lost and nothing is there twice.
        let same = run("cmp <(uf-records view all.uf | sort) <(for s in set/*.uf; do uf-records view $s; done | sort) && (cd set && sha256sum --check --quiet train.MANIFEST)")
        #expect(same.status == 0, "\(same.errors)\(text(same))")
        // Joined they are a stream like any other, of the same records.
        let joined = run("uf-records cat set/train-*.uf -o joined.uf && uf-records check --full joined.uf > /dev/null && uf-records digest joined.uf all.uf | cut -c1-64 | uniq | wc -l; uf-records head joined.uf | grep -c '  shard'")
        #expect(text(joined) == "1\n0\n", "\(joined.errors)\(text(joined))")
        // A prompt's records are together; each shard is made alone, and by what explain prints.
        for index in 0 ..< 5 {
            let one = run("uf-convert \(raw) --shard \(index)/5 2>/dev/null | cmp - set/train-00\(index)-of-005.uf")
            #expect(one.status == 0, "shard \(index): \(one.errors)\(text(one))")
        }
        let again = run("uf-records explain set/train-003-of-005.uf > again.sh && INPUT1=\(Command.quoted(Fixtures.path("ultrafeedback/binarized.jsonl.gz"))) INPUT2=\(Command.quoted(Fixtures.path("ultrafeedback/odd.jsonl"))) bash again.sh 2>/dev/null | cmp - set/train-003-of-005.uf")
        #expect(again.status == 0, "\(again.errors)\(text(again))")
        // The counts of the shards are those of the whole, record by record.
        func kept(_ file: String) throws -> Int {
            try #require(JSON.parse(run("uf-records stats --json \(file)").output)["counts"]?["records"]?["kept"]?.int)
        }
        #expect(try (0 ..< 5).reduce(0) { try $0 + kept("set/train-00\($1)-of-005.uf") } == kept("all.uf"))
    }

    @Test func threadsAndFormsGiveTheSameSet() {
        let made = run("for j in 1 3; do mkdir $j; set -- \(raw); zcat $1 | uf-convert -j $j --shards 3 -o $j/%d-of-%d.uf - $2 2>/dev/null; done; diff -r 1 3 && ls 1")
        #expect(made.status == 0 && text(made) == "0-of-3.uf\n1-of-3.uf\n2-of-3.uf\nMANIFEST\n", "\(made.errors)\(text(made))")
    }

    @Test func foldersAreCheckedWhole() {
        let made = run("mkdir set && uf-convert \(raw) --shards 3 -o set/a-%d-of-%d.uf 2>/dev/null && uf-convert \(raw) -o set/single.uf 2>/dev/null; uf-records check --full set && uf-records check set/")
        #expect(made.status == 0, "\(made.errors)")
        let lines = text(made).split(separator: "\n").map { $0.prefix { $0 != "," } }
        #expect(lines == ["set/a.MANIFEST: ok", "set/single.uf: ok", "set/a.MANIFEST: has all end marks", "set/single.uf: has its end mark"], "\(text(made))")
        #expect(text(made).hasPrefix("set/a.MANIFEST: ok, 3 shards, 313 records, 3 blocks\n"), "\(text(made))")

        // A MANIFEST is its set; folders inside a folder are no part of it, and that is told.
        let named = run("uf-records check --full set/a.MANIFEST; mkdir set/more set/.hidden set/old.uf; uf-records check set; mkdir none none/a; uf-records check none; rmdir set/more set/.hidden set/old.uf")
        #expect(text(named).hasPrefix("set/a.MANIFEST: ok, 3 shards, 313 records, 3 blocks\nset/a.MANIFEST: has all end marks, "), "\(text(named))")
        #expect(named.errors == "uf-records: set: 2 folders in it were not looked into; name them too\n"
            + "uf-records: none: a folder without streams (*.uf) and without a MANIFEST; 1 folder in it was not looked into; name it too\n")

        func refused(_ change: String, _ message: String, quickToo: Bool = true) {
            let outcome = run("rm -rf work; cp -r set work; cd work; \(change); cd ..; uf-records check --full work")
            #expect(outcome.status == 65 || outcome.status == 66, "\(change): \(outcome.status)")
            #expect(outcome.errors.contains(message), "\(change): \(outcome.errors)")
            #expect(run("uf-records check work").status == (quickToo ? outcome.status : 0), "\(change)")
        }
        refused("rm a-1-of-3.uf", "uf-records: work/a-1-of-3.uf: cannot be opened for reading: No such file or directory")
        refused("rm a.MANIFEST", "uf-records: work/a-0-of-3.uf: shard 0 of 3 of a set, and no MANIFEST beside it lists it")
        refused("truncate -s -64 a-2-of-3.uf", "work/a-2-of-3.uf")
        refused("printf x | dd of=a-2-of-3.uf bs=1 seek=5000 conv=notrunc status=none", "work/a-2-of-3.uf", quickToo: false)
        refused("cp a-0-of-3.uf a-1-of-3.uf", "work/a-1-of-3.uf: shard 0 of its set where work/a.MANIFEST has number 1", quickToo: true)
        refused("sed -i 1d a.MANIFEST", "shard 1 of its set where work/a.MANIFEST has number 0")
        refused("sed -i 3d a.MANIFEST", "work/a.MANIFEST: lists 2 shards of a set of 3")
        refused("cp single.uf a-1-of-3.uf", "no shard of a set, but work/a.MANIFEST lists it")
        // A set of the same form from other options, shard by shard in its place.
        refused("uf-convert \(raw) --temperature 2 --shards 3 -o b-%d-of-%d.uf 2>/dev/null; mv b-1-of-3.uf a-1-of-3.uf; rm b[-.]*", "expected the set")
        // The same options on other data.
        refused("uf-convert \(Command.quoted(Fixtures.path("ultrafeedback/odd.jsonl"))) --shards 3 -o b-%d-of-%d.uf 2>/dev/null; mv b-1-of-3.uf a-1-of-3.uf; rm b[-.]*",
                "work/a-1-of-3.uf: made of other inputs than work/a-0-of-3.uf; shards of two runs stand together")
        // The same on other records of the same inputs: only the manifest knows.
        refused("uf-records split --records 1 --part 0 a-1-of-3.uf -o c.uf 2>/dev/null; cp c.uf a-1-of-3.uf; rm c.uf", "work/a-1-of-3.uf")
        let empty = run("mkdir empty; uf-records check --full empty")
        #expect(empty.status == 65 && empty.errors == "uf-records: empty: a folder without streams (*.uf) and without a MANIFEST\n")
    }

    /// Remade with the same result the set keeps its files and their times; with another it goes from whole to whole.
    @Test func remakingKeepsOrReplaces() {
        let made = run("""
            uf-convert \(raw) --shards 2 -o s-%d-of-%d.uf 2>/dev/null; touch -d 2001-01-01 s*; stat -c '%n %Y' s* > times
            uf-convert \(raw) --shards 2 -o s-%d-of-%d.uf --if-changed 2>/dev/null; stat -c '%n %Y' s* | diff - times
            uf-convert \(raw) --shards 2 -o s-%d-of-%d.uf --if-changed --temperature 3 2>/dev/null; stat -c '%n %Y' s* | diff - times > /dev/null && echo kept; uf-records check --full .
            """)
        #expect(made.status == 0 && text(made).hasPrefix("./s.MANIFEST: ok, 2 shards") && made.errors.isEmpty, "\(made.errors)\(text(made))")
    }

    @Test func refusals() {
        func message(_ arguments: String) -> String {
            let outcome = run("uf-convert \(raw) \(arguments)")
            #expect(outcome.status == 64, "\(arguments): \(outcome.status)")
            return String(outcome.errors.prefix { $0 != "\n" })
        }
        #expect(message("--shards 3 -o a.uf") == "uf-convert: --shards needs -o with a pattern of two numbers in the file's name, as in -o train-%05d-of-%05d.uf (uf-convert --help tells more)")
        #expect(message("--shards 3") == "uf-convert: --shards needs -o with a pattern of two numbers in the file's name, as in -o train-%05d-of-%05d.uf (uf-convert --help tells more)")
        #expect(message("--shards 0 -o %d-%d") == "uf-convert: --shards takes a number from 1 to 512 (uf-convert --help tells more)")
        #expect(message("--shards 2 --shard 0/2 -o %d-%d") == "uf-convert: --shards writes all shards, --shard one of them; give one of the two (uf-convert --help tells more)")
        #expect(message("--shard 2/2") == "uf-convert: --shard takes INDEX/NUMBER with an index from 0 to below a number of at most 512, as in 3/8 (uf-convert --help tells more)")
        // A failure leaves the old set, or nothing.
        let failed = run("uf-convert \(Command.quoted(Fixtures.path("ultrafeedback/bad.jsonl"))) --shards 2 -o %d-of-%d.uf; ls -A | wc -l")
        #expect(text(failed) == "0\n" && failed.errors.hasPrefix("uf-convert: "), "\(text(failed))\(failed.errors)")
    }
}
