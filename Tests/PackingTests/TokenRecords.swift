import JSON
import RecordStream
import SystemIO
import TestSupport

@testable import Packing

/// Made-up token records in which every token is unlike its neighbours, so that a lost, moved or doubled one shows.
enum TokenRecords {
    /// A record with targets over all responses in every dimension. Tokens count up from `first`: prompt, then each response.
    static func make(
        _ number: Int, prompt: Int, responses: [Int], dimensions: [Text] = ["helpfulness", "honesty"], turns: [UInt32]? = nil, first: UInt32 = 0
    ) -> TokensRecord {
        var next = first
        func tokens(_ count: Int) -> [UInt32] {
            defer { next += UInt32(count) }
            return (0 ..< UInt32(count)).map { next + $0 }
        }
        let count = dimensions.count * responses.count
        let share = responses.isEmpty ? 0 : 1 / Double(responses.count)
        let ratings = Ratings(
            dimensions: dimensions, ratings: [Double](repeating: 3, count: count), rated: [UInt8](repeating: 1, count: count),
            targets: [Double](repeating: share, count: count))
        return TokensRecord(
            id: id(number), origin: Origin(input: 1, line: UInt64(number + 1)), source: "made-up", ratings: ratings,
            prompts: [Self.prompt(tokens(prompt), turns ?? [0, UInt32(prompt)])], responses: responses.map(tokens))
    }

    /// A prompt whose turns alternate and end with the user's; an even number starts with a system turn.
    static func prompt(_ ids: [UInt32], _ starts: [UInt32]) -> TokensRecord.Prompt {
        let count = max(starts.count - 1, 0)
        let roles: [Text] = (0 ..< count).map { $0 == 0 && count % 2 == 0 ? "system" : (count - $0) % 2 == 1 ? "user" : "assistant" }
        return TokensRecord.Prompt(ids: ids, turnStarts: starts, roles: roles)
    }

    static func id(_ number: Int) -> Text {
        let digits = String(number, radix: 16)
        return Text(String(repeating: "0", count: 32 - digits.count) + digits)
    }

    /// Any shape that a stream may carry: N from 0, m from 0, empty prompts and responses, dimensions without targets, odd turn starts.
    static func random(_ number: Int, using generator: inout SeededGenerator, longest: Int) -> TokensRecord {
        func below(_ bound: Int) -> Int { Int.random(in: 0 ..< bound, using: &generator) }
        func length() -> Int { below(8) == 0 ? below(longest) : below(longest / 4 + 1) }
        let names = ["helpfulness", "honesty", "instruction_following", "truthfulness", "é"].map { Text($0) }
        let responses = below(12) == 0 ? below(2) : 2 + below(4)
        let dimensions = Array(names.prefix(below(10) == 0 ? 0 : 1 + below(names.count)))
        var matrix = Ratings(dimensions: dimensions, ratings: [], rated: [], targets: [])
        for _ in dimensions {
            let isOut = below(5) == 0
            let marks = (0 ..< responses).map { _ in isOut || below(6) == 0 ? 0.0 : 1 + Double(below(100)) }
            let sum = marks.reduce(0, +)
            matrix.ratings += marks.map { $0 == 0 ? Double.nan : $0 }
            matrix.rated += marks.map { $0 == 0 ? 0 : 1 }
            matrix.targets += marks.map { sum == 0 ? 0 : $0 / sum }
        }
        // Some prompts share a beginning, as those under different system prompts do.
        let beginning = (0 ..< below(4)).map { UInt32($0) }
        let prompts = (0 ..< (below(3) == 0 && responses > 0 ? responses : 1)).map { _ in
            let ids = beginning + (0 ..< (below(30) == 0 ? 0 : 1 + length())).map { _ in UInt32.random(in: 0 ... .max, using: &generator) }
            var prompt = Self.prompt(ids, (0 ... below(6)).map { _ in UInt32(below(ids.count + 1)) }.sorted())
            for (turn, role) in prompt.roles.enumerated() where role == "assistant" && below(2) == 0 {
                let answer = max(1, prompt.turnStarts[turn]) ..< max(1, prompt.turnStarts[turn + 1])
                if !answer.isEmpty { prompt.answers.append(answer) }
            }
            return prompt
        }
        return TokensRecord(
            id: id(number), origin: Origin(input: 1 + UInt32(below(3)), line: UInt64(number)), source: Text("source \(below(3))"), ratings: matrix,
            prompts: prompts,
            responses: (0 ..< responses).map { _ in
                (0 ..< (below(60) == 0 ? 0 : 1 + length())).map { _ in UInt32.random(in: 0 ... .max, using: &generator) }
            })
    }

