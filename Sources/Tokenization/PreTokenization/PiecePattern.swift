/// The patterns by which byte-level vocabularies cut text into the pieces that are merged. The reference runs them as regular expressions; here
/// each known one is a hand-written scanner, chosen by the expression's exact text.
public enum PiecePattern: Sendable, Equatable {
    /// No cut.
    case none
    /// GPT-2; the digits are cut out one by one first where `isolatesDigits` says so (SmolLM2, StarCoder).
    case gpt2(isolatesDigits: Bool)
    /// Llama 3 (up to 3 digits a piece) and Qwen2 (one).
    case llama3(mostDigits: Int)

    static let gpt2Expression = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    static let llama3Expression = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let qwen2Expression = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    static func known(_ expression: String) -> PiecePattern? {
        switch expression {
        case gpt2Expression: .gpt2(isolatesDigits: false)
        case llama3Expression: .llama3(mostDigits: 3)
        case qwen2Expression: .llama3(mostDigits: 1)
        default: nil
        }
    }
}

/// One way to cut. A scanner is a value without state; the loop over a text is specialised for each.
protocol PieceScanner {
    /// The end of the piece that starts at `position`, which lies below `end`. The text is valid UTF-8; nothing at or beyond `end` is looked at.
    func pieceEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int
}

/// The whole text is one piece.
struct NoCutScanner: PieceScanner {
    @inline(__always)
    func pieceEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int { end }
}

/// Classes of the characters of a text: what scanners share.
struct CharacterReader {
    let classes: UnsafePointer<UInt8> = UnsafePointer(CharacterClasses.table.base)

    static let letter = CharacterClass.letter.rawValue
    static let number = CharacterClass.number.rawValue
    static let space = CharacterClass.space.rawValue
    static let newline = CharacterClass.newline.rawValue
    static let digit = CharacterClass.digit.rawValue

    /// Classes of the character at `position`, and the position after it.
    @inline(__always)
    func next(_ text: UnsafePointer<UInt8>, _ position: Int) -> (kind: UInt8, next: Int) {
        let byte = text[position]
        if byte < 0x80 { return (classes[Int(byte)], position &+ 1) }
        let (point, next) = UTF8Text.decode(text, position)
        return (classes[Int(point)], next)
    }

    /// The end of the run of characters of which `kind & mask == value`, at most `most` of them.
    @inline(__always)
    func run(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int, mask: UInt8, value: UInt8, most: Int = .max) -> Int {
        var position = position, count = 0
        while position < end, count < most {
            let (kind, next) = next(text, position)
            if kind & mask != value { break }
            position = next
            count &+= 1
        }
        return position
    }
}
