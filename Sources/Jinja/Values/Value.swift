import JSON

/// A value of the template language, with Python's kinds of values.
public enum Value {
    case undefined(Undefined)
    case none
    case boolean(Bool)
    case integer(Int)
    case float(Double)
    case string(MarkedText)
    case sequence(Items)
    case dictionary(Mapping)
    case namespace(Namespace)
    case object(TemplateObject)
    case callable(Callable)
}

/// What a name, an attribute or an item that is not there gives: empty where it is printed or walked over, an error where it is used otherwise.
public final class Undefined: Sendable {
    let message: String

    init(_ message: String) { self.message = message }
}

/// Anything that a template can walk over and that holds its elements.
public final class Items {
    enum Kind: Sendable { case list, tuple, range, keys, values, items, group }

    let kind: Kind
    let elements: [Value]
    /// How many containers stand inside one another: bounded, so that neither printing nor releasing one runs out of stack.
    let height: Int

    init(_ elements: [Value], kind: Kind = .list, height: Int) {
        self.elements = elements
        self.kind = kind
        self.height = height
    }
}

/// A dictionary in the order in which its keys came.
public final class Mapping {
    let keys: [Value]
    let values: [Value]
    let height: Int
    /// Made where a walk over the keys would be slow.
    private let index: [Key: Int]?

    /// Keys are different and hashable.
    init(keys: [Value], values: [Value], height: Int) {
        self.keys = keys
        self.values = values
        self.height = height
        guard keys.count > 8 else {
            index = nil
            return
        }
        var index: [Key: Int] = [:]
        for (position, key) in keys.enumerated() { Key(key).map { index[$0] = position } }
        self.index = index
    }

    var count: Int { keys.count }

    subscript(key: MarkedText) -> Value? {
        if let index { return index[.string(key)].map { values[$0] } }
        for (position, candidate) in keys.enumerated() {
            if case .string(let text) = candidate, text == key { return values[position] }
        }
        return nil
    }

    subscript(key: Key) -> Value? {
        if case .string(let text) = key { return self[text] }
        if let index { return index[key].map { values[$0] } }
        return keys.firstIndex { Key($0) == key }.map { values[$0] }
    }
}

/// What a dictionary can be asked for: values that are equal are equal keys, 1 and 1.0 and true too.
enum Key: Hashable {
    case none
    case integer(Int)
    case float(Double)
    case string(MarkedText)
    case tuple([Key])

    /// - Returns: nil for what cannot be a key.
    init?(_ value: Value) {
        switch value {
        case .none: self = .none
        case .boolean(let value): self = .integer(value ? 1 : 0)
        case .integer(let value): self = .integer(value)
        case .float(let value): self = Int(exactly: value).map { .integer($0) } ?? .float(value)
        case .string(let text): self = .string(text)
        case .sequence(let items):
            guard items.kind == .tuple || items.kind == .group else { return nil }
            var keys: [Key] = []
            for element in items.elements {
                guard let key = Key(element) else { return nil }
                keys.append(key)
            }
            self = .tuple(keys)
        default: return nil
        }
    }
}

/// `namespace(...)`: the one thing that a template can change.
public final class Namespace {
    var names: [MarkedText] = []
    var values: [Value] = []

    subscript(name: MarkedText) -> Value? {
        get { names.firstIndex(of: name).map { values[$0] } }
        set {
            guard let newValue else { return }
            if let index = names.firstIndex(of: name) {
                values[index] = newValue
            } else {
                names.append(name)
                values.append(newValue)
            }
        }
    }
}

/// What lives only while a template runs: loops, cyclers, joiners, and what can be walked over once.
public class TemplateObject {
    /// As of `Items`.
    let height: Int

    init(holding values: [Value]) { height = 1 + values.reduce(0) { max($0, $1.height) } }

    var typeName: String { "object" }

    /// - Returns: nil where there is no such attribute.
    func attribute(_ name: MarkedText) -> Value? { nil }
}

/// What some filters give: elements that are taken once. They were found when the filter was applied; if that failed, it fails when they are taken, since
/// until then the language has not looked.
final class Iteration: TemplateObject {
    private var rest: ArraySlice<Value>
    private let failure: TemplateFailure?

    init(_ elements: [Value], _ failure: TemplateFailure? = nil) {
        rest = elements[...]
        self.failure = failure
        super.init(holding: elements)
    }

    override var typeName: String { "generator" }

    func take() throws -> [Value] {
        if let failure { throw failure }
        defer { rest = [] }
        return Array(rest)
    }

    func takeFirst() throws -> Value? {
        if let failure { throw failure }
        return rest.popFirst()
    }
}

extension Value {
    static var emptyString: Value { .string(MarkedText()) }
    static func string(_ text: String) -> Value { .string(MarkedText(text)) }

    /// A string of the caller's.
    public static func text(_ bytes: [UInt8], origin: TextOrigin) -> Value { .string(MarkedText(bytes, origin: origin)) }

    /// A list of values that are not nested deeply.
    public static func list(_ elements: [Value]) -> Value { .sequence(Items(elements, height: 1 + elements.reduce(0) { max($0, $1.height) })) }

    /// A dictionary whose keys differ.
    public static func dictionary(_ members: [(key: MarkedText, value: Value)]) -> Value {
        .dictionary(Mapping(keys: members.map { .string($0.key) }, values: members.map(\.value), height: 1 + members.reduce(0) { max($0, $1.value.height) }))
    }

    /// A JSON value; its strings, keys too, are of the origin given. Of a key that stands twice the last counts.
    public init(_ json: JSONValue, origin: TextOrigin) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .boolean(value)
        case .integer(let value): self = .integer(Int(value))
        case .number(let value): self = .float(value)
        case .string(let text): self = .text(text.bytes, origin: origin)
        case .array(let elements): self = .list(elements.map { Value($0, origin: origin) })
        case .object(let members):
            var keys: [MarkedText] = [], values: [Value] = [], positions: [Text: Int] = [:]
            for member in members {
                let value = Value(member.value, origin: origin)
                if let position = positions[member.key] {
                    values[position] = value
                } else {
                    positions[member.key] = keys.count
                    keys.append(MarkedText(member.key.bytes, origin: origin))
                    values.append(value)
                }
            }
            self = .dictionary(zip(keys, values).map { ($0, $1) })
        }
    }

    var height: Int {
        switch self {
        case .sequence(let items): items.height
        case .dictionary(let mapping): mapping.height
        case .object(let object): object.height
        case .callable(let callable): callable.height
        default: 0
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }

    var isNone: Bool {
        if case .none = self { true } else { false }
    }

    /// Whether `if` takes it for true.
    var truth: Bool {
        switch self {
        case .undefined, .none: false
        case .boolean(let value): value
        case .integer(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.isEmpty
        case .sequence(let items): !items.elements.isEmpty
        case .dictionary(let mapping): mapping.count > 0
        case .object: true
        case .namespace, .callable: true
        }
    }

    /// Python's name of the type, for messages.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .boolean: "bool"
        case .integer: "int"
        case .float: "float"
        case .string: "str"
        case .sequence(let items):
            switch items.kind {
            case .list: "list"
            case .tuple, .group: "tuple"
            case .range: "range"
            case .keys: "dict_keys"
            case .values: "dict_values"
            case .items: "dict_items"
            }
        case .dictionary: "dict"
        case .namespace: "Namespace"
        case .object(let object): object.typeName
        case .callable: "function"
        }
    }
}
