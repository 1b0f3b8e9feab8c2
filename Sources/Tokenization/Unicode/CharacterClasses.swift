/// What the pre-tokenizers' patterns ask of a code point, by frozen tables (see make_tables.py): the platform's own properties follow
/// newer versions of Unicode and would give other tokens.
struct CharacterClass: OptionSet {
    let rawValue: UInt8

    /// `\p{L}`
    static let letter = CharacterClass(rawValue: 1)
    /// `\p{N}`
    static let number = CharacterClass(rawValue: 2)
    /// `\s`: exactly 25 code points.
    static let space = CharacterClass(rawValue: 4)
    /// `[\r\n]`, which are spaces too.
    static let newline = CharacterClass(rawValue: 8)
    /// What the Digits pre-tokenizer takes for a number: it follows a newer Unicode than the patterns do.
    static let digit = CharacterClass(rawValue: 16)
    /// `\w`, asked by added tokens that match whole words only.
    static let word = CharacterClass(rawValue: 32)
}

/// One byte of classes for each code point; 1.1 MB, of which a text touches a few pages.
enum CharacterClasses {
    static let table: FixedBuffer<UInt8> = {
        let table = FixedBuffer<UInt8>(repeating: 0, count: 0x110000)
        func mark(_ ranges: StaticString, _ classes: CharacterClass) {
            forEachRange(in: ranges) { first, last in
                for point in first ... last { table.base[point] |= classes.rawValue }
            }
        }
        mark(CharacterClassData.letters, .letter)
        mark(CharacterClassData.numbers, [.number, .digit])
        mark(CharacterClassData.newerNumbers, .digit)
        mark(CharacterClassData.words, .word)
        mark("9-D 20 85 A0 1680 2000-200A 2028 2029 202F 205F 3000", .space)
        mark("A D", .newline)
        return table
    }()

    @inline(__always)
    static func of(_ point: UInt32) -> CharacterClass {
        CharacterClass(rawValue: point < 0x110000 ? table.base[Int(point)] : 0)
    }
}

/// Words of a table literal, split at white space.
func forEachWord(in literal: StaticString, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    let bytes = UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    var start = 0
    for index in 0 ... bytes.count where index == bytes.count || bytes[index] <= 0x20 {
        if index > start { body(UnsafeBufferPointer(rebasing: bytes[start ..< index])) }
        start = index + 1
    }
}

/// Ranges "A-F" or "A" in hexadecimal; a range of the generated tables lies below 0x110000.
func forEachRange(in literal: StaticString, _ body: (Int, Int) -> Void) {
    forEachWord(in: literal) { word in
        let parts = word.split(separator: UInt8(ascii: "-"))
        guard let first = parts.first.map(hexadecimal), let last = parts.last.map(hexadecimal), last < 0x110000, first <= last else { return }
        body(first, last)
    }
}

func hexadecimal(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
    var value = 0
    for digit in digits {
        switch digit {
        case 0x30 ... 0x39: value = value << 4 | Int(digit - 0x30)
        case 0x41 ... 0x46: value = value << 4 | Int(digit - 0x41 + 10)
        default: break
        }
    }
    return value
}
