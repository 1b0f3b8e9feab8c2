import Numerics
import Testing
import TestSupport
@testable import LanguageModel

/// The engine against the reference, on trees of every form.
struct EngineTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var name: String, segments: [(length: Int, parent: Int?)]
        var testDescription: String { name }
    }

    static let shapes: [Shape] = [
        Shape(name: "one row", segments: [(9, nil)]),
        Shape(name: "one token", segments: [(1, nil), (1, 0)]),
        Shape(name: "prompt and four responses", segments: [(7, nil), (5, 0), (3, 0), (8, 0), (1, 0)]),
        Shape(name: "two records in a bin", segments: [(6, nil), (4, 0), (5, 0), (3, nil), (7, 3), (2, 3)]),
        Shape(name: "branches of branches, not depth first", segments: [(4, nil), (3, 0), (5, 0), (2, 1), (4, 2), (3, 1), (1, nil)]),
        Shape(name: "an empty segment between", segments: [(4, nil), (0, 0), (3, 1), (2, 1)]),
        Shape(name: "longer than a block", segments: [(70, nil), (65, 0), (130, 0), (3, 1)]),
    ]

    static func referenceLogProbs(_ reference: ReferenceModel, _ tree: TokenTree, _ scored: ScoredTokens) -> [Double] {
        (0 ..< scored.count).map { index in
            let path = TestModels.path(to: scored.rows[index], in: tree)
            return reference.logProbs(path.map { tree.tokens[$0] }, rows: [path.count - 1], targets: [scored.targets[index]])[0]
        }
    }

    @Test(arguments: shapes)
    func logProbsAndGradientsEqualTheReference(shape: Shape) throws {
        for tied in [true, false] {
            let configuration = TestModels.configuration(tied: tied)
            let parameters = try TestModels.random(configuration, seed: 11), reference = ReferenceModel(parameters)
            let (tree, scored) = TestModels.tree(shape.segments, vocabulary: configuration.vocabularySize, seed: 5)
            let model = LanguageModel(parameters: parameters, workers: 2)
            // Every branch as a sequence of its own: what shares a prefix is computed several times here.
            let logProbs = try model.forward(tree, scored: scored, keepingActivations: true).logProbs
            let coefficients = TestModels.coefficients(scored.count, seed: 6)
            var expectedGradients = reference.zeroGradients, expected = [Double](repeating: 0, count: scored.count)
            for leaf in EngineTests.leaves(tree) {
                let path = TestModels.path(to: leaf, in: tree)
                let mine = (0 ..< scored.count).filter { index in
                    // Each scored token belongs to the first leaf whose path holds its row.
                    path.contains(scored.rows[index]) && EngineTests.leaves(tree).first { TestModels.path(to: $0, in: tree).contains(scored.rows[index]) } == leaf
                }
                let rows = mine.compactMap { path.firstIndex(of: scored.rows[$0]) }, targets = mine.map { scored.targets[$0] }
                let tokens = path.map { tree.tokens[$0] }
                for (index, value) in zip(mine, reference.logProbs(tokens, rows: rows, targets: targets)) { expected[index] = value }
                reference.addGradient(tokens, rows: rows, targets: targets, coefficients: mine.map { coefficients[$0] }, to: &expectedGradients)
            }
            for (index, value) in logProbs.enumerated() {
                #expect(abs(value - expected[index]) < 5e-6, "\(shape.name), tied \(tied), scored token \(index)")
            }
            let gradients = try model.makeGradients()
            try model.backward(coefficients, into: gradients)
            for tensor in parameters.tensors {
                let difference = relativeDifference(gradients[tensor], try #require(expectedGradients[tensor.name]))
                #expect(difference < 3e-6, "\(shape.name), tied \(tied), \(tensor.name): \(difference)")
            }
        }
    }

    /// Last rows of the segments that nothing continues.
    static func leaves(_ tree: TokenTree) -> [Int] {
        tree.segments.indices.filter { number in !tree.segments[number].range.isEmpty && !tree.segments.contains { $0.parent == number } }
            .map { tree.segments[$0].range.upperBound - 1 }
    }

    @Test func gradientsAddUpOverBins() throws {
        let configuration = TestModels.configuration(tied: true), parameters = try TestModels.random(configuration, seed: 2)
        let model = LanguageModel(parameters: parameters, workers: 1)
        let bins = [UInt64(1), 2].map { TestModels.tree([(6, nil), (4, 0), (9, 0)], vocabulary: configuration.vocabularySize, seed: $0) }
        let both = try model.makeGradients(), sum = try model.makeGradients(), one = try model.makeGradients()
        for bin in bins {
            let coefficients = TestModels.coefficients(bin.scored.count, seed: 9)
            for target in [both, one] {
                _ = try model.forward(bin.tree, scored: bin.scored, keepingActivations: true)
                try model.backward(coefficients, into: target)
            }
            sum.add(one, model.pool)
            one.clear(model.pool)
        }
        for tensor in parameters.tensors {
            #expect(relativeDifference(both[tensor], sum[tensor].map(Double.init)) < 1e-6, "\(tensor.name)")
        }
        #expect(one.sumOfSquares(model.pool) == 0)
    }

    /// Large enough that every product, norm and the head have several tiles.
    @Test func bitsDoNotDependOnWorkersNorOnMemory() throws {
        let configuration = ModelConfiguration(hiddenSize: 128, layers: 3, heads: 4, keyValueHeads: 2, headSize: 32, intermediateSize: 400, vocabularySize: 1500,
                                               contextLength: 1024, tiesEmbeddings: true)
        let parameters = try TestModels.random(configuration, seed: 8, scale: 0.1)
        let (tree, scored) = TestModels.tree([(150, nil), (90, 0), (200, 0), (77, 0), (40, nil), (130, 4)], vocabulary: 1500, seed: 1)
        let coefficients = TestModels.coefficients(scored.count, seed: 2)
        var first: (logProbs: [Double], gradients: [UInt32])?
        for (workers, budget) in [(1, Int.max), (2, Int.max), (3, Int.max), (2, 0), (3, 3_000_000)] {
            let model = LanguageModel(parameters: parameters, workers: workers)
            model.activationBudget = budget
            let gradients = try model.makeGradients()
            let logProbs = try model.forward(tree, scored: scored, keepingActivations: true).logProbs
            if budget < Int.max { #expect(try #require(model.workspace).keptLayers < 3) }
            try model.backward(coefficients, into: gradients)
            let bits = gradients.values.all.map(\.bitPattern)
            if let first {
                #expect(logProbs == first.logProbs, "\(workers) workers, budget \(budget)")
                #expect(bits == first.gradients, "\(workers) workers, budget \(budget)")
            } else {
                first = (logProbs, bits)
            }
            // A larger workspace and one that was used before change nothing either.
            _ = try model.forward(TestModels.tree([(900, nil)], vocabulary: 1500, seed: 3).tree, scored: ScoredTokens(), keepingActivations: true)
            gradients.clear(model.pool)
            #expect(try model.forward(tree, scored: scored, keepingActivations: true).logProbs == logProbs)
            try model.backward(coefficients, into: gradients)
            #expect(gradients.values.all.map(\.bitPattern) == bits, "\(workers) workers, used before")
        }
    }

    /// The same sequences as branches, as rows, each alone, and in pieces after a kept prompt.
    @Test(arguments: [(hidden: 20, head: 6, prompt: 6), (64, 8, 130), (128, 32, 61), (128, 64, 300)])
    func logProbsDependOnTheSequenceAlone(shape: (hidden: Int, head: Int, prompt: Int)) throws {
        let configuration = ModelConfiguration(hiddenSize: shape.hidden, layers: 2, heads: 4, keyValueHeads: 2, headSize: shape.head, intermediateSize: 172,
                                               vocabularySize: 777, contextLength: 1024, tiesEmbeddings: false)
        let model = LanguageModel(parameters: try TestModels.random(configuration, seed: 21, scale: 0.2), workers: 2)
        var generator = SeededGenerator(seed: 3)
        func tokens(_ count: Int) -> [UInt32] { (0 ..< count).map { _ in UInt32.random(in: 0 ..< 777, using: &generator) } }
        let prompt = tokens(shape.prompt), responses = [3, 1, 70, 190, 2, 64].map { tokens($0) }
        var shared = TokenTree(), rows = TokenTree(), sharedScored = ScoredTokens(), rowsScored = ScoredTokens()
        shared.append(prompt)
        for response in responses {
            sharedScored.append(segment: shared.append(response, after: 0), of: shared)
            let row = rows.append(prompt + response)
            for index in response.indices {
                rowsScored.append(row: rows.segments[row].range.lowerBound + prompt.count - 1 + index, target: response[index])
            }
        }
        let expected = try model.logProbs(shared, scored: sharedScored)
        #expect(expected.count == 330)
        func compare(_ logProbs: [Double], _ what: String) {
            #expect(logProbs.count == expected.count)
            for (index, (mine, theirs)) in zip(logProbs, expected).enumerated() where !EngineTests.isSame(mine, theirs) {
                Issue.record("\(what), token \(index): \(mine), \(theirs)")
                return
            }
        }
        compare(try model.logProbs(rows, scored: rowsScored), "rows")
        compare(try model.forward(shared, scored: sharedScored, keepingActivations: true).logProbs, "with activations")
        var alone: [Double] = [], pieces: [Double] = []
        for response in responses {
            let tree = TokenTree(prompt + response)
            var scored = ScoredTokens()
            for (index, token) in response.enumerated() { scored.append(row: prompt.count - 1 + index, target: token) }
            alone += try model.logProbs(tree, scored: scored)
            // The prompt, then the response token by token.
            let state = try PromptState(configuration, capacity: tree.count)
            var grown = TokenTree(prompt)
            for token in response {
                var next = ScoredTokens()
                next.append(row: grown.count - 1, target: token)
                pieces += try model.forward(grown, scored: next, state: state).logProbs
                grown.extendLast(token)
            }
        }
        compare(alone, "alone")
        compare(pieces, "token by token")
    }

    /// Equal to the bit where the BLAS kernels allow it (all that are known for x86-64 do), otherwise to what single precision leaves.
    static func isSame(_ a: Double, _ b: Double) -> Bool { BLAS.rowsAreIndependent ? a == b : abs(a - b) < 1e-5 }

    @Test func refusesWhatDoesNotBelong() throws {
        let model = LanguageModel(parameters: try TestModels.random(TestModels.configuration(tied: true), seed: 1), workers: 1)
        func message(_ tree: TokenTree, _ scored: ScoredTokens = ScoredTokens()) -> String {
            do {
                _ = try model.forward(tree, scored: scored)
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(message(TokenTree([1, 37])) == "token 1 has id 37; the model's vocabulary has 37: was another tokenizer used?")
        #expect(message(TokenTree([UInt32](repeating: 1, count: 513))) == "token 512 stands at position 512; the model's context is 512")
        typealias Segment = TokenTree.Segment
        #expect(message(TokenTree(tokens: [1, 2], positions: [0, 1], segments: [Segment(range: 0 ..< 1, parent: nil)])) == "the segments end at token 1 of 2")
        #expect(message(TokenTree(tokens: [1, 2], positions: [0, 1], segments: [Segment(range: 1 ..< 2, parent: nil)]))
            == "segment 0 begins at token 1; the one before ends at 0")
        #expect(message(TokenTree(tokens: [1], positions: [0], segments: [Segment(range: 0 ..< 1, parent: 0)])) == "segment 0 continues segment 0; expected an earlier one")
        #expect(message(TokenTree(tokens: [1], positions: [], segments: [Segment(range: 0 ..< 1, parent: nil)])) == "1 tokens with 0 positions")
        var scored = ScoredTokens()
        scored.append(row: 1, target: 0)
        #expect(message(TokenTree([1]), scored) == "scored token 0 follows row 1 of 1")
        scored = ScoredTokens()
        scored.append(row: 0, target: 99)
        #expect(message(TokenTree([1]), scored) == "scored token 0 has id 99; the model's vocabulary has 37")
        #expect(message(TokenTree()) == "accepted")
        #expect(throws: (any Error).self) { try model.backward([], into: try model.makeGradients()) }
    }
}
