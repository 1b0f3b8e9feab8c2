import LanguageModel
import SystemIO

/// Answers a benchmark's requests with a model: the requests of one document share their context, which is computed once.
public struct RequestScorer {
    let model: LanguageModel
    let tokenizer: HarnessTokenizer

    public init(_ model: LanguageModel, _ tokenizer: HarnessTokenizer) {
        self.model = model
        self.tokenizer = tokenizer
    }

    public struct Answers: Sendable {
        /// In the order of the requests.
        public var answers: [LogLikelihood]
        /// Tokens of each request's continuation.
        public var tokenCounts: [Int]
        /// Requests whose context was cut at its left to fit the window.
        public var cut: Int
    }

    /// - Parameters:
    ///   - requests: a task's, documents in order.
    ///   - window: the model's context length when nil.
    ///   - progress: called with the number of requests done.
    /// Throws `.invalidData` naming document and choice for one that cannot be encoded, or a log-likelihood that is not a finite number.
    public func answer(_ requests: [LogLikelihoodRequest], window: Int? = nil, progress: (Int) -> Void = { _ in }) throws -> Answers {
        let window = min(window ?? model.configuration.contextLength, model.configuration.contextLength)
        var all = Answers(answers: [], tokenCounts: [], cut: 0)
        var first = 0
        while first < requests.count {
            let document = requests[first].document
            let last = requests[first...].firstIndex { $0.document != document } ?? requests.count
            let encoded = try requests[first ..< last].map { request in
                do { return try tokenizer.encode(request, window: window) } catch let error as InputError {
                    throw error.at("document \(request.document + 1), choice \(request.choice + 1)")
                }
            }
            let answers = try answer(encoded)
            if let choice = answers.firstIndex(where: { !$0.value.isFinite }) {
                throw InputError.notFinite(answers[choice].value, "choice \(requests[first + choice].choice + 1)").at("document \(document + 1)")
            }
            all.answers += answers
            all.tokenCounts += encoded.map(\.continuation.count)
            all.cut += encoded.count { $0.cut > 0 }
            first = last
            progress(first)
        }
        return all
    }

    /// The requests of one document: a tree with each different context once and the continuations as its branches.
    func answer(_ requests: [EncodedRequest]) throws -> [LogLikelihood] {
        var tree = TokenTree(), scored = ScoredTokens()
        var contexts: [(tokens: [UInt32], segment: Int)] = []
        var places: [Range<Int>] = []
        for request in requests {
            let root: Int
            if let known = contexts.first(where: { $0.tokens == request.context }) {
                root = known.segment
            } else {
                root = tree.append(request.context)
                contexts.append((request.context, root))
            }
            let start = scored.count
            scored.append(row: tree.segments[root].range.upperBound - 1, target: request.continuation[0])
            // The last token is predicted, never fed.
            if request.continuation.count > 1 {
                let branch = tree.append(request.continuation.dropLast(), after: root)
                for (row, target) in zip(tree.segments[branch].range, request.continuation.dropFirst()) { scored.append(row: row, target: target) }
            }
            places.append(start ..< scored.count)
        }
        let scores = try model.forward(tree, scored: scored, wantsGreedy: true)
        return places.map { range in
            var sum = 0.0, isGreedy = true
            for place in range {
                sum += scores.logProbs[place]
                if scores.greedy[place] != scored.targets[place] { isGreedy = false }
            }
            return LogLikelihood(sum, isGreedy: isGreedy)
        }
    }
}
