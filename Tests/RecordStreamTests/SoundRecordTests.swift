import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// The quick look at a record against the plain one, which copies it: on records of any shape, most of them wrong in some way.
@Suite struct SoundRecordTests {
    private func compare<Record: StreamRecord>(
        _ type: Record.Type, _ schema: Schema, _ fill: (BlockBuilder, inout SeededGenerator) -> Void, _ isSound: (Block, Int) -> Bool
    ) throws -> (sound: Int, unsound: Int) {
        let builder = BlockBuilder(schema: schema)
        var generator = SeededGenerator(seed: 4), counts = (sound: 0, unsound: 0)
        for round in 0 ..< 20_000 {
            builder.removeAll()
            fill(builder, &generator)
            try builder.endRecord()
            let payload = builder.payload()
            let block = try Block(schema: schema, name: "x", firstRecord: 0, count: 1, payload: payload.bytes, owner: payload)
            let isRight = (try? Record(block, 0).validate()) != nil
            #expect(isSound(block, 0) == isRight, "round \(round): \((try? Record(block, 0)).map { "\($0)" } ?? "no record")")
            if isRight { counts.sound += 1 } else { counts.unsound += 1 }
        }
        return counts
    }

    /// Matrices and names of a record; now and then something about them is wrong.
    private func addRatings(_ builder: BlockBuilder, at column: Int, responses: Int, _ generator: inout SeededGenerator) -> Int {
        func odd() -> Bool { Int.random(in: 0 ..< 25, using: &generator) == 0 }
        let dimensions = Int.random(in: 0 ... 3, using: &generator), names: [Text] = ["a", "b", "c"]
        let count = dimensions * responses + (odd() ? 1 : 0)
        builder.add(names: odd() && dimensions > 1 ? [Text](repeating: "a", count: dimensions) : Array(names.prefix(dimensions)), to: column)
        builder.add(list: (0 ..< count).map { _ in odd() ? Double.infinity : odd() ? .nan : 3 }, to: column + 1)
        builder.add(list: (0 ..< count).map { _ in UInt8(odd() ? 2 : 1) }, to: column + 2)
        var targets = [Double](repeating: responses > 0 ? 1 / Double(responses) : 0, count: count + (odd() ? 1 : 0))
        if odd(), !targets.isEmpty { targets[0] = [0, -0.5, 2, .nan][Int.random(in: 0 ..< 4, using: &generator)] }
        builder.add(list: targets, to: column + 3)
        return count
    }

    @Test func ratedRecords() throws {
        let counts = try compare(RatedRecord.self, RatedRecord.schema, { builder, generator in
            func odd() -> Bool { Int.random(in: 0 ..< 25, using: &generator) == 0 }
            let n = Int.random(in: 0 ... 4, using: &generator), text: Text = "x"
            builder.add(text: "id", to: 0)
            builder.add(number: UInt32(1), to: 1)
            builder.add(number: UInt64(1), to: 2)
            builder.add(name: text, to: 3)
            builder.add(names: [text], to: 4)
            builder.add(texts: odd() ? [] : [text], to: 5)
            builder.add(texts: [Text](repeating: text, count: n), to: 6)
            builder.add(names: [Text](repeating: text, count: odd() ? n + 1 : odd() ? n : 0), to: 7)
            builder.add(names: [Text](repeating: text, count: odd() ? n + 1 : n), to: 8)
            let count = addRatings(builder, at: 9, responses: n, &generator)
            builder.add(list: (0 ..< count + (odd() ? 1 : 0)).map { _ in UInt8(odd() ? 6 : 5) }, to: 13)
        }, RatedRecord.isSound)
        #expect(counts.sound > 3000 && counts.unsound > 3000, "\(counts)")
    }

    @Test(arguments: TokensRecord.schemas) func tokensRecords(schema: Schema) throws {
        let counts = try compare(TokensRecord.self, schema, { builder, generator in
            func odd() -> Bool { Int.random(in: 0 ..< 25, using: &generator) == 0 }
            let n = Int.random(in: 0 ... 4, using: &generator), prompts = odd() ? 2 : Bool.random(using: &generator) ? n : 1
            builder.add(text: "id", to: 0)
            builder.add(number: UInt32(1), to: 1)
            builder.add(number: UInt64(1), to: 2)
            builder.add(name: "x", to: 3)
            _ = addRatings(builder, at: 4, responses: n, &generator)
            builder.add(lists: (0 ..< prompts).map { _ in [UInt32](repeating: 7, count: 5) }, to: 8)
            builder.add(lists: (0 ..< prompts + (odd() ? 1 : 0)).map { _ in odd() ? [] : odd() ? [0, 4, 2] : [0, 2, odd() ? 6 : 5] as [UInt32] }, to: 9)
            builder.add(nameLists: (0 ..< prompts + (odd() ? 1 : 0)).map { _ in odd() ? ["a"] : ["a", "b"] as [Text] }, to: 10)
            builder.add(lists: [[UInt32]](repeating: [5], count: n), to: 11)
            guard schema == TokensRecord.schemaWithAnswers else { return }
            let wrong: [[UInt32]] = [[0, 1], [1], [2, 2], [3, 2], [1, 6], [1, 3, 2, 4], [1, 2, 3]]
            let right: [[UInt32]] = [[], [1, 5], [1, 2, 2, 3], [2, 3, 4, 5]]
            builder.add(lists: (0 ..< prompts + (odd() ? 1 : 0)).map { _ in (odd() ? wrong : right).randomElement(using: &generator) ?? [] }, to: 12)
        }, TokensRecord.isSound)
        #expect(counts.sound > 3000 && counts.unsound > 3000, "\(counts)")
    }

