import Glibc
import Testing
import TestSupport
@testable import LanguageModel

/// The divergence of two models' predictions, against the reference's logits in double.
struct DivergenceTests {
    @Test(arguments: [Precision.single, .double])
    func equalsTheDefinition(precision: Precision) throws {
        let configuration = TestModels.configuration(tied: true)
        let ours = try TestModels.random(configuration, seed: 1), theirs = try TestModels.random(configuration, seed: 2)
        let (tree, scored) = TestModels.tree([(40, nil), (15, 0), (9, 0)], vocabulary: configuration.vocabularySize, seed: 5)
        let policy = LanguageModel(parameters: ours, workers: 2, precision: precision), reference = LanguageModel(parameters: theirs, workers: 2, precision: precision)
        let both = try policy.compare(with: reference, tree, scored: scored)
        #expect(try both.logProbs == policy.logProbs(tree, scored: scored))
        #expect(try both.otherLogProbs == reference.logProbs(tree, scored: scored))
        #expect(both.divergences.count == scored.count)
        let p = ReferenceModel(ours), q = ReferenceModel(theirs)
        for (index, divergence) in both.divergences.enumerated() {
            let tokens = TestModels.path(to: scored.rows[index], in: tree).map { tree.tokens[$0] }
            func logProbs(_ model: ReferenceModel) -> [Double] {
                let logits = model.logits(model.hidden(tokens).output.normed[tokens.count - 1]), total = ReferenceModel.logSumExp(logits)
                return logits.map { $0 - total }
            }
            let expected = zip(logProbs(p), logProbs(q)).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            #expect(expected > 0.01 && abs(divergence - expected) < 1e-5 * max(1, expected), "token \(index): \(divergence), expected \(expected)")
        }
        // A model is nowhere from itself, and the other way round is another number.
        let same = try policy.compare(with: LanguageModel(parameters: ours, workers: 1), tree, scored: scored).divergences
        #expect(same.allSatisfy { $0 < 1e-12 })
        #expect(try reference.compare(with: policy, tree, scored: scored).divergences != both.divergences)
    }

    /// What cannot overflow does not, and a token that the other model rules out counts in full.
    @Test func extremesAreFinite() {
        let p: [Float] = [80, -80, 0], q: [Float] = [-80, 80, 0]
        let far = LanguageModel.divergence(p, q, 3)
        #expect(abs(far - 160) < 1e-9, "\(far)")
        #expect(LanguageModel.divergence(p, p, 3) == 0 && LanguageModel.divergence([1], [5], 1) == 0)
    }

    @Test func anotherVocabularyIsRefused() throws {
        var other = TestModels.configuration(tied: true)
        other.vocabularySize = 38
        let (tree, scored) = TestModels.tree([(4, nil)], vocabulary: 37, seed: 5)
        let one = LanguageModel(parameters: try TestModels.random(TestModels.configuration(tied: true), seed: 1), workers: 1)
        let two = LanguageModel(parameters: try TestModels.random(other, seed: 1), workers: 1)
        #expect((#expect(throws: (any Error).self) { try one.compare(with: two, tree, scored: scored) }).map { "\($0)" }
            == "a model with 38 tokens against one with 37: their predictions cannot be compared")
    }
}
