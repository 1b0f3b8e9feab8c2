/// How a tokenizer.json spells the bytes of a byte-level token: every byte as one visible character. Printable Latin-1 stands for itself, the other 68 bytes as U+0100 onward
/// (so the space is "Ġ", the line feed "Ċ").
public enum ByteSpelling {
    /// Character of each byte.
    public static let characters: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0) ..< 256).map { byte in
            switch byte {
            case 0x21 ... 0x7E, 0xA1 ... 0xAC, 0xAE ... 0xFF: return byte
            default:
                next += 1
                return next - 1
            }
        }
    }()

    /// UTF-8 of them: all are below U+0800.
    private static let texts: [[UInt8]] = characters.map { $0 < 0x80 ? [UInt8($0)] : [0xC0 | UInt8($0 >> 6), 0x80 | UInt8($0 & 0x3F)] }

    static func spelled(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.flatMap { texts[Int($0)] } }
}

/// A piece of a file as a message shows it.
func shown(_ bytes: some Collection<UInt8>) -> String {
    "\"" + String(decoding: bytes.prefix(60), as: UTF8.self) + (bytes.count > 60 ? "...\"" : "\"")
}
