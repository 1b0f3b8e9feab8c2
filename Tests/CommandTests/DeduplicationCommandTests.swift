import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// uf-convert --dedup over shards and releases, as a user runs it.
@Suite struct DeduplicationCommandTests {
    private let folder = TemporaryFolder()

    /// `record NUMBER TEXT`, and three releases: v2 has prompts of v1 (2 and 3, in another form) and its own; v3 one of each and one new.
    private static let releases = """
        record() { printf '{"prompt":"%s","chosen":"yes %s","rejected":"no","score_chosen":5,"score_rejected":1}\\n' "$2" "$1"; }
        text() { printf 'Question %s: what would the inhabitants of %s have said about the weather of the year %s, and to whom, and why then' "$1" "$1" "$1"; }
        { record 1 "$(text 1)"; record 2 "$(text 2)"; record 3 "$(text 3)"; record 1 "$(text 1)"; } > v1.jsonl
        { record 2 "$(text 2 | tr a-z A-Z)?"; record 4 "$(text 4)"; record 3 "$(text 3) , thanks"; record 5 "$(text 5)"; } > v2.jsonl
        { record 1 "$(text 1)"; record 5 "$(text 5)"; record 6 "$(text 6)"; } > v3.jsonl
        convert() { v=$1; shift; uf-convert $v.jsonl --dedup near --dedup-store store.db "$@"; }
        kept() { uf-records view $1 | grep -o '"yes [0-9]*"' | tr -dc '0-9\\n' | paste -sd ' '; }

        """

    private func run(_ script: String) -> Command.Outcome { Command.shell(Self.releases + script, in: folder.path) }
    private func text(_ outcome: Command.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    @Test func aReleaseIsFreeOfEarlierOnesAndTheSameEveryTime() throws {
        let made = run("""
            for v in v1 v2 v3; do convert $v -o $v.uf --report $v.json 2>/dev/null; kept $v.uf; done
            cp store.db whole.db
            for v in v3 v1 v2; do convert $v -j 3 2>/dev/null | cmp - $v.uf || exit 1; done
            cmp store.db whole.db
            """)
        #expect(made.status == 0 && text(made) == "1 2 3\n4 5\n6\n", "\(text(made)) \(made.errors)")
        let dropped = try ["v1", "v2", "v3"].map { try JSON.parse(readWholeFile(folder.file($0 + ".json")))["counts"]?["records"]?["dropped"] }
        #expect(dropped.map { $0?["earlier_release"] } == [0, 2, 2] && dropped.map { $0?["duplicate_prompt"] } == [1, 0, 0])
        #expect(try JSON.parse(readWholeFile(folder.file("v3.json")))["places"]?["dropped"]?["earlier_release"]?.array?.map { $0["line"] } == [1, 2])
        // Other options of the same release have the same prompts before them; so has another packing.
        let other = run("convert v2 --temperature 2 2>/dev/null | kept -; gzip -k v2.jsonl; uf-convert v2.jsonl.gz --dedup near --dedup-store store.db 2>/dev/null | cmp - v2.uf; convert v3 2>/dev/null | cmp - v3.uf")
        #expect(other.status == 0 && text(other) == "4 5\n", "\(text(other)) \(other.errors)")
        // Equal words alone: a word more makes another prompt.
        #expect(text(run("rm store.db; convert v1 2>/dev/null >/dev/null; uf-convert v2.jsonl --dedup exact --dedup-store store.db 2>/dev/null | kept -")) == "4 3 5\n")
    }

    /// A crash after the output is in place and before the prompts are entered: the store is as before, and the same command makes the same and goes on.
    @Test func whatACrashLeavesIsMadeUpFor() {
        let outcome = run("""
            convert v1 -o v1.uf 2>/dev/null; cp store.db before.db; convert v2 -o v2.uf 2>/dev/null; cp store.db after.db
            cp before.db store.db; convert v2 -o again.uf 2>/dev/null; cmp v2.uf again.uf && convert v3 2>/dev/null | kept -
            cp after.db store.db; convert v3 2>/dev/null | kept -
            """)
        #expect(outcome.status == 0 && text(outcome) == "6\n6\n", "\(text(outcome)) \(outcome.errors)")
    }

    /// Parts of a split, one by one or together, are of one release: none is earlier than another.
    @Test func partsOfASplitAreOfOneRelease() {
        let outcome = run("""
            convert v1 -o v1.uf 2>/dev/null
            for p in a b; do convert v2 --split a=0.5,b=0.5 --part $p -o one-$p.uf 2>/dev/null; convert v3 -o v3-$p.uf 2>/dev/null; done; cmp v3-a.uf v3-b.uf
            convert v2 --split a=0.5,b=0.5 -o 'all-%.uf' 2>/dev/null; for p in a b; do cmp one-$p.uf all-$p.uf || exit 1; done
            uf-records cat all-a.uf all-b.uf | uf-records view | grep -o '"yes [0-9]*"' | sort | paste -sd,
            """)
        #expect(outcome.status == 0 && text(outcome) == "\"yes 4\",\"yes 5\"\n", "\(text(outcome)) \(outcome.errors)")
    }

    /// What explain prints reads the store as it was, whatever came since, changes nothing in it, and refuses another.
    @Test func explainMakesTheSameBytes() {
        let outcome = run("""
            for v in v1 v2 v3; do convert $v -o $v.uf 2>/dev/null; done; cp store.db whole.db; chmod a-w store.db
            for v in v2 v3; do uf-records explain $v.uf > again.sh; INPUT1=$v.jsonl DEDUP_STORE1=store.db bash again.sh 2>/dev/null | cmp - $v.uf || exit 1; done
            uf-records explain v1.uf | grep -c store; cmp store.db whole.db || exit 2
            uf-records explain v3.uf > again.sh; rm -f other.db; uf-convert v3.jsonl --dedup near --dedup-store other.db -o x.uf; INPUT1=v3.jsonl DEDUP_STORE1=other.db bash again.sh
            """)
        #expect(outcome.status == 65 && text(outcome) == "0\n")
        #expect(outcome.errors.hasPrefix("uf-convert: other.db: its prompts never had the digest ") && outcome.errors.hasSuffix(": this is not the store that the stream was made with\n"),
                "\(outcome.errors)")
    }

