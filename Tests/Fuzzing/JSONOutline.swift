/// Where the parts of a JSON text lie. Of text that is no JSON, the parts up to where it stops being any.
struct JSONOutline {
    /// Every value, containers before what is in them.
    private(set) var values: [Range<Int>] = []
    /// Members of objects, from key to value.
    private(set) var members: [Range<Int>] = []
    /// Keys with their quotes.
    private(set) var keys: [Range<Int>] = []
    /// Elements of arrays.
    private(set) var elements: [Range<Int>] = []
    /// Strings, quotes included; not keys.
    private(set) var strings: [Range<Int>] = []

    private let bytes: [UInt8]
    private var at = 0
    private static let deepest = 100

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        _ = value(0)
    }

    private mutating func space() { while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 } }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        space()
        guard at < bytes.count, bytes[at] == UInt8(ascii: byte) else { return false }
        at += 1
        return true
    }

    /// False where there is none.
    private mutating func value(_ depth: Int) -> Bool {
        space()
        guard at < bytes.count, depth < Self.deepest else { return false }
        let start = at, number = values.count
        values.append(start ..< start)
        var isWhole = true
        switch bytes[at] {
        case UInt8(ascii: "{"):
            at += 1
            while isWhole, !take("}") {
                space()
                let key = at
                isWhole = string()
                guard isWhole else { break }
                keys.append(key ..< at)
                isWhole = take(":") && value(depth + 1)
                if isWhole { members.append(key ..< at) }
                _ = take(",")
            }
        case UInt8(ascii: "["):
            at += 1
            while isWhole, !take("]") {
                space()
                let element = at
                isWhole = value(depth + 1)
                if isWhole { elements.append(element ..< at) }
                _ = take(",")
            }
        case UInt8(ascii: "\""):
            isWhole = string()
            if isWhole { strings.append(start ..< at) }
        default:
            while at < bytes.count, !Array("{}[],:\" \n\r\t".utf8).contains(bytes[at]) { at += 1 }
            isWhole = at > start
        }
        values[number] = start ..< at
        if !isWhole { values.remove(at: number) }
        return isWhole
    }

    private mutating func string() -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return false }
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        guard at < bytes.count else { return false }
        at += 1
        return true
    }
}
