import Glibc
import Numerics
import SystemIO

/// How far two models' predictions are apart, exactly: over the whole vocabulary, at places of given texts.
extension LanguageModel {
    /// Two models on the same texts, by scored token.
    public struct Comparison: Sendable {
        /// As `forward` tells them.
        public var logProbs: [Double], otherLogProbs: [Double]
        /// KL(self || other) = sum_v p(v) (log p(v) - log q(v)) in nats, of the prediction of this token's place, whichever token stands there.
        public var divergences: [Double]
    }

    /// Logits are single precision's, a few rows at a time; the divergence's sum over the vocabulary runs in double.
    /// - Parameter other: a model of the same vocabulary.
    /// - Throws: as `forward`.
    public func compare(with other: LanguageModel, _ tree: TokenTree, scored: ScoredTokens) throws -> Comparison {
        let vocabulary = configuration.vocabularySize
        guard other.configuration.vocabularySize == vocabulary else {
            throw InputError("a model with \(other.configuration.vocabularySize) tokens against one with \(vocabulary): their predictions cannot be compared")
        }
        let (logProbs, ours) = try scoresWithHead(tree, scored), (otherLogProbs, theirs) = try other.scoresWithHead(tree, scored), chunk = 32
        let logits = try FloatBuffer.orInputError(count: 2 * chunk * vocabulary, what: "the logits of \(2 * chunk) rows")
        let p = logits.base, q = logits.base + chunk * vocabulary
        var byRow = [Double](repeating: 0, count: ours.rows.count)
        for start in stride(from: 0, to: ours.rows.count, by: chunk) {
            let rows = min(chunk, ours.rows.count - start)
            linear(ours.normed + start * configuration.hiddenSize, rows: rows, headMatrix, nil, into: p)
            other.linear(theirs.normed + start * other.configuration.hiddenSize, rows: rows, other.headMatrix, nil, into: q)
            byRow.withUnsafeMutableBufferPointer { byRow in
                nonisolated(unsafe) let byRow = byRow
                pool.run(tiles: rows) { row, _ in
                    byRow[start + row] = LanguageModel.divergence(p + row * vocabulary, q + row * vocabulary, vocabulary)
                }
            }
        }
        return Comparison(logProbs: logProbs, otherLogProbs: otherLogProbs, divergences: ours.places.map { byRow[Int($0)] })
    }

    /// From two rows of logits.
    static func divergence(_ p: UnsafePointer<Float>, _ q: UnsafePointer<Float>, _ count: Int) -> Double {
        var greatestP = p[0], greatestQ = q[0]
        for i in 1 ..< count {
            greatestP = max(greatestP, p[i])
            greatestQ = max(greatestQ, q[i])
        }
        var sumP = 0.0, sumQ = 0.0, weighted = 0.0
        for i in 0 ..< count {
            let a = Double(p[i] - greatestP), b = Double(q[i] - greatestQ), e = exp(a)
            sumP += e
            sumQ += exp(b)
            weighted += e * (a - b)
        }
        // Rounding may leave a divergence of nearly equal predictions a little below zero.
        return max(0, weighted / sumP - log(sumP) + log(sumQ))
    }
}
