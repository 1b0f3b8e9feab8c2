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

    /// Blocks that are read before they are asked for: the same records, and the same error in its place, again and again.
    @Test(arguments: [0, 1, 3, 100]) func readsAhead(_ most: Int) throws {
        let records = (0 ..< 8).map { number in
            var record = Sample.rated[0]
            record.id = Text("record \(number)")
            return record
        }
        let whole = try Sample.stream(records, blockTarget: 1)
        var asked = 0
        for bytes in [whole, Array(whole.prefix(whole.count / 2)), flipped(whole, at: whole.count / 2)] {
            func outcome(_ most: Int) throws -> String {
                let reader = try RecordReader<RatedRecord>(MemorySource(bytes))
                var seen: [String] = []
                func next() -> String { do { return try reader.next().map { "\($0.id)" } ?? "end" } catch { return "\(error)" } }
                for _ in 0 ..< 2 { seen.append(next()) }
                reader.readAhead(most) {
                    asked += 1
                    return true
                }
                for _ in 0 ..< 8 { seen.append(next()) }
                return seen.joined(separator: "\n")
            }
            try #expect(outcome(most) == outcome(0))
        }
        #expect(asked >= 2 * min(most, 3))
        let reader = try RecordReader<RatedRecord>(MemorySource(whole))
        reader.readAhead(100) { false }
        #expect(reader.stream.blocksRead == 0)
        reader.readAhead(3) { true }
        #expect(reader.stream.blocksRead == 3)
    }

    private func flipped(_ bytes: [UInt8], at place: Int) -> [UInt8] {
        var bytes = bytes
        bytes[place] ^= 4
        return bytes
    }
}
