import SystemIO
import TestSupport
import Testing
@testable import InputFiles

@Suite struct CSVReaderTests {
    private func rows(_ bytes: [UInt8], readSize: Int = .max, maximumRow: Int = 1 << 20) throws -> [CSVRow] {
        let inputs = DecodedInputs(["f"]) { MemorySource(bytes, name: $0, readSize: readSize) }
        #expect(try inputs.next())
        let reader = CSVReader(inputs, maximumRow: maximumRow)
        var rows: [CSVRow] = []
        while let row = try reader.next() { rows.append(row) }
        #expect(inputs.digests.map(\.length) == [bytes.count], "read to the end")
        return rows
    }

    private func texts(_ csv: String, readSize: Int = .max) throws -> [[String]] {
        try rows(Array(csv.utf8), readSize: readSize).map { $0.fields.map { String(decoding: $0.bytes, as: UTF8.self) } }
    }

    @Test(arguments: [1, 2, 7, .max])
    func fieldsRowsAndPlaces(readSize: Int) throws {
        let csv = "\u{FEFF}a,\"b,\"\"c\"\"\r\nd\",\r\n\r\n\n\"\",e \"f\" g,é\nx,,\"y\""
        let rows = try rows(Array(csv.utf8), readSize: readSize)
        #expect(try texts(csv, readSize: readSize) == [["a", "b,\"c\"\r\nd", ""], ["", "e \"f\" g", "é"], ["x", "", "y"]])
        #expect(rows.map(\.place.description) == ["f: line 1", "f: line 5", "f: line 6"])
        #expect(rows.map(\.place.offset) == [3, 23, 37])
        #expect(rows[0].fields.map { [$0.line, $0.column] } == [[1, 1], [1, 3], [2, 4]])
        #expect(rows[1].fields.map { [$0.line, $0.column] } == [[5, 1], [5, 4], [5, 12]])
    }

    @Test func emptyInputsHaveNoRows() throws {
        #expect(try texts("").isEmpty && texts("\u{FEFF}").isEmpty && texts("\n\r\n").isEmpty)
        #expect(try texts(",") == [["", ""]])
        #expect(try texts("\"\"") == [[""]])
    }

    @Test(arguments: [
        ("a,b\nc,\"d\ne", "line 2, column 3: the quoted field that begins here has no end; the file may be cut"),
        ("a,b\nc\n", "line 2: 1 fields, expected 2 as in line 1"),
        ("\na,b\n\"1\n2\",3,4", "line 3: 3 fields, expected 2 as in line 2"),
        ("\"a\nb\"c,d", "line 2, column 3: expected a comma or the end of the line after the closing quote, found 'c' (a quote inside quotes is written twice)"),
        ("a,\"b\"\u{1}", "line 1, column 6: expected a comma or the end of the line after the closing quote, found byte 0x1 (a quote inside quotes is written twice)"),
        ("a\rb", "line 1, column 2: a carriage return without a line feed, expected both or the line feed alone at the end of a line"),
        ("a,b\nc,d\r", "line 2, column 4: a carriage return without a line feed, expected both or the line feed alone at the end of a line"),
    ])
    func faultsHaveLineAndColumn(csv: String, message: String) {
        for readSize in [1, .max] {
            #expect(throws: InputError("f: " + message)) { try rows(Array(csv.utf8), readSize: readSize) }
        }
    }

    @Test func longRowsAreRefused() throws {
        let long = String(repeating: "x", count: 100)
        #expect(throws: InputError("f: line 2, column 3: the row has more than 50 bytes, the most that are read; is a quote left open?")) {
            try rows(Array("a,b\nc,\"\(long)".utf8), maximumRow: 50)
        }
        #expect(throws: InputError.self, "commas alone") { try rows(Array(String(repeating: ",", count: 100).utf8), maximumRow: 50) }
        #expect(try rows(Array("a,\(long)\nb,\(long)".utf8), maximumRow: 102).count == 2)
    }

    /// Any fields, written with or without the quotes that they need, come back, whatever the size of reads.
    @Test func randomTablesComeBack() throws {
        var generator = SeededGenerator(seed: 7)
        let pieces = ["a", "\"", ",", "\n", "\r\n", " ", "é", "\r", ""]
        for round in 0 ..< 300 {
            let width = Int.random(in: 1 ... 4, using: &generator), height = Int.random(in: 1 ... 5, using: &generator)
            var table: [[String]] = [], csv = ""
            for _ in 0 ..< height {
                // A row of one empty field would be a line without a character.
                table.append((0 ..< width).map { _ in
                    "w" + (0 ..< Int.random(in: 0 ... 4, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
                })
                let fields = table[table.count - 1].map { field in
                    let isPlain = !field.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
                    return isPlain && Bool.random(using: &generator) ? field : "\"" + field.replacing("\"", with: "\"\"") + "\""
                }
                csv += fields.joined(separator: ",") + (Bool.random(using: &generator) ? "\r\n" : "\n")
            }
            #expect(try texts(csv, readSize: Int.random(in: 1 ... 5, using: &generator)) == table, "round \(round): \(csv)")
        }
    }

    @Test func peekingChangesNothing() throws {
        let texts = ["abcdef", "", "xy"]
        let inputs = DecodedInputs(["0", "1", "2"]) { MemorySource(Array(texts[Int($0) ?? 0].utf8), name: $0, readSize: 2) }
        for text in texts {
            #expect(try inputs.next())
            for count in [3, 1, 5, 9] { #expect(try inputs.peek(count).elementsEqual(text.utf8.prefix(count))) }
            var read: [UInt8] = []
            while case let more = try inputs.read(2), !more.isEmpty { read += more }
            #expect(read.elementsEqual(text.utf8))
        }
        #expect(inputs.digests.map(\.length) == [6, 0, 2])
        #expect(try !inputs.next())
    }

    @Test func skippedInputsAreStillChecked() throws {
        let gzip = ArchiveMaker.make(.tar, .gzip, [("a", Array("long enough".utf8)), ("b", Array("x,y".utf8))])
        let inputs = DecodedInputs(["t"]) { MemorySource(gzip, name: $0) }
        #expect(try inputs.next() && inputs.member == "a")
        _ = try inputs.peek(4)
        try inputs.skip()
        #expect(try inputs.next() && inputs.member == "b" && inputs.digests.map(\.length) == [11])
        let reader = CSVReader(inputs)
        #expect(try reader.next()?.place.name == "t: b" && reader.next() == nil)
    }
}
