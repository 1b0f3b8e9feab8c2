import JSON

/// Reading of code points from text that is known to be valid UTF-8.
enum UTF8Text {
    /// The code point that starts at `position`, and the position after it. `position` must be the start of a character and below `end`.
    @inline(__always)
    static func decode(_ text: UnsafePointer<UInt8>, _ position: Int) -> (point: UInt32, next: Int) {
        let lead = UInt32(text[position])
        if lead < 0x80 { return (lead, position &+ 1) }
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | UInt32(text[position &+ 1]) & 0x3F, position &+ 2) }
        if lead < 0xF0 {
            return ((lead & 0x0F) << 12 | (UInt32(text[position &+ 1]) & 0x3F) << 6 | UInt32(text[position &+ 2]) & 0x3F, position &+ 3)
        }
        return ((lead & 0x07) << 18 | (UInt32(text[position &+ 1]) & 0x3F) << 12 | (UInt32(text[position &+ 2]) & 0x3F) << 6
            | UInt32(text[position &+ 3]) & 0x3F, position &+ 4)
    }

    /// Bytes of the character whose first byte is given.
    @inline(__always)
    static func length(lead: UInt8) -> Int { lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4 }

    @inline(__always)
    static func isASCII(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var position = 0
        while position &+ 8 <= count {
            if UnsafeRawPointer(text).loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { return false }
            position &+= 8
        }
        while position < count {
            if text[position] >= 0x80 { return false }
            position &+= 1
        }
        return true
    }

    /// The start of the character before `position`, which must be above 0.
    @inline(__always)
    static func previous(_ text: UnsafePointer<UInt8>, _ position: Int) -> Int {
        var start = position &- 1
        while start > 0, text[start] & 0xC0 == 0x80 { start &-= 1 }
        return start
    }

    static func append(_ point: UInt32, to bytes: inout [UInt8]) {
        switch point {
        case 0 ..< 0x80: bytes.append(UInt8(truncatingIfNeeded: point))
        case 0x80 ..< 0x800:
            bytes.append(UInt8(truncatingIfNeeded: 0xC0 | point >> 6))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
        case 0x800 ..< 0x10000:
            bytes.append(UInt8(truncatingIfNeeded: 0xE0 | point >> 12))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | point >> 6 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
        default:
            bytes.append(UInt8(truncatingIfNeeded: 0xF0 | point >> 18))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | point >> 12 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | point >> 6 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
        }
    }

    /// The length of the valid character at `position`, or 0: what RFC 3629 allows, so neither surrogates nor overlong forms.
    static func validLength(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        let lead = text[position]
        func continues(_ offset: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xBF) -> Bool {
            guard position + offset < text.count else { return false }
            return text[position + offset] >= low && text[position + offset] <= high
        }
        switch lead {
        case 0 ..< 0x80: return 1
        case 0xC2 ... 0xDF: return continues(1) ? 2 : 0
        case 0xE0: return continues(1, 0xA0) && continues(2) ? 3 : 0
        case 0xED: return continues(1, 0x80, 0x9F) && continues(2) ? 3 : 0
        case 0xE1 ... 0xEF: return continues(1) && continues(2) ? 3 : 0
        case 0xF0: return continues(1, 0x90) && continues(2) && continues(3) ? 4 : 0
        case 0xF1 ... 0xF3: return continues(1) && continues(2) && continues(3) ? 4 : 0
        case 0xF4: return continues(1, 0x80, 0x8F) && continues(2) && continues(3) ? 4 : 0
        default: return 0
        }
    }

    /// Of the bytes at `position`, where no valid character starts: how many are one mistake (as many as a character could start with, at least one), and whether they
    /// reach the end, so that more bytes could make them a character.
    static func brokenCharacter(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> (count: Int, goesOn: Bool) {
        let lead = text[position]
        guard (0xC2 ... 0xF4).contains(lead) else { return (1, false) }
        let second: ClosedRange<UInt8> = switch lead {
        case 0xE0: 0xA0 ... 0xBF
        case 0xED: 0x80 ... 0x9F
        case 0xF0: 0x90 ... 0xBF
        case 0xF4: 0x80 ... 0x8F
        default: 0x80 ... 0xBF
        }
        for count in 1 ..< length(lead: lead) {
            guard position + count < text.count else { return (count, true) }
            guard (count == 1 ? second : 0x80 ... 0xBF).contains(text[position + count]) else { return (count, false) }
        }
        return (length(lead: lead), false)
    }

    /// How many bytes from the start are valid UTF-8.
    static func validPrefix(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        if isUTF8(text) { return text.count }
        var position = 0
        while position < text.count {
            let length = validLength(text, position)
            if length == 0 { return position }
            position &+= length
        }
        return position
    }

    /// The text with every lone surrogate (its three-byte form) and every other invalid byte replaced by U+FFFD, and how many there were.
    static func repaired(_ text: UnsafeBufferPointer<UInt8>) -> (bytes: [UInt8], surrogates: Int, invalid: Int) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count + 16)
        var surrogates = 0, invalid = 0, position = 0
        while position < text.count {
            let length = validLength(text, position)
            if length > 0 {
                bytes.append(contentsOf: text[position ..< position + length])
                position += length
                continue
            }
            bytes.append(contentsOf: replacement)
            if position + 2 < text.count, text[position] == 0xED, text[position + 1] & 0xE0 == 0xA0, text[position + 2] & 0xC0 == 0x80 {
                surrogates += 1
                position += 3
            } else {
                invalid += 1
                position += 1
            }
        }
        return (bytes, surrogates, invalid)
    }

    /// U+FFFD
    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
}
