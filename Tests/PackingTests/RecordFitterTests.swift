import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

@Suite struct RecordFitterTests {
    private func fit(_ record: TokensRecord, _ maxLength: Int, _ change: (inout PackingOptions) -> Void = { _ in }) throws -> RecordFitter.Outcome {
        var options = PackingOptions(maxLength: maxLength)
        change(&options)
        return try RecordFitter(options).fit(record)
    }

    private func fitted(_ outcome: RecordFitter.Outcome) throws -> FittedRecord {
        guard case .fitted(let fitted) = outcome else {
            Issue.record("dropped: \(outcome)")
            throw InputError("dropped")
        }
        return fitted
    }

    @Test func aRecordThatFitsStaysAsItIs() throws {
        let record = TokenRecords.make(1, prompt: 10, responses: [6, 2], turns: [0, 8])
        let kept = try fitted(fit(record, 16))
        #expect(kept == FittedRecord(record) && !kept.isCut)
    }

    @Test func shortPromptKeepsItselfAndResponsesLoseTheirEnds() throws {
        let record = TokenRecords.make(1, prompt: 6, responses: [20, 4, 11])
        let kept = try fitted(fit(record, 16))
        #expect(kept.record.prompts[0].ids == record.prompts[0].ids && kept.promptCuts == [0])
        #expect(kept.record.responses == [Array(record.responses[0].prefix(10)), record.responses[1], Array(record.responses[2].prefix(10))])
        #expect(kept.responseCuts == [10, 0, 1])
    }

    @Test func longPromptGivesWhatResponsesNeedDownToHalf() throws {
        // 30 + 6 in 16: the prompt may keep 10, the responses are whole.
        let one = try fitted(fit(TokenRecords.make(1, prompt: 30, responses: [6, 2], turns: [0, 26]), 16))
        #expect(one.record.prompts[0].ids == [0, 1, 2, 23, 24, 25, 26, 27, 28, 29])
        #expect(one.promptCuts == [20] && one.middleTokens == 20 && one.turnsRemoved == 0 && one.responseCuts == [0, 0])
        // 30 + 12: half each.
        let two = try fitted(fit(TokenRecords.make(1, prompt: 30, responses: [12, 2], turns: [0, 26]), 16))
        #expect(two.record.prompts[0].ids.count == 8 && two.responseCuts == [4, 0])
        // Whole turns may free more than was needed; the responses profit.
        let three = try fitted(fit(TokenRecords.make(1, prompt: 12, responses: [12, 2], turns: [0, 5, 9, 11]), 16))
        #expect(three.record.prompts[0].ids == [9, 10, 11] && three.turnsRemoved == 2 && three.middleTokens == 0 && three.responseCuts == [0, 0])
    }

    @Test func paperKeepsHeads() throws {
        let record = TokenRecords.make(1, prompt: 30, responses: [30, 5, 16], turns: [0, 26])
        let kept = try fitted(fit(record, 32) { $0.truncation = .paper })
        #expect(kept.record.prompts[0].ids == Array(record.prompts[0].ids.prefix(16)))
        #expect(kept.record.responses == record.responses.map { Array($0.prefix(16)) })
        #expect(kept.promptCuts == [14] && kept.responseCuts == [14, 0, 0])
    }

    /// The places of cuts in each way of cutting: how many of the tokens left come before, how many are missing.
    @Test func gapsAreWhereTokensAreMissing() throws {
        func gaps(_ record: TokensRecord, _ maxLength: Int, _ truncation: Truncation = .ours) throws -> [[[UInt32]]] {
            try fitted(fit(record, maxLength) { $0.truncation = truncation }).promptGaps.map { $0.map { [$0.at, $0.tokens] } }
        }
        // Beginning 0..<2, system 2..<12, question 12..<30, answer 30..<50, question 50..<92, header 92..<100.
        let long = TokenRecords.make(1, prompt: 100, responses: [1, 1], turns: [2, 12, 30, 50, 92])
        #expect(try gaps(long, 101) == [[]])
        // Oldest turns; then the middle of the last; then of the system turn too.
        #expect(try gaps(long, 100) == [[[12, 38]]])
        #expect(try gaps(long, 52) == [[[12, 38], [28, 11]]])
        #expect(try gaps(long, 26) == [[[6, 3], [9, 38], [13, 34]]])
        // Of the system turn one token is left: what is missing behind it and the oldest turns are one gap.
        #expect(try gaps(long, 13) == [[[3, 47], [4, 41]]])
        // Nothing is left of it.
        #expect(try gaps(long, 12) == [[[2, 48], [3, 41]]])
        // Without a beginning and a system turn the oldest turns leave a gap at the start.
        #expect(try gaps(TokenRecords.make(1, prompt: 12, responses: [12, 2], turns: [0, 5, 9, 11]), 16) == [[[0, 9]]])
        // Without turns, and without a header: the middle.
        #expect(try gaps(TokenRecords.make(1, prompt: 100, responses: [1, 1], turns: []), 12) == [[[6, 89]]])
        #expect(try gaps(long, 32, .paper) == [[[31, 69]]])
        // Each of several prompts by itself.
        var own = TokenRecords.make(1, prompt: 9, responses: [4, 4], turns: [0, 8])
        own.prompts.append(TokenRecords.prompt((0 ..< 20).map { $0 }, [0, 16]))
        #expect(try gaps(own, 16) == [[], [[4, 8]]])
        #expect(try gaps(own, 16, .paper) == [[], [[12, 8]]])
    }

