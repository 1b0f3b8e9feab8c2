import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

@Suite struct PaperTruncationTests {
    @Test(arguments: [(1800, 900, 1148, 900), (300, 2500, 300, 1748), (1500, 1500, 1024, 1024), (5000, 10, 2038, 10), (1024, 3000, 522, 1526)])
    func publishedCheckValues(prompt: Int, response: Int, keptPrompt: Int, keptResponse: Int) {
        #expect(PaperTruncation.lengths(prompt: prompt, response: response, cutoff: 2048) == (keptPrompt, keptResponse))
    }

    @Test func equalsThePythonRule() throws {
        let rows = try #require(JSON.parse(readWholeFile(Fixtures.path("packing/paper_tensors.json")))["truncation"]?.array)
        #expect(rows.count == 247)
        for row in rows {
            let v = row.array?.compactMap(\.int) ?? []
            try #require(v.count == 5)
            let kept = PaperTruncation.lengths(prompt: v[1], response: v[2], cutoff: v[0])
            #expect(kept == (v[3], v[4]), "cutoff \(v[0]), prompt \(v[1]), response \(v[2])")
        }
    }

    @Test func fitsAndChangesNothingThatFits() {
        for cutoff in [2, 3, 8, 17, 32] {
            for prompt in 0 ..< 3 * cutoff {
                for response in 1 ..< 3 * cutoff {
                    let kept = PaperTruncation.lengths(prompt: prompt, response: response, cutoff: cutoff)
                    let fits = prompt + response <= cutoff ? kept == (prompt, response) : kept.prompt + kept.response == cutoff
                    #expect(fits, "cutoff \(cutoff), prompt \(prompt), response \(response): \(kept)")
                }
            }
        }
    }
}

@Suite struct PromptCutTests {
    /// Prompt of 100: beginning 0..<2, system 2..<12, question 12..<30, answer 30..<50, question 50..<92, header 92..<100.
    private let turns: [UInt32] = [2, 12, 30, 50, 92]

    private func cut(_ length: Int, _ starts: [UInt32], _ room: Int, roles: [Text]? = nil) -> PromptCut? {
        var prompt = TokenRecords.prompt([UInt32](repeating: 1, count: length), starts)
        if let roles { prompt.roles = roles }
        return PromptCut(prompt, room: room)
    }

    @Test func wholeTurnsGoFirst() {
        // 1 too many: the oldest question goes with its answer.
        #expect(cut(100, turns, 99).map(\.kept) == [0 ..< 2, 2 ..< 12, 50 ..< 92, 92 ..< 100])
        #expect(cut(100, turns, 62).map { [$0.turnsRemoved, $0.middleTokens, $0.length] } == [2, 0, 62])
        #expect(cut(100, turns, 100).map { [$0.turnsRemoved, $0.middleTokens, $0.length] } == [0, 0, 100])
    }

    @Test func thenTheMiddleOfTheLongerTurn() {
        // 52 of system and last turn must become 41: the last turn gives its middle.
        #expect(cut(100, turns, 51).map(\.kept) == [0 ..< 2, 2 ..< 12, 50 ..< 66, 77 ..< 92, 92 ..< 100])
        // 15 are left for both: 7 and 8.
        #expect(cut(100, turns, 25).map(\.kept) == [0 ..< 2, 2 ..< 6, 9 ..< 12, 50 ..< 54, 88 ..< 92, 92 ..< 100])
        #expect(cut(100, turns, 11).map(\.kept) == [0 ..< 2, 50 ..< 51, 92 ..< 100])
        #expect(cut(100, turns, 10) == nil)
    }

    /// What a tool says belongs to the question before it: both go, or both stay.
    @Test func rolesSayWhatGoesTogether() {
        let roles: [Text] = ["user", "tool", "user", "tool"]
        #expect(cut(100, turns, 99, roles: roles).map(\.kept) == [0 ..< 2, 30 ..< 50, 50 ..< 92, 92 ..< 100])
        #expect(cut(100, turns, 40, roles: roles).map(\.kept) == [0 ..< 2, 30 ..< 50, 50 ..< 55, 87 ..< 92, 92 ..< 100])
        #expect(cut(100, turns, 30, roles: roles) == nil)
        #expect(cut(100, [2, 40, 92], 99, roles: ["user", "assistant"]).map(\.kept) == [0 ..< 2, 2 ..< 40, 40 ..< 66, 67 ..< 92, 92 ..< 100])
    }

    @Test func withoutASystemTurn() {
        // question 0..<40, answer 40..<60, question 60..<90, header 90..<100.
        #expect(cut(100, [0, 40, 60, 90], 99).map(\.kept) == [60 ..< 90, 90 ..< 100])
        #expect(cut(100, [0, 40, 60, 90], 20).map(\.kept) == [60 ..< 65, 85 ..< 90, 90 ..< 100])
        // A long system turn before a short question is the one that gives.
        #expect(cut(100, [0, 80, 90], 30).map(\.kept) == [0 ..< 5, 75 ..< 80, 80 ..< 90, 90 ..< 100])
    }

    @Test func withoutTurnStartsThePromptIsOneTurn() {
        #expect(cut(100, [], 11).map(\.kept) == [0 ..< 6, 95 ..< 100])
        #expect(cut(100, [90], 20).map(\.kept) == [0 ..< 5, 85 ..< 90, 90 ..< 100])
    }

    @Test func anyTurnStartsGiveAPromptThatFitsAndKeepsItsHeader() {
        var generator = SeededGenerator(seed: 11)
        for round in 0 ..< 20_000 {
            let length = Int.random(in: 1 ... 60, using: &generator)
            let starts = (0 ..< Int.random(in: 0 ... 6, using: &generator)).map { _ in UInt32.random(in: 0 ... UInt32(length), using: &generator) }.sorted()
            let room = Int.random(in: 1 ... 60, using: &generator)
            guard let cut = self.cut(length, starts, room) else { continue }
            let place = "round \(round): length \(length), starts \(starts), room \(room): \(cut)"
            let kept = cut.kept.flatMap { Array($0) }
            #expect(kept == Set(kept).sorted() && kept.allSatisfy { (0 ..< length).contains($0) } && cut.kept.allSatisfy { !$0.isEmpty }, "\(place)")
            #expect(length <= room ? kept.count == length : kept.count <= room, "\(place)")
            if let header = starts.last { #expect(kept.suffix(length - Int(header)).elementsEqual(Int(header) ..< length), "\(place)") }
            if starts.count > 1 { #expect(kept.starts(with: 0 ..< Int(starts[0])), "\(place)") }
        }
    }
}
