import JSON
import SystemIO
import TestSupport
import Testing

@testable import Alignment

/// uf-train as a user runs it.
struct TrainCommandTests {
    private static let model = Fixtures.path("models/stories260K")
    private static let options = "--epochs 2 --batch 6 --learning-rate 3e-4 --lambda dirichlet:1"

    private static func put(_ bytes: [UInt8], _ path: String) throws {
        let file = try AtomicFile(path: path)
        try file.write(bytes)
        try file.finish()
    }

    /// A folder with train.uf and validation.uf.
    private static func folder(records: Int = 24) throws -> TemporaryFolder {
        let folder = TemporaryFolder(), tokenizer = try readWholeFile(model + "/tokenizer.json")
        for (name, seed) in [("train.uf", UInt64(1)), ("validation.uf", 2)] {
            let records = TestShards.random(records, vocabulary: 512, seed: seed, promptLength: 30)
            try put(try TestShards.stream(TestShards.bins(records, perBin: 2), tokenizer: tokenizer), folder.file(name))
        }
        return folder
    }

    @Test func fileAndPipeAnyThreadsSameFolder() throws {
        let folder = try Self.folder()
        let first = Command.shell("uf-train \(Self.model) --data train.uf \(Self.options) -j 1 -o one", in: folder.path)
        #expect(first.status == 0 && first.errors.isEmpty && first.output.isEmpty, "\(first.status): \(first.errors)")
        let second = Command.shell("cat train.uf | uf-train run \(Self.model) --data - \(Self.options) -j 2 --json -v -o two && diff -r one two", in: folder.path)
        #expect(second.status == 0, "\(second.status): \(second.errors)")
        #expect(second.errors.contains("first batch") && second.errors.contains("OpenBLAS kernels"), "\(second.errors)")
        #expect(try JSON.parse(second.output)["steps"]?.int == 8)
        // Trained twice, each on top of what the first gave: a folder that was trained is a model.
        #expect(Command.shell("uf-train one --data train.uf --validation validation.uf --validate-every 2 -o three", in: folder.path).status == 0)
        #expect(folder.contents == ["one", "three", "train.uf", "two", "validation.uf"], "\(folder.contents)")
    }

