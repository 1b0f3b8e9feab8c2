import JSON

/// Text as Python sees it: what `str.rstrip`, `len` and `str.isspace` say of it. (Swift's own properties follow another Unicode version,
/// and `String` counts characters, not code points.)
extension Text {
    /// `len(str)`: code points. A lone surrogate counts as one, as in Python.
    var codePointCount: Int { bytes.count { $0 & 0xC0 != 0x80 } }

    /// `text.rstrip()`.
    var trailingSpaceStripped: Text {
        var end = bytes.count
        while end > 0 {
            var start = end - 1
            while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
            guard Text.isSpace(bytes[start ..< end]) else { break }
            end = start
        }
        return Text(bytes[..<end])
    }

    /// Whether one encoded code point is white space to Python: U+0009-000D, 001C-0020, 0085, 00A0, 1680, 2000-200A, 2028, 2029, 202F, 205F, 3000.
    private static func isSpace(_ sequence: ArraySlice<UInt8>) -> Bool {
        let codePoint: UInt32
        let b = Array(sequence)
        switch b.count {
        case 1: codePoint = UInt32(b[0])
        case 2: codePoint = UInt32(b[0] & 0x1F) << 6 | UInt32(b[1] & 0x3F)
        case 3: codePoint = UInt32(b[0] & 0x0F) << 12 | UInt32(b[1] & 0x3F) << 6 | UInt32(b[2] & 0x3F)
        default: return false
        }
        return switch codePoint {
        case 0x09 ... 0x0D, 0x1C ... 0x20, 0x85, 0xA0, 0x1680, 0x2000 ... 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    static func + (left: Text, right: Text) -> Text { Text(left.bytes + right.bytes) }
}