    @Test func dropsForAReason() throws {
        func reason(_ record: TokensRecord, _ maxLength: Int = 16, _ change: (inout PackingOptions) -> Void = { _ in }) throws -> DropReason? {
            guard case .dropped(let reason) = try fit(record, maxLength, change) else { return nil }
            return reason
        }
        #expect(try reason(TokenRecords.make(1, prompt: 3, responses: [])) == .fewerThanTwoResponses)
        #expect(try reason(TokenRecords.make(1, prompt: 3, responses: [4])) == .fewerThanTwoResponses)
        #expect(try reason(TokenRecords.make(1, prompt: 3, responses: [4, 4], dimensions: [])) == .noDimension)
        var unrated = TokenRecords.make(1, prompt: 3, responses: [4, 4])
        unrated.ratings.targets = [0, 0, 0, 0]
        #expect(try reason(unrated) == .noDimension)
        #expect(try reason(TokenRecords.make(1, prompt: 0, responses: [4, 4])) == .emptyPrompt)
        #expect(try reason(TokenRecords.make(1, prompt: 3, responses: [4, 0])) == .emptyResponse)
        #expect(try reason(TokenRecords.make(1, prompt: 3, responses: [14, 2])) == nil)
        #expect(try reason(TokenRecords.make(1, prompt: 3, responses: [14, 2])) { $0.overlong = .drop } == .overlong)
        #expect(try reason(TokenRecords.make(1, prompt: 3, responses: [13, 2])) { $0.overlong = .drop } == nil)
        // A header of 8 leaves no room for the turn in half of 16.
        #expect(try reason(TokenRecords.make(1, prompt: 20, responses: [14, 2], turns: [0, 12])) == .noRoom)
        #expect(try reason(TokenRecords.make(1, prompt: 20, responses: [14, 2], turns: [0, 13])) == nil)
        // The paper's rule can leave a response nothing.
        #expect(try reason(TokenRecords.make(1, prompt: 100, responses: [4, 2]), 8) { $0.truncation = .paper } == .noRoom)
    }

    @Test func tokensOutsideTheVocabularyAreRefused() throws {
        let fitter = RecordFitter(PackingOptions(maxLength: 64), vocabularySize: 9)
        #expect(throws: InputError("record \(TokenRecords.id(7)) (input 1, line 8): token 9 is outside the tokenizer's vocabulary of 9 ids; tokenize the data again")) {
            try fitter.fit(TokenRecords.make(7, prompt: 4, responses: [2, 4]))
        }
        #expect(throws: InputError.self) { try fitter.fit(TokenRecords.make(7, prompt: 1, responses: [1, 1], first: UInt32.max - 3)) }
        guard case .fitted = try fitter.fit(TokenRecords.make(7, prompt: 4, responses: [2, 3])) else { return #expect(Bool(false), "ids below 9 are fine") }
        // Nothing to look at is no token outside.
        #expect(try RecordFitter(PackingOptions(maxLength: 64), vocabularySize: 0).fit(TokenRecords.make(1, prompt: 0, responses: [])) == .dropped(.fewerThanTwoResponses))
    }

    @Test func aRecordWhoseRowsWouldNotFitTheStreamIsRefused() throws {
        // 1,000 rows of 20,000 tokens from a record of 22,000: refused before memory is taken for them.
        let record = TokenRecords.make(7, prompt: 20_000, responses: [Int](repeating: 2, count: 1000), dimensions: ["a"])
        let message = "record \(TokenRecords.id(7)) (input 1, line 8): its bin would have 160093180 bytes, a stream's record holds at most 67108864; choose a smaller --max-length"
        #expect(throws: InputError(message)) { try fit(record, 1 << 20) { $0.layout = .rows16 } }
        #expect(try fitted(fit(record, 1 << 20)).shape.tokens(in: .sharedPrefix) == 22_000)
    }
}
