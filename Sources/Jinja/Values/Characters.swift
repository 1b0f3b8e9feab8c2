import Glibc

/// Strings as sequences of code points, which is how the language counts, cuts and compares them.
extension MarkedText {
    /// Bytes of the code point that starts with a byte; a byte that starts none counts alone.
    @inline(__always)
    static func length(lead: UInt8) -> Int {
        lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }

    /// Where the code point after the one at `position` starts.
    @inline(__always)
    func next(_ position: Int) -> Int { min(position + MarkedText.length(lead: bytes[position]), bytes.count) }

    /// Where the code point before `position` starts.
    func previous(_ position: Int) -> Int {
        var start = position - 1
        while start > 0, position - start < 4, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return next(start) == position ? start : position - 1
    }

    var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    var characterCount: Int {
        var count = 0, position = 0
        while position < bytes.count {
            position = next(position)
            count += 1
        }
        return count
    }

    /// Where each code point starts, then the end.
    var characterStarts: [Int] {
        var starts: [Int] = [], position = 0
        starts.reserveCapacity(bytes.count + 1)
        while position < bytes.count {
            starts.append(position)
            position = next(position)
        }
        starts.append(bytes.count)
        return starts
    }

    var characters: [MarkedText] {
        let starts = characterStarts
        return (0 ..< starts.count - 1).map { self[starts[$0] ..< starts[$0 + 1]] }
    }

    /// The byte at which the code point of a number starts; the end for numbers beyond it.
    func byteOffset(_ character: Int) -> Int {
        var position = 0, left = character
        while left > 0, position < bytes.count {
            position = next(position)
            left -= 1
        }
        return position
    }

    /// How many code points start before a byte.
    func characterOffset(_ position: Int) -> Int {
        var count = 0, at = 0
        while at < position {
            at = next(at)
            count += 1
        }
        return count
    }

    /// The code point at a position: nil for a surrogate and for what is no UTF-8.
    func scalar(at position: Int) -> Unicode.Scalar? { MarkedText.scalar(bytes[position ..< next(position)]) }

    static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard let first = bytes.first else { return nil }
        if first < 0x80 { return Unicode.Scalar(first) }
        var value = UInt32(first) & (bytes.count == 2 ? 0x1F : bytes.count == 3 ? 0x0F : 0x07)
        guard bytes.count > 1 else { return nil }
        for byte in bytes.dropFirst() {
            guard byte & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        return Unicode.Scalar(value)
    }

    // MARK: - White space

    /// What `strip` and `split` take for white space: the Unicode characters that are, and the separators U+001C to U+001F.
    static func isSpace(_ scalar: Unicode.Scalar?) -> Bool {
        switch scalar?.value ?? 0 {
        case 0x09 ... 0x0D, 0x1C ... 0x20, 0x85, 0xA0, 0x1680, 0x2000 ... 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// The bytes between the outer characters that are to go.
    func trimmedRange(left: Bool, right: Bool, _ goes: (_ position: Int) -> Bool) -> Range<Int> {
        var start = 0, end = bytes.count
        while left, start < end, goes(start) { start = next(start) }
        while right, start < end {
            let before = previous(end)
            guard goes(before) else { break }
            end = before
        }
        return start ..< end
    }

    func trimmed(left: Bool = true, right: Bool = true) -> MarkedText {
        self[trimmedRange(left: left, right: right) { MarkedText.isSpace(scalar(at: $0)) }]
    }

    /// Without the outer characters that are among others'.
    func trimmed(of others: MarkedText, left: Bool, right: Bool) -> MarkedText {
        let set = Set(others.characters)
        return self[trimmedRange(left: left, right: right) { set.contains(self[$0 ..< next($0)]) }]
    }

    // MARK: - Search

    /// Where a text first stands, whole, between two bytes.
    func find(_ other: [UInt8], from start: Int = 0, to end: Int? = nil) -> Int? {
        let end = end ?? bytes.count
        guard start <= end, other.count <= end - start else { return nil }
        return bytes.withUnsafeBufferPointer { UnsafeBufferPointer(rebasing: $0[..<end]).place(of: other, from: start) }
    }

    /// Where a text last stands, whole, between two bytes.
    func findLast(_ other: [UInt8], from start: Int = 0, to end: Int? = nil) -> Int? {
        let end = end ?? bytes.count
        guard start <= end, other.count <= end - start else { return nil }
        var position = end - other.count
        while position >= start {
            if bytes[position ..< position + other.count].elementsEqual(other) { return position }
            position -= 1
        }
        return nil
    }

    /// Whether a text stands in it somewhere, whole.
    public func contains(_ other: [UInt8]) -> Bool { find(other) != nil }

    func starts(with other: [UInt8], at position: Int) -> Bool {
        position + other.count <= bytes.count && bytes[position ..< position + other.count].elementsEqual(other)
    }

    // MARK: - Lines

    /// Whether a code point ends a line for `splitlines`.
    private static func endsLine(_ scalar: Unicode.Scalar?) -> Bool {
        switch scalar?.value ?? 0 {
        case 0x0A ... 0x0D, 0x1C ... 0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    func lines(keepingEnds: Bool = false) -> [MarkedText] {
        var lines: [MarkedText] = [], start = 0, position = 0
        while position < bytes.count {
            var after = next(position)
            if MarkedText.endsLine(scalar(at: position)) {
                if bytes[position] == 0x0D, after < bytes.count, bytes[after] == 0x0A { after += 1 }
                lines.append(self[start ..< (keepingEnds ? after : position)])
                start = after
            }
            position = after
        }
        if start < bytes.count { lines.append(self[start ..< bytes.count]) }
        return lines
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Where other bytes first stand, from a position on.
    func place(of other: [UInt8], from start: Int = 0) -> Int? {
        guard let first = other.first else { return start }
        guard let base = baseAddress else { return nil }
        var position = start
        while position + other.count <= count, let found = memchr(base + position, Int32(first), count - other.count - position + 1) {
            position = UnsafeRawPointer(found) - UnsafeRawPointer(base)
            if memcmp(base + position, other, other.count) == 0 { return position }
            position += 1
        }
        return nil
    }
}
