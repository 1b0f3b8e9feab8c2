import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

/// Which responses the layouts pairs and sft use, and how they lay them out.
@Suite struct LayoutChoiceTests {
    /// Ratings of N responses in each dimension; nil: not rated. Targets are proportional to the ratings: only their order matters here.
    private func record(_ rows: [[Double?]], number: Int = 1) -> TokensRecord {
        var record = TokenRecords.make(number, prompt: 2, responses: rows[0].map { _ in 1 }, dimensions: (0 ..< rows.count).map { Text("d\($0)") })
        record.ratings.ratings = rows.flatMap { $0.map { $0 ?? .nan } }
        record.ratings.rated = rows.flatMap { $0.map { $0 == nil ? 0 : 1 } }
        record.ratings.targets = rows.flatMap { row in
            let sum = row.reduce(0) { $0 + ($1 ?? 0) }
            return row.map { row.count { $0 != nil } < 2 ? 0 : ($0 ?? 0) / sum }
        }
        return record
    }

    private func options(_ layout: PackedLayout, pairs: PairRule = .bestWorst, answers: AnswerRule = .best) -> PackingOptions {
        var options = PackingOptions(layout: layout, maxLength: 16)
        (options.pairs, options.answers) = (pairs, answers)
        return options
    }

    /// For each pair the numbers of the better and the worse response; nil and the reason where there are none.
    private func pairs(_ rows: [[Double?]], _ rule: PairRule) throws -> (pairs: [[Int]]?, reason: DropReason?) {
        switch record(rows).ratings.withView({ ResponseChoice($0, responses: rows[0].count, options(.pairs, pairs: rule)) }) {
        case .all: (nil, nil)
        case .none(let reason): (nil, reason)
        case .some(let kept, let pairs): (pairs.map { [kept[$0.better], kept[$0.worse]] }, nil)
        }
    }

    @Test func bestAgainstWorst() throws {
        #expect(try pairs([[4, 2, 5, 3]], .bestWorst).pairs == [[2, 1]])
        // Means over the dimensions; of equal ones the first.
        #expect(try pairs([[1, 1, 2, 4], [9, 9, 2, 1]], .bestWorst).pairs == [[0, 2]])
        #expect(try pairs([[3, 1, 3, 1]], .bestWorst).pairs == [[0, 1]])
        #expect(try pairs([[3, 3, 3]], .bestWorst).reason == .tied)
        // The second response is not rated in both, so nothing is known of its mean; a dimension that rates one response is not in use.
        #expect(try pairs([[1, 9, 2], [1, nil, 3], [nil, nil, 5]], .bestWorst).pairs == [[2, 0]])
        #expect(try pairs([[1, 2, nil], [nil, 2, 1]], .bestWorst).reason == .incomparable)
        #expect(try pairs([[1, nil]], .bestWorst).reason == .noDimension)
        #expect(try pairs([[1]], .bestWorst).reason == .fewerThanTwoResponses)
    }

    @Test func givenAndAllPairs() throws {
        #expect(try pairs([[0, 1]], .given).pairs == [[1, 0]])
        #expect(try pairs([[0, 1, 2]], .given).reason == .notAPair)
        #expect(try pairs([[2, 1, 2, 4]], .all).pairs == [[0, 1], [3, 0], [2, 1], [3, 1], [3, 2]])
        #expect(try pairs([[2, nil, 1]], .all).pairs == [[0, 2]])
        // 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in their last bit: equal all the same.
        let rows: [[Double?]] = [[1, 3, 6], [2, 2, 6], [3, 1, 6]], means = record(rows).ratings.withView { $0.meanTargets(responses: 3) }
        #expect(means[0] != means[1])
        #expect(try pairs(rows, .all).pairs == [[2, 0], [2, 1]] && pairs(rows, .bestWorst).pairs == [[2, 0]])
    }

    @Test func targetsOfAPartKeepTheirProportions() {
        let part = record([[1, 2, 3, 4], [nil, 3, 1, nil], [2, 2, nil, nil]]).keeping([1, 3])
        #expect(part.ratings.ratings.map { $0.isNaN ? -1 : $0 } == [2, 4, 3, -1, 2, -1])
        #expect(part.ratings.rated == [1, 1, 1, 0, 1, 0])
        #expect(part.ratings.targets == [0.2 / (0.2 + 0.4), 0.4 / (0.2 + 0.4), 0, 0, 0, 0])
        #expect(part.responses == [[3], [5]] && part.prompts.count == 1)
    }

