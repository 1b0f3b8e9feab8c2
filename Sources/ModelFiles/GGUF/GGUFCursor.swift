import SystemIO

/// Reads little-endian values one after the other; every length is checked against what the file still holds before it is believed.
struct GGUFCursor {
    let file: String
    let bytes: UnsafeRawBufferPointer
    /// Reading stops here: what is read ends up in memory, several times its size, so a header must not be as large as a model.
    let limit: Int
    private(set) var position = 0

    init(file: String, bytes: UnsafeRawBufferPointer, limit: Int) {
        self.file = file
        self.bytes = bytes
        self.limit = limit
    }

    var left: Int { min(bytes.count, limit) - position }

    func error(_ message: String, at offset: Int? = nil) -> InputError {
        InputError("\(file): byte \(offset ?? position): \(message)")
    }

    mutating func skip(_ count: Int, _ what: String) throws {
        guard count <= left || bytes.count <= limit else { throw error("the header with \(what) goes beyond \(limit) bytes, the most that is read") }
        guard count <= left else { throw error("the file ends inside \(what); \(count) bytes were expected, \(left) are there: fetch the file again") }
        position += count
    }

    mutating func integer<T: FixedWidthInteger>(_: T.Type, _ what: String) throws -> T {
        let start = position
        try skip(MemoryLayout<T>.size, what)
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: T.self))
    }

    /// A 64-bit count or size that must fit an Int.
    mutating func count(_ what: String) throws -> Int {
        let start = position
        let value = try integer(UInt64.self, what)
        guard let count = Int(exactly: value) else { throw error("\(what) is \(value), which is beyond any file", at: start) }
        return count
    }

    /// A length of eight bytes, then that many bytes.
    mutating func string(_ what: String) throws -> UnsafeRawBufferPointer {
        let length = try count("the length of \(what)")
        let start = position
        try skip(length, what)
        return UnsafeRawBufferPointer(rebasing: bytes[start ..< start + length])
    }
}
