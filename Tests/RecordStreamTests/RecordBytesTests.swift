import Checksums
import JSON
import SystemIO
import Testing

@testable import RecordStream

/// Records out of their blocks: copied to other blocks they are the same, and their digests do not depend on where they lay.
@Suite struct RecordBytesTests {
    /// Reads a stream record by record and writes it again.
    private func copy(_ bytes: [UInt8], codec: Codec = .none, target: Int = StreamLimits.blockTarget) throws -> [UInt8] {
        let reader = try RecordStreamReader(MemorySource(bytes)), records = AnyRecordReader(reader), sink = MemorySink()
        let writer = try StreamWriter(to: sink, head: reader.head, codec: codec)
        writer.builder.target = target
        while let record = try records.next() { try writer.append(record: record.bytes()) }
        let content = try writer.closeBlocks()
        try writer.finish(#require(reader.tail))
        #expect(try MappedStreamTests.contentDigest(sink.bytes) == content)
        return sink.bytes
    }

    @Test(arguments: SampleStream.all) func copiesAreTheSameBytes(sample: SampleStream) throws {
        let target = sample.codec == .none ? StreamLimits.blockTarget : 1
        #expect(try copy(sample.bytes, codec: sample.codec, target: target) == sample.bytes)
        // Through other blocks and back.
        #expect(try copy(copy(sample.bytes, codec: .zlib, target: target == 1 ? StreamLimits.blockTarget : 1), codec: sample.codec, target: target) == sample.bytes)
    }

    /// The bytes as FORMAT.md has them, for the smallest kind.
    @Test func layout() throws {
        let block = try #require(try RecordStreamReader(MemorySource(Sample.stream(Sample.logProbs))).nextBlock())
        func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }
        let expected = little(UInt32(4)) + Array("id-1".utf8) + little(UInt32(2)) + little((-1.5).bitPattern) + little((-1.0).bitPattern) + little(UInt32(2)) + little(UInt32(3)) + little(UInt32(1))
        #expect(try block.recordBytes(1) == expected)
        let schema = #"{"columns":[{"as":"text","depth":1,"name":"id","type":"u8"},{"as":"number","depth":1,"name":"log_probs","type":"f64"},{"as":"number","depth":1,"name":"token_counts","type":"u32"}],"kind":"logps"}"#
        #expect(try RecordDigest(LogProbRecord.schema).digest(of: expected) == SHA256.digest(of: Array(schema.utf8) + expected))
    }

    @Test func sumOfDigestsIsModulo256Bits() {
        var digest = MultisetDigest()
        digest.add([UInt8](repeating: 0xFF, count: 32))
        digest.add([2] + [UInt8](repeating: 0, count: 31))
        #expect(digest.hexadecimalSum == "01" + String(repeating: "00", count: 31) && digest.count == 2)
        var other = MultisetDigest()
        other.add([2] + [UInt8](repeating: 0, count: 31))
        var first = MultisetDigest()
        first.add([UInt8](repeating: 0xFF, count: 32))
        other.add(first)
        #expect(other == digest)
        // The number of records belongs to it: a record whose digest is 0 would else not count.
        other.add([UInt8](repeating: 0, count: 32))
        #expect(other != digest && other.hexadecimalSum == digest.hexadecimalSum)
    }

    @Test func digestOfASetIgnoresOrderAndBlocks() throws {
        func digest(_ records: [RatedRecord], _ target: Int, _ threads: Int) throws -> MultisetDigest {
            try RecordStreamReader(MemorySource(Sample.stream(records, blockTarget: target))).multisetDigest(threads: threads)
        }
        let records = SampleStream.fourRated, expected = try digest(records, 1, 1)
        #expect(try digest(records.reversed(), StreamLimits.blockTarget, 3) == expected)
        #expect(try digest(records + [records[0]], 1, 2) != expected)
        #expect(try digest(Array(records.dropLast()) + [records[0]], 1, 2) != expected)
    }

    /// A dictionary text that is used again and again makes a record grow far beyond its block: refused before it takes the memory.
    @Test func hostileDictionaryIsBounded() throws {
        let schema = Schema(kind: "other", columns: [.dictionary("names", depth: 1)])
        let builder = BlockBuilder(schema: schema)
        let name = Text([UInt8](repeating: 0x61, count: 1 << 20))
        func block(_ uses: [Int]) throws -> Block {
            builder.removeAll()
            for count in uses {
                builder.add(names: [Text](repeating: name, count: count), to: 0)
                try builder.endRecord()
            }
            let payload = builder.payload()
            return try Block(schema: schema, name: "x", firstRecord: 5, count: uses.count, payload: payload.bytes, owner: payload)
        }
        #expect(try block([64, 40]).recordBytes(0).count == 4 + 64 * (4 + 1 << 20))
        #expect(throws: InputError("record 1 of the block has names of 68157440 bytes; a record of the stream holds at most 67108864")) { try block([64, 65]) }
    }
}