    /// Two at once: the second waits, says so, and comes after the first.
    @Test func aSecondRunWaits() {
        let outcome = run("""
            mkfifo pipe; convert v1 -o pipe 2>/dev/null & sleep 0.5
            convert v2 -o v2.uf 2>errors & sleep 0.5; [ -e v2.uf ] && echo early; cat pipe > v1.uf; wait; kept v1.uf; kept v2.uf; head -1 errors
            """)
        #expect(outcome.status == 0 && text(outcome) == "1 2 3\n4 5\nuf-convert: store.db: another process holds it; waiting for its end\n", "\(text(outcome)) \(outcome.errors)")
    }

    @Test func aFailedRunChangesNothing() {
        let outcome = run("""
            cp v2.jsonl bad.jsonl; echo '{' >> bad.jsonl
            uf-convert bad.jsonl --dedup near --dedup-store store.db -o o.uf; echo $?; ls store.db* o.uf 2>/dev/null
            convert v1 -o v1.uf 2>/dev/null; cp store.db before.db
            uf-convert bad.jsonl --dedup near --dedup-store store.db -o o.uf 2>/dev/null; echo $?; convert v2 > /dev/full 2>/dev/null; echo $?
            cmp store.db before.db; ls store.db*; ls o.uf 2>/dev/null
            # Stopped while it waits for the reader of its output: no file of it stays.
            mkfifo pipe; uf-convert v3.jsonl --dedup near --dedup-store new.db -o pipe & sleep 0.5; kill -TERM $!; wait $!; ls new.db* 2>/dev/null
            true
            """)
        #expect(text(outcome) == "65\n65\n74\nstore.db\n", "\(text(outcome)) \(outcome.errors)")
    }

