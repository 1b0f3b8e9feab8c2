/// A JSON document in memory, for small documents and configuration; record lines are read through `JSONCursor` instead.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(Text)
    case array([JSONValue])
    /// Members in the order of the document, equal keys included.
    case object([JSONMember])
}

public struct JSONMember: Hashable, Sendable {
    public var key: Text
    public var value: JSONValue

    public init(_ key: Text, _ value: JSONValue) {
        self.key = key
        self.value = value
    }
}

extension JSONValue {
    /// Copies what a cursor points at.
    public init(_ cursor: JSONCursor) {
        switch cursor.kind {
        case .null: self = .null
        case .bool: self = .bool(cursor.bool ?? false)
        case .integer:
            if let value = cursor.integer { self = .integer(value) } else { self = .number(cursor.double ?? 0) }
        case .number: self = .number(cursor.double ?? 0)
        case .string: self = .string(cursor.text ?? Text())
        case .array:
            var values: [JSONValue] = []
            if let elements = cursor.elements { for element in elements { values.append(JSONValue(element)) } }
            self = .array(values)
        case .object:
            var members: [JSONMember] = []
            if let found = cursor.members { for (key, value) in found { members.append(JSONMember(Text(Array(key)), JSONValue(value))) } }
            self = .object(members)
        }
    }

    public static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.map { JSONMember(Text($0.0), $0.1) })
    }

    public static func string(_ string: String) -> JSONValue { .string(Text(string)) }
    public init(_ integer: Int) { self = .integer(Int64(integer)) }

    public var kind: JSONKind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .integer: .integer
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// "a string", "an array" ...: for messages.
    public var typeName: String { kind.name }

    /// A number with all digits of an integer, or the type's name: for messages.
    public var found: String { integer.map { "\($0)" } ?? double.map { "\($0)" } ?? typeName }

    public var isNull: Bool { self == .null }

    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    public var int: Int? { integer.flatMap { Int(exactly: $0) } }

    /// The value of any number.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    public var text: Text? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The string, where it is valid UTF-8: nil for text with a lone surrogate.
    public var string: String? { text.flatMap { String(validating: $0.bytes, as: UTF8.self) } }

    public var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    public var object: [JSONMember]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The value of a key, of the last one when it stands twice; a walk over the members, so iterate `object` to look at many keys.
    public subscript(key: String) -> JSONValue? {
        object?.last { $0.key == key }?.value
    }

    /// The element of an array; nil beyond its end.
    public subscript(index: Int) -> JSONValue? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(Text(value)) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements) }
}
