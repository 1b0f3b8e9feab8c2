import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// Where a prompt was cut, through the stream and back; places and counts that contradict the rest of the bin are refused.
@Suite struct PromptGapTests {
    private func stream(_ bins: [PackedBin]) throws -> [UInt8] { try Sample.stream(bins, schema: PackedBin.schemaWithGaps) }

    private static let bins = GoldenStreams.gaps

    @Test func travelInTheStream() throws {
        let bins = Self.bins
        // Ratings that are missing are not equal to themselves.
        func equal(_ one: [PackedBin], _ other: [PackedBin]) -> Bool {
            one.map(\.segments) == other.map(\.segments) && one.map { $0.members.map(\.promptCuts) } == other.map { $0.members.map(\.promptCuts) }
                && one.map { $0.members.map(\.promptGaps) } == other.map { $0.members.map(\.promptGaps) }
        }
        #expect(try equal(Sample.read(stream(bins), as: PackedBin.self), bins))
        let members = bins.flatMap(\.members)
        #expect(members.contains { $0.promptGaps?.contains { $0.count > 1 } == true } && members.contains { $0.promptCuts.count > 1 })
        // A stream without the column keeps the counts; its records are read as they were.
        let counts = bins.map { bin in
            var bin = bin
            for member in bin.members.indices { bin.members[member].promptGaps = nil }
            return bin
        }
        #expect(try equal(Sample.read(Sample.stream(bins), as: PackedBin.self), counts) && !equal(counts, bins))
    }

    /// What stands for a change of the first member's gaps in the message after "in prompt n of record 0 ".
    private func refusal(_ bin: PackedBin, _ change: (inout PackedBin) -> Void) -> String? {
        var bin = bin
        change(&bin)
        do {
            try bin.validate()
            return nil
        } catch { return "\(error)" }
    }

    @Test func contradictionsAreRefused() throws {
        typealias Gap = PackedBin.Gap
        let single = Self.bins[0], own = Self.bins[1]
        #expect(single.members[0].promptGaps == [[Gap(at: 0, tokens: 3), Gap(at: 2, tokens: 1)]] && single.members[0].promptCuts == [4])
        #expect(own.members[0].promptGaps == [[Gap(at: 1, tokens: 4)], []] && own.members[0].promptCuts == [4, 0])
        func order(_ prompt: Int, _ length: Int) -> String { "the gaps in prompt \(prompt) of record 0 do not lie in order within its \(length) tokens" }
        func sum(_ prompt: Int, _ counts: String, _ cut: Int) -> String {
            "the gaps in prompt \(prompt) of record 0 are of \(counts) tokens, expected numbers from 1 whose sum is that of prompt_cuts, \(cut)"
        }
        func changed(_ gaps: [(UInt32, UInt32)]) -> String? { refusal(single) { $0.members[0].promptGaps = [gaps.map { Gap(at: $0, tokens: $1) }] } }
        #expect(changed([(2, 4)]) == nil && changed([(0, 1), (1, 1), (2, 2)]) == nil)
        #expect(changed([(3, 4)]) == order(0, 2) && changed([(2, 1), (0, 3)]) == order(0, 2) && changed([(1, 1), (1, 3)]) == order(0, 2))
        #expect(changed([(.max, 4)]) == order(0, 2))
        #expect(changed([(0, 3)]) == sum(0, "[3]", 4) && changed([]) == sum(0, "[]", 4) && changed([(0, 0), (1, 4)]) == sum(0, "[0, 4]", 4))
        // Their sum modulo 2^32 would be right.
        #expect(changed([(0, .max), (1, 5)]) == sum(0, "[4294967295, 5]", 4))
        #expect(refusal(single) { $0.members[0].promptGaps = [] } == "record 0 has gaps of 0 prompts, and cuts of 1")
        // A prompt for each response: each is held to its own length and count.
        #expect(refusal(own) { $0.members[0].promptGaps = [[], [Gap(at: 1, tokens: 4)]] } == sum(0, "[]", 4))
        #expect(refusal(own) { $0.members[0].promptGaps![1] = [Gap(at: 0, tokens: 1)] } == sum(1, "[1]", 0))
        #expect(refusal(own) { ($0.members[0].promptGaps, $0.members[0].promptCuts) = ([[], [Gap(at: 2, tokens: 4)]], [0, 4]) } == nil)
        #expect(refusal(own) { ($0.members[0].promptGaps, $0.members[0].promptCuts) = ([[], [Gap(at: 3, tokens: 4)]], [0, 4]) } == order(1, 2))
        #expect(refusal(own) { $0.members[0].promptGaps = [[Gap(at: 3, tokens: 4)], []] } == order(0, 2))
    }

    /// Sequences of the layout sft: the prompt's length is that of its whole chain of segments.
    @Test func lengthsOfChains() throws {
        func refusal(at place: UInt32) -> String? {
            self.refusal(GoldenStreams.conversations[0]) { ($0.members[0].promptGaps, $0.members[0].promptCuts) = ([[.init(at: place, tokens: 6)]], [6]) }
        }
        for place in 0 ... 5 as ClosedRange<UInt32> { #expect(refusal(at: place) == nil) }
        #expect(refusal(at: 6) == "the gaps in prompt 0 of record 0 do not lie in order within its 5 tokens")
    }

    /// Arrays of a stream whose checksums are right.
    @Test func hostileColumns() throws {
        let bytes = try stream([Self.bins[0]])
        func refusal(_ change: ([UInt32], inout DissectedBlock, Int) -> Void) throws -> String? {
            var stream = try DissectedStream(bytes), block = DissectedBlock(stream.frames[1].payload, schema: PackedBin.schemaWithGaps)
            let first = PackedBin.schemaWithGaps.firstArray("prompt_gaps")
            change(block[words: first + 2], &block, first)
            stream.frames[1].payload = block.payload
            do {
                _ = try Sample.read(stream.assembled(.remade), as: PackedBin.self)
                return nil
            } catch let error as InputError { return error.message }
        }
        #expect(try refusal { _, _, _ in } == nil)
        #expect(try refusal { values, block, first in
            block[words: first + 2] = Array(values.dropLast())
            block[words: first + 1][1] = 3
        } == "memory: record 0: the gaps of a prompt are 3 numbers, expected a place and a count each")
        #expect(try refusal { _, block, first in
            block[words: first] = [0, 2]
            block[words: first + 1] = [0, 2, 4]
        } == "memory: record 0: gaps of 2 prompts, expected 1, a list for each number in prompt_cuts")
        let sum = try refusal { _, block, first in block[words: first + 2][1] = 4 }
        #expect(sum?.hasPrefix("memory: record 0: the gaps in prompt 0 of record 0 are of [4, 1] tokens") == true)
    }

    /// Records of a bin have their lists one after the other: a list in the wrong record is not taken for another's.
    @Test func listsOfAnotherRecord() {
        let moved = refusal(Self.bins[2]) { ($0.members[0].promptGaps, $0.members[1].promptGaps) = ([], $0.members[0].promptGaps! + $0.members[1].promptGaps!) }
        #expect(moved == "record 0 has gaps of 0 prompts, and cuts of 1")
    }
}
