import Glibc

/// What a JSON value is, with the name that messages use.
public enum JSONKind: Sendable {
    case null, bool, integer, number, string, array, object

    public var name: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A place on simdjson's tape: one value of a parsed document. Copying it costs nothing and nothing is allocated on the way; it holds as long
/// as the document that it points into (see `JSONParser.read`).
public struct JSONCursor {
    @usableFromInline let tape: UnsafePointer<UInt64>
    @usableFromInline let strings: UnsafePointer<UInt8>
    @usableFromInline let index: Int

    @usableFromInline init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, index: Int) {
        self.tape = tape
        self.strings = strings
        self.index = index
    }

    @inlinable var tag: UInt8 { UInt8(truncatingIfNeeded: tape[index] >> 56) }
    @inlinable var payload: UInt64 { tape[index] & 0x00FF_FFFF_FFFF_FFFF }

    /// The index after this value.
    @inlinable var next: Int {
        switch tag {
        case UInt8(ascii: "{"), UInt8(ascii: "["): Int(truncatingIfNeeded: payload & 0xFFFF_FFFF)
        case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): index + 2
        default: index + 1
        }
    }

    @inlinable public var kind: JSONKind {
        switch tag {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "l"), UInt8(ascii: "u"): .integer
        case UInt8(ascii: "d"): .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        default: .null
        }
    }

    /// "a string", "an array" ...: for messages.
    public var typeName: String { kind.name }

    @inlinable public var isNull: Bool { kind == .null }

    @inlinable public var bool: Bool? {
        switch tag {
        case UInt8(ascii: "t"): true
        case UInt8(ascii: "f"): false
        default: nil
        }
    }

    /// The value of an integer that fits Int64.
    @inlinable public var integer: Int64? { tag == UInt8(ascii: "l") ? Int64(bitPattern: tape[index + 1]) : nil }

    /// The value of an integer that fits UInt64.
    @inlinable public var unsigned: UInt64? {
        switch tag {
        case UInt8(ascii: "u"): tape[index + 1]
        case UInt8(ascii: "l"): UInt64(exactly: Int64(bitPattern: tape[index + 1]))
        default: nil
        }
    }

    /// The value of any number; integers beyond 2^53 are rounded.
    @inlinable public var double: Double? {
        switch tag {
        case UInt8(ascii: "d"): Double(bitPattern: tape[index + 1])
        case UInt8(ascii: "l"): Double(Int64(bitPattern: tape[index + 1]))
        case UInt8(ascii: "u"): Double(tape[index + 1])
        default: nil
        }
    }

    /// A number with all digits of an integer, or the type's name: for messages.
    public var found: String { unsigned.map { "\($0)" } ?? integer.map { "\($0)" } ?? double.map { "\($0)" } ?? typeName }

    /// The bytes of a string, unescaped (see `Text`); they belong to the parser.
    @inlinable public var stringBytes: UnsafeBufferPointer<UInt8>? {
        guard tag == UInt8(ascii: "\"") else { return nil }
        let at = UnsafeRawPointer(strings + Int(payload))
        let count = Int(at.loadUnaligned(as: UInt32.self))
        return UnsafeBufferPointer(start: (at + 4).assumingMemoryBound(to: UInt8.self), count: count)
    }

    /// A copy of a string's bytes.
    @inlinable public var text: Text? { stringBytes.map { Text(Array($0)) } }

    /// Whether this is the string `literal`.
    @inlinable public func isString(_ literal: StaticString) -> Bool {
        guard let bytes = stringBytes else { return false }
        return JSONCursor.equal(bytes, literal)
    }

    /// The elements of an array; nil for anything else.
    @inlinable public var elements: JSONElements? {
        tag == UInt8(ascii: "[") ? JSONElements(tape: tape, strings: strings, index: index + 1, end: next - 1) : nil
    }

    /// The members of an object in the order of the document; nil for anything else.
    @inlinable public var members: JSONMembers? {
        tag == UInt8(ascii: "{") ? JSONMembers(tape: tape, strings: strings, index: index + 1, end: next - 1) : nil
    }

    /// The value of a key in an object: of the last one when it stands twice. A walk over the members, without a look into their values.
    @inlinable public subscript(key: StaticString) -> JSONCursor? {
        var found: JSONCursor?
        guard var members else { return nil }
        while let (name, value) = members.next() {
            if JSONCursor.equal(name, key) { found = value }
        }
        return found
    }

    @inlinable public subscript(text key: Text) -> JSONCursor? {
        var found: JSONCursor?
        guard var members else { return nil }
        while let (name, value) = members.next() {
            if key.holds(name) { found = value }
        }
        return found
    }

    /// Whether a key or a string's bytes are `literal`.
    @inlinable public static func equal(_ bytes: UnsafeBufferPointer<UInt8>, _ literal: StaticString) -> Bool {
        guard bytes.count == literal.utf8CodeUnitCount else { return false }
        return bytes.isEmpty || memcmp(bytes.baseAddress!, literal.utf8Start, bytes.count) == 0
    }
}

/// The elements of an array on the tape.
public struct JSONElements: Sequence, IteratorProtocol {
    @usableFromInline let tape: UnsafePointer<UInt64>
    @usableFromInline let strings: UnsafePointer<UInt8>
    @usableFromInline var index: Int
    @usableFromInline let end: Int

    @usableFromInline init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, index: Int, end: Int) {
        self.tape = tape
        self.strings = strings
        self.index = index
        self.end = end
    }

    @inlinable public mutating func next() -> JSONCursor? {
        guard index < end else { return nil }
        let value = JSONCursor(tape: tape, strings: strings, index: index)
        index = value.next
        return value
    }

    /// How many there are: a walk, since the tape's own count is saturated.
    public var count: Int {
        var rest = self, count = 0
        while rest.next() != nil { count += 1 }
        return count
    }
}

/// The members of an object on the tape: the bytes of the key, unescaped, and the value.
public struct JSONMembers: Sequence, IteratorProtocol {
    @usableFromInline let tape: UnsafePointer<UInt64>
    @usableFromInline let strings: UnsafePointer<UInt8>
    @usableFromInline var index: Int
    @usableFromInline let end: Int

    @usableFromInline init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, index: Int, end: Int) {
        self.tape = tape
        self.strings = strings
        self.index = index
        self.end = end
    }

    /// How many there are: a walk.
    public var count: Int {
        var rest = self, count = 0
        while rest.next() != nil { count += 1 }
        return count
    }

    @inlinable public mutating func next() -> (key: UnsafeBufferPointer<UInt8>, value: JSONCursor)? {
        guard index < end, let key = JSONCursor(tape: tape, strings: strings, index: index).stringBytes else { return nil }
        let value = JSONCursor(tape: tape, strings: strings, index: index + 1)
        index = value.next
        return (key, value)
    }
}

extension JSONCursor {
    /// A key that stands twice in one object, anywhere below this value.
    func firstDuplicateKey() -> Text? {
        if let elements {
            for element in elements { if let key = element.firstDuplicateKey() { return key } }
        }
        guard let members else { return nil }
        var seen = Set<Text>()
        for (key, value) in members {
            let text = Text(Array(key))
            guard seen.insert(text).inserted else { return text }
            if let key = value.firstDuplicateKey() { return key }
        }
        return nil
    }
}
