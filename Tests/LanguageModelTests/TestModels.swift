import JSON
import SystemIO
import TestSupport
@testable import LanguageModel

/// Small random models and trees.
enum TestModels {
    /// Two layers, grouped queries, sizes that are no multiples of a vector.
    static func configuration(tied: Bool) -> ModelConfiguration {
        ModelConfiguration(hiddenSize: 20, layers: 2, heads: 4, keyValueHeads: 2, headSize: 6, intermediateSize: 27, vocabularySize: 37, contextLength: 512,
                           normEpsilon: 1e-5, ropeBase: 1000, tiesEmbeddings: tied)
    }

    static func random(_ configuration: ModelConfiguration, seed: UInt64, scale: Float = 0.4) throws -> Parameters {
        var generator = SeededGenerator(seed: seed)
        return try Parameters(configuration: configuration) { tensor, values in
            for i in values.indices {
                let x = scale * Float.random(in: -1 ... 1, using: &generator)
                // Norm weights stand around 1.
                values[i] = tensor.shape.count == 1 ? 1 + x : x
            }
        }
    }

    /// A tree of several sequences with branches, and all its tokens scored (those that have something before them).
    static func tree(_ shape: [(length: Int, parent: Int?)], vocabulary: Int, seed: UInt64) -> (tree: TokenTree, scored: ScoredTokens) {
        var generator = SeededGenerator(seed: seed)
        var tree = TokenTree(), scored = ScoredTokens()
        for segment in shape {
            let tokens = (0 ..< segment.length).map { _ in UInt32.random(in: 0 ..< UInt32(vocabulary), using: &generator) }
            let number = tree.append(tokens, after: segment.parent)
            scored.append(segment: number, of: tree)
        }
        return (tree, scored)
    }

    /// The sequence from the root to a row, and the row's place in it.
    static func path(to row: Int, in tree: TokenTree) -> [Int] {
        guard var segment = tree.segments.firstIndex(where: { $0.range.contains(row) }) else { return [] }
        var rows = Array(tree.segments[segment].range.lowerBound ... row)
        while let parent = tree.segments[segment].parent {
            rows = Array(tree.segments[parent].range) + rows
            segment = parent
        }
        return rows
    }

    static func coefficients(_ count: Int, seed: UInt64) -> [Double] {
        var generator = SeededGenerator(seed: seed)
        return (0 ..< count).map { _ in Double.random(in: -1 ... 1, using: &generator) }
    }
}

/// |a - b| / |b| over a tensor.
func relativeDifference(_ a: some Sequence<Float>, _ b: some Sequence<Double>) -> Double {
    var difference = 0.0, norm = 0.0
    for (x, y) in zip(a, b) {
        difference += (Double(x) - y) * (Double(x) - y)
        norm += y * y
    }
    return norm == 0 ? difference.squareRoot() : (difference / norm).squareRoot()
}
