/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, with one digit a piece for Qwen2.
struct Llama3Scanner: PieceScanner {
    private let reader = CharacterReader()
    let mostDigits: Int

    @inline(__always)
    func pieceEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        typealias C = CharacterReader
        let first = text[position]
        if first == UInt8(ascii: "'"), let end = contractionEnd(text, position, end) { return end }
        let (kind, next) = reader.next(text, position)
        if kind & C.letter != 0 { return reader.run(text, next, end, mask: C.letter, value: C.letter) }
        if kind & C.number != 0 { return reader.run(text, next, end, mask: C.number, value: C.number, most: mostDigits &- 1) }
        if kind & C.newline == 0, next < end {
            // Any one character that is neither letter nor number goes with the letters after it; a space with the signs after it.
            let (second, afterSecond) = reader.next(text, next)
            if second & C.letter != 0 { return reader.run(text, afterSecond, end, mask: C.letter, value: C.letter) }
            if first == UInt8(ascii: " "), second & (C.space | C.number) == 0 { return signsEnd(text, afterSecond, end) }
        }
        if kind & C.space == 0 { return signsEnd(text, next, end) }
        return spacesEnd(text, position, next, end)
    }

    /// The end of a run of signs and of the line ends after it.
    @inline(__always)
    private func signsEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        typealias C = CharacterReader
        var position = reader.run(text, position, end, mask: C.letter | C.number | C.space, value: 0)
        while position < end, text[position] == 0x0A || text[position] == 0x0D { position &+= 1 }
        return position
    }

    /// White space ends after its last line end; without one, before its last character unless the text ends there.
    @inline(__always)
    private func spacesEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ next: Int, _ end: Int) -> Int {
        typealias C = CharacterReader
        var position = start, lastLine = -1
        while position < end {
            let (kind, after) = reader.next(text, position)
            if kind & C.space == 0 { break }
            if kind & C.newline != 0 { lastLine = after }
            position = after
        }
        if lastLine >= 0 { return lastLine }
        return position == end || position == next ? position : UTF8Text.previous(text, position)
    }

    /// Without regard to case; "ſ" (U+017F) is an s then.
    @inline(__always)
    private func contractionEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int? {
        guard position &+ 1 < end else { return nil }
        switch text[position &+ 1] | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return position &+ 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return position &+ 2 < end && text[position &+ 2] | 0x20 == UInt8(ascii: "e") ? position &+ 3 : nil
        case UInt8(ascii: "l"): return position &+ 2 < end && text[position &+ 2] | 0x20 == UInt8(ascii: "l") ? position &+ 3 : nil
        case 0xC5 | 0x20: return text[position &+ 1] == 0xC5 && position &+ 2 < end && text[position &+ 2] == 0xBF ? position &+ 3 : nil
        default: return nil
        }
    }
}
