import JSON
import LanguageModel
import ModelFiles
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Evaluation

/// Against PyTorch in float64 (`fixtures/gradients`): log-probabilities of responses, and the losses made of them.
@Suite struct ScoringTests {
    struct Case {
        var name: String, prompt: [UInt32], responses: [[UInt32]], isMean: Bool, beta: Double, weights: [Text: Double], ratings: Ratings
        var policy: [Double], reference: [Double], losses: [Double?], loss: Double

        init(_ path: String) throws {
            let json = try JSON.parse(readWholeFile(path))
            func numbers(_ key: String) throws -> [Double?] { try #require(json[key]?.array).map(\.double) }
            func matrix(_ key: String) throws -> [[Double?]] { try #require(json[key]?.array).map { try #require($0.array).map(\.double) } }
            func ids(_ value: JSONValue?) -> [UInt32] { (value?.array ?? []).compactMap { $0.int.map { UInt32($0) } } }
            name = json["name"]?.string ?? path
            prompt = ids(json["prompt"])
            responses = try #require(json["responses"]?.array).map { ids($0) }
            isMean = json["log_prob"]?.string == "mean"
            beta = try #require(json["beta"]?.double)
            let targets = try matrix("targets")
            let names = targets.indices.map { Text("d\($0)") }
            weights = Dictionary(uniqueKeysWithValues: zip(names, try numbers("lambda").map { $0 ?? .nan }))
            ratings = Ratings(
                dimensions: names, ratings: try matrix("ratings").joined().map { $0 ?? .nan }, rated: targets.joined().map { $0 == nil ? 0 : 1 },
                targets: targets.joined().map { $0 ?? 0 })
            policy = try numbers("policy_log_probs").map { $0 ?? .nan }
            reference = try numbers("reference_log_probs").map { $0 ?? .nan }
            losses = try numbers("dimension_losses")
            loss = try #require(json["loss"]?.double)
        }

        func bin(_ layout: PackedLayout) -> PackedBin {
            var bin = PackedBin(tokens: [], positions: [], segments: [], members: [])
            func append(_ tokens: [UInt32], from position: Int, parent: Int32, response: Int32, labels: Int) {
                let start = UInt32(bin.tokens.count), end = start + UInt32(tokens.count)
                bin.segments.append(.init(start: start, end: end, parent: parent, record: 0, response: response, labelStart: response < 0 ? end : start + UInt32(labels)))
                bin.tokens += tokens
                bin.positions += tokens.indices.map { UInt32(position + $0) }
            }
            if layout == .sharedPrefix { append(prompt, from: 0, parent: -1, response: -1, labels: 0) }
            for (i, response) in responses.enumerated() {
                if layout == .sharedPrefix {
                    append(response, from: prompt.count, parent: 0, response: Int32(i), labels: 0)
                } else {
                    append(prompt + response, from: 0, parent: -1, response: Int32(i), labels: prompt.count)
                }
            }
            bin.members = [.init(
                id: Text(name), origin: Origin(input: 1, line: 1), source: "", ratings: ratings, promptCuts: [0], responseCuts: responses.map { _ in 0 })]
            return bin
        }
    }

    @Test(arguments: ["tiny-tied", "tiny-untied"], [PackedLayout.sharedPrefix, .rows16]) func logProbsAndLossesEqualPyTorch(model: String, layout: PackedLayout) throws {
        let folder = Fixtures.path("gradients/\(model)")
        let policy = try LanguageModel(folder: ModelFolder(path: folder + "/policy"), workers: 2)
        let reference = try LanguageModel(folder: ModelFolder(path: folder + "/reference"), workers: 1)
        let names = files(in: folder).filter { $0.hasSuffix(".json") && !$0.contains("/policy/") && !$0.contains("/reference/") }
        #expect(names.count >= 6)
        for path in names {
            let example = try Case(path)
            let bin = example.bin(layout)
            let ours = try #require(ResponseScorer(policy).score(bin, in: "test").first)
            let theirs = try #require(ResponseScorer(reference).score(bin, in: "test").first)
            #expect(ours.id == Text(example.name))
            #expect(ours.tokenCounts.map { Int($0) } == example.responses.map(\.count), "\(example.name)")
            for (i, count) in ours.tokenCounts.enumerated() {
                let divisor = example.isMean ? Double(count) : 1
                #expect(abs(ours.logProbs[i] / divisor - example.policy[i]) < 2e-5 * Double(count), "\(example.name), policy, response \(i)")
                #expect(abs(theirs.logProbs[i] / divisor - example.reference[i]) < 2e-5 * Double(count), "\(example.name), reference, response \(i)")
            }
            // The losses from those log-probabilities, by dimension and weighted by lambda.
            var metrics = PreferenceMetrics(options: .init(beta: example.beta, logProb: example.isMean ? .mean : .sum, weights: .byName(example.weights), bootstrap: Bootstrap(resamples: 1)))
            try metrics.add(PreferenceRecord(ratings: example.ratings, policy: ours.logProbs, reference: theirs.logProbs, tokenCounts: ours.tokenCounts))
            let losses = metrics.results().filter { $0.metric == "loss" }
            #expect(abs((losses.first { $0.dimension.isEmpty }?.value ?? .nan) - example.loss) < 3e-5, "\(example.name)")
            for (k, expected) in example.losses.enumerated() {
                let found = try #require(losses.first { $0.dimension == "d\(k)" })
                guard let expected else {
                    #expect(found.value.isNaN && found.count == 0, "\(example.name), dimension \(k)")
                    continue
                }
                #expect(abs(found.value - expected) < 3e-5, "\(example.name), dimension \(k)")
            }
        }
    }

    /// Sharing contexts among the requests of a document changes nothing but time.
    @Test func sharedContextsEqualRequestsByThemselves() throws {
        let model = try LanguageModel(folder: ModelFolder(path: Fixtures.path("gradients/tiny-tied/policy")), workers: 1)
        let scorer = RequestScorer(model, HarnessTokenizer(prefixToken: nil, prefixText: "") { _, _ in [] })
        var generator = SeededGenerator(seed: 11)
        func ids(_ count: Int) -> [UInt32] { (0 ..< count).map { _ in UInt32.random(in: 0 ..< 64, using: &generator) } }
        let first = ids(9), second = ids(4)
        let requests = [(first, ids(3)), (first, ids(1)), (second, ids(5)), (first, ids(6))].map { EncodedRequest(context: $0.0, continuation: $0.1, cut: 0) }
        let together = try scorer.answer(requests)
        for (index, request) in requests.enumerated() {
            let alone = try scorer.answer([request])[0]
            // And against one plain sequence, scored from its context's end.
            var scored = ScoredTokens()
            let tree = TokenTree(request.context + request.continuation)
            for (offset, target) in request.continuation.enumerated() { scored.append(row: request.context.count - 1 + offset, target: target) }
            let plain = try model.logProbs(tree, scored: scored).reduce(0, +)
            #expect(abs(together[index].value - alone.value) < 1e-4 && abs(alone.value - plain) < 1e-4, "request \(index)")
        }
        // A continuation of the model's own choice is greedy, any other is not.
        let greedy = try model.generateGreedily(after: first, limit: 3).map(\.token)
        var other = greedy
        other[1] = (other[1] + 1) % 64
        #expect(try scorer.answer([greedy, other].map { EncodedRequest(context: first, continuation: $0, cut: 0) }).map(\.isGreedy) == [true, false])
    }
}
