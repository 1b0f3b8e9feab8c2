import SystemIO

/// Reads the fields of one protobuf message one after the other; every length is checked against what the message still holds.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        /// A string, or a message of its own.
        case bytes(Range<Int>)
    }

    let file: String
    let bytes: [UInt8]
    private(set) var position: Int
    private let end: Int

    init(file: String, bytes: [UInt8], range: Range<Int>) {
        (self.file, self.bytes, position, end) = (file, bytes, range.lowerBound, range.upperBound)
    }

    func error(_ message: String, at offset: Int) -> InputError { InputError("\(file): byte \(offset): \(message)") }

    /// The next field, its place for messages, and nil at the end.
    mutating func next() throws -> (field: Int, value: Value, place: Int)? {
        guard position < end else { return nil }
        let place = position, key = try varint()
        guard let field = Int(exactly: key >> 3), (1 ... 0x1FFF_FFFF).contains(field) else { throw error("no field of a protobuf message starts here", at: place) }
        switch key & 7 {
        case 0: return (field, .varint(try varint()), place)
        case 1: return (field, .fixed64(try little(8)), place)
        case 2:
            let length = try varint()
            guard length <= UInt64(end - position) else {
                throw error("field \(field) is announced with \(length) bytes, \(end - position) are there; the file is cut or damaged", at: place)
            }
            let range = position ..< position + Int(length)
            position = range.upperBound
            return (field, .bytes(range), place)
        case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try little(4))), place)
        default: throw error("no field of a protobuf message starts here", at: place)
        }
    }

    private mutating func varint() throws -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else { throw error("ends inside a number; the file is cut or damaged", at: start) }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw error("a number of more than ten bytes; the file is damaged", at: start)
    }

    private mutating func little(_ count: Int) throws -> UInt64 {
        guard count <= end - position else { throw error("ends inside a number; the file is cut or damaged", at: position) }
        defer { position += count }
        return bytes[position ..< position + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
