import Checksums
import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// What is taken out of a damaged stream are records of the whole one, unchanged and in order, and the account is exact.
@Suite struct SalvageTests {
    private let folder = TemporaryFolder()

    private func salvage(_ bytes: [UInt8]) throws -> (records: [[UInt8]], account: SalvageAccount) {
        let path = folder.file("x.uf")
        let sink = FileSink(descriptor: open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600), name: path, closes: true)
        try sink.write(bytes)
        var salvage = try Salvage(path: path), records: [[UInt8]] = []
        try salvage.run { records.append($0) }
        #expect(salvage.sha256 == SHA256.hexDigest(of: bytes) && salvage.byteCount == bytes.count)
        return (records, salvage.account)
    }

    private func whole(codec: Codec = .none) throws -> (bytes: [UInt8], records: [[UInt8]], frames: [Range<Int>]) {
        let bytes = try Sample.stream(SampleStream.fourRated, codec: codec, blockTarget: 1), reader = AnyRecordReader(try RecordStreamReader(MemorySource(bytes)))
        var records: [[UInt8]] = []
        while let record = try reader.next() { records.append(try record.bytes()) }
        return (bytes, records, DissectedStream.frameRanges(bytes))
    }

    /// Lost records are exactly those that are not among the kept ones.
    private func expectExact(_ found: (records: [[UInt8]], account: SalvageAccount), of records: [[UInt8]], _ what: String) {
        let lost = Set(found.account.lostRecords.flatMap(\.range)), kept = records.indices.filter { !lost.contains($0) }
        let known = found.account.totalRecords == nil ? kept.filter { $0 < found.records.count + lost.count } : Array(kept)
        #expect(found.records == known.map { records[$0] }, "\(what)")
        #expect(found.account.keptRecords == found.records.count && found.account.diagnosis != nil, "\(what)")
        if let total = found.account.totalRecords { #expect(total == records.count && found.records.count + lost.count == total, "\(what)") }
    }

    @Test(arguments: Codec.allCases) func everyFlippedByte(codec: Codec) throws {
        let (bytes, records, frames) = try whole(codec: codec)
        for at in stride(from: frames[0].upperBound, to: bytes.count, by: codec == .none ? 5 : 1) {
            var damaged = bytes
            damaged[at] ^= 0x20
            let found = try salvage(damaged)
            expectExact(found, of: records, "byte \(at)")
            let frame = try #require(frames.firstIndex { $0.contains(at) })
            #expect(found.account.lostBytes.map(\.range) == [frames[frame]], "byte \(at)")
            #expect(found.account.lostRecords.map(\.range) == ((1 ... 4).contains(frame) ? [frame - 1 ..< frame] : []), "byte \(at)")
        }
    }

    @Test func everyCut() throws {
        let (bytes, records, frames) = try whole()
        for length in stride(from: frames[0].upperBound, to: bytes.count, by: 7) {
            let found = try salvage(Array(bytes[..<length]))
            expectExact(found, of: records, "cut to \(length)")
            #expect(found.records.count == frames[1 ... 4].count { $0.upperBound <= length })
            #expect(found.account.lostByteCount == length - (frames.last { $0.upperBound <= length }?.upperBound ?? 0))
        }
    }

    /// Bytes lost or added in the middle move all that follows.
    @Test func movedFrames() throws {
        let (bytes, records, frames) = try whole()
        let place = frames[2].lowerBound + 1000
        var shorter = bytes, longer = bytes
        shorter.removeSubrange(place ..< place + 13)
        longer.insert(contentsOf: [UInt8](repeating: 0xF5, count: 7), at: place)
        for damaged in [shorter, longer] {
            let found = try salvage(damaged)
            #expect(found.records == [records[0], records[2], records[3]] && found.account.lostRecords.map(\.range) == [1 ..< 2])
            #expect(found.account.lostByteCount == frames[2].count + damaged.count - bytes.count && found.account.totalRecords == 4)
        }
    }

    @Test func doubledSwappedAndForeignBlocks() throws {
        let (bytes, records, frames) = try whole()
        func part(_ range: some RangeExpression<Int>) -> [UInt8] { Array(bytes[range]) }
        let doubled = try salvage(part(..<frames[2].upperBound) + part(frames[1].lowerBound...))
        #expect(doubled.records == records && doubled.account.lostRecordCount == 0 && doubled.account.lostByteCount == frames[1].count + frames[2].count)
        // Of two blocks in the wrong order the second cannot be put before what was written already.
        let swapped = try salvage(part(..<frames[1].lowerBound) + part(frames[2]) + part(frames[1]) + part(frames[3].lowerBound...))
        #expect(swapped.records == [records[1], records[2], records[3]] && swapped.account.lostRecords.map(\.range) == [0 ..< 1])
        let other = try Sample.stream(SampleStream.fourRated, provenance: Provenance(command: "uf-other", recipe: 1, arguments: []), blockTarget: 1)
        let foreign = DissectedStream.frameRanges(other)[2]
        let mixed = try salvage(part(..<frames[2].lowerBound) + Array(other[foreign]) + part(frames[3].lowerBound...))
        #expect(mixed.records == [records[0], records[2], records[3]])
        #expect(mixed.account.lostRecords == [.init(range: 1 ..< 2, reason: "the frame belongs to another stream")])
    }

    /// Numbers of a hostile writer lead to no trap and no endless list.
    @Test func hostileNumbers() throws {
        let (bytes, records, frames) = try whole()
        for value: UInt64 in [.max, .max - 1, 1 << 63, 1 << 62, 5] {
            for field in [16, 24] {
                var damaged = bytes
                damaged.replaceSubrange(frames[2].lowerBound + field ..< frames[2].lowerBound + field + 8, with: withUnsafeBytes(of: value) { Array($0) })
                let checksum = crc32c(Array(damaged[frames[2].lowerBound ..< frames[2].lowerBound + 60]))
                damaged.replaceSubrange(frames[2].lowerBound + 60 ..< frames[2].lowerBound + 64, with: withUnsafeBytes(of: checksum) { Array($0) })
                let found = try salvage(damaged)
                #expect(found.records.first == records[0] && found.account.lostRecords.count <= 2, "\(value) at \(field)")
            }
        }
    }

    @Test func wholeStreamsLoseNothing() throws {
        let (bytes, records, _) = try whole(codec: .zstd)
        let found = try salvage(bytes)
        #expect(found.records == records && found.account.diagnosis == nil && found.account.lostByteCount == 0 && found.account.totalRecords == 4)
        #expect(found.account.lines == ["nothing is wrong with the stream: kept all 4 records"])
    }

    @Test func withoutAHeadThereIsNothing() throws {
        var (bytes, _, _) = try whole()
        bytes[100] ^= 1
        #expect(throws: InputError(
            "\(folder.file("x.uf")): frame at byte 0: the payload's checksum does not match: the data is damaged (without its head, nothing says what the blocks hold: it cannot be salvaged)")) {
            try salvage(bytes)
        }
    }
}
