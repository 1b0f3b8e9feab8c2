import JSON
import SystemIO

/// What a model thinks of a record's responses: what `uf-eval score` makes. One for each record of a packed stream, in its order.
public struct LogProbRecord: StreamRecord, Equatable {
    public var id: Text
    /// N sums over a response's tokens, stop token included, of log pi(token | what is before it).
    public var logProbs: [Double]
    /// N counts of the tokens in those sums.
    public var tokenCounts: [UInt32]

    public init(id: Text, logProbs: [Double], tokenCounts: [UInt32]) {
        self.id = id
        self.logProbs = logProbs
        self.tokenCounts = tokenCounts
    }

    public static let schema = Schema(kind: "logps", columns: [
        .text("id"), Column("log_probs", .f64, depth: 1), Column("token_counts", .u32, depth: 1),
    ])

    public func append(to builder: BlockBuilder) {
        builder.add(text: id, to: 0)
        builder.add(list: logProbs, to: 1)
        builder.add(list: tokenCounts, to: 2)
    }

    public init(_ block: Block, _ record: Int) throws {
        id = Text(block.text(0, record))
        logProbs = block.list(1, record)
        tokenCounts = block.list(2, record)
    }

    public func validate() throws {
        guard logProbs.count == tokenCounts.count, logProbs.allSatisfy(\.isFinite) else {
            throw InputError("\(logProbs.count) log-probabilities with \(tokenCounts.count) counts, or one that is not a finite number")
        }
    }
}