    @Test func damagedAndForeignFilesAreRefused() {
        func check(_ what: String, _ status: Int32, _ message: String) {
            let outcome = run("convert v1 -o v1.uf 2>/dev/null; \(what); cp store.db before.db 2>/dev/null; convert v2 -o v2.uf; s=$?; cmp store.db before.db 2>/dev/null; ls v2.uf 2>/dev/null; rm -rf store.db; exit $s")
            #expect(outcome.status == status && outcome.errors.hasPrefix("uf-convert: store.db: \(message)") && outcome.output.isEmpty && outcome.errors.split(separator: "\n").count == 1,
                    "\(what): \(outcome.status) \(text(outcome)) \(outcome.errors)")
        }
        check("echo this is no database but text of some length, longer than a header > store.db", 65, "not an SQLite database")
        check("cp \(Command.quoted(Fixtures.path("ultrafeedback/odd.jsonl"))) store.db", 65, "not an SQLite database")
        check("truncate -s 6000 store.db", 65, "damaged database")
        check("rm store.db; mkdir store.db", 73, "cannot be created: Is a directory")
        // A byte of a prompt that SQLite does not look at: the last bytes of the file are of the row that was written first into its page.
        check("printf '\\377' | dd of=store.db bs=1 seek=$(($(stat -c %s store.db) - 5)) conv=notrunc 2>/dev/null", 65, "damaged store: the prompts of run 1 are not those that it entered; restore it from a copy")
    }

    @Test(arguments: [
        ("v1.jsonl --dedup-store s.db", "uf-convert: --dedup-store needs --dedup exact or near"),
        ("v1.jsonl --dedup near --dedup-store -", "uf-convert: --dedup-store takes a path, and - (standard input or output) is none"),
        ("v1.jsonl --dedup near --dedup-store-sha256 00", "uf-convert: --dedup-store-sha256 needs --dedup-store FILE"),
        ("--dedup near --dedup-store s.db < v1.jsonl", "uf-convert: standard input: no file on disk, and with --dedup-store inputs are read twice"),
        ("<(cat v1.jsonl) --dedup near --dedup-store s.db", "uf-convert: /dev/fd/63: no file on disk, and with --dedup-store inputs are read twice"),
        ("v1.jsonl --dedup near --dedup-store v2.jsonl -o v2.jsonl", "uf-convert: v2.jsonl: both input and output"),
        ("v1.jsonl --dedup near --dedup-store v2.jsonl --report v2.jsonl", "uf-convert: v2.jsonl: both input and report"),
    ])
    func wrongCommandLines(options: String, message: String) {
        let outcome = run("uf-convert \(options) > out")
        #expect(outcome.status == 64 && outcome.errors.hasPrefix(message), "\(options): \(outcome.errors)")
        #expect(!folder.contents.contains("s.db"))
    }

    /// Duplicates are those of all shards together, whether these are made together or alone; explain makes each again.
    @Test func shardsKnowEachOthersPrompts() {
        let outcome = run("""
            zcat \(Command.quoted(Fixtures.path("ultrafeedback/binarized.jsonl.gz"))) | head -60 > raw.jsonl; head -30 raw.jsonl | sed 's/"prompt": *"/&  so, /' >> raw.jsonl; cat v1.jsonl v2.jsonl >> raw.jsonl
            for mode in exact near; do
              uf-convert raw.jsonl --dedup $mode -o all.uf 2>/dev/null; uf-convert raw.jsonl --dedup $mode --shards 3 -j 3 -o "$mode-%d-of-%d.uf" 2>/dev/null
              for shard in $mode-*-of-3.uf; do uf-records view $shard; done | sort > parts; uf-records view all.uf | sort | cmp - parts || exit 1
              n=0; for shard in $mode-*-of-3.uf; do
                uf-convert raw.jsonl --dedup $mode --shard $n/3 2>/dev/null | cmp - $shard || exit 2
                uf-records explain $shard > again.sh; INPUT1=raw.jsonl bash again.sh 2>/dev/null | cmp - $shard || exit 3
                n=$((n + 1))
              done
            done
            cat parts | wc -l
            """)
        #expect(outcome.status == 0, "\(outcome.status) \(outcome.errors)")
        #expect(Int(text(outcome).prefix { $0 != "\n" }).map { (40 ..< 80).contains($0) } == true, "\(text(outcome))")
    }

    /// The licence of a source goes with its data through every stage, and what explain prints gives it again.
    @Test func licencesGoWithTheData() throws {
        let model = Command.quoted(Fixtures.path("models/stories260K"))
        let outcome = run("""
            for v in v1 v2; do sed -i "1s/{/{\\"source\\":\\"all\\",/; 2,\\$s/{/{\\"source\\":\\"$v\\",/" $v.jsonl; uf-convert $v.jsonl --licence "$v=Licence of $v" --licence all=MIT -o $v.uf 2>/dev/null; done
            uf-records cat v1.uf v2.uf -o cat.uf; uf-records shuffle cat.uf --seed 1 -o shuffle.uf; uf-records sort cat.uf --by id -o sort.uf
            for v in v1 v2; do uf-records sort $v.uf --by id -o sorted-$v.uf; done; uf-records merge sorted-v1.uf sorted-v2.uf --by id -o merge.uf
            uf-records split cat.uf --parts 2 -o 'part-%.uf'
            uf-tokenize --tokenizer \(model) --template plain cat.uf -o tokens.uf 2>/dev/null; uf-pack tokens.uf -o packed.uf 2>/dev/null
            uf-records explain packed.uf
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        for word in ["--licence 'v1=Licence of v1'", "--licence 'v2=Licence of v2'", "--licence all=MIT"] { #expect(text(outcome).contains(word), "\(word): \(text(outcome))") }
        for name in ["cat", "merge", "shuffle", "sort", "part-000", "part-001", "tokens", "packed"] {
            let stats = try JSON.parse(Command.shell("uf-records stats --json \(name).uf", in: folder.path).output)
            let licences = stats["licences"] ?? stats[0]?["licences"]
            #expect(licences == .object([("all", "MIT"), ("v1", "Licence of v1"), ("v2", "Licence of v2")]), "\(name): \(licences ?? .null)")
        }
    }
}
