/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
///
/// Where digits are isolated, each is a piece and a wall: the pattern sees the text between two of them as if it were a whole one, so white space
/// before a digit is not parted from it and no space joins it.
struct GPT2Scanner: PieceScanner {
    private let reader = CharacterReader()
    let isolatesDigits: Bool

    @inline(__always)
    func pieceEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        typealias C = CharacterReader
        let first = text[position]
        if first == UInt8(ascii: "'"), let end = contractionEnd(text, position, end) { return end }
        var (kind, next) = reader.next(text, position)
        if isolatesDigits, kind & C.digit != 0 { return next }
        if first == UInt8(ascii: " "), next < end {
            // A space goes with the letters, numbers or signs after it.
            let (second, afterSecond) = reader.next(text, next)
            if second & C.space == 0, !(isolatesDigits && second & C.digit != 0) { (kind, next) = (second, afterSecond) }
        }
        if kind & C.letter != 0 { return reader.run(text, next, end, mask: C.letter, value: C.letter) }
        if kind & C.number != 0 { return reader.run(text, next, end, mask: C.number, value: C.number) }
        if kind & C.space == 0 {
            // Numbers of a newer Unicode are signs to the pattern, unless they are digits to be isolated.
            let none = C.letter | C.number | C.space | (isolatesDigits ? C.digit : 0)
            return reader.run(text, next, end, mask: none, value: 0)
        }
        let spaces = reader.run(text, next, end, mask: C.space, value: C.space)
        if spaces == end || spaces == next { return spaces }
        if isolatesDigits, reader.next(text, spaces).kind & C.digit != 0 { return spaces }
        return UTF8Text.previous(text, spaces)
    }

    @inline(__always)
    private func contractionEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int? {
        guard position &+ 1 < end else { return nil }
        switch text[position &+ 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return position &+ 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return position &+ 2 < end && text[position &+ 2] == UInt8(ascii: "e") ? position &+ 3 : nil
        case UInt8(ascii: "l"): return position &+ 2 < end && text[position &+ 2] == UInt8(ascii: "l") ? position &+ 3 : nil
        default: return nil
        }
    }
}
