import Checksums
import Glibc
import JSON
import ModelFiles
import RecordStream
import RunDatabase
import SystemIO
import TestSupport
import Testing

@testable import Alignment

/// Whole runs on stories260K, from a packed stream to a model folder.
struct TrainingJobTests {
    private static let model = Fixtures.path("models/stories260K")
    private static let tokenizer = (try? readWholeFile(model + "/tokenizer.json")) ?? []
    private static let records = TestShards.random(24, vocabulary: 512, seed: 21, promptLength: 30)

    private static func data(_ records: [TestRecord] = records, perBin: Int = 2, layout: PackedLayout = .sharedPrefix, name: String = "train.uf", readSize: Int = .max) throws -> MemorySource {
        MemorySource(try TestShards.stream(TestShards.bins(records, perBin: perBin, layout), layout: layout, tokenizer: tokenizer), name: name, readSize: readSize)
    }

    private static func job(_ output: String, data source: (any ByteSource)? = nil, lambda: String = "dirichlet:1") throws -> TrainingJob {
        var job = TrainingJob(modelFolder: model, data: try source ?? data(), lambda: try LambdaSchedule(lambda), output: output)
        job.options.epochs = 2
        job.options.batch = 6
        job.options.learningRate = 1e-3
        job.options.optimizer.weightDecay = 0.01
        job.workers = 2
        return job
    }

    /// The bytes of every file of a folder.
    private static func contents(_ folder: String) throws -> [String: String] {
        var digests: [String: String] = [:]
        for path in files(in: folder) { digests[String(path.dropFirst(folder.utf8.count + 1))] = SHA256.hexDigest(of: try readWholeFile(path)) }
        return digests
    }

