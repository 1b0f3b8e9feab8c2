import CArchive
import Checksums
import SystemIO
import TestSupport
import Testing
@testable import InputFiles

@Suite struct DecodedInputsTests {
    private let lines = Array((0..<2000).map { "{\"line\": \($0), \"pad\": \"\(String(repeating: "x", count: $0 % 50))\"}\n" }.joined().utf8)

    private func inputs(_ files: [(String, [UInt8])], readSize: Int = .max) -> DecodedInputs {
        DecodedInputs(files.map(\.0)) { name in MemorySource(files.first { $0.0 == name }?.1 ?? [], name: name, readSize: readSize) }
    }

    /// All inputs as (name, bytes).
    private func readAll(_ inputs: DecodedInputs) throws -> [(String, [UInt8])] {
        var result: [(String, [UInt8])] = []
        while try inputs.next() {
            var bytes: [UInt8] = []
            while case let more = try inputs.read(5000), !more.isEmpty { bytes += more }
            result.append((inputs.name, bytes))
            #expect(inputs.number == result.count)
        }
        return result
    }

    @Test(arguments: ArchiveMaker.Filter.allCases, [1, 7, 512, Int.max])
    func everyCompressionGivesTheSameBytes(filter: ArchiveMaker.Filter, readSize: Int) throws {
        let file = filter == .none ? lines : ArchiveMaker.make(.raw, filter, [("x", lines)])
        if filter != .none { #expect(file.count < lines.count / 2, "compressed at all") }
        let inputs = inputs([("a.\(filter)", file)], readSize: readSize)
        let read = try readAll(inputs)
        #expect(read.map(\.0) == ["a.\(filter)"])
        #expect(read.first?.1 == lines)
        #expect(inputs.digests == [InputDigest(sha256: SHA256.hexDigest(of: lines), length: lines.count)])
        #expect(inputs.encodedBytes == file.count)
    }

    @Test(arguments: [ArchiveMaker.Format.tar, .zip], ArchiveMaker.Filter.allCases)
    func archivesAreAnInputForEachFile(format: ArchiveMaker.Format, filter: ArchiveMaker.Filter) throws {
        if format == .zip, filter != .none, filter != .gzip { return }
        let second = Array("[1]".utf8)
        let file = ArchiveMaker.make(format, filter, [("part/", []), ("part/b.jsonl", lines), ("a.json", second), ("empty", [])])
        let inputs = inputs([("x.arc", file), ("plain", second)])
        let read = try readAll(inputs)
        #expect(read.map(\.0) == ["x.arc: part/b.jsonl", "x.arc: a.json", "x.arc: empty", "plain"])
        #expect(read.map(\.1) == [lines, second, [], second])
        #expect(inputs.digests.map(\.length) == [lines.count, 3, 0, 3])
    }

    @Test func emptyInputsAndConcatenatedGzip() throws {
        let gzip = ArchiveMaker.make(.raw, .gzip, [("x", lines)])
        let empty = ArchiveMaker.make(.raw, .gzip, [("x", [])])
        let read = try readAll(inputs([("empty", []), ("empty.gz", empty), ("two.gz", gzip + gzip), ("padded.gz", gzip + [0, 0, 0])]))
        #expect(read.map(\.1) == [[], [], lines + lines, lines])
    }

    /// No prefix of a compressed file or archive may pass for a whole one.
    @Test(arguments: [
        (ArchiveMaker.Format.raw, ArchiveMaker.Filter.gzip), (.raw, .bzip2), (.raw, .xz), (.raw, .zstd), (.tar, .none), (.tar, .gzip), (.zip, .none),
    ])
    func everyCutIsRefused(format: ArchiveMaker.Format, filter: ArchiveMaker.Filter) throws {
        let short = Array(lines[..<3000])
        let whole = ArchiveMaker.make(format, filter, format == .raw ? [("a", short)] : [("a", short), ("b", short)])
        // From the 7th byte on: before that nothing shows what the file was meant to be. A tar shows it after its first header.
        let from = format == .tar && filter == .none ? 512 : 7
        // libarchive rounds the end of a tar up to its block; what matters ends with the first block of zeros.
        let to = format == .tar && filter == .none ? 2 * (512 + 3072) + 511 : whole.count - 1
        for length in from...to {
            let error = #expect(throws: InputError.self, "\(format) \(filter) cut at \(length) of \(whole.count)") {
                try readAll(inputs([("cut", Array(whole[..<length]))]))
            }
            #expect(error?.status == .invalidData)
        }
    }

