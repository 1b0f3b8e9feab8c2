/// Writing of values.
extension JSONValue {
    /// The canonical form: equal values have equal bytes. Keys in the order of their bytes, no spaces, the shortest digits that read back as the
    /// same double (integral doubles keep `.0`), escapes only for `"`, `\`, control characters (`\u000a`) and lone surrogates (`\ud83d`).
    /// Throws for what JSON cannot say (NaN, infinities, ill-formed text) and for a key that stands twice.
    public var canonical: [UInt8] {
        get throws(JSONError) {
            var writer = JSONWriter(style: .canonical)
            try writer.write(self)
            return writer.bytes
        }
    }

    /// Plain JSON with the members in their own order; `indent` spaces a level and a line each, or one line without.
    public func serialized(indent: Int? = nil) throws(JSONError) -> [UInt8] {
        var writer = JSONWriter(style: .plain(indent: indent))
        try writer.write(self)
        return writer.bytes
    }
}

/// Appends JSON to bytes. Also for writers that stream a record without building a value.
public struct JSONWriter {
    public enum Style: Sendable {
        case canonical
        case plain(indent: Int?)
    }

    public private(set) var bytes: [UInt8] = []
    private let isCanonical: Bool
    private let indent: Int?

    public init(style: Style = .plain(indent: nil)) {
        switch style {
        case .canonical: (isCanonical, indent) = (true, nil)
        case .plain(let indent): (isCanonical, self.indent) = (false, indent)
        }
    }

    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Appends bytes that are JSON already.
    public mutating func append(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

    public mutating func write(_ value: JSONValue) throws(JSONError) { try write(value, depth: 0) }

    private mutating func write(_ value: JSONValue, depth: Int) throws(JSONError) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value): try write(value)
        case .string(let text): try write(text)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (i, element) in values.enumerated() {
                separate(isFirst: i == 0, depth: depth + 1)
                try write(element, depth: depth + 1)
            }
            close("]", isEmpty: values.isEmpty, depth: depth)
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let ordered = isCanonical ? members.sorted { $0.key < $1.key } : members
            for (i, member) in ordered.enumerated() {
                if isCanonical, i > 0, ordered[i - 1].key == member.key { throw JSONError("the key \"\(member.key)\" stands twice in one object") }
                separate(isFirst: i == 0, depth: depth + 1)
                try write(member.key)
                append(indent == nil ? ":" : ": ")
                try write(member.value, depth: depth + 1)
            }
            close("}", isEmpty: members.isEmpty, depth: depth)
        }
    }

    /// The shortest digits that read back as the same double.
    public mutating func write(_ value: Double) throws(JSONError) {
        guard value.isFinite else { throw JSONError("JSON has no number for \(value)") }
        append(value.description)
    }

    /// A number of a long list of them: without a `String` each.
    public mutating func write(digitsOf value: UInt32) {
        var divisor: UInt32 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    public mutating func write(_ text: Text) throws(JSONError) {
        var fault: JSONError?
        text.bytes.withUnsafeBufferPointer { source in
            do throws(JSONError) { try write(textBytes: source) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    /// Writes a string of well-formed WTF-8.
    public mutating func write(textBytes source: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        bytes.append(UInt8(ascii: "\""))
        var written = 0, at = 0
        var previousHigh = -1
        while at < source.count {
            let byte = source[at]
            if byte < 0x80 {
                if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { at += 1; continue }
                bytes.append(contentsOf: source[written..<at])
                escape(byte)
                at += 1
                written = at
                continue
            }
            switch WTF8.sequence(in: source, at: at) {
            case .scalar(let length): at += length
            case .surrogate(let unit):
                guard unit < 0xDC00 || previousHigh != at else {
                    throw JSONError("the text holds a surrogate pair in two parts at byte \(at - 3)")
                }
                bytes.append(contentsOf: source[written..<at])
                escape(unit: unit)
                at += 3
                written = at
                previousHigh = unit < 0xDC00 ? at : -1
            case .invalid: throw JSONError("the text is not UTF-8 at byte \(at)")
            }
        }
        bytes.append(contentsOf: source[written...])
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
            return
        }
        if !isCanonical {
            switch byte {
            case 0x08: return append("\\b")
            case 0x09: return append("\\t")
            case 0x0A: return append("\\n")
            case 0x0C: return append("\\f")
            case 0x0D: return append("\\r")
            default: break
            }
        }
        escape(unit: UInt16(byte))
    }

    private mutating func escape(unit: UInt16) {
        append("\\u")
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift & 15)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    private mutating func separate(isFirst: Bool, depth: Int) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        newLine(depth)
    }

    private mutating func close(_ bracket: StaticString, isEmpty: Bool, depth: Int) {
        if !isEmpty { newLine(depth) }
        append(bracket)
    }

    private mutating func newLine(_ depth: Int) {
        guard let indent else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indent * depth))
    }

    private mutating func append(_ literal: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    private mutating func append(_ string: String) { bytes.append(contentsOf: string.utf8) }
}