    @Test func pairsShareTheirPromptAndSegments() throws {
        let (bins, report) = try TokenRecords.pack([record([[2, 2, 1, 3]])], options(.pairs, pairs: .all))
        #expect(bins.count == 1 && bins[0].tokens == [0, 1, 2, 3, 4, 5] && bins[0].members[0].rowMap == [1, 3, 4, 1, 2, 3, 4, 2, 4, 3])
        #expect(report.counts.pairs == 5 && report.counts.responsesUnused == 0)
        let best = try TokenRecords.pack([record([[2, 2, 1, 3]])], options(.pairs))
        #expect(best.bins[0].tokens == [0, 1, 4, 5] && best.bins[0].members[0].rowMap == [2, 1] && best.bins[0].members[0].responseCount == 2)
        #expect(best.report.counts.json["not_used"] == ["responses": 2, "tokens": 2] && best.report.counts.json["pairs"] == 1)
    }

    @Test func conversationsToImitate() throws {
        var conversation = TokenRecords.make(1, prompt: 9, responses: [2], turns: [0, 2, 5, 6, 8])
        conversation.prompts[0].answers = [3 ..< 5, 7 ..< 8]
        let (bins, report) = try TokenRecords.pack([conversation, record([[1, 3, 2]], number: 2)], options(.sft))
        #expect(bins.count == 1 && bins[0].tokens == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 3] && bins[0].positions == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2])
        #expect(bins[0].segments == [
            .init(start: 0, end: 5, parent: -1, record: 0, response: -1, labelStart: 3),
            .init(start: 5, end: 8, parent: 0, record: 0, response: -1, labelStart: 7),
            .init(start: 8, end: 11, parent: 1, record: 0, response: 0, labelStart: 9),
            .init(start: 11, end: 14, parent: -1, record: 1, response: 0, labelStart: 13),
        ])
        #expect(bins[0].members.map(\.ratings.targets) == [[1, 1], [0]])
        #expect(report.counts.json["earlier_answers"] == ["kept": 2, "cut": 0] && report.counts.json["not_used"] == ["responses": 2, "tokens": 2])
    }

    /// Several responses branch from the end of their prompt, which is learnt once.
    @Test func severalAnswersToOnePrompt() throws {
        var conversation = TokenRecords.make(1, prompt: 5, responses: [1, 2], turns: [0, 2, 5])
        conversation.prompts[0].answers = [2 ..< 4]
        let bin = try TokenRecords.pack([conversation], options(.sft, answers: .all)).bins[0]
        #expect(bin.segments == [
            .init(start: 0, end: 4, parent: -1, record: 0, response: -1, labelStart: 2),
            .init(start: 4, end: 5, parent: 0, record: 0, response: -1, labelStart: 5),
            .init(start: 5, end: 6, parent: 1, record: 0, response: 0, labelStart: 5),
            .init(start: 6, end: 8, parent: 1, record: 0, response: 1, labelStart: 6),
        ])
    }

    /// An answer that truncation cuts is not learnt: it is no longer what the model is to say.
    @Test func cutAnswersAreNotLearnt() throws {
        var conversation = TokenRecords.make(1, prompt: 12, responses: [4], turns: [0, 2, 5, 7, 10, 11])
        conversation.prompts[0].roles = ["user", "assistant", "user", "assistant", "user"]
        conversation.prompts[0].answers = [3 ..< 5, 8 ..< 10]
        var options = options(.sft)
        options.maxLength = 12
        let (bins, report) = try TokenRecords.pack([conversation], options)
        // The first exchange goes; what is left starts with the second.
        #expect(bins[0].tokens == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
        #expect(bins[0].segments.map(\.labelStart) == [3, 7] && bins[0].segments.map(\.end) == [5, 11])
        #expect(report.counts.json["earlier_answers"] == ["kept": 1, "cut": 1])
    }

    @Test func nothingToImitate() throws {
        let none = TokenRecords.make(1, prompt: 3, responses: [])
        let (bins, report) = try TokenRecords.pack([none, record([[1, 2, nil], [nil, 2, 1]], number: 2), record([[1, nil, nil], [nil, 2, nil]], number: 3)], options(.sft))
        // The second response of the second record is the only one that both dimensions rate.
        #expect(bins.flatMap(\.members).map(\.id) == [TokenRecords.id(2)] && bins[0].tokens == [0, 1, 3])
        #expect(report.counts.dropped == [.noResponse: 1, .noDimension: 1])
    }
}
