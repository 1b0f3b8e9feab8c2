/// How a tokenizer.json spells the bytes of a byte-level token: printable Latin-1 stands for itself, the other 68 bytes as the characters from U+0100 on.
enum ByteSpelling {
    /// UTF-8 of the character of each byte.
    private static let characters: [[UInt8]] = {
        var next: UInt32 = 0x100
        return (UInt32(0) ..< 256).map { byte in
            switch byte {
            case 0x21 ... 0x7E, 0xA1 ... 0xAC, 0xAE ... 0xFF: return utf8(byte)
            default:
                next += 1
                return utf8(next - 1)
            }
        }
    }()

    /// A character below U+0800.
    private static func utf8(_ point: UInt32) -> [UInt8] {
        point < 0x80 ? [UInt8(point)] : [0xC0 | UInt8(point >> 6), 0x80 | UInt8(point & 0x3F)]
    }

    static func spelled(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.flatMap { characters[Int($0)] } }
}

/// A piece of a file as a message shows it.
func shown(_ bytes: some Collection<UInt8>) -> String {
    "\"" + String(decoding: bytes.prefix(60), as: UTF8.self) + (bytes.count > 60 ? "...\"" : "\"")
}
