import SystemIO

extension TokenTree {
    /// Adds a token to the last segment: how a sequence grows while it is generated.
    public mutating func extendLast(_ token: UInt32) {
        guard let last = segments.indices.last else {
            append([token])
            return
        }
        let position = segments[last].range.isEmpty ? rowBefore(last).map { positions[$0] &+ 1 } ?? 0 : positions[segments[last].range.upperBound - 1] &+ 1
        tokens.append(token)
        positions.append(position)
        segments[last].range = segments[last].range.lowerBound ..< tokens.count
    }
}

extension LanguageModel {
    /// The most probable continuation of a prompt, token by token; each token's keys and values are computed once.
    ///
    /// - Parameters:
    ///   - limit: tokens at most; the model's context limits them too.
    ///   - stops: tokens that end the continuation and are not part of it.
    /// - Returns: the continuation with each token's log-probability (natural logarithm).
    public func generateGreedily(after prompt: [UInt32], limit: Int, stops: Set<UInt32> = []) throws -> [(token: UInt32, logProb: Double)] {
        guard !prompt.isEmpty else { throw InputError("nothing to continue: the prompt has no tokens") }
        let room = max(0, min(limit, configuration.contextLength - prompt.count))
        let state = try PromptState(configuration, capacity: prompt.count + room)
        var tree = TokenTree(prompt), generated: [(token: UInt32, logProb: Double)] = []
        while generated.count < room {
            var scored = ScoredTokens()
            scored.append(row: tree.count - 1, target: 0)
            let scores = try forward(tree, scored: scored, state: state, wantsGreedy: true)
            guard let token = scores.greedy.first, !stops.contains(token) else { break }
            generated.append((token, scores.greedyLogProbs[0]))
            tree.extendLast(token)
        }
        return generated
    }
}
