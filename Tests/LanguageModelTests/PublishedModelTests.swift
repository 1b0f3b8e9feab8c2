import Glibc
import JSON
import ModelFiles
import Numerics
import SystemIO
import Testing
import TestSupport
@testable import LanguageModel

func readJSON(_ path: String) throws -> JSONValue { try JSON.parse(try readWholeFile(path, limit: 64 << 20)) }

extension JSONValue {
    var ids: [UInt32] { (array ?? []).compactMap { $0.int.map(UInt32.init) } }
    var doubles: [Double] { (array ?? []).compactMap(\.double) }
}

/// Published weights against numbers made elsewhere.
struct PublishedModelTests {
    static let stories = Fixtures.path("models/stories260K")

    @Test func stories260KMeetsItsExpectations() throws {
        let model = try LanguageModel(folder: try ModelFolder(path: PublishedModelTests.stories), workers: 2)
        let expected = try readJSON(PublishedModelTests.stories + "/expected.json")
        let forced = try #require(expected["teacher_forced"]), ids = try #require(forced["ids"]?.ids)
        let tree = TokenTree(ids)
        var scored = ScoredTokens()
        scored.append(segment: 0, of: tree)
        let scores = try model.forward(tree, scored: scored, wantsGreedy: true)
        let logProbs = try #require(forced["logprob_of_next"]?.doubles)
        #expect(scores.logProbs.count == logProbs.count)
        for (index, (mine, theirs)) in zip(scores.logProbs, logProbs).enumerated() { #expect(abs(mine - theirs) < 2e-6, "token \(index): \(mine), \(theirs)") }
        #expect(abs(scores.logProbs.reduce(0, +) - (try #require(forced["sum"]?.double))) < 5e-6)

        let logits = try model.logits(tree, rows: [ids.count - 1])[0]
        let firstLogits = try #require(forced["last_logits_first8"]?.doubles)
        #expect(firstLogits.count == 8)
        for (mine, theirs) in zip(logits, firstLogits) { #expect(abs(Double(mine) - theirs) < 1e-5) }
        #expect(logits.firstIndex(of: logits.max() ?? 0) == forced["last_argmax"]?.int)
    }

    @Test(arguments: ["greedy_from_bos", "greedy_from_Zoo"])
    func stories260KTellsTheSameStory(name: String) throws {
        let model = try LanguageModel(folder: try ModelFolder(path: PublishedModelTests.stories), workers: 1)
        let expected = try #require(try readJSON(PublishedModelTests.stories + "/expected.json")[name]), ids = try #require(expected["ids"]?.ids)
        let prompt = expected["prompt_ids"]?.ids ?? [1]
        let generated = try model.generateGreedily(after: prompt, limit: ids.count - prompt.count)
        #expect(prompt + generated.map(\.token) == ids)

        // Token by token from kept keys and values, or all at once: the same log-probabilities.
        let tree = TokenTree(ids)
        var scored = ScoredTokens()
        for row in prompt.count - 1 ..< ids.count - 1 { scored.append(row: row, target: ids[row + 1]) }
        for (step, (one, all)) in zip(generated, try model.logProbs(tree, scored: scored)).enumerated() {
            #expect(EngineTests.isSame(one.logProb, all), "\(name), token \(step)")
        }
    }

    // MARK: SmolLM2-135M-Instruct, where its folder is at hand

    static let smolLM2 = SmolLM2.folder

    @Test(.enabled(if: smolLM2 != nil, "needs SmolLM2-135M-Instruct: run make smollm2 first, or set UFTOOLS_SMOLLM2 to its folder"))
    func smolLM2AgreesWithTransformers() throws {
        let model = try LanguageModel(folder: try ModelFolder(path: try #require(PublishedModelTests.smolLM2)), workers: 2)
        let conversations = try #require(try readJSON(Fixtures.path("smollm2/log_probs.json")).object)
        var compared = 0, worst = 0.0
        for conversation in conversations {
            guard let ids = conversation.value["ids"]?.ids, let expected = conversation.value["log_probs_f64"]?.doubles else { continue }
            let tree = TokenTree(ids)
            var scored = ScoredTokens()
            scored.append(segment: 0, of: tree)
            let logProbs = try model.logProbs(tree, scored: scored)
            #expect(logProbs.count == expected.count)
            for (index, (mine, theirs)) in zip(logProbs, expected).enumerated() {
                worst = max(worst, abs(mine - theirs))
                #expect(abs(mine - theirs) < 1e-4, "\(conversation.key) token \(index)")
                compared += 1
            }
        }
        #expect(compared > 300)
        print("SmolLM2: \(compared) log-probabilities, greatest difference from float64 \(worst)")
    }

    @Test(.enabled(if: smolLM2 != nil && SharedFolder.has("models/smollm2-135m-instruct/expected.json"), "needs SmolLM2-135M-Instruct (make smollm2) and the shared expectations"))
    func smolLM2KnowsTheCapitalOfFrance() throws {
        let model = try LanguageModel(folder: try ModelFolder(path: try #require(PublishedModelTests.smolLM2)), workers: 2)
        let expected = try readJSON(try #require(SharedFolder.path("models/smollm2-135m-instruct/expected.json")))
        let prompt = try #require(expected["prompt_ids"]?.ids), ids = try #require(expected["greedy_ids"]?.ids)
        let generated = try model.generateGreedily(after: prompt, limit: ids.count)
        #expect(generated.map(\.token) == ids)
        let greedy = try #require(expected["greedy_logprobs"]?.doubles), forced = try #require(expected["prompt_logprobs_of_next"]?.doubles)
        #expect(greedy.count == generated.count)
        for (mine, theirs) in zip(generated, greedy) { #expect(abs(mine.logProb - theirs) < 1e-4) }
        let tree = TokenTree(prompt)
        var scored = ScoredTokens()
        scored.append(segment: 0, of: tree)
        let logProbs = try model.logProbs(tree, scored: scored)
        #expect(logProbs.count == forced.count)
        for (mine, theirs) in zip(logProbs, forced) { #expect(abs(mine - theirs) < 1e-4) }
    }

    @Test(.enabled(if: smolLM2 != nil, "needs SmolLM2-135M-Instruct: run make smollm2 first, or set UFTOOLS_SMOLLM2 to its folder"))
    func layoutsGiveOneLossOnSmolLM2() throws {
        let model = try LanguageModel(folder: try ModelFolder(path: try #require(PublishedModelTests.smolLM2)), workers: 2)
        let texts = try #require(try readJSON(Fixtures.path("smollm2/log_probs.json")).object).compactMap { $0.value["ids"]?.ids }.filter { $0.count > 80 }
        let prompt = Array(texts[0][0 ..< 40])
        var record = try GradientFixtureTests.Case(Fixtures.path("gradients/tiny-tied/tiny-tied-n4-sum-beta0.1.json"))
        record.prompt = prompt
        record.responses = [Array(texts[0][40...]), Array(texts[1][40...]), Array(texts[2][40...]), Array(texts[0][40 ..< 60])]
        var losses: [Double] = []
        for shared in [true, false] {
            let (tree, scored, tokens) = GradientFixtureTests.layout(record, shared: shared)
            let logProbs = try model.logProbs(tree, scored: scored), sums = tokens.map { logProbs[$0].reduce(0, +) }
            // A reference that is another than the policy.
            if shared { record.reference = sums.enumerated().map { $1 + Double($0) * 2 } }
            losses.append(record.lambdaDPO(sums).loss)
        }
        print("SmolLM2: loss \(losses[0]) with a shared prefix, rows differ by \(abs(losses[0] - losses[1]))")
        #expect(abs(losses[0] - losses[1]) < 1e-6)
        if BLAS.rowsAreIndependent { #expect(losses[0] == losses[1]) }
    }
}
