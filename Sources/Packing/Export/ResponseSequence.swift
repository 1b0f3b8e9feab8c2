import RecordStream
import SystemIO

/// A prompt with one of its responses, as a model reads it by itself.
public struct ResponseSequence: Sendable, Equatable {
    public var tokens: [UInt32]
    /// How many of them are the prompt's.
    public var promptTokens: Int
    /// The prompt's earlier answers that are learnt too, by position; in order.
    public var answers: [Range<Int>]

    public init(tokens: [UInt32], promptTokens: Int, answers: [Range<Int>]) {
        self.tokens = tokens
        self.promptTokens = promptTokens
        self.answers = answers
    }

    public var prompt: ArraySlice<UInt32> { tokens[..<promptTokens] }
    public var response: ArraySlice<UInt32> { tokens[promptTokens...] }

    /// What is learnt: earlier answers, then the response.
    public var learnt: [Range<Int>] { answers + [promptTokens ..< tokens.count] }
}

/// One record out of its bin.
public struct UnpackedRecord: Sendable, Equatable {
    public var member: PackedBin.Member
    /// N.
    public var sequences: [ResponseSequence]
    /// Layout pairs: which response is better than which.
    public var pairs: [ResponsePair]

    /// rows16: m x N, row N * dimension + response of the paper's tensors. Else N.
    public var rowCount: Int

    public init(member: PackedBin.Member, sequences: [ResponseSequence], pairs: [ResponsePair], rowCount: Int) {
        self.member = member
        self.sequences = sequences
        self.pairs = pairs
        self.rowCount = rowCount
    }
}

extension PackedBin {
    /// The bin's records in their order. The bin is sound, as a reader gives it.
    /// - Throws: `InputError` for a record that is not laid out as the stream's head says.
    public func unpacked(_ layout: PackedLayout) throws(InputError) -> [UnpackedRecord] {
        var records: [UnpackedRecord] = []
        for member in members {
            let rows = layout == .rows16 ? member.ratings.targets.count : 0
            guard member.piTarget.count == rows, layout == .pairs || member.rowMap.count == rows else {
                throw InputError("record \(member.id) is not laid out as \(layout.rawValue), which the stream's head says; make the stream again with uf-pack")
            }
            let empty = ResponseSequence(tokens: [], promptTokens: 0, answers: [])
            var record = UnpackedRecord(
                member: member, sequences: [ResponseSequence](repeating: empty, count: member.responseCount), pairs: [], rowCount: layout == .rows16 ? rows : member.responseCount)
            if layout == .pairs {
                let responses = member.rowMap.map { Int(segments[Int($0)].response) }
                record.pairs = stride(from: 0, to: responses.count, by: 2).map { ResponsePair(better: responses[$0], worse: responses[$0 + 1]) }
            }
            records.append(record)
        }
        for (number, segment) in segments.enumerated() where segment.response >= 0 {
            records[Int(segment.record)].sequences[Int(segment.response)] = sequence(endingWith: number)
        }
        return records
    }

    /// A segment's tokens after those of all that it continues.
    private func sequence(endingWith number: Int) -> ResponseSequence {
        var chain = [segments[number]]
        while let parent = chain.last?.parent, parent >= 0 { chain.append(segments[Int(parent)]) }
        var sequence = ResponseSequence(tokens: [], promptTokens: 0, answers: [])
        for segment in chain.reversed() {
            let start = sequence.tokens.count + Int(segment.labelStart - segment.start)
            sequence.tokens += tokens[Int(segment.start) ..< Int(segment.end)]
            if segment.response >= 0 { sequence.promptTokens = start } else if start < sequence.tokens.count { sequence.answers.append(start ..< sequence.tokens.count) }
        }
        return sequence
    }
}
