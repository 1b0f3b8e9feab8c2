import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

@Suite struct RoundTripTests {
    @Test(arguments: Codec.allCases) func everyKindComesBack(codec: Codec) throws {
        #expect(try same(Sample.rated, codec))
        #expect(try same(Sample.tokens, codec))
        #expect(try same(Sample.packed, codec))
        #expect(try same(Sample.logProbs, codec))
    }

    /// By bytes, because NaN is not equal to itself.
    private func same<Record: StreamRecord>(_ records: [Record], _ codec: Codec) throws -> Bool {
        let bytes = try Sample.stream(records, codec: codec)
        for readSize in [1, 17, 4096] where try Sample.stream(Sample.read(bytes, as: Record.self, readSize: readSize), codec: codec) != bytes { return false }
        return true
    }

    @Test func emptyStreamIsWhole() throws {
        let bytes = try Sample.stream([RatedRecord]())
        #expect(try Sample.read(bytes, as: RatedRecord.self).isEmpty)
        #expect(throws: InputError("memory: frame 0 at byte 0: empty: not a record stream (an empty data set still has a head and an end mark)")) {
            try Sample.read([], as: RatedRecord.self)
        }
    }

    @Test func blocksCloseByBytes() throws {
        let text = Text([UInt8](repeating: 0x61, count: 300_000))
        let record = RatedRecord(
            id: "x", origin: Origin(input: 1, line: 1), source: "s", turns: [], responses: [text, ""], models: ["", ""],
            ratings: Ratings(dimensions: [], ratings: [], rated: [], targets: []), ratingStates: [])
        let reader = try RecordStreamReader(MemorySource(Sample.stream([RatedRecord](repeating: record, count: 9))))
        var counts: [Int] = []
        while let block = try reader.nextBlock() { counts.append(block.count) }
        #expect(counts == [4, 4, 1])
        #expect(reader.recordsRead == 9)
    }

    @Test func contentDigestIgnoresProvenanceAndCodec() throws {
        func digests(_ bytes: [UInt8]) throws -> (String?, String?) {
            let reader = try RecordStreamReader(MemorySource(bytes))
            while try reader.nextBlock() != nil {}
            return (reader.contentDigest, reader.streamDigest)
        }
        let one = try digests(Sample.stream(Sample.rated))
        let other = try digests(Sample.stream(Sample.rated, codec: .zstd, provenance: Provenance(command: "uf-other", recipe: 2, arguments: [])))
        #expect(one.0 == other.0 && one.0?.count == 32)
        #expect(one.1 != other.1)
        for codec in Codec.allCases { #expect(try digests(Sample.stream(Sample.rated, codec: codec)) == one) }
        #expect(try digests(Sample.stream(Array(Sample.rated.reversed()))).0 != one.0)
    }

    @Test func wrongKindIsNamed() throws {
        let bytes = try Sample.stream(Sample.rated)
        #expect(throws: InputError("memory: a stream of rated records, expected tokens (uf-tokenize makes them)")) { try Sample.read(bytes, as: TokensRecord.self) }
    }

    /// Records that come many at a time make the stream that they make one by one: blocks close at the same records, whatever the dictionaries hold.
    @Test(arguments: [1, 700, 5000, 1 << 20]) func joinsRecordsOfBuilders(blockTarget: Int) throws {
        var generator = SeededGenerator(seed: 9)
        func name() -> Text { Text(String(repeating: "n", count: Int.random(in: 0 ... 90, using: &generator)) + "\(Int.random(in: 0 ..< 9, using: &generator))") }
        let records = (0 ..< 400).map { number in
            var record = Sample.rated[number % Sample.rated.count]
            (record.id, record.source) = (Text("record \(number)"), name())
            record.turns = (0 ... number % 4).map { _ in Turn(role: name(), content: name()) }
            return record
        }
        for blocks in [[], [3, 1, 150]] {
            func stream(_ fill: (StreamWriter) throws -> Void) throws -> [UInt8] {
                let sink = MemorySink(), writer = try StreamWriter(to: sink, head: StreamHead(schema: RatedRecord.schema, provenance: Sample.provenance), blocks: blocks)
                writer.builder.target = blockTarget
                try fill(writer)
                try writer.finish(StreamTail())
                return sink.bytes
            }
            let expected = try stream { writer in for record in records { try writer.append { record.append(to: $0) } } }
            let made = try stream { writer in
                var rest = records[...]
                while !rest.isEmpty {
                    let some = rest.prefix(Int.random(in: 1 ... 70, using: &generator)), builder = BlockBuilder(schema: RatedRecord.schema)
                    for record in some { record.append(to: builder) }
                    builder.end(records: some.count)
                    try writer.append(records: builder)
                    rest = rest.dropFirst(some.count)
                }
            }
            let isSame = made == expected
            #expect(isSame, "blocks \(blocks)")
        }
    }

    /// However many blocks are digested together, and in groups of which the last is whole or not: the same stream, read as the same, and a fault in a block is told, before or behind any other.
    @Test(arguments: [1, 2, 3, 14, 15, 60, 100]) func groupsOfBlocksChangeNothing(blocks: Int) throws {
        let groups = [BlockGroup.one, .two, .most, BlockGroup(most: 16)]
        func stream(_ together: BlockGroup, faulty: Int? = nil) throws -> [UInt8] {
            let sink = MemorySink(), writer = try StreamWriter(to: sink, head: StreamHead(schema: LogProbRecord.schema, provenance: Sample.provenance), together: together)
            writer.builder.target = 1
            for number in 0 ..< blocks {
                let record = LogProbRecord(id: Text("\(number)"), logProbs: [number == faulty ? .nan : -1], tokenCounts: [1])
                try writer.appendUnchecked { record.append(to: $0) }
            }
            try writer.finish(StreamTail())
            return sink.bytes
        }
        let expected = try stream(.one)
        for group in groups {
            let isSame = try stream(group) == expected
            #expect(isSame)
            let reader = try RecordStreamReader(MemorySource(expected), together: group)
            var read = 0
            while let block = try reader.nextBlock() { read += block.count }
            // The reader has held its digests to those of the end mark.
            #expect(read == blocks && reader.contentDigest != nil)
            for faulty in [0, blocks / 2, blocks - 1] {
                let message = "memory: records \(faulty) to \(faulty): 1 log-probabilities with 1 counts, or one that is not a finite number"
                #expect(throws: InputError(message)) { try stream(group, faulty: faulty) }
            }
        }
    }

    /// Large blocks wait for few others: a group ends by its bytes too.
    @Test func groupsAreBoundedByTheirBytes() {
        var group = BlockGroup(most: 16)
        func sizes(_ count: Int, _ size: Int) -> [Int] { [Int](repeating: size, count: count) }
        #expect(!group.endsGroup(of: sizes(1, 1 << 20)) && group.endsGroup(of: sizes(2, 1 << 20)))
        #expect(!group.endsGroup(of: sizes(3, 1 << 20)) && group.endsGroup(of: sizes(4, 1 << 20)) && group.endsGroup(of: sizes(8, 1 << 20)))
        #expect(!group.endsGroup(of: sizes(15, 1 << 20)) && group.endsGroup(of: sizes(16, 1 << 20)))
        #expect(group.endsGroup(of: [1 << 27]) && !group.endsGroup(of: sizes(2, 8 << 20)) && group.endsGroup(of: sizes(3, 8 << 20)))
    }
}
