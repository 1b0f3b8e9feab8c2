import SystemIO
import TestSupport
import Testing
@testable import InputFiles

@Suite struct ChunkReaderTests {
    private struct Record: Equatable, CustomStringConvertible {
        var text: String, place: String, offset: Int
        var description: String { "\(place) @\(offset): \(text)" }
    }

    private func reader(_ texts: [String], chunkSize: Int = 1 << 20, maximumRecord: Int = 1 << 20, readSize: Int = .max, readsArrays: Bool = true) -> ChunkReader {
        let inputs = DecodedInputs(texts.indices.map { "f\($0)" }) { name in
            MemorySource(Array(texts[Int(name.dropFirst()) ?? 0].utf8), name: name, readSize: readSize)
        }
        return ChunkReader(inputs, chunkSize: chunkSize, maximumRecord: maximumRecord, readsArrays: readsArrays)
    }

    private func records(_ reader: ChunkReader) throws -> [Record] {
        var result: [Record] = []
        while let chunk = try reader.next() {
            chunk.forEachRecord { result.append(Record(text: String(decoding: $0, as: UTF8.self), place: $2.description, offset: $2.offset)) }
        }
        return result
    }

    private func error(_ text: String, chunkSize: Int = 1 << 20, maximumRecord: Int = 1 << 20) -> String? {
        #expect(throws: InputError.self) { try records(reader([text], chunkSize: chunkSize, maximumRecord: maximumRecord)) }?.message
    }

    @Test(arguments: [1, 3, 16, 1 << 20])
    func linesKeepTheirNumbersAndOffsets(chunkSize: Int) throws {
        let found = try records(reader(["{\"a\":1}\r\n\n  \n{\"b\":2}\nlast", "", "\u{FEFF}x\n"], chunkSize: chunkSize))
        #expect(found == [
            Record(text: "{\"a\":1}\r", place: "f0: line 1", offset: 0), Record(text: "{\"b\":2}", place: "f0: line 4", offset: 13),
            Record(text: "last", place: "f0: line 5", offset: 21), Record(text: "x", place: "f2: line 1", offset: 3),
        ], "chunks of \(chunkSize)")
    }

    @Test(arguments: [1, 2, 5, 9, 1 << 20])
    func arraysAreReadElementByElement(chunkSize: Int) throws {
        let text = " \n[ {\"a\": \"]},[\\\"\"} ,\n[1,[2]],\"s,]\", 12 ,null]\n "
        let found = try records(reader([text, "[]", "[5]"], chunkSize: chunkSize, readSize: 3))
        #expect(found.map(\.text.trimmed) == ["{\"a\": \"]},[\\\"\"}", "[1,[2]]", "\"s,]\"", "12", "null", "5"], "chunks of \(chunkSize)")
        #expect(found.map(\.place) == ["f0: element 1", "f0: element 2", "f0: element 3", "f0: element 4", "f0: element 5", "f2: element 1"])
        for record in found.prefix(5) {
            #expect(Array(text.utf8)[record.offset...].starts(with: record.text.utf8), "\(record)")
        }
    }

    @Test(arguments: [1, 4, 1 << 20])
    func faultsOfAnArrayComeAfterItsWholeElements(chunkSize: Int) throws {
        #expect(error("[1, 2", chunkSize: chunkSize) == "f0: element 2, byte 5: the JSON array has no end, the input may be cut")
        #expect(error("[1, {\"a\":", chunkSize: chunkSize) == "f0: element 2, byte 9: the JSON array has no end, the input may be cut")
        #expect(error("[1,,2]", chunkSize: chunkSize) == "f0: element 2, byte 3: expected an element of the array, found ','")
        #expect(error("[1,]", chunkSize: chunkSize) == "f0: element 2, byte 3: expected an element of the array, found ']'")
        #expect(error("[{} {}]", chunkSize: chunkSize) == "f0: element 2, byte 4: expected ',' or ']' after an element of the array")
        #expect(error("[1]\n[2]", chunkSize: chunkSize) == "f0: element 2, byte 4: expected the end of the input after the array")
        let reader = reader(["[1, 2, x y, 3,, 4]"], chunkSize: chunkSize)
        var seen = 0
        #expect(throws: InputError.self) { while let chunk = try reader.next() { chunk.forEachRecord { _, _, _ in seen += 1 } } }
        #expect(seen == 4)
    }

    @Test(arguments: [1, 3, 16, 1 << 20])
    func theLineWithoutAFeedIsKnown(chunkSize: Int) throws {
        func unended(_ text: String) throws -> [Int] {
            let reader = reader([text], chunkSize: chunkSize)
            var found: [Int] = []
            while let chunk = try reader.next() { if let line = chunk.unendedLine { found.append(line) } }
            return found
        }
        #expect(try unended("a\n\nb\nc") == [4] && unended("a") == [1] && unended("a\r\n  ") == [2])
        #expect(try unended("a\nb\n").isEmpty && unended("").isEmpty && unended("[1,2]").isEmpty)
    }

    @Test func arraysCanBeTurnedOff() throws {
        #expect(try records(reader(["[1,2]\n[3]"], readsArrays: false)).map(\.text) == ["[1,2]", "[3]"])
    }

    @Test func whatIsStillCompressedIsRefused() {
        let gzip = ArchiveMaker.make(.raw, .gzip, [("x", Array("{}".utf8))])
        let tar = ArchiveMaker.make(.tar, .none, [("a.jsonl.gz", gzip)])
        let reader = ChunkReader(DecodedInputs(["t.tar"]) { MemorySource(tar, name: $0) })
        #expect(throws: InputError("t.tar: a.jsonl.gz: compressed once more inside the compression or archive that was taken off; unpack it first")) { try records(reader) }
    }

    @Test func longRecordsAreRefused() throws {
        let long = String(repeating: "x", count: 2000)
        #expect(error("a\n\(long)\nb", chunkSize: 100, maximumRecord: 1000)
                == "f0: line 2: longer than 1000 bytes, the most that one line may have; is this JSON Lines or an array of records?")
        #expect(error("[1,\"\(long)", chunkSize: 100, maximumRecord: 1000)
                == "f0: element 2: longer than 1000 bytes, the most that one element may have; is this JSON Lines or an array of records?")
        #expect(try records(reader(["a\n\(long)\nb"], chunkSize: 100, maximumRecord: 2000)).count == 3)
    }
}

private extension String {
    var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