    /// Bins of any layout with a number changed here and there. Of a bin with a cut prompt the quick look says nothing.
    @Test(arguments: PackedBin.schemas) func bins(schema: Schema) throws {
        let hasGaps = schema == PackedBin.schemaWithGaps, samples = (Sample.packed + GoldenStreams.paperRows + GoldenStreams.pairs + GoldenStreams.conversations + GoldenStreams.gaps).map { bin in
            var bin = bin
            for member in bin.members.indices { bin.members[member].promptGaps = hasGaps ? bin.members[member].promptGaps ?? bin.members[member].promptCuts.map { _ in [] } : nil }
            return bin
        }
        var generator = SeededGenerator(seed: 6), sound = 0, unsound = 0
        for round in 0 ..< 20_000 {
            func below(_ bound: Int) -> Int { Int.random(in: 0 ..< bound, using: &generator) }
            var bin = samples[below(samples.count)]
            for _ in 0 ..< below(3) { change(&bin, hasGaps, &generator) }
            let builder = BlockBuilder(schema: schema)
            bin.append(to: builder)
            try builder.endRecord()
            let payload = builder.payload(), block = try Block(schema: schema, name: "x", firstRecord: 0, count: 1, payload: payload.bytes, owner: payload)
            let isRight = (try? PackedBin(block, 0).validate()) != nil, isCut = hasGaps && bin.members.contains { $0.promptCuts.contains { $0 > 0 } || $0.promptGaps?.contains { !$0.isEmpty } == true }
            #expect(PackedBin.isSound(block, 0) == (isRight && !isCut), "round \(round): \(bin)")
            if isRight { sound += 1 } else { unsound += 1 }
        }
        #expect(sound > 5000 && unsound > 5000, "\(sound), \(unsound)")
    }

    private func change(_ bin: inout PackedBin, _ hasGaps: Bool, _ generator: inout SeededGenerator) {
        func below(_ bound: Int) -> Int { Int.random(in: 0 ..< max(bound, 1), using: &generator) }
        /// A number near another, now and then far from it.
        func near<Number: FixedWidthInteger>(_ number: Number) -> Number { below(12) == 0 ? [Number.max, .min, 0].randomElement(using: &generator)! : number &+ Number(truncatingIfNeeded: below(5) - 2) }
        func alter<Number: FixedWidthInteger>(_ list: inout [Number]) {
            switch below(4) {
            case 0: list.append(Number(below(4)))
            case 1: _ = list.popLast()
            default: if !list.isEmpty { let at = below(list.count); list[at] = near(list[at]) }
            }
        }
        let segment = below(bin.segments.count), member = below(bin.members.count)
        guard bin.segments.indices.contains(segment), bin.members.indices.contains(member) else { return bin.tokens.append(1) }
        switch below(16) {
        case 0: alter(&bin.tokens)
        case 1: alter(&bin.positions)
        // The columns hold where each begins: the end of the one before.
        case 2: bin.segments[segment].start = near(bin.segments[segment].start)
        case 3: bin.segments[segment].parent = near(bin.segments[segment].parent)
        case 4: bin.segments[segment].record = near(bin.segments[segment].record)
        case 5: bin.segments[segment].response = near(bin.segments[segment].response)
        case 6: bin.segments[segment].labelStart = near(bin.segments[segment].labelStart)
        case 7: bin.segments.remove(at: segment)
        case 8: alter(&bin.members[member].responseCuts)
        case 9: alter(&bin.members[member].promptCuts)
        case 10: alter(&bin.members[member].rowMap)
        case 11: bin.members[member].piTarget = [[], [.nan], bin.members[member].piTarget + [0], bin.members[member].piTarget.map { $0 / 2 }][below(4)]
        case 12: bin.members[member].ratings.targets = [[], bin.members[member].ratings.targets.map { -$0 }, bin.members[member].ratings.targets.reversed()][below(3)]
        case 13: bin.members[member].ratings.dimensions.append("another")
        case 14: if hasGaps { bin.members[member].promptGaps = [nil, [], [[]], [[], []], [[.init(at: 0, tokens: 1)]]][1 + below(4)] }
        default: bin.members.swapAt(member, below(bin.members.count))
        }
    }

    /// Whoever adds a builder's records to a stream is told of those that no reader would take, before they are written.
    @Test func recordsOfABuilderAreHeldToTheirRules() throws {
        let provenance = Provenance(command: "uf-test", recipe: 1, arguments: [])
        func stream(_ targets: [Double], of many: Int) throws -> [UInt8] {
            let sink = MemorySink(), writer = try RecordStreamWriter<TokensRecord>(to: sink, head: StreamHead(schema: TokensRecord.schema, provenance: provenance))
            for number in 0 ..< many {
                let records = BlockBuilder(schema: TokensRecord.schema)
                for part in 0 ..< 3 {
                    let ratings = Ratings(dimensions: ["a"], ratings: [1, 2], rated: [1, 1], targets: number == many - 1 && part == 2 ? targets : [0.5, 0.5])
                    let prompt = TokensRecord.Prompt(ids: [UInt32](repeating: 7, count: 30_000), turnStarts: [0, 2], roles: ["user"])
                    TokensRecord(id: "x", origin: Origin(input: 1, line: 1), source: "s", ratings: ratings, prompts: [prompt], responses: [[1], [2]]).append(to: records)
                }
                records.end(records: 3)
                try writer.append(records: records)
            }
            try writer.finish(StreamTail())
            return sink.bytes
        }
        for many in [1, 2, 7, 20] {
            let reader = try RecordReader<TokensRecord>(MemorySource(stream([0.25, 0.75], of: many)))
            var count = 0
            while try reader.next() != nil { count += 1 }
            #expect(count == 3 * many)
            #expect(throws: InputError.self) { try stream([1, 1], of: many) }
        }
    }
}
