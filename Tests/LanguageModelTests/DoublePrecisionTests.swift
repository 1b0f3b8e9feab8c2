import Testing
import TestSupport
@testable import LanguageModel

/// Log-probabilities in double precision, on trees of every form.
struct DoublePrecisionTests {
    @Test(arguments: EngineTests.shapes)
    func equalTheReference(shape: EngineTests.Shape) throws {
        for tied in [true, false] {
            let configuration = TestModels.configuration(tied: tied), parameters = try TestModels.random(configuration, seed: 11)
            let (tree, scored) = TestModels.tree(shape.segments, vocabulary: configuration.vocabularySize, seed: 5)
            let expected = EngineTests.referenceLogProbs(ReferenceModel(parameters), tree, scored)
            var first: [Double]?
            for workers in [1, 3] {
                let logProbs = try LanguageModel(parameters: parameters, workers: workers, precision: .double).logProbs(tree, scored: scored)
                #expect(logProbs.count == expected.count)
                for (index, (ours, theirs)) in zip(logProbs, expected).enumerated() {
                    #expect(abs(ours - theirs) < 1e-12, "\(shape.name), tied \(tied), scored token \(index): \(ours), expected \(theirs)")
                }
                #expect(first == nil || first == logProbs, "\(workers) workers")
                first = logProbs
            }
        }
    }

    /// More scored rows than are taken at a time, several targets after one row, rows in any order.
    @Test func scoresInAnyOrder() throws {
        let configuration = TestModels.configuration(tied: false), parameters = try TestModels.random(configuration, seed: 3)
        let tree = TestModels.tree([(150, nil), (20, 0)], vocabulary: configuration.vocabularySize, seed: 5).tree
        var scored = ScoredTokens(), generator = SeededGenerator(seed: 1)
        for _ in 0 ..< 400 { scored.append(row: Int.random(in: 0 ..< 170, using: &generator), target: UInt32.random(in: 0 ..< 37, using: &generator)) }
        let double = try LanguageModel(parameters: parameters, workers: 2, precision: .double).logProbs(tree, scored: scored)
        let expected = EngineTests.referenceLogProbs(ReferenceModel(parameters), tree, scored)
        #expect(zip(double, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    /// The engine's gradient goes with them: what is kept for `backward` is single precision's, to the bit.
    @Test func gradientsAreTheEngines() throws {
        let configuration = TestModels.configuration(tied: true), parameters = try TestModels.random(configuration, seed: 3)
        let (tree, scored) = TestModels.tree([(6, nil), (4, 0), (5, 0)], vocabulary: configuration.vocabularySize, seed: 5)
        let coefficients = TestModels.coefficients(scored.count, seed: 6)
        var gradients: [Gradients] = [], logProbs: [[Double]] = []
        for precision in Precision.allCases {
            let model = LanguageModel(parameters: parameters, workers: 2, precision: precision)
            logProbs.append(try model.forward(tree, scored: scored, keepingActivations: true).logProbs)
            gradients.append(try model.makeGradients())
            try model.backward(coefficients, into: gradients[gradients.count - 1])
        }
        #expect(gradients[0].values.all.elementsEqual(gradients[1].values.all))
        #expect(logProbs[0] != logProbs[1])
        #expect(zip(logProbs[0], logProbs[1]).allSatisfy { abs($0 - $1) < 5e-6 })
        // With the most probable tokens asked for, or a state, the log-probabilities are still those.
        let model = LanguageModel(parameters: parameters, workers: 2, precision: .double)
        let state = try PromptState(configuration, capacity: tree.count)
        #expect(try model.forward(tree, scored: scored, state: state, wantsGreedy: true).logProbs == logProbs[1])
        #expect(throws: (any Error).self) { try model.forward(TokenTree([99]), scored: ScoredTokens()) }
    }
}