    /// Packs records as the command does, out of a stream into a stream, whose reader checks the bins' structure.
    ///
    /// - Parameter asValues: whether the records are given as copies of their own, and not where they lie in blocks of the stream.
    static func pack(_ records: [TokensRecord], _ options: PackingOptions, vocabularySize: Int? = nil, asValues: Bool = false) throws -> (bins: [PackedBin], report: PackingReport) {
        var packer = try ShardedPacker(options, shards: 0 ..< 1, vocabularySize: vocabularySize)
        let sink = MemorySink(), writer = try RecordStreamWriter<PackedBin>(to: sink, head: StreamHead(schema: PackedBin.schemaWithGaps, provenance: provenance))
        func append(_ bin: PackedDraft, _: Int) throws { try writer.appendUnchecked(bin.append) }
        if asValues {
            for record in records { try packer.add(TokensColumns(record), output: append) }
        } else {
            let reader = try RecordReader<TokensRecord>(MemorySource(stream(records)))
            while let columns = try reader.nextBatch(7)?.columns { try packer.add(columns, output: append) }
        }
        try packer.finish(output: append)
        try writer.finish(StreamTail())
        let reader = try RecordReader<PackedBin>(MemorySource(sink.bytes))
        var bins: [PackedBin] = []
        while let bin = try reader.next() { bins.append(bin) }
        return (bins, packer.reports[0])
    }

    private static let provenance = Provenance(command: "uf-pack", recipe: 2, arguments: [])

    private static func stream(_ records: [TokensRecord]) throws -> [UInt8] {
        let sink = MemorySink(), writer = try RecordStreamWriter<TokensRecord>(to: sink, head: StreamHead(schema: TokensRecord.schemaWithAnswers, provenance: provenance))
        for record in records { try writer.append(record) }
        try writer.finish(StreamTail())
        return sink.bytes
    }
}

extension FittedRecord {
    /// A prompt as its gaps say that it came about of the whole one; nil where they do not.
    func prompt(_ number: Int, cutFrom whole: [UInt32]) -> [UInt32]? {
        var kept: [UInt32] = [], rest = whole[...]
        for gap in promptGaps[number] {
            let before = Int(gap.at) - kept.count
            guard before >= 0, before + Int(gap.tokens) <= rest.count else { return nil }
            kept += rest.prefix(before)
            rest = rest.dropFirst(before + Int(gap.tokens))
        }
        return kept + rest
    }
}

extension PackedBin {
    /// The tokens of one response's sequence: its prompt and itself, from whichever layout; with the number of prompt tokens, and which of those are to be learnt too.
    func sequence(_ member: Int, _ response: Int) -> (tokens: [UInt32], labelsFrom: Int, answers: [Range<Int>])? {
        guard let segment = segments.first(where: { $0.record == member && $0.response == response }) else { return nil }
        var chain = [segment]
        while chain[0].parent >= 0 { chain.insert(segments[Int(chain[0].parent)], at: 0) }
        var sequence: [UInt32] = [], answers: [Range<Int>] = []
        for link in chain {
            answers.append(sequence.count + Int(link.labelStart - link.start) ..< sequence.count + Int(link.end - link.start))
            sequence += tokens[Int(link.start) ..< Int(link.end)]
        }
        return (sequence, answers.removeLast().lowerBound, answers.filter { !$0.isEmpty })
    }
}