    @Test(arguments: [(ArchiveMaker.Format.raw, ArchiveMaker.Filter.gzip), (.raw, .bzip2), (.raw, .xz), (.zip, .none)])
    func aFlippedBitNeverGivesOtherBytes(format: ArchiveMaker.Format, filter: ArchiveMaker.Filter) throws {
        let short = Array(lines[..<3000])
        let whole = ArchiveMaker.make(format, filter, [("a", short)])
        var refused = 0
        for at in whole.indices {
            var flipped = whole
            flipped[at] ^= 1 << UInt8(at % 8)
            // A flip in the magic makes it another kind of file; one in a name or a time changes no data.
            if at < 6 { continue }
            do {
                let read = try readAll(inputs([("flip", flipped)]))
                #expect(read.first?.1 == short, "bit \(at % 8) of byte \(at) of \(whole.count)")
            } catch is InputError { refused += 1 }
        }
        #expect(refused > whole.count / 2, "\(refused) of \(whole.count)")
    }

    private func message(_ name: String, _ bytes: [UInt8]) -> String? {
        #expect(throws: InputError.self) { try readAll(inputs([(name, bytes)])) }?.message
    }

    @Test func messagesNameFileMemberAndPlace() throws {
        let gzip = ArchiveMaker.make(.raw, .gzip, [("x", lines)])
        #expect(message("a.gz", Array(gzip[..<1000])) == "a.gz: the gzip data end early, after byte 1000: the file is cut; copy or fetch it again")
        #expect(message("a.gz", Array(gzip.dropLast())) == "a.gz: the gzip data end early, after byte \(gzip.count - 1): the file is cut; copy or fetch it again")
        var flipped = gzip
        flipped[gzip.count - 6] ^= 1
        #expect(message("a.gz", flipped) == "a.gz: the gzip data are damaged before byte \(gzip.count - 4): incorrect data check; copy or fetch the file again")
        flipped = gzip
        flipped[gzip.count - 2] ^= 1
        #expect(message("a.gz", flipped) == "a.gz: the gzip data are damaged before byte \(gzip.count): incorrect length check; copy or fetch the file again")
        #expect(message("a.gz", gzip + Array("more".utf8)) == "a.gz: bytes that are no gzip follow the end of the gzip data at byte \(gzip.count)")
        let bzip2 = ArchiveMaker.make(.raw, .bzip2, [("x", lines)])
        #expect(message("a.bz2", Array(bzip2[..<9])) == "a.bz2: begins like bzip2 data but is cut or damaged at its start; copy or fetch it again")
        #expect(message("a.bz2", bzip2 + Array("more!".utf8)) == "a.bz2: 5 bytes follow the end of the compressed data at byte \(bzip2.count)")
        let tar = ArchiveMaker.make(.tar, .none, [("b.jsonl", Array(lines[..<1000])), ("c.jsonl", lines)])
        #expect(message("a.tar", Array(tar[..<1536])) == "a.tar: the tar archive has no end after byte 1536: the file is cut; copy or fetch it again")
        #expect(message("a.tar", Array(tar[..<3000]))?.hasPrefix("a.tar: c.jsonl: cut or damaged near byte 3000 of the file: ") == true)
        // Not how much was decoded: that would be less than the truth, by what libarchive keeps back.
        let xz = ArchiveMaker.make(.raw, .xz, [("x", lines)])
        #expect(message("a.xz", Array(xz[..<(xz.count / 2)])).map { $0.hasPrefix("a.xz: cut or damaged") && !$0.contains("decoded") } == true)
        let zstd = ArchiveMaker.make(.raw, .zstd, [("x", lines)])
        #expect(message("a.zst", zstd + Array("more".utf8)).map { $0.hasPrefix("a.zst: cut or damaged") && !$0.contains("decoded") } == true)
        let zip = ArchiveMaker.make(.zip, .none, [("b.jsonl", lines)])
        #expect(message("a.zip", Array(zip.dropLast(30)))?.contains("the zip archive has no directory at its end") == true)
        let sevenZip = ArchiveMaker.make(.sevenZip, .none, [("b.jsonl", lines)])
        #expect(message("a.7z", sevenZip) == "a.7z: a 7-Zip archive, which is not read here; unpack it first")
        #expect(message("d.tar", ArchiveMaker.make(.tar, .none, [("folder/", [])])) == "d.tar: the archive holds no file")
    }