    /// Log-probabilities in double precision: other losses in their last digits, a cached reference of the same kind, the same bytes again.
    @Test func doublePrecision() throws {
        let folder = try Self.folder(records: 8), model = Self.model
        func loss(_ name: String) throws -> Double {
            let lines = String(decoding: try readWholeFile(folder.file(name + "/metrics.jsonl")), as: UTF8.self).split(separator: "\n")
            let last = try #require(lines.last)
            return try #require(JSON.parse(Array(last.utf8))["loss"]?.double)
        }
        let options = "--data train.uf --epochs 2 --batch 4 --learning-rate 1e-4"
        for (command, name) in [("--precision single", "single"), ("--precision double -j 1", "double"), ("--precision double -j 2 --reference scores.uf", "cached")] {
            if name == "cached" { #expect(Command.shell("uf-eval score train.uf --model \(model) --precision double -o scores.uf", in: folder.path).status == 0) }
            let outcome = Command.shell("uf-train \(model) \(options) \(command) -o \(name)", in: folder.path)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(name): \(outcome.errors)")
        }
        #expect(Command.shell("diff -r double cached", in: folder.path).status == 0)
        let (single, double) = (try loss("single"), try loss("double"))
        #expect(single != double && abs(single - double) < 1e-5, "\(single) and \(double)")
        #expect(Command.shell("uf-eval score train.uf --model \(model) -o scores.uf", in: folder.path).status == 0)
        let refused = Command.shell("uf-train \(model) \(options) --precision double --reference scores.uf -o refused", in: folder.path)
        #expect(refused.status == 65)
        #expect(refused.errors == "uf-train: scores.uf: log-probabilities in single precision, and --precision double was asked for; run uf-eval score with --precision double\n")
    }

    @Test func meanWithSmallBetaWarns() throws {
        let folder = try Self.folder(records: 4)
        let outcome = Command.shell("uf-train \(Self.model) --data train.uf --log-prob mean --warmup 0 -o out", in: folder.path)
        #expect(outcome.status == 0)
        #expect(outcome.errors == "uf-train: warning: --log-prob mean with --beta 0.1: a rating gap of 1 needs a difference of 10.0 nats a token, so P stays near 1/N and the loss near ln N; the equations mean --log-prob sum\n")
    }

    @Test func saysHowManyRecordsHadNoLoss() throws {
        let folder = try Self.folder()
        let outcome = Command.shell("uf-train \(Self.model) --data train.uf --lambda one-hot:honesty -o out", in: folder.path)
        #expect(outcome.status == 0)
        // Honesty is the second dimension of the records that have one.
        let unused = TestShards.random(24, vocabulary: 512, seed: 1, promptLength: 30).count { record in
            let inUse = LambdaDPO.dimensionsInUse(record.ratings, responses: record.responses.count)
            return inUse.count < 2 || !inUse[1]
        }
        #expect(outcome.errors == "uf-train: \(unused) of 24 records (counted once an epoch) had no loss: no dimension with weight has two ratings\n")
    }

    /// A run that a signal ends leaves neither a folder nor what it was being written as.
    @Test func killedMidwayLeavesNothing() throws {
        for signal in ["INT", "TERM"] {
            let folder = try Self.folder(records: 60)
            // A background job of bash, and all of a test run under nohup, may have SIGINT ignored; env puts it back.
            let outcome = Command.shell("""
                env --default-signal=INT,TERM uf-train \(Self.model) --data train.uf --epochs 10000 --database runs.sqlite --metrics metrics.jsonl -o out &
                pid=$!
                for i in $(seq 200); do [ -s runs.sqlite ] && break; sleep 0.05; done
                sleep 0.3
                kill -\(signal) $pid
                { sleep 20; kill -KILL $pid; } 2>/dev/null &
                wait $pid
                status=$?
                kill $! 2>/dev/null
                exit $status
                """, in: folder.path)
            #expect(outcome.status == (signal == "INT" ? 130 : 143), "\(signal): \(outcome.status) \(outcome.errors)")
            let left = folder.contents.filter { !$0.hasPrefix("runs.sqlite") }
            #expect(left == ["train.uf", "validation.uf"], "\(signal): \(left)")
        }
    }

    @Test func statusesAreAsDocumented() throws {
        let folder = try Self.folder(records: 4)
        func expect(_ arguments: String, _ status: Int32, _ text: String, after setUp: String = ":") {
            let outcome = Command.shell("\(setUp)\nuf-train \(arguments)", in: folder.path)
            #expect(outcome.status == status && outcome.errors.contains(text), "uf-train \(arguments): \(outcome.status): \(outcome.errors)")
        }
        expect("\(Self.model) --data absent.uf -o out", 66, "uf-train: absent.uf: cannot be opened for reading: No such file or directory\n")
        expect("absent --data train.uf -o out", 66, "absent")
        expect("\(Self.model) --data cut.uf -o out", 65, "uf-train: cut.uf: ", after: "head -c 3000 train.uf > cut.uf")
        expect("\(Self.model) --data train.uf -o /dev/null/out", 73, "uf-train: /dev/null/out: cannot be created")
        expect("\(Self.model) --data train.uf --warmup 0 --json -o out > /dev/full", 74, "writing failed")
        expect("\(Self.model) --data train.uf", 64, "Missing expected argument '--output <folder>'")
        expect("\(Self.model) --data train.uf -o out --lambda some", 64, "no lambda schedule \"some\"")
        expect("\(Self.model) --data train.uf -o out --beta 0", 64, "--beta takes a number above 0, at most 1e6")
        expect("\(Self.model) --data train.uf -o out --beta 1000001", 64, "--beta takes a number above 0, at most 1e6")
        expect("\(Self.model) --data train.uf -o out --validate-every 3", 64, "--validate-every needs --validation FILE")
        expect("\(Self.model) --data train.uf -o out --warmup 1.5", 64, "--warmup takes a whole number of steps or a share from 0 to below 1")
        expect("\(Self.model) --data train.uf -o out --reference train.uf", 65, "uf-train: train.uf: a stream of packed records, expected logps (uf-eval score makes them)\n")
    }

    /// From a GGUF to a trained model with nothing else. The shard's ids are made up; the tokenizer's digest is the imported folder's.
    @Test func anImportedModelTrains() throws {
        let folder = TemporaryFolder(), gguf = Fixtures.path("gguf/import-llama-bpe.gguf")
        let made = Command.shell("uf-train import \(gguf) -o model -v", in: folder.path)
        #expect(made.status == 0 && made.errors.contains("parameters"), "\(made.status): \(made.errors)")
        let records = TestShards.random(6, vocabulary: 40, seed: 3)
        try Self.put(try TestShards.stream(TestShards.bins(records, perBin: 2), tokenizer: readWholeFile(folder.file("model/tokenizer.json"))), folder.file("train.uf"))
        let trained = Command.shell("uf-train model --data train.uf --batch 2 -o trained", in: folder.path)
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(files(in: folder.file("trained")).count == files(in: folder.file("model")).count + 2)
    }
}
