import SystemIO

/// One field of a CSV row, with the line and column (in bytes, from 1) where it begins.
public struct CSVField: Sendable, Equatable {
    /// Without the quotes around them; a quote that stands doubled inside them is one.
    public var bytes: [UInt8]
    public var line: Int
    public var column: Int
}

/// One row of a CSV file.
public struct CSVRow: Sendable, Equatable {
    /// Of its first line: a row may span several.
    public var place: RecordPlace
    public var fields: [CSVField]
}

/// Reads the rows of a CSV input (RFC 4180): fields between commas, rows between line ends (LF or CR LF), a field that begins with a quote goes to the
/// next quote that is not doubled and may hold commas and line ends. All rows have as many fields as the first. A UTF-8 byte order mark at the start and
/// lines without a character are passed over. Memory is bounded by the longest row allowed.
public final class CSVReader {
    private let inputs: DecodedInputs
    private let maximumRow: Int
    private var buffer: [UInt8] = []
    private var position = 0
    private var isStarted = false
    /// Decoded bytes before `buffer`, and before the current line.
    private var bufferStart = 0, lineStart = 0
    private var line = 1
    /// Bytes of the current row, quotes and commas with them.
    private var rowStart = 0
    private var first: (fields: Int, line: Int)?

    /// - Parameters:
    ///   - inputs: their current input is read to its end, and no other.
    ///   - maximumRow: a longer row (in bytes) is an error.
    public init(_ inputs: DecodedInputs, maximumRow: Int = 1 << 24) {
        self.inputs = inputs
        self.maximumRow = maximumRow
    }

    /// The next row; nil after the last. Throws `.invalidData` with file, line and column for what is no CSV.
    public func next() throws -> CSVRow? {
        if !isStarted {
            isStarted = true
            if try inputs.peek(3).elementsEqual([0xEF, 0xBB, 0xBF]) {
                while offset < 3, try byte() != nil { position += 1 }
                lineStart = offset
            }
        }
        repeat { rowStart = offset } while try takeLineEnd()
        guard try byte() != nil else { return nil }
        var row = CSVRow(place: RecordPlace(input: inputs.number, name: inputs.name, unit: .line, number: line, offset: offset), fields: [])
        while true {
            row.fields.append(try field())
            if try takeLineEnd() { break }
            guard try byte() != nil else { break }
            // A field ends at a comma, a line end or the end.
            position += 1
            try checkLength(row.fields[row.fields.count - 1])
        }
        if let first, first.fields != row.fields.count {
            throw InputError("\(row.place): \(row.fields.count) fields, expected \(first.fields) as in line \(first.line)")
        }
        if first == nil { first = (row.fields.count, row.place.number) }
        return row
    }

    private func field() throws -> CSVField {
        var field = CSVField(bytes: [], line: line, column: column)
        guard try byte() == UInt8(ascii: "\"") else {
            // A quote further on is a character, as Python's reader has it.
            while let byte = try byte(), byte != UInt8(ascii: ","), byte != 0x0A, byte != 0x0D { try take(byte, &field) }
            return field
        }
        position += 1
        while true {
            guard let byte = try byte() else {
                throw error("the quoted field that begins here has no end; the file may be cut", line: field.line, column: field.column)
            }
            guard byte == UInt8(ascii: "\"") else {
                try take(byte, &field)
                continue
            }
            position += 1
            guard try self.byte() == byte else { break }
            try take(byte, &field)
        }
        if let byte = try byte(), byte != UInt8(ascii: ","), byte != 0x0A, byte != 0x0D {
            let found = "found \(shown(byte)) (a quote inside quotes is written twice)"
            throw error("expected a comma or the end of the line after the closing quote, \(found)", line: line, column: column)
        }
        return field
    }

    /// Moves past the byte that comes next, a part of `field`.
    private func take(_ byte: UInt8, _ field: inout CSVField) throws {
        try checkLength(field)
        field.bytes.append(byte)
        position += 1
        if byte == 0x0A {
            line += 1
            lineStart = offset
        }
    }

    private func checkLength(_ field: CSVField) throws {
        guard offset - rowStart < maximumRow else {
            let message = "the row has more than \(maximumRow) bytes, the most that are read; is a quote left open?"
            throw error(message, line: field.line, column: field.column)
        }
    }

    private func takeLineEnd() throws -> Bool {
        if try byte() == 0x0D {
            let column = column
            position += 1
            guard try byte() == 0x0A else {
                throw error("a carriage return without a line feed, expected both or the line feed alone at the end of a line", line: line, column: column)
            }
        }
        guard try byte() == 0x0A else { return false }
        position += 1
        line += 1
        lineStart = offset
        return true
    }

    private var offset: Int { bufferStart + position }
    private var column: Int { offset - lineStart + 1 }

    /// The byte that comes next; nil at the end of the input.
    private func byte() throws -> UInt8? {
        if position == buffer.count {
            bufferStart += buffer.count
            position = 0
            buffer = try inputs.read(1 << 16)
            if buffer.isEmpty { return nil }
        }
        return buffer[position]
    }

    private func error(_ message: String, line: Int, column: Int) -> InputError {
        InputError("\(inputs.name): line \(line), column \(column): \(message)")
    }

    private func shown(_ byte: UInt8) -> String {
        (0x21 ... 0x7E).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16, uppercase: true)
    }
}
