import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// Guarantee G4: by random access a file gives the records that it gives from a pipe.
@Suite struct MappedStreamTests {
    private let folder = TemporaryFolder()

    private func write(_ bytes: [UInt8], _ name: String = "x.uf") throws -> String {
        let file = try AtomicFile(path: folder.file(name))
        try file.write(bytes)
        try file.finish()
        return folder.file(name)
    }

    /// Content of the records, written anew: equal bytes are equal records, NaN included.
    private func bytes<Record: StreamRecord>(_ records: [Record]) throws -> [UInt8] { try Sample.stream(records) }

    @Test(arguments: Codec.allCases) func equalsSequentialReading(codec: Codec) throws {
        for target in [1, 700, StreamLimits.blockTarget] {
            let records = (0 ..< 40).flatMap { _ in SampleStream.fourRated }
            let stream = try Sample.stream(records, codec: codec, blockTarget: target)
            let mapped = try MappedStream(path: write(stream))
            #expect(mapped.recordCount == 160)
            let blockwise = try mapped.index.indices.flatMap { number -> [RatedRecord] in
                let block = try mapped.block(number)
                return try (0 ..< block.count).map { try block.record($0) }
            }
            #expect(try bytes(blockwise) == bytes(Sample.read(stream, as: RatedRecord.self)))
            var generator = SeededGenerator(seed: 1)
            for _ in 0 ..< 50 {
                let number = Int.random(in: 0 ..< 160, using: &generator)
                let block = try mapped.block(mapped.blockNumber(holding: number))
                #expect(try bytes([block.record(number - block.firstRecord, as: RatedRecord.self)]) == bytes([records[number]]), "record \(number), target \(target)")
            }
        }
    }

    @Test func everyKindAndTheEnds() throws {
        for sample in SampleStream.all {
            let mapped = try MappedStream(path: write(sample.bytes, "\(sample.kind).uf"))
            let reader = try RecordStreamReader(MemorySource(sample.bytes))
            while try reader.nextBlock() != nil {}
            #expect(mapped.recordCount == 2 && mapped.head == reader.head)
            #expect(mapped.contentDigest == reader.contentDigest && mapped.streamDigest == reader.streamDigest)
            #expect(try mapped.tail() == reader.tail)
        }
        let empty = try MappedStream(path: write(Sample.stream([RatedRecord]()), "empty.uf"))
        #expect(empty.recordCount == 0 && empty.index.isEmpty)
        #expect(try empty.tail() == Sample.tail)
    }

    /// Only the frames that are needed are looked at: damage elsewhere does not hinder, damage here is found.
    @Test func readsNothingElse() throws {
        let whole = try Sample.stream(SampleStream.fourRated, blockTarget: 1)
        let mapped = try MappedStream(path: write(whole))
        var damaged = whole
        damaged[Int(mapped.index[1].offset) + 100] ^= 1
        let other = try MappedStream(path: write(damaged, "damaged.uf"))
        for block in [0, 2, 3] { #expect(try other.block(block).record(0, as: RatedRecord.self).id == Text("id-\(block)")) }
        #expect(throws: InputError("\(folder.file("damaged.uf")): frame at byte \(mapped.index[1].offset): the payload's checksum does not match: the data is damaged")) { try other.block(1) }
    }

    @Test func cutsAreRefusedAtOnce() throws {
        let whole = try Sample.stream(SampleStream.fourRated, blockTarget: 1)
        for length in stride(from: 0, to: whole.count, by: 64) {
            let path = try write(Array(whole[..<length]), "cut.uf")
            #expect(throws: InputError.self, "cut to \(length)") { try MappedStream(path: path) }
        }
        let expected = "\(folder.file("cut.uf")): the file does not end with an end mark: it was cut, is still being written, or is no record stream"
        for length in [whole.count - 64, whole.count - 1] {
            let path = try write(Array(whole[..<length]), "cut.uf")
            #expect(throws: InputError(expected)) { try MappedStream(path: path) }
        }
        let doubled = try write(whole + whole, "doubled.uf")
        #expect(throws: InputError.self) { try MappedStream(path: doubled) }
    }

    /// Every bit of head, index and end mark matters; a flip in a block or in the tail is found when that is read.
    @Test func everyFlipIsRefused() throws {
        let sample = try #require(SampleStream.all.first { $0.kind == "logps" && $0.codec == .zstd })
        for at in sample.bytes.indices {
            for bit in 0 ..< 8 {
                var damaged = sample.bytes
                damaged[at] ^= 1 << bit
                let path = folder.file("flip.uf")
                let file = FileSink(descriptor: open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600), name: path, closes: true)
                try file.write(damaged)
                #expect(throws: InputError.self, "bit \(bit) of byte \(at)") {
                    let mapped = try MappedStream(path: path)
                    for block in mapped.index.indices { _ = try mapped.block(block) }
                    _ = try mapped.tail()
                }
            }
        }
    }

    /// Index and end mark of a hostile writer: no offset leads out of the file.
    @Test func hostileIndex() throws {
        let stream = try DissectedStream(Sample.stream(SampleStream.fourRated, blockTarget: 1))
        for seed in 0 ..< 400 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var index = stream.index
            let word = Int.random(in: 0 ..< index.count / 8, using: &generator) * 8
            let value: UInt64 = [0, 1, 63, 64, 1 << 31, 1 << 62, 1 << 63, .max, .max - 63, UInt64.random(in: 0 ... 20000, using: &generator)].randomElement(using: &generator) ?? 0
            index.replaceSubrange(word ..< word + 8, with: withUnsafeBytes(of: value) { Array($0) })
            let bytes = try stream.assembled(.remade, index: index) { done in
                if seed % 4 == 0 { done.indexOffset = value }
            }
            guard index != stream.index else { continue }
            let path = try write(bytes, "hostile.uf")
            #expect(throws: InputError.self, "seed \(seed)") { try MappedStream(path: path) }
        }
    }

    static func contentDigest(_ bytes: [UInt8]) throws -> String? {
        let reader = try RecordStreamReader(MemorySource(bytes))
        while try reader.nextBlock() != nil {}
        return reader.contentDigest
    }

    /// Guarantee G7: the arrays of an uncompressed stream are used where they lie in the mapped file, each on a multiple of 64 bytes; those of a compressed one are too, in memory.
    @Test(arguments: SampleStream.all) func arraysAreAlignedAndInPlace(sample: SampleStream) throws {
        let mapped = try MappedStream(path: write(sample.bytes))
        for number in mapped.index.indices {
            let once = try mapped.block(number), again = try mapped.block(number)
            for column in once.schema.columns.indices {
                let array = once.rawValues(column, 0 ..< 0), same = again.rawValues(column, 0 ..< 0)
                let address = UInt(bitPattern: array.baseAddress)
                #expect(address % 64 == 0, "block \(number), column \(once.schema.columns[column].name)")
                // One mapping, no copies: two reads of a block see the same memory.
                #expect((array.baseAddress == same.baseAddress) == (sample.codec == .none), "block \(number), column \(once.schema.columns[column].name)")
            }
        }
    }

    @Test func pipesCannotBeMapped() throws {
        let path = folder.file("fifo")
        #expect(mkfifo(path, 0o600) == 0)
        #expect(MappedStream.canMap(path) == false)
        #expect(try MappedStream.canMap(write([])) == true)
    }
}
