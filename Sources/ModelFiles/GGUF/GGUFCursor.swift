import SystemIO

/// Reads little-endian values one after the other; every length is checked against what the file still holds before it is believed.
struct GGUFCursor {
    let file: String
    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(file: String, bytes: UnsafeRawBufferPointer) {
        self.file = file
        self.bytes = bytes
    }

    var left: Int { bytes.count - position }

    func error(_ message: String, at offset: Int? = nil) -> InputError {
        InputError("\(file): byte \(offset ?? position): \(message)")
    }

    mutating func skip(_ count: Int, _ what: String) throws {
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
