import Checksums
import Glibc
import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// uf-eval on a real instruct model, where its folder is at hand, against transformers and lm-eval (`fixtures/smollm2`).
@Suite struct EvalSmolLM2Tests {
    static let model = SmolLM2.folder

    @Test(.enabled(if: model != nil, "needs SmolLM2-135M-Instruct: run make smollm2 first, or set UFTOOLS_SMOLLM2 to its folder"))
    func scoreEqualsTransformers() throws {
        let model = try #require(Self.model)
        let folder = TemporaryFolder()
        let file = try AtomicFile(path: folder.file("packed.uf"))
        let tokenizer = SHA256.hexDigest(of: try readWholeFile(model + "/tokenizer.json"))
        let writer = try RecordStreamWriter<PackedBin>(to: file, head: StreamHead(
            schema: PackedBin.schema, settings: ["tokenizer": .string(tokenizer)], provenance: Provenance(command: "uf-pack", recipe: 1, arguments: [], inputs: [])))
        // Each conversation as a prompt with two responses: all the rest, and the first half of the rest.
        var expected: [[(sum: Double, count: Int)]] = []
        for conversation in try #require(JSON.parse(readWholeFile(Fixtures.path("smollm2/log_probs.json"))).object) {
            let ids = try #require(conversation.value["ids"]?.array).compactMap { $0.int.map { UInt32($0) } }
            let logProbs = try #require(conversation.value["log_probs_f64"]?.array).compactMap(\.double)
            let prompt = ids.count / 3, half = prompt + (ids.count - prompt) / 2
            var bin = PackedBin(tokens: [], positions: [], segments: [], members: [])
            for (number, range) in [0 ..< prompt, prompt ..< ids.count, prompt ..< half].enumerated() {
                let start = UInt32(bin.tokens.count), end = start + UInt32(range.count)
                bin.tokens += ids[range]
                bin.positions += range.map { UInt32($0) }
                bin.segments.append(.init(start: start, end: end, parent: number == 0 ? -1 : 0, record: 0, response: Int32(number) - 1, labelStart: number == 0 ? end : start))
            }
            bin.members = [.init(
                id: conversation.key, origin: Origin(input: 1, line: 1), source: "",
                ratings: Ratings(dimensions: ["d"], ratings: [2, 1], rated: [1, 1], targets: [0.75, 0.25]), promptCuts: [0], responseCuts: [0, 0])]
            try writer.append(bin)
            // The log-probability of token i stands at i - 1.
            expected.append([prompt ..< ids.count, prompt ..< half].map { range in (range.reduce(0) { $0 + logProbs[$1 - 1] }, range.count) })
        }
        try writer.finish(StreamTail())
        try file.finish()
        let outcome = Command.shell("uf-eval score packed.uf --model \(Command.quoted(model)) -o logps.uf", in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let reader = try RecordReader<LogProbRecord>(FileSource(path: folder.file("logps.uf")))
        var worst = 0.0
        for row in expected {
            let record = try #require(try reader.next())
            for (i, (sum, count)) in row.enumerated() {
                let difference = abs(record.logProbs[i] - sum) / Double(count)
                worst = max(worst, difference)
                #expect(difference < 1e-4 && Int(record.tokenCounts[i]) == count, "\(record.id), response \(i): \(difference) a token")
            }
        }
        print("SmolLM2: greatest difference from float64 \(worst) a token")
    }

    @Test(.enabled(if: model != nil && SharedFolder.has("data/arc"), "needs SmolLM2-135M-Instruct: run make smollm2 first, or set UFTOOLS_SMOLLM2 to its folder, and ../shared/data/arc"))
    func arcChallengeEqualsTheHarness() throws {
        let folder = TemporaryFolder()
        let model = Command.quoted(try #require(Self.model)), data = Command.quoted(try #require(SharedFolder.path("data")))
        let expected = try JSON.parse(readWholeFile(Fixtures.path("smollm2/arc_challenge_100.json")))
        let outcome = Command.shell("uf-eval bench --model \(model) --tasks arc_challenge --data \(data) --limit 100 --log-samples s.jsonl --json", in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        var worst = 0.0, requests = 0
        for line in try readWholeFile(folder.file("s.jsonl")).split(separator: 0x0A) {
            let sample = try JSON.parse(Array(line))
            let reference = expected["log_likelihoods"]?[sample["document"]?.int ?? -1]?[sample["choice"]?.int ?? -1]?.double ?? .nan
            let difference = abs((sample["log_likelihood"]?.double ?? .nan) - reference)
            worst = max(worst, difference)
            #expect(difference < 1e-3, "document \(sample["document"] ?? nil), choice \(sample["choice"] ?? nil)")
            requests += 1
        }
        #expect(requests == 400)
        for result in try #require(JSON.parse(outcome.output)["results"]?.array) {
            #expect(result["value"]?.double == result["metric"]?.string.flatMap { expected[$0]?.double })
        }
        print("SmolLM2 on ARC-Challenge: greatest difference of \(requests) requests \(worst)")
    }
}
