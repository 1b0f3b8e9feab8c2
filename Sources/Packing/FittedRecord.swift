import RecordStream

/// A record that fits the context, with what was taken from it.
public struct FittedRecord: Sendable, Equatable {
    /// The record as it goes into a bin.
    public var record: TokensRecord
    /// Tokens taken from the prompt.
    public var promptCut = 0
    /// N counts of tokens taken from each response. A cut response has lost its stop token.
    public var responseCuts: [Int]
    /// Turns removed whole, and tokens taken from the middle of others; 0 under the paper's rule.
    public var turnsRemoved = 0
    public var middleTokens = 0

    /// A record that fits as it is.
    public init(_ record: TokensRecord) {
        self.record = record
        responseCuts = [Int](repeating: 0, count: record.responses.count)
    }

    public var isCut: Bool { promptCut > 0 || responseCuts.contains { $0 > 0 } }

    /// Tokens that it takes in a bin.
    public func tokens(in layout: PackedLayout) -> Int {
        let prompts = layout == .rows16 ? record.responses.count : 1
        return prompts * record.prompt.count + record.responseTokens
    }

    /// About the bytes that it takes in a bin on disk, never fewer: a bin that is within the stream's limit by this count is within it.
    func storedBytes(in layout: PackedLayout) -> Int {
        let ratings = record.ratings
        let names = ratings.dimensions.reduce(record.id.count + record.source.count) { $0 + $1.count + 12 }
        return 8 * tokens(in: layout) + 40 * record.responses.count + 29 * ratings.ratings.count + names + 128
    }

    /// Turn starts are not kept: nothing after packing asks for them.
    mutating func cutPrompt(to kept: [Range<Int>]) {
        let whole = record.prompt
        record.prompt = kept.flatMap { whole[$0] }
        record.promptTurns = []
        promptCut = whole.count - record.prompt.count
    }

    mutating func cutResponses(to length: Int) {
        for i in record.responses.indices where record.responses[i].count > length {
            responseCuts[i] = record.responses[i].count - length
            record.responses[i].removeLast(responseCuts[i])
        }
    }
}

extension TokensRecord {
    var responseTokens: Int { responses.reduce(0) { $0 + $1.count } }
    var longestResponse: Int { responses.reduce(0) { max($0, $1.count) } }

    /// Where an error about this record happened.
    var place: String { "record \(id) (input \(origin.input), line \(origin.line))" }
}
