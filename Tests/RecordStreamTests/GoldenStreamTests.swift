import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// The committed files of `fixtures/streams/version-1` are read as they were meant, byte by byte and by every path, and the damaged ones are refused in the words below.
@Suite(.serialized) struct GoldenStreamTests {
    private static let writes = getenv("UFTOOLS_WRITE_FIXTURES") != nil

    private func view(_ path: String) throws -> [UInt8] {
        let reader = try RecordStreamReader(FileSource(path: path))
        var view = try RecordView(reader.head.schema), text: [UInt8] = []
        while let block = try reader.nextBlock() {
            for record in 0 ..< block.count { text += try view.line(block, record) }
        }
        return text
    }

    /// Files that are there stay as they are (guarantee G10): only what a new kind or a new damage adds is written.
    @Test(.enabled(if: writes, "needs UFTOOLS_WRITE_FIXTURES=1")) func writeFixtures() throws {
        func write(_ bytes: [UInt8], _ name: String) throws {
            guard access(GoldenStreams.path(name), F_OK) != 0 else { return }
            let file = try AtomicFile(path: GoldenStreams.path(name))
            try file.write(bytes)
            try file.finish()
        }
        for (kind, stream) in GoldenStreams.kinds {
            for codec in Codec.allCases { try write(stream(codec), "\(kind)-\(codec.name).uf") }
            try write(view(GoldenStreams.path("\(kind)-none.uf")), "\(kind).jsonl")
        }
        try write(GoldenStreams.empty(), "empty.uf")
        for damaged in GoldenStreams.damaged { try write(damaged.bytes(), damaged.name) }
    }

    @Test(arguments: GoldenStreams.kinds.map(\.kind)) func everyCodecHoldsTheSameRecords(kind: String) throws {
        let expected = try readWholeFile(GoldenStreams.path("\(kind).jsonl"))
        for codec in Codec.allCases {
            let path = GoldenStreams.path("\(kind)-\(codec.name).uf")
            #expect(try view(path) == expected, "\(path)")
            let mapped = try MappedStream(path: path)
            var view = try RecordView(mapped.head.schema), text: [UInt8] = []
            for number in mapped.index.indices {
                let block = try mapped.block(number)
                for record in 0 ..< block.count { text += try view.line(block, record) }
            }
            #expect(text == expected && mapped.index.count > 1, "\(path), by its index")
        }
    }

    /// Uncompressed streams are the same bytes everywhere; compressed ones depend on the library, and only have to be read.
    @Test func writerMakesTheSameBytes() throws {
        for (kind, stream) in GoldenStreams.kinds { #expect(try stream(.none) == readWholeFile(GoldenStreams.path("\(kind)-none.uf")), "\(kind)") }
        #expect(try GoldenStreams.empty() == readWholeFile(GoldenStreams.path("empty.uf")))
    }

    @Test(arguments: GoldenStreams.damaged) func damagedFilesAreRefused(damaged: GoldenStreams.Damaged) throws {
        let path = GoldenStreams.path(damaged.name)
        do {
            let reader = try RecordReader<RatedRecord>(FileSource(path: path))
            while try reader.next() != nil {}
            Issue.record("\(damaged.name) was accepted")
        } catch let error as InputError {
            #expect(error.message == "\(path): \(damaged.message)")
            #expect(error.status == .invalidData)
        }
    }

    @Test func everyFileIsListedAndKnown() throws {
        let known = GoldenStreams.kinds.flatMap { kind in ["\(kind.kind).jsonl"] + Codec.allCases.map { "\(kind.kind)-\($0.name).uf" } }
            + ["empty.uf", "README.md"] + GoldenStreams.damaged.map(\.name)
        let present = try #require(folder(GoldenStreams.path("")))
        #expect(present.sorted() == known.sorted())
        let readme = String(decoding: try readWholeFile(GoldenStreams.path("README.md")), as: UTF8.self)
        for name in known where name.hasPrefix("bad-") { #expect(readme.contains("`\(name)`"), "\(name) is not described") }
    }

    private func folder(_ path: String) -> [String]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