    /// What macOS packs beside each file is no input, and is told; a file of such a name that is something else is read. The end of a tar is held as ever.
    @Test(arguments: [ArchiveMaker.Format.tar, .zip]) func filesOfAppleDoubleArePassedOver(format: ArchiveMaker.Format) throws {
        let double: [UInt8] = [0x00, 0x05, 0x16, 0x07] + [UInt8](repeating: 0, count: 700)
        let file = ArchiveMaker.make(format, .none, [("._a.jsonl", double), ("a.jsonl", lines), ("b/._c.jsonl", lines), ("._", [0, 5]), ("__MACOSX/b/._c.jsonl", double)])
        let inputs = inputs([("x.arc", file), ("y.arc", file)])
        let read = try readAll(inputs)
        #expect(read.map(\.0) == ["x.arc: a.jsonl", "x.arc: b/._c.jsonl", "x.arc: ._", "y.arc: a.jsonl", "y.arc: b/._c.jsonl", "y.arc: ._"])
        #expect(read.prefix(3).map(\.1) == [lines, lines, [0, 5]] && inputs.digests.count == 6)
        #expect(inputs.passedOver == ["x.arc: ._a.jsonl", "x.arc: __MACOSX/b/._c.jsonl", "y.arc: ._a.jsonl", "y.arc: __MACOSX/b/._c.jsonl"])
        #expect(inputs.passedOverLine == "passed over 4 files that macOS packs beside others (AppleDouble)")
        guard format == .tar else { return }
        let cut = Array(file[..<(file.count - 1024 - (file.count - 1024) % 512)])
        #expect(message("x.tar", cut)?.contains("the tar archive has no end") == true)
        #expect(message("x.tar", ArchiveMaker.make(.tar, .none, [("._a", double)])) == "x.tar: the archive holds no file")
    }

    @Test func whatIsNoTextIsNamed() throws {
        let stream = try readWholeFile(Fixtures.path("streams/version-1/empty.uf")), text = Array(#"{"a":1}"#.utf8)
        let cases: [(bytes: [UInt8], message: String)] = [
            (stream, "a record stream, no raw data; uf-tokenize and uf-records take it as it is, and uf-records view shows its records as JSON"),
            ([0xFF, 0xFE] + text.flatMap { [$0, 0] }, "text in UTF-16, by its byte order mark, which is not read here; make it UTF-8: iconv -f UTF-16 -t UTF-8 FILE | ..."),
            ([0xFE, 0xFF] + text.flatMap { [0, $0] }, "text in UTF-16, by its byte order mark, which is not read here; make it UTF-8: iconv -f UTF-16 -t UTF-8 FILE | ..."),
            ([0xFF, 0xFE, 0, 0] + text.flatMap { [$0, 0, 0, 0] }, "text in UTF-32, by its byte order mark, which is not read here; make it UTF-8: iconv -f UTF-32 -t UTF-8 FILE | ..."),
        ]
        for (bytes, expected) in cases {
            #expect(message("x", bytes) == "x: " + expected)
            let packed = inputs([("x.xz", ArchiveMaker.make(.raw, .xz, [("a", bytes)]))])
            #expect(#expect(throws: InputError.self) { _ = try ChunkReader(packed).next() }?.message == "x.xz: " + expected)
        }
    }

    @Test func aMissingFileIsToldWithItsName() {
        #expect(throws: InputError("/no/such/file: cannot be opened for reading: No such file or directory", status: .missingInput)) {
            try readAll(DecodedInputs(["/no/such/file"]))
        }
        #expect(throws: InputError("/no/such/file: cannot be opened for reading: No such file or directory", status: .missingInput)) {
            try DecodedInputs.check(["-", "/no/such/file"])
        }
    }

    /// Pieces of any size, more of them than may wait at a time.
    @Test(arguments: [0, 1, 511, 1 << 20, (3 << 20) + 7])
    func digestsDoNotDependOnPieces(length: Int) throws {
        let bytes = (0 ..< length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        for piece in [1 << 12, 999_983, 1 << 22] {
            let digest = BackgroundDigest()
            for start in stride(from: 0, to: length, by: piece) { digest.update(bytes[start ..< min(length, start + piece)]) }
            #expect(digest.count == length)
            #expect(digest.finish() == SHA256.hexDigest(of: bytes), "\(length) bytes by \(piece)")
        }
        // One that is never finished harms nothing.
        BackgroundDigest().update(bytes[...])
    }

    /// What is behind the bytes that were left over, and behind those that were looked at.
    @Test func readingGoesOnBehindAHead() throws {
        let inputs = DecodedInputs(["x"]) { MemorySource(Array("abcdefgh".utf8), name: $0, readSize: 3) }
        #expect(try inputs.next())
        #expect(try inputs.peek(4).elementsEqual("abcd".utf8))
        #expect(try inputs.read(5, behind: [1, 2, 3, 4][2...]) == [3, 4] + "abc".utf8)
        #expect(try inputs.read(2, behind: [1, 2, 3]) == [1, 2, 3])
        #expect(try inputs.read(3, behind: [9]) == [9] + "de".utf8)
        #expect(try inputs.read(9) == Array("fgh".utf8))
        #expect(try inputs.read(9, behind: [7]) == [7])
        #expect(inputs.digests == [InputDigest(sha256: SHA256.hexDigest(of: Array("abcdefgh".utf8)), length: 8)])
    }
}
