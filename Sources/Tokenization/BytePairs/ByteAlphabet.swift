import ModelFiles

/// The alphabet in which byte-level vocabularies are written (`ByteSpelling`), read back.
enum ByteAlphabet {
    /// Character of each byte.
    static var characters: [UInt32] { ByteSpelling.characters }

    /// Byte of each character below U+0144; -1 where there is none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, character) in characters.enumerated() { bytes[Int(character)] = Int16(byte) }
        return bytes
    }()

    /// Appends the bytes that a vocabulary entry stands for; false, with nothing appended, when it has a character outside the alphabet
    /// (such an entry stands for itself and no text is ever cut into it).
    static func append(_ entry: UnsafeBufferPointer<UInt8>, to result: inout [UInt8]) -> Bool {
        guard let base = entry.baseAddress else { return true }
        let start = result.count
        var position = 0
        while position < entry.count {
            let (point, next) = UTF8Text.decode(base, position)
            guard point < 0x144, bytes[Int(point)] >= 0 else {
                result.removeLast(result.count - start)
                return false
            }
            result.append(UInt8(truncatingIfNeeded: bytes[Int(point)]))
            position = next
        }
        return true
    }
}