    @Test func learnsAndWritesAModelFolder() throws {
        let folder = TemporaryFolder()
        var job = try Self.job(folder.file("trained"), lambda: "uniform")
        // The same records: what is measured is what was trained on.
        job.validation = try Self.data(name: "again.uf")
        job.options.epochs = 10
        job.options.learningRate = 3e-4
        job.options.validationInterval = 15
        job.database = folder.file("runs.sqlite")
        job.metricsFile = folder.file("metrics.jsonl")
        job.label = "try"
        var seen: [Int] = []
        let summary = try job.run { event, plan in if case .step(let step) = event { seen.append(step.step); #expect(plan?.totalSteps == 40) } }
        #expect(seen == Array(1 ... 40))
        #expect(summary.steps == 40 && summary.records == 240)

        // Before: P is uniform, all pairs tied. After: a loss below, on the way to the entropy, and pairs in order.
        #expect(summary.validations.map(\.step) == [0, 15, 30, 40])
        let before = try #require(summary.validations.first?.losses), after = try #require(summary.validations.last?.losses)
        #expect(before.pairs.accuracy == nil && before.pairs.tied > 0)
        #expect(after.loss < before.loss && after.divergence < 0.6 * before.divergence, "loss \(before.loss), KL \(before.divergence) before, \(after.loss), \(after.divergence) after")
        #expect(try #require(after.pairs.accuracy) > 0.7)

        #expect(folder.contents == ["metrics.jsonl", "runs.sqlite", "trained"], "\(folder.contents)")
        let trained = try ModelFolder(path: folder.file("trained")), start = try ModelFolder(path: Self.model)
        #expect(trained.weights.tensors.map(\.name) == start.weights.tensors.map(\.name))
        #expect(trained.weights.tensors.map(\.shape) == start.weights.tensors.map(\.shape))
        #expect(try trained.weights.floats("model.norm.weight") != start.weights.floats("model.norm.weight"))
        #expect(try readWholeFile(folder.file("trained/tokenizer.json")) == Self.tokenizer)
        #expect(try readWholeFile(folder.file("trained/metrics.jsonl")) == readWholeFile(folder.file("metrics.jsonl")))
        let record = try JSON.parse(readWholeFile(folder.file("trained/training.json")))
        #expect(record["options"]?["lambda"]?.string == "uniform")
        #expect(record["inputs"]?["model"]?.string == hexadecimal(try start.digest()))
        #expect(record["inputs"]?["data"]?["records"]?.int == 24)
        try Self.checkMetrics(folder, summary)
    }

    private static func checkMetrics(_ folder: TemporaryFolder, _ summary: TrainingSummary) throws {
        let lines = String(decoding: try readWholeFile(folder.file("metrics.jsonl")), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 40 + 4)
        let first = try JSON.parse(Array(lines[1].utf8))
        #expect(first["step"]?.int == 1 && first["epoch"]?.int == 1 && first["split"]?.string == "train")
        #expect(first["learning_rate"]?.double == 0, "transformers' warmup begins at 0")
        #expect((first["gradient_norm"]?.double ?? 0) > 0)
        #expect(first["dimensions"]?["helpfulness"]?["loss"]?.double != nil)
        #expect(first["tokens_per_second"] == nil, "times differ from run to run")

        let database = try RunDatabase(reading: folder.file("runs.sqlite"))
        let run = try #require(try database.run(labelled: "try"))
        #expect(run.status == .finished && run.description.command == "uf-train" && run.description.seed == 1)
        let metrics = try database.metrics(of: run.id)
        #expect(metrics.count { $0.metric.name == "loss" && $0.metric.dimension.isEmpty } == 40)
        #expect(metrics.count { $0.metric.name == "tokens_per_second" } == 40)
        #expect(metrics.first { $0.step == 40 && $0.metric.name == "validation_loss" && $0.metric.dimension.isEmpty }?.metric.value == summary.validations.last?.losses.loss)
    }

    /// One thread, two, three; a file's reads, a pipe's small ones; cached log-probabilities: the same bytes in every file.
    @Test func sameBytesForAnyThreadsAndAnyReads() throws {
        let folder = TemporaryFolder()
        var first: [String: String]?
        for (number, (workers, readSize)) in [(1, Int.max), (2, 7), (3, 4096)].enumerated() {
            let output = folder.file("run\(number)")
            var job = try Self.job(output, data: Self.data(readSize: readSize))
            job.workers = workers
            job.validation = try Self.data(Array(Self.records.prefix(4)), name: "other.uf")
            _ = try job.run { _, _ in }
            let contents = try Self.contents(output)
            #expect(contents.count >= 5)
            if let first { #expect(contents == first, "\(workers) threads, reads of \(readSize) bytes") } else { first = contents }
        }
        var job = try Self.job(folder.file("cached"))
        job.validation = try Self.data(Array(Self.records.prefix(4)), name: "other.uf")
        job.reference = .file(try Self.cache(folder, try Self.data()))
        _ = try job.run { _, _ in }
        #expect(try Self.contents(folder.file("cached")) == first, "cached log-probabilities")
    }

    /// Another seed or another lambda gives other weights.
    @Test func seedAndLambdaDecide() throws {
        let folder = TemporaryFolder()
        func weights(_ name: String, _ change: (inout TrainingJob) throws -> Void) throws -> String? {
            var job = try Self.job(folder.file(name))
            try change(&job)
            _ = try job.run { _, _ in }
            return try Self.contents(folder.file(name))["model.safetensors"]
        }
        let all = try [weights("a") { _ in }, weights("b") { $0.options.seed = 2 }, weights("c") { $0.lambda = try LambdaSchedule("one-hot") },
                       weights("d") { $0.score = .mean }, weights("e") { $0.options.groups = 1 }, weights("f") { $0.reference = .none }]
        #expect(Set(all).count == all.count)
    }

    /// What uf-eval score writes, made here by the engine itself.
    private static func cache(_ folder: TemporaryFolder, _ source: any ByteSource, model path: String = model, digest: String? = nil, dropping dropped: Int = 0, changing change: (inout LogProbRecord) -> Void = { _ in }) throws -> String {
        let shard = try PackedShard(source), model = try ModelFolder(path: path)
        let scores = try LanguageModelForTests.logProbs(shard, model)
        let sink = MemorySink()
        let head = StreamHead(schema: LogProbRecord.schema, settings: ["model": .string(try digest ?? hexadecimal(model.digest()))],
                              provenance: Provenance(command: "uf-eval score", recipe: 1, arguments: [], inputs: [shard.head.provenance]))
        let writer = try RecordStreamWriter<LogProbRecord>(to: sink, head: head)
        var number = 0
        for bin in 0 ..< shard.binCount {
            for member in try shard.bin(bin).members {
                defer { number += 1 }
                guard number < shard.recordCount - dropped else { continue }
                var record = LogProbRecord(id: member.id, logProbs: scores[number].sums, tokenCounts: scores[number].tokenCounts.map { UInt32($0) })
                change(&record)
                try writer.append(record)
            }
        }
        try writer.finish(StreamTail(inputs: [.stream(digest: shard.streamDigest, content: shard.contentDigest, records: shard.recordCount, tail: StreamTail())]))
        let path = folder.file("cache-\(folder.contents.count).uf")
        let file = try AtomicFile(path: path)
        try file.write(sink.bytes)
        try file.finish()
        return path
    }

    @Test func refusesLogProbsOfSomethingElse() throws {
        let folder = TemporaryFolder()
        func refusal(_ path: String) -> String {
            message {
                var job = try Self.job(folder.file("never"))
                job.reference = .file(path)
                _ = try job.run { _, _ in }
            }
        }
        let digest = hexadecimal(try ModelFolder(path: Self.model).digest())
        let otherModel = try Self.cache(folder, try Self.data(), digest: "ab12")
        #expect(refusal(otherModel) == "\(otherModel): log-probabilities of the model ab12, but \(Self.model) is \(digest); run uf-eval score with \(Self.model)")
        let short = try Self.cache(folder, try Self.data(), dropping: 1)
        #expect(refusal(short) == "\(short): log-probabilities of another shard than train.uf: it ends after 23 records of 24; run uf-eval score on train.uf")
        let shorter = try Self.cache(folder, try Self.data(), changing: { $0.tokenCounts[0] += 1 })
        #expect(refusal(shorter).contains(": log-probabilities of another shard than train.uf: record 0 is \(Self.records[0].id) with ["))
        // The same records and tokens with other ratings: only the content digest tells.
        var others = Self.records
        others[3].ratings.ratings[0] += 1
        let other = try Self.cache(folder, try Self.data(others))
        let ours = try PackedShard(Self.data()).contentDigest, theirs = try PackedShard(Self.data(others)).contentDigest
        #expect(refusal(other) == "\(other): log-probabilities of another shard than train.uf: it was made from content \(theirs), this is \(ours); run uf-eval score on train.uf")
        #expect(!folder.contents.contains("never"))
    }

    @Test func refusesShardsThatDoNotFit() throws {
        let folder = TemporaryFolder()
        func refusal(_ source: MemorySource) -> String { message { _ = try Self.job(folder.file("never"), data: source).run { _, _ in } } }
        let ours = SHA256.hexDigest(of: Self.tokenizer), other = SHA256.hexDigest(of: TestShards.tokenizer)
        let bins = TestShards.bins(Self.records, perBin: 2)
        #expect(refusal(MemorySource(try TestShards.stream(bins), name: "t.uf")) == "t.uf: its token ids were made with the tokenizer of sha256 \(other), that of \(Self.model) has \(ours); run uf-tokenize with the model's tokenizer and pack again")
        #expect(refusal(MemorySource(try TestShards.stream(bins, tokenizer: nil), name: "t.uf")) == "t.uf: its head names no tokenizer, so nothing says that its token ids are \(Self.model)'s; make it again with uf-tokenize and uf-pack")
        #expect(refusal(try Self.data(layout: .sft, name: "t.uf"))
            == "t.uf: packed to layout sft, whose responses are there to be imitated and not compared; pack again with --layout shared-prefix, rows16 or pairs")
        #expect(refusal(try Self.data([], name: "t.uf")) == "t.uf: holds no records, so there is nothing to learn from")
        let unmeasured = message {
            var job = try Self.job(folder.file("never"))
            job.validation = try Self.data([], name: "v.uf")
            _ = try job.run { _, _ in }
        }
        #expect(unmeasured == "v.uf: holds no records, so there is nothing to measure on")
        var beyond = Self.records
        beyond[5].responses[1][0] = 512
        #expect(refusal(try Self.data(beyond, name: "t.uf")) == "t.uf: record \(beyond[5].id) in bin 2 has token 512, the vocabulary of \(Self.model) has 512; run uf-tokenize with the model's tokenizer and pack again")
        var long = Self.records
        long[7].prompt = [UInt32](repeating: 5, count: 600)
        #expect(refusal(try Self.data(long, name: "t.uf")) == "t.uf: record \(long[7].id) in bin 3 has a sequence of 600 tokens, the context of \(Self.model) is 512; pack again with --max-length 512")
        // A stream without its end trains nothing.
        let whole = try TestShards.stream(bins, tokenizer: Self.tokenizer)
        #expect(refusal(MemorySource(Array(whole.dropLast(64)), name: "t.uf")).hasPrefix("t.uf: "))
        #expect(folder.contents.isEmpty, "\(folder.contents)")
    }

    @Test func anExistingModelOfOthersIsKept() throws {
        let folder = TemporaryFolder()
        mkdir(folder.file("mine"), 0o777)
        let note = try AtomicFile(path: folder.file("mine/notes.txt"))
        try note.write("keep me")
        try note.finish()
        #expect(message { _ = try Self.job(folder.file("mine")).run { _, _ in } } == "\(folder.file("mine")): exists and is no model folder written by uftools, so it is not replaced; choose another name or remove it")
        // One's own is replaced, with the metrics in it.
        _ = try Self.job(folder.file("own")).run { _, _ in }
        var again = try Self.job(folder.file("own"))
        again.options.seed = 5
        _ = try again.run { _, _ in }
        #expect(folder.contents == ["mine", "own"])
    }

    @Test func aRunThatFailsLeavesNothingAndSaysSo() throws {
        struct Stop: Error {}
        let folder = TemporaryFolder()
        var job = try Self.job(folder.file("never"))
        job.database = folder.file("runs.sqlite")
        job.metricsFile = folder.file("metrics.jsonl")
        #expect(throws: Stop.self) { try job.run { event, _ in if case .step(let step) = event, step.step == 2 { throw Stop() } } }
        #expect(folder.contents == ["runs.sqlite"], "\(folder.contents)")
        #expect(try RunDatabase(reading: folder.file("runs.sqlite")).runs().map(\.status) == [.failed])
    }

    @Test func divergenceStopsWithTheStep() throws {
        let folder = TemporaryFolder()
        var job = try Self.job(folder.file("never"))
        job.options.learningRate = 1e30
        job.options.warmup = .steps(0)
        let text = message { _ = try job.run { _, _ in } }
        #expect(text.hasPrefix("step ") && text.hasSuffix("; lower --learning-rate or --beta"), "\(text)")
        #expect(folder.contents.isEmpty)
    }

    @Test func warnsWhereMeanMeetsSmallBeta() throws {
        var job = try Self.job("/nowhere")
        #expect(job.warnings.isEmpty)
        job.score = .mean
        #expect(job.warnings == ["--log-prob mean with --beta 0.1: a rating gap of 1 needs a difference of 10.0 nats a token, so P stays near 1/N and the loss near ln N; the equations mean --log-prob sum"])
        job.beta = 1
        #expect(job.warnings.isEmpty)
    }

    /// Records without a dimension that lambda asks for are counted, and a step of such records alone changes nothing.
    @Test func countsRecordsWithoutLoss() throws {
        let folder = TemporaryFolder()
        var job = try Self.job(folder.file("trained"), lambda: "one-hot:honesty")
        job.options.batch = 1
        job.options.epochs = 1
        var idle = 0
        let summary = try job.run { event, _ in
            if case .step(let step) = event, step.gradientNorm == nil { idle += 1; #expect(step.losses.records == 0) }
        }
        let without = Self.records.count { $0.ratings.dimensions.count < 2 }
        #expect(without > 0 && summary.unused >= without && summary.unused < 24, "\(summary.unused)")
        // Two records a bin: some bins have none in use.
        #expect(idle > 0)
    }
}
