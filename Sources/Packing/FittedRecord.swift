import RecordStream

/// A record that fits the context, with what was taken from it.
public struct FittedRecord: Sendable, Equatable {
    /// The record as it goes into a bin.
    public var record: TokensRecord
    /// Where tokens were taken from the prompt, or from each of N prompts.
    public var promptGaps: [[PackedBin.Gap]]
    /// N counts of tokens taken from each response. A cut response has lost its stop token.
    public var responseCuts: [Int]
    /// Turns removed whole, and tokens taken from the middle of others; 0 under the paper's rule.
    public var turnsRemoved = 0
    public var middleTokens = 0
    /// Layout pairs: which of the record's responses is better than which.
    public var pairs: [ResponsePair] = []
    /// Tokens of the record's responses that are not used: neither kept nor cut.
    public var unusedTokens = 0

    /// A record that fits as it is.
    public init(_ record: TokensRecord) {
        self.record = record
        promptGaps = [[PackedBin.Gap]](repeating: [], count: record.prompts.count)
        responseCuts = [Int](repeating: 0, count: record.responses.count)
    }

    /// Counts of tokens taken from the prompt, or from each of N prompts.
    public var promptCuts: [Int] { promptGaps.map { $0.reduce(0) { $0 + Int($1.tokens) } } }

    public var isCut: Bool { promptGaps.contains { !$0.isEmpty } || responseCuts.contains { $0 > 0 } }

    var shape: RecordShape { RecordShape(record) }

    /// As `RecordShape.storedBytes`.
    func storedBytes(in layout: PackedLayout) -> Int {
        let names = record.ratings.dimensions.reduce(record.id.count + record.source.count) { $0 + $1.count }
        return shape.storedBytes(in: layout, names: names, dimensions: record.ratings.dimensions.count, numbers: promptGaps.reduce(pairs.count) { $0 + $1.count })
    }

    /// Turn starts are not kept: nothing after packing asks for them.
    mutating func cutPrompt(_ number: Int, to kept: [Range<Int>]) {
        let whole = record.prompts[number]
        var cut = TokensRecord.Prompt(ids: kept.flatMap { whole.ids[$0] }, turnStarts: [], roles: [])
        var start = 0, end = 0, gaps: [PackedBin.Gap] = []
        for range in kept + [whole.ids.count ..< whole.ids.count] {
            if range.lowerBound > end { gaps.append(PackedBin.Gap(at: UInt32(start), tokens: UInt32(range.lowerBound - end))) }
            end = range.upperBound
            // An answer that was cut inside is no longer what the model is to say; one at the start has nothing left to predict it from.
            for answer in whole.answers where range.contains(Int(answer.lowerBound)) && answer.upperBound <= range.upperBound {
                let moved = Int(answer.lowerBound) - range.lowerBound + start
                if moved > 0 { cut.answers.append(UInt32(moved) ..< UInt32(moved + answer.count)) }
            }
            start += range.count
        }
        record.prompts[number] = cut
        promptGaps[number] = gaps
    }

    /// - Parameter room: the most tokens that a response may have.
    mutating func cutResponses(to room: (_ response: Int) -> Int) {
        for i in record.responses.indices where record.responses[i].count > room(i) {
            responseCuts[i] = record.responses[i].count - room(i)
            record.responses[i].removeLast(responseCuts[i])
        }
    }
}

extension TokensRecord {
    /// The prompt that a response answers.
    func prompt(of response: Int) -> [UInt32] { prompts[prompts.count == 1 ? 0 : response].ids }

    /// Where an error about this record happened.
    var place: String { "record \(id) (input \(origin.input), line \(origin.line))" }
}
