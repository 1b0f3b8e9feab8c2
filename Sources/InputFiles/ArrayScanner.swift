/// Finds the bounds of the elements of a JSON array whose bytes come in pieces: brackets and strings only, the elements themselves are parsed
/// later. Positions are relative to the buffer that the caller keeps; `moveBack` follows when its front is handed out.
struct ArrayScanner {
    private enum State { case beforeArray, beforeElement(isFirst: Bool), inElement, afterElement, afterArray }

    private var state = State.beforeArray
    private var depth = 0
    private var inString = false
    private var isEscaped = false
    /// Everything before it was looked at.
    private(set) var position = 0
    /// Where an element begins whose end was not seen yet.
    private(set) var elementStart: Int?
    /// Whole elements found so far and not yet handed out.
    private(set) var elements: [Range<Int>] = []

    var isClosed: Bool { if case .afterArray = state { true } else { false } }

    mutating func moveBack(_ count: Int) {
        position -= count
        if let start = elementStart { elementStart = start - count }
        elements.removeAll()
    }

    /// Looks at what is new in `bytes`; returns what is wrong at `position`.
    mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        while position < bytes.count {
            let byte = bytes[position]
            if case .inElement = state {
                if let end = step(byte, bytes) { elements.append(end) }
                continue
            }
            if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1; continue }
            switch state {
            case .beforeArray: state = .beforeElement(isFirst: true)
            case .beforeElement(let isFirst):
                if byte == UInt8(ascii: "]"), isFirst { state = .afterArray; break }
                if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") { return "expected an element of the array, found '\(Character(Unicode.Scalar(byte)))'" }
                state = .inElement
                elementStart = position
                continue
            case .afterElement:
                if byte == UInt8(ascii: ",") { state = .beforeElement(isFirst: false) } else if byte == UInt8(ascii: "]") { state = .afterArray } else {
                    return "expected ',' or ']' after an element of the array"
                }
            case .afterArray: return "expected the end of the input after the array"
            case .inElement: break
            }
            position += 1
        }
        return nil
    }

    /// One byte of an element; its bounds when it ends here. A scalar ends before the comma or bracket that follows it.
    private mutating func step(_ byte: UInt8, _ bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        if inString {
            if isEscaped { isEscaped = false } else if byte == UInt8(ascii: "\\") { isEscaped = true } else if byte == UInt8(ascii: "\"") { inString = false }
            position += 1
            return nil
        }
        switch byte {
        case UInt8(ascii: "\""): inString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if depth == 0 { return finish() }
            depth -= 1
            if depth == 0 {
                position += 1
                return finish()
            }
        case UInt8(ascii: ",") where depth == 0: return finish()
        default: break
        }
        position += 1
        return nil
    }

    private mutating func finish() -> Range<Int> {
        let start = elementStart ?? position
        elementStart = nil
        state = .afterElement
        return start..<position
    }
}
