import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

/// What must hold for any records and options.
@Suite struct PackerTests {
    @Test(arguments: PackedLayout.allCases, Truncation.allCases) func everyTokenIsAccountedFor(layout: PackedLayout, truncation: Truncation) throws {
        for seed in 1 ... 40 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let longest = [8, 40, 200].randomElement(using: &generator) ?? 8
            var options = PackingOptions(layout: layout, maxLength: Int.random(in: 2 ... 3 * longest, using: &generator))
            options.maxTokens = Int.random(in: 1 ... 8 * longest, using: &generator)
            options.openBins = Int.random(in: 1 ... 5, using: &generator)
            options.recordsPerBin = Bool.random(using: &generator) ? Int.random(in: 1 ... 4, using: &generator) : nil
            options.truncation = truncation
            options.overlong = Int.random(in: 0 ..< 4, using: &generator) == 0 ? .drop : .cut
            options.order = Int.random(in: 0 ..< 4, using: &generator) == 0 ? .shuffled : .input
            let records = (0 ..< 60).map { TokenRecords.random($0, using: &generator, longest: longest) }
            let (bins, report) = try TokenRecords.pack(records, options)
            try check(records, bins, report, options, "seed \(seed), \(options)")
            try compareToPlain(records, bins, report, options, "seed \(seed), \(options)")
        }
    }

    /// Each bin is what the plain version lays out of its records, copied and fitted one by one; and records that are given as values make the same.
    private func compareToPlain(_ records: [TokensRecord], _ bins: [PackedBin], _ report: PackingReport, _ options: PackingOptions, _ place: String) throws {
        let fitter = RecordFitter(options)
        for (number, bin) in bins.enumerated() {
            let fitted = try bin.members.map { member in
                guard case .fitted(let fitted) = try fitter.fit(#require(records.first { $0.id == member.id })) else { throw InputError("\(place): a record that is dropped") }
                return fitted
            }
            #expect(bin.isSame(as: PackedBin(fitted, layout: options.layout)), "\(place), bin \(number)")
        }
        let values = try TokenRecords.pack(records, options, asValues: true)
        #expect(values.report == report && values.bins.count == bins.count && zip(values.bins, bins).allSatisfy { $0.isSame(as: $1) }, "\(place)")
    }

    private func check(_ records: [TokensRecord], _ bins: [PackedBin], _ report: PackingReport, _ options: PackingOptions, _ place: String) throws {
        let fitter = RecordFitter(options)
        var expected: [Text: (record: TokensRecord, fitted: FittedRecord)] = [:]
        var dropped = 0, droppedTokens = 0
        for record in records {
            switch try fitter.fit(record) {
            case .fitted(let fitted): expected[record.id] = (record, fitted)
            case .dropped:
                dropped += 1
                droppedTokens += tokens(record)
            }
        }
        let counts = report.counts
        #expect(counts.recordsIn == records.count && counts.recordsDropped == dropped && counts.recordsOut == expected.count, "\(place)")
        #expect(counts.tokensIn == records.reduce(0) { $0 + tokens($1) } && counts.tokensDropped == droppedTokens, "\(place)")
        #expect(counts.tokensIn == counts.tokensOut + counts.tokensDropped + counts.promptTokensCut + counts.responseTokensCut + counts.tokensUnused, "\(place)")
        #expect(counts.bins == bins.count && counts.binTokens == bins.reduce(0) { $0 + $1.tokens.count }, "\(place)")

        for bin in bins {
            #expect(bin.tokens.count <= options.maxTokens || bin.members.count == 1, "\(place)")
            #expect((1 ... (options.recordsPerBin ?? .max)).contains(bin.members.count), "\(place)")
            for (number, member) in bin.members.enumerated() {
                let found = expected.removeValue(forKey: member.id)
                let (whole, fitted) = try #require(found, "\(place): record \(member.id) stands twice or was dropped")
                let record = if case .some(let kept, _) = whole.ratings.withView({ ResponseChoice($0, responses: whole.responses.count, options) }) { whole.keeping(kept) } else { whole }
                try check(member, number, of: bin, record, fitted, options, "\(place), record \(member.id)")
            }
        }
        #expect(expected.isEmpty, "\(place): records in no bin: \(expected.keys)")
    }

    private func isSubsequence(_ part: [UInt32], of whole: [UInt32]) -> Bool {
        var rest = whole[...]
        for token in part {
            guard let at = rest.firstIndex(of: token) else { return false }
            rest = rest[(at + 1)...]
        }
        return true
    }

    private func tokens(_ record: TokensRecord) -> Int { record.prompts.reduce(0) { $0 + $1.ids.count } + record.responses.reduce(0) { $0 + $1.count } }

    private func check(
        _ member: PackedBin.Member, _ number: Int, of bin: PackedBin, _ record: TokensRecord, _ fitted: FittedRecord, _ options: PackingOptions, _ place: String
    ) throws {
        #expect(member.origin == record.origin && member.source == record.source && member.responseCount == record.responses.count, "\(place)")
        #expect(member.ratings.dimensions == record.ratings.dimensions && member.ratings.rated == record.ratings.rated && member.ratings.targets == record.ratings.targets, "\(place)")
        #expect(member.ratings.ratings.map(\.bitPattern) == record.ratings.ratings.map(\.bitPattern), "\(place)")
        #expect(member.promptCuts.map { Int($0) } == zip(record.prompts, fitted.record.prompts).map { $0.ids.count - $1.ids.count }, "\(place)")
        #expect(member.promptGaps == fitted.promptGaps, "\(place)")
        for (prompt, whole) in record.prompts.enumerated() { #expect(fitted.prompt(prompt, cutFrom: whole.ids) == fitted.record.prompts[prompt].ids, "\(place), prompt \(prompt)") }
        #expect(zip(record.prompts, fitted.record.prompts).allSatisfy { $0.ids.count == $1.ids.count ? $0.ids == $1.ids : isSubsequence($1.ids, of: $0.ids) }, "\(place)")
        for (response, whole) in record.responses.enumerated() {
            let (sequence, labelsFrom, answers) = try #require(bin.sequence(number, response), "\(place): no response \(response)")
            #expect(sequence.count <= options.maxLength, "\(place)")
            #expect(Array(sequence[..<labelsFrom]) == fitted.record.prompt(of: response), "\(place), response \(response)")
            let prompts = fitted.record.prompts, marked = prompts[prompts.count == 1 ? 0 : response].answers.map { Int($0.lowerBound) ..< Int($0.upperBound) }
            #expect(answers == (options.layout == .sft ? marked : []), "\(place), response \(response)")
            // Of a response the head is kept, by any rule; of a prompt a subsequence, by the paper's rule the head.
            #expect(whole.starts(with: sequence[labelsFrom...]) && whole.count - (sequence.count - labelsFrom) == Int(member.responseCuts[response]), "\(place)")
            if options.truncation == .paper { #expect(record.prompt(of: response).starts(with: sequence[..<labelsFrom]), "\(place)") }
        }
        if options.layout == .pairs {
            #expect(member.rowMap.map { Int(bin.segments[Int($0)].response) } == fitted.pairs.flatMap { [$0.better, $0.worse] } && member.piTarget.isEmpty, "\(place)")
            return
        }
        if options.layout != .rows16 {
            #expect(member.rowMap.isEmpty && member.piTarget.isEmpty, "\(place)")
            return
        }
        let rows = member.responseCount
        for (row, segment) in member.rowMap.enumerated() {
            #expect(bin.segments[Int(segment)].response == row % rows && Int(bin.segments[Int(segment)].record) == number, "\(place), row \(row)")
            #expect(member.piTarget[row] == Float(record.ratings.targets[row]), "\(place), row \(row)")
        }
        #expect(member.rowMap.count == rows * member.ratings.dimensions.count, "\(place)")
    }

    @Test func branchesContinueThePrompt() throws {
        let record = TokenRecords.make(5, prompt: 3, responses: [2, 1])
        let (bins, _) = try TokenRecords.pack([record], PackingOptions(maxLength: 16))
        #expect(bins.count == 1 && bins[0].tokens == [0, 1, 2, 3, 4, 5] && bins[0].positions == [0, 1, 2, 3, 4, 3])
        #expect(bins[0].segments == [
            .init(start: 0, end: 3, parent: -1, record: 0, response: -1, labelStart: 3),
            .init(start: 3, end: 5, parent: 0, record: 0, response: 0, labelStart: 3),
            .init(start: 5, end: 6, parent: 0, record: 0, response: 1, labelStart: 5),
        ])
    }

    /// Responses under system prompts of their own: what the prompts begin with stands once, the rest before each response, without labels.
    @Test func ownPromptsShareTheirBeginning() throws {
        var record = TokenRecords.make(5, prompt: 4, responses: [2, 1])
        record.prompts = [TokenRecords.prompt([7, 8, 1, 9], [0, 3]), TokenRecords.prompt([7, 8, 2, 2, 9], [0, 4])]
        let (bins, report) = try TokenRecords.pack([record], PackingOptions(maxLength: 16))
        #expect(bins.count == 1 && bins[0].tokens == [7, 8, 1, 9, 4, 5, 2, 2, 9, 6] && bins[0].positions == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5])
        #expect(bins[0].segments == [
            .init(start: 0, end: 2, parent: -1, record: 0, response: -1, labelStart: 2),
            .init(start: 2, end: 6, parent: 0, record: 0, response: 0, labelStart: 4),
            .init(start: 6, end: 10, parent: 0, record: 0, response: 1, labelStart: 9),
        ])
        #expect(report.sharedTokens == 10 && report.rowTokens == 12 && report.counts.tokensIn == 12)
        record.prompts[1].ids[0] = 6
        let apart = try TokenRecords.pack([record], PackingOptions(maxLength: 16)).bins[0]
        #expect(apart.segments.map(\.parent) == [-1, -1] && apart.segments.map(\.labelStart) == [4, 11] && apart.tokens.count == 12)
    }

    @Test func cutsAreMarkedAndCounted() throws {
        let records = [
            TokenRecords.make(1, prompt: 6, responses: [20, 4, 11]), TokenRecords.make(2, prompt: 12, responses: [12, 2], turns: [0, 5, 9, 11]),
            TokenRecords.make(3, prompt: 30, responses: [6, 2], turns: [0, 26]), TokenRecords.make(4, prompt: 6, responses: [3]),
            TokenRecords.make(5, prompt: 20, responses: [14, 2], turns: [0, 12]), TokenRecords.make(6, prompt: 2, responses: [2, 2]),
        ]
        let (bins, report) = try TokenRecords.pack(records, PackingOptions(maxLength: 16))
        #expect(bins.flatMap(\.members).map { $0.promptCuts + $0.responseCuts } == [[0, 10, 0, 1], [9, 0, 0], [20, 0, 0], [0, 0, 0]])
        let summary = "dropped 2 of 6 records: 1 with fewer than two responses, 1 with no room for prompt and response in --max-length; "
            + "cut 2 prompts (29 tokens, 2 whole turns), 2 responses of 1 records (11 tokens, their stop tokens with them)"
        #expect(report.counts.summary == summary)
        let counts: JSONValue = [
            "records": ["read": 6, "kept": 4, "dropped": ["fewer_than_two_responses": 1, "no_room": 1]],
            "tokens": ["read": 156, "kept": 71, "of_dropped_records": 45],
            "cut": [
                "prompts": 2, "prompts_without_old_turns": 1, "turns_removed": 2, "prompts_cut_inside": 1, "prompt_tokens": 29,
                "records_with_cut_responses": 1, "responses": 2, "response_tokens": 11,
            ],
            "bins": ["written": 1, "tokens": 71, "oversize": 0],
        ]
        #expect(report.counts.json == counts)
        #expect(PackingCounts().summary == nil)
    }

    @Test func optionsThatCannotBeMeantAreRefused() {
        func message(_ change: (inout PackingOptions) -> Void) -> String? {
            var options = PackingOptions(maxLength: 64)
            change(&options)
            do { try options.validate() } catch { return (error as? InputError).map { "\($0.status): \($0.message)" } }
            return nil
        }
        #expect(message { _ in } == nil)
        #expect(message { $0.maxLength = 1 } == "usage: --max-length takes a number from 2 to 1048576, found 1")
        #expect(message { $0.maxTokens = 0 } == "usage: --max-tokens takes a number from 1 to 1048576, found 0")
        #expect(message { $0.openBins = 5000 } == "usage: --open-bins takes a number from 1 to 4096, found 5000")
        #expect(message { $0.recordsPerBin = 0 } == "usage: --records-per-bin takes a number from 1, found 0")
        #expect(message { $0.paperEpsilon = true } == "usage: --paper-epsilon changes pi_target, which only --layout rows16 has")
    }
}
