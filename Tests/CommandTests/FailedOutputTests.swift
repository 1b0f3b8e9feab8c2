import JSON
import TestSupport
import Testing

/// Full disks, closed pipes and missing inputs, for every command: the documented status, one line, and nothing under the output's name.
@Suite struct FailedOutputTests {
    let folder = TemporaryFolder()
    private static let stories = Fixtures.path("models/stories260K")
    private static let gguf = Fixtures.path("gguf/import-llama-bpe.gguf")
    private static let tokenize = "--tokenizer \(stories) --template plain"
    private static let bench = "uf-eval bench --model \(stories) --tasks arc_challenge --data \(Fixtures.path("benchmarks")) --limit 2"
    private static let train = "uf-train \(stories) --data packed.uf --batch 4 --warmup 0"
    private static let preference = "uf-eval preference packed.uf --model scores.uf --reference scores.uf --resamples 100"

    /// A stream of every kind, texts and ids, a run database.
    private func prepare() {
        let made = Command.shell(
            """
            zcat \(Fixtures.path("ultrafeedback/binarized.jsonl.gz")) | head -12 > raw.jsonl; echo '"A text"' > texts.jsonl; echo '[1, 2]' > ids.jsonl
            uf-convert raw.jsonl -o rated.uf && uf-tokenize rated.uf \(Self.tokenize) -o tokens.uf && uf-pack tokens.uf --max-length 512 --overlong drop -o packed.uf 2>/dev/null
            uf-eval score packed.uf --model \(Self.stories) -o scores.uf && \(Self.preference) --database runs.sqlite >/dev/null
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
    }

    /// Everything that writes to standard output.
    private static let filters = [
        "uf-convert raw.jsonl", "uf-tokenize rated.uf \(tokenize)", "uf-tokenize text texts.jsonl --tokenizer \(stories)", "uf-tokenize decode ids.jsonl --tokenizer \(stories)",
        "uf-tokenize train rated.uf --size 260", "uf-tokenize train rated.uf --size 260 --json -o out",
        "uf-pack tokens.uf --max-length 512 --overlong drop", "uf-pack export --format jsonl packed.uf", "uf-pack export --format npz packed.uf",
        "uf-eval score packed.uf --model \(stories)", preference, preference + " --json", bench, bench + " --json",
        bench + " --log-samples - -o table", "uf-eval report runs.sqlite", "uf-eval report runs.sqlite --json", train + " --metrics - -o out", train + " --json -o out",
        train + " --json -o out --database lasting.sqlite", preference + " --database lasting.sqlite", bench + " --database lasting.sqlite", bench + " --log-samples samples",
        "uf-records check --full rated.uf", "uf-records stats rated.uf", "uf-records explain rated.uf",
        "uf-records cat rated.uf", "uf-records split --parts 2 --part 0 rated.uf", "uf-records merge --by origin rated.uf", "uf-records sort --by id rated.uf", "uf-records shuffle rated.uf",
        "uf-records digest rated.uf", "uf-records digest --compare rated.uf rated.uf", "uf-records diff --json rated.uf rated.uf", "uf-records import --kind logps /dev/null",
    ]

    /// One line of the command itself; what was dropped is told before.
    private func expectFailure(_ outcome: Command.Outcome, _ script: String, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let lines = outcome.errors.split(separator: "\n").filter { !$0.contains(": dropped ") }
        #expect(outcome.status == 74 && lines.count == 1 && lines[0].hasPrefix(script.prefix { $0 != " " } + ": ") && lines[0].contains(reason),
                "\(script): \(outcome.status): \(outcome.errors)", sourceLocation: sourceLocation)
    }

    @Test func fullStandardOutput() throws {
        prepare()
        for script in Self.filters {
            expectFailure(Command.shell(script + " > /dev/full", in: folder.path), script, "standard output: writing failed at byte 0: No space left on device")
            #expect(!folder.contents.contains { ["out", "table", "samples"].contains($0) || $0.contains(".tmp-") }, "\(script): \(folder.contents)")
        }
        // The run of uf-train was entered when it began; evaluations are entered whole, or not at all.
        let runs = try JSON.parse(Command.shell("uf-eval report lasting.sqlite --json", in: folder.path).output).array
        #expect(runs?.map { [$0["command"]?.string, $0["status"]?.string] } == [["uf-train", "failed"]])
    }

    /// A pipe without a reader. SIGPIPE ends a command without a word; where it is ignored, the write's error is told.
    @Test func closedPipe() {
        prepare()
        let pipe = "mkfifo pipe; exec 3<>pipe 4>pipe 3<&-; "
        for script in Self.filters {
            let told = Command.shell("rm -f pipe; \(pipe) trap '' PIPE; \(script) >&4", in: folder.path)
            expectFailure(told, script, "standard output: writing failed at byte 0: Broken pipe")
            // `check` and `stats` print when all is read: they end as filters do.
            let killed = Command.shell("rm -f pipe; \(pipe) \(script) >&4; exit $?", in: folder.path)
            #expect(killed.status == 141 && killed.errors.split(separator: "\n").allSatisfy { $0.contains(": dropped ") }, "\(script): \(killed.status): \(killed.errors)")
        }
        #expect(!folder.contents.contains { $0.contains(".tmp-") }, "\(folder.contents)")
    }

    /// How a file system of its own can be mounted, seen by this process alone; nil where that is not allowed.
    private static let mounting: String? = ["unshare --mount", "unshare --map-root-user --mount"].first { unshare in
        let folder = TemporaryFolder()
        return Command.shell("\(unshare) mount -t tmpfs -o size=64k none .", in: folder.path).status == 0
    }

    @Test(.enabled(if: mounting != nil, "needs to be allowed to mount a small file system (root, or user namespaces)")) func fullDisk() {
        prepare()
        // On a disk without a byte of room.
        let full = [
            "uf-convert raw.jsonl -o small/out", "uf-convert raw.jsonl -o out --report small/report", "uf-tokenize rated.uf \(Self.tokenize) -o small/out",
            "uf-tokenize text texts.jsonl --tokenizer \(Self.stories) -o small/out", "uf-tokenize decode ids.jsonl --tokenizer \(Self.stories) -o small/out",
            "uf-pack tokens.uf --max-length 512 --overlong drop -o small/out", "uf-pack tokens.uf --max-length 512 --overlong drop -o out --report small/report",
            "uf-eval score packed.uf --model \(Self.stories) -o small/out", "\(Self.preference) -o small/out", "\(Self.preference) --json -o small/out", "\(Self.bench) -o small/out",
            "\(Self.bench) --log-samples small/samples -o out", "uf-eval report runs.sqlite -o small/out", "\(Self.train) -o small/out", "\(Self.train) --metrics small/metrics -o out",
            "uf-train import \(Self.gguf) -o small/out", "uf-convert raw.jsonl --shards 2 -o small/out-%d-of-%d", "uf-convert raw.jsonl --split a=0.5,b=0.5 -o small/out-%",
            "uf-records cat rated.uf -o small/out", "uf-records split --parts 2 rated.uf -o small/out-%", "uf-records merge --by origin rated.uf -o small/out",
            "uf-records sort --by id rated.uf -o small/out", "uf-records shuffle rated.uf -o small/out", "uf-records salvage rated.uf -o small/out",
            "uf-records salvage rated.uf --report small/report -o out", "uf-records import --kind logps /dev/null -o small/out",
        ]
        for script in full { expectNothing(of: script, on: "64k", after: "head -c 1M /dev/zero > small/fill 2>/dev/null") }
        // On one that fills while it is written.
        expectNothing(of: "uf-eval score packed.uf --model \(Self.stories) -o small/out", on: "4k")
        expectNothing(of: "uf-tokenize rated.uf \(Self.tokenize) -o small/out", on: "8k")
        expectNothing(of: "\(Self.train) -o small/out", on: "64k")
        expectNothing(of: "uf-train import \(Self.gguf) -o small/out", on: "32k")
        // A database is no file that appears whole: what SQLite made of it stays, and is a database again once there is room.
        for script in ["\(Self.train) --database small/runs.sqlite -o out", "\(Self.preference) --database small/runs.sqlite -o out"] {
            expectNothing(of: script, on: "64k", after: "head -c 1M /dev/zero > small/fill 2>/dev/null", but: "runs.sqlite\n")
            expectNothing(of: script, on: "64k", after: "cp runs.sqlite small/; head -c 1M /dev/zero > small/fill 2>/dev/null", but: "runs.sqlite\n")
        }
    }

    /// Runs a command that writes into `small`, a file system of `size`, and holds it to a failure that leaves nothing but `left` and the filling there, and no `out` here.
    private func expectNothing(of script: String, on size: String, after setUp: String = ":", but left: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        let inside = "mount -t tmpfs -o size=\(size) none small; \(setUp); \(script); status=$?; ls -A small | grep -v '^fill$' >&3; exit $status"
        let outcome = Command.shell("mkdir -p small; \(Self.mounting ?? "") bash -c \(Command.quoted(inside)) 3>&1 >/dev/null", in: folder.path)
        expectFailure(outcome, script, "small/", sourceLocation: sourceLocation)
        #expect(outcome.errors.contains("No space left on device") || outcome.errors.contains("database or disk is full"), "\(script): \(outcome.errors)", sourceLocation: sourceLocation)
        #expect(String(decoding: outcome.output, as: UTF8.self) == left, "\(script)", sourceLocation: sourceLocation)
        #expect(!folder.contents.contains { $0 == "out" || $0.contains(".tmp-") }, "\(script): \(folder.contents)", sourceLocation: sourceLocation)
    }

    /// The same by the limit on a file's size, which needs no file system of its own.
    @Test func fileSizeLimit() {
        prepare()
        for script in ["\(Self.train) -o out", "uf-train import \(Self.gguf) -o out", "uf-tokenize rated.uf \(Self.tokenize) -o out"] {
            expectFailure(Command.shell("ulimit -f 4; \(script)", in: folder.path), script, ": File too large")
            #expect(!folder.contents.contains("out") && !folder.contents.contains { $0.contains(".tmp-") }, "\(script): \(folder.contents)")
        }
    }

    @Test func missingInput() {
        prepare()
        let cases = [
            ("uf-tokenize rated.uf --tokenizer absent --template plain -o out", "uf-tokenize: absent: "),
            ("uf-tokenize text absent --tokenizer \(Self.stories) -o out", "uf-tokenize: absent: "), ("uf-tokenize decode absent --tokenizer \(Self.stories) -o out", "uf-tokenize: absent: "),
            ("uf-pack tokens.uf --model absent -o out", "uf-pack: absent/config.json: "), ("uf-eval score packed.uf --model absent -o out", "uf-eval: absent/config.json: "),
            ("uf-eval preference absent --model scores.uf --reference scores.uf -o out", "uf-eval: absent: "),
            ("uf-eval preference packed.uf --model absent --reference scores.uf -o out", "uf-eval: absent: "),
            ("uf-eval preference packed.uf --model scores.uf --reference absent -o out", "uf-eval: absent: "),
            ("uf-eval bench --model absent --tasks arc_challenge --data \(Fixtures.path("benchmarks")) -o out", "uf-eval: absent/config.json: "),
            ("uf-eval report absent -o out", "uf-eval: absent: "), ("uf-eval report . -o out", "uf-eval: .: cannot be opened for reading: Is a directory"),
            ("uf-eval report /dev/null -o out", "uf-eval: /dev/null: not a regular file; a database is a file on disk"),
            ("uf-train absent --data packed.uf -o out", "uf-train: absent/config.json: "), ("uf-train \(Self.stories) --data absent -o out", "uf-train: absent: "),
            ("uf-train \(Self.stories) --data packed.uf --validation absent -o out", "uf-train: absent: "),
            ("uf-train \(Self.stories) --data packed.uf --reference absent -o out", "uf-train: absent: "), ("uf-train import absent -o out", "uf-train: absent: "),
        ]
        for (script, message) in cases {
            let outcome = Command.shell(script, in: folder.path)
            #expect(outcome.status == 66 && outcome.errors.hasPrefix(message) && outcome.errors.split(separator: "\n").count == 1, "\(script): \(outcome.status): \(outcome.errors)")
            #expect(!folder.contents.contains("out") && !folder.contents.contains { $0.contains(".tmp-") }, "\(script): \(folder.contents)")
        }
        let bench = Command.shell("uf-eval bench --model \(Self.stories) --tasks arc_challenge --data absent -o out", in: folder.path)
        #expect(bench.status == 66 && bench.errors.hasPrefix("uf-eval: absent") && !folder.contents.contains("out"), "\(bench.status): \(bench.errors)")
    }

    /// Outputs that cannot be made are told before the work, not after hours of it.
    @Test func outputsThatCannotBeMade() {
        prepare()
        let made = Command.shell("ln -s absent/model dangling; ln -s elsewhere link; mkdir folder", in: folder.path)
        #expect(made.status == 0)
        let cases = [
            ("\(Self.train) -o dangling", "uf-train: dangling: cannot be created: No such file or directory"), ("\(Self.train) -o ''", "uf-train: : cannot be created: No such file or directory"),
            ("\(Self.train) -o /proc", "uf-train: /proc: cannot be created: Device or resource busy"), ("\(Self.train) -o out --metrics absent/m", "uf-train: absent/m: cannot be created"),
            ("\(Self.train) -o out --database absent/d", "uf-train: absent/d: cannot be created"), ("\(Self.train) -o out --database folder", "uf-train: folder: cannot be created: Is a directory"),
            ("uf-train import \(Self.gguf) -o dangling", "uf-train: dangling: cannot be created: No such file or directory"),
        ]
        for (script, message) in cases {
            // Nothing was trained: with a number of epochs that would take hours, the answer is there at once.
            let outcome = Command.shell("timeout 20 \(script)\(script.contains("import") ? "" : " --epochs 10000")", in: folder.path)
            #expect(outcome.status == 73 && outcome.errors.hasPrefix(message) && outcome.errors.split(separator: "\n").count == 1, "\(script): \(outcome.status): \(outcome.errors)")
        }
        // A link to nothing is followed, as for files.
        #expect(Command.shell("uf-train import \(Self.gguf) -o link/ && test -L link && test -s elsewhere/model.safetensors", in: folder.path).status == 0)
    }

    /// `-` is standard input or output, or refused; never the name of a file.
    @Test func dashIsNoFile() {
        prepare()
        let outcome = Command.shell(
            """
            cat scores.uf | \(Self.train) --reference - -o one --metrics - > metrics.jsonl && cmp metrics.jsonl one/metrics.jsonl && \(Self.train) -o two && diff -r one two || exit 1
            cat scores.uf | uf-eval preference packed.uf --model scores.uf --reference - > a && \(Self.preference) > b && uf-eval preference packed.uf --model - --reference scores.uf < scores.uf > c || exit 2
            diff <(tail -n +3 a) <(tail -n +3 c) || exit 3
            \(Self.bench) --log-samples - -o table | grep -c log_likelihood
            """, in: folder.path)
        #expect(outcome.status == 0, "\(outcome.status): \(outcome.errors)")
        let path = " takes a path, and - (standard input or output) is none; a file of that name is ./- ("
        let cases = [
            ("uf-tokenize rated.uf --tokenizer - --template plain", "uf-tokenize: --tokenizer" + path), ("uf-pack tokens.uf --model -", "uf-pack: --model" + path),
            ("uf-eval score packed.uf --model -", "uf-eval: --model" + path), ("uf-eval bench --model \(Self.stories) --tasks arc_challenge --data -", "uf-eval: --data" + path),
            ("uf-eval report -", "uf-eval: the database" + path), ("\(Self.preference) --database -", "uf-eval: --database" + path), ("\(Self.train) -o -", "uf-train: --output" + path),
            ("uf-train - --data packed.uf -o out", "uf-train: the model folder" + path), ("\(Self.train) -o out --database -", "uf-train: --database" + path),
            ("uf-train import - -o out", "uf-train: the GGUF file" + path), ("uf-train import \(Self.gguf) -o -", "uf-train: --output" + path),
            ("uf-train \(Self.stories) --data - --reference - -o out", "uf-train: --data and --reference cannot both be standard input ("),
            ("uf-eval preference --model - --reference scores.uf", "uf-eval: the packed stream and --model cannot both be standard input ("),
            ("\(Self.train) --metrics - --json -o out", "uf-train: --metrics and --json cannot both go to standard output ("),
            ("\(Self.bench) --log-samples -", "uf-eval: --log-samples and the figures cannot both go to standard output; give -o FILE too ("),
        ]
        for (script, message) in cases {
            let outcome = Command.shell(script, in: folder.path)
            #expect(outcome.status == 64 && outcome.errors.hasPrefix(message) && outcome.errors.split(separator: "\n").count == 1, "\(script): \(outcome.status): \(outcome.errors)")
        }
        #expect(!folder.contents.contains("-") && !folder.contents.contains("out"), "\(folder.contents)")
    }
}
