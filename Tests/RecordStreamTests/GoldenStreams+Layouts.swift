import JSON
import SystemIO

@testable import RecordStream

/// What the golden streams of single layouts and of columns that not every stream has are made of: three records each.
extension GoldenStreams {
    private static func member(
        _ number: Int, responses: Int = 2, cuts: [UInt32] = [0], gaps: [[PackedBin.Gap]]? = nil, rowMap: [UInt32] = [], piTarget: [Float] = []
    ) -> PackedBin.Member {
        let even = [Double](repeating: 1 / Double(responses), count: responses)
        let alike = Ratings(dimensions: ["helpfulness"], ratings: even.map { _ in 3 }, rated: even.map { _ in 1 }, targets: even)
        return PackedBin.Member(
            id: Text("id-\(number)"), origin: Origin(input: 1, line: UInt64(number)), source: "made-up", ratings: responses == 2 ? Sample.ratings : alike,
            promptCuts: cuts, promptGaps: gaps, responseCuts: [UInt32](repeating: 0, count: responses), rowMap: rowMap, piTarget: piTarget)
    }

    private typealias Part = (tokens: [UInt32], positions: [UInt32], segments: [PackedBin.Segment])

    /// One prompt of two tokens, and responses of one token each that branch from it: record `record` of a bin, from token `start` and segment `before`.
    private static func branches(_ responses: Int, record: UInt32 = 0, start: UInt32 = 0, before: Int32 = 0) -> Part {
        let end = start + 2, prompt = PackedBin.Segment(start: start, end: end, parent: -1, record: record, response: -1, labelStart: end)
        let own = (0 ..< UInt32(responses)).map {
            PackedBin.Segment(start: end + $0, end: end + $0 + 1, parent: before, record: record, response: Int32($0), labelStart: end + $0)
        }
        return ([1, 7 + record] + own.map { _ in 2 }, [0, 1] + own.map { _ in 2 }, [prompt] + own)
    }

    private static func bin(_ responses: Int, _ member: PackedBin.Member) -> PackedBin {
        let (tokens, positions, segments) = branches(responses)
        return PackedBin(tokens: tokens, positions: positions, segments: segments, members: [member])
    }

    /// Tokens records whose prompts hold answers that are learnt: none, two, and one in the second of two prompts.
    static let answers: [TokensRecord] = {
        var records = Sample.tokens
        records[1].prompts[0].answers = [1 ..< 2, 3 ..< 4]
        records[2].prompts[1].answers = [2 ..< 5]
        return records
    }()

    /// The paper's rows, of responses with prompts of their own, of one prompt, and of three responses.
    static let paperRows: [PackedBin] = {
        var one = rows
        one.members[0].promptCuts = [0]
        let segments = (0 ..< 3 as Range<UInt32>).map {
            PackedBin.Segment(start: 3 * $0, end: 3 * $0 + 3, parent: -1, record: 0, response: Int32($0), labelStart: 3 * $0 + 2)
        }
        let third: Float = 1 / 3
        return [rows, one, PackedBin(
            tokens: [1, 7, 2, 1, 7, 5, 1, 7, 6], positions: [0, 1, 2, 0, 1, 2, 0, 1, 2], segments: segments,
            members: [member(3, responses: 3, rowMap: [0, 1, 2], piTarget: [third, third, third])])]
    }()

    /// The second response is better than the first; all pairs of three; a record whose responses are in no pair.
    static let pairs = [bin(2, member(1, rowMap: [2, 1])), bin(3, member(2, responses: 3, rowMap: [1, 2, 1, 3, 2, 3])), bin(2, member(3))]

    /// A conversation with an earlier answer that is learnt, two answers to one prompt, two conversations in one bin.
    static let conversations: [PackedBin] = {
        let chain = [
            PackedBin.Segment(start: 0, end: 4, parent: -1, record: 0, response: -1, labelStart: 2),
            PackedBin.Segment(start: 4, end: 7, parent: 0, record: 0, response: 0, labelStart: 5),
        ]
        let second = PackedBin.Segment(start: 7, end: 10, parent: -1, record: 1, response: 0, labelStart: 9)
        let tokens: [UInt32] = [1, 7, 3, 2, 8, 5, 2], positions: [UInt32] = [0, 1, 2, 3, 4, 5, 6]
        return [
            PackedBin(tokens: tokens, positions: positions, segments: chain, members: [member(1, responses: 1)]),
            bin(2, member(2)),
            PackedBin(
                tokens: tokens + [1, 9, 2], positions: positions + [0, 1, 2], segments: chain + [second], members: [member(3, responses: 1), member(4, responses: 1)]),
        ]
    }()

    /// Prompts that were cut at their start and end; one of two prompts of a record, which share their first token; one of two records of a bin.
    static let gaps: [PackedBin] = {
        let own = PackedBin(
            tokens: [1, 7, 2, 8, 2], positions: [0, 1, 2, 1, 2],
            segments: [
                .init(start: 0, end: 1, parent: -1, record: 0, response: -1, labelStart: 1),
                .init(start: 1, end: 3, parent: 0, record: 0, response: 0, labelStart: 2),
                .init(start: 3, end: 5, parent: 0, record: 0, response: 1, labelStart: 4),
            ],
            members: [member(2, cuts: [4, 0], gaps: [[.init(at: 1, tokens: 4)], []])])
        let first = branches(2), second = branches(2, record: 1, start: 4, before: 3)
        let two = PackedBin(
            tokens: first.tokens + second.tokens, positions: first.positions + second.positions, segments: first.segments + second.segments,
            members: [member(3, gaps: [[]]), member(4, cuts: [9], gaps: [[.init(at: 1, tokens: 9)]])])
        return [bin(2, member(1, cuts: [4], gaps: [[.init(at: 0, tokens: 3), .init(at: 2, tokens: 1)]])), own, two]
    }()
}
