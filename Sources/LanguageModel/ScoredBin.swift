import RecordStream
import SystemIO

/// A packed bin as the engine takes it: a tree of token segments, the tokens whose log-probabilities are wanted, and which response each belongs to.
///
/// Label t of a response is predicted from the token before it; the first token of a response that shares its prompt from the prompt's last token.
public struct ScoredBin: Sendable {
    public struct Response: Sendable, Equatable {
        /// Which record of the bin, which of its responses.
        public var member: Int
        public var response: Int
        /// Its tokens among all scored tokens.
        public var tokens: Range<Int>
    }

    public let tree: TokenTree
    public let scored: ScoredTokens
    /// In the order of the segments.
    public let responses: [Response]
    /// N of each record.
    public let responseCounts: [Int]

    public init(_ bin: PackedBin) {
        let tree = TokenTree(tokens: bin.tokens, positions: bin.positions, segments: bin.segments.map {
            TokenTree.Segment(range: Int($0.start) ..< Int($0.end), parent: $0.parent < 0 ? nil : Int($0.parent))
        })
        var scored = ScoredTokens(), responses: [Response] = []
        for (number, segment) in bin.segments.enumerated() where segment.response >= 0 {
            let start = scored.count
            for label in segment.labelStart ..< segment.end {
                // The stream's check holds that a label has something before it, in its segment or in its parent.
                let row = label > segment.start ? Int(label) - 1 : tree.rowBefore(number)
                if let row { scored.append(row: row, target: bin.tokens[Int(label)]) }
            }
            responses.append(Response(member: Int(segment.record), response: Int(segment.response), tokens: start ..< scored.count))
        }
        self.tree = tree
        self.scored = scored
        self.responses = responses
        responseCounts = bin.members.map(\.responseCount)
    }

    /// Sums of `logProbs` (one for each scored token) by response, in token order.
    public func sums(_ logProbs: [Double]) -> [ResponseLogProbs] {
        var result = responseCounts.map { ResponseLogProbs(sums: [Double](repeating: 0, count: $0), tokenCounts: [Int](repeating: 0, count: $0)) }
        for response in responses {
            var sum = 0.0
            for token in response.tokens { sum += logProbs[token] }
            result[response.member].sums[response.response] = sum
            result[response.member].tokenCounts[response.response] = response.tokens.count
        }
        return result
    }

    /// N scored tokens for the responses of each record.
    public var responseTokenCounts: [[Int]] { sums([Double](repeating: 0, count: scored.count)).map(\.tokenCounts) }

    /// The derivative by every scored token's log-probability, from the derivatives by response: [record][response] times `scale`.
    public func tokenGradients(_ gradients: [[Double]], scale: Double) -> [Double] {
        var result = [Double](repeating: 0, count: scored.count)
        for response in responses {
            let value = gradients[response.member][response.response] * scale
            for token in response.tokens { result[token] = value }
        }
        return result
    }
}

/// Log-probabilities of a record's N responses: sums over their tokens, stop marker included, and how many tokens there were.
public struct ResponseLogProbs: Sendable, Equatable {
    public var sums: [Double]
    public var tokenCounts: [Int]

    public init(sums: [Double], tokenCounts: [Int]) {
        self.sums = sums
        self.tokenCounts = tokenCounts
    }

    public var count: Int { sums.count }
}
