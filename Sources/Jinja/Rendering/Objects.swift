/// A loop as its body sees it, under the name `loop`.
final class Loop: TemplateObject {
    private let values: [Value]
    let definition: LoopDefinition
    /// The names around the loop, for when it calls itself.
    let scope: Scope
    let depth: Int
    private var index = -1
    private var end: Int
    private var lastSeen: [Value]?

    init(_ values: [Value], _ definition: LoopDefinition, _ scope: Scope, depth: Int) throws {
        self.values = values
        self.definition = definition
        self.scope = scope
        self.depth = depth
        end = values.count
        super.init(holding: values)
        guard height <= Budget.greatestHeight else { throw TemplateFailure("more than \(Budget.greatestHeight) values inside one another") }
    }

    override var typeName: String { "LoopContext" }

    var current: Value { values[index] }

    func advance() -> Bool {
        index += 1
        return index < end
    }

    /// What a walk over the loop itself takes: the loop ends after it.
    func takeRest(_ interpreter: Interpreter) -> [Value] {
        defer { end = min(index + 1, end) }
        return values[min(index + 1, end) ..< end].map { .sequence(Items([$0, .object(self)], kind: .tuple, height: height + 1)) }
    }

    /// Whether the values differ from those of the call before.
    func changed(_ values: [Value], _ interpreter: Interpreter) throws -> Bool {
        defer { lastSeen = values }
        guard let lastSeen, lastSeen.count == values.count else { return true }
        for (last, value) in zip(lastSeen, values) where !(try interpreter.equal(last, value)) { return true }
        return false
    }

    func cycled(_ values: [Value]) throws -> Value {
        guard !values.isEmpty else { throw TemplateFailure("loop.cycle without values") }
        return values[index % values.count]
    }

    override func attribute(_ name: MarkedText) -> Value? {
        switch name.description {
        case "index": .integer(index + 1)
        case "index0": .integer(index)
        case "revindex": .integer(values.count - index)
        case "revindex0": .integer(values.count - index - 1)
        case "first": .boolean(index == 0)
        case "last": .boolean(index == values.count - 1)
        case "length": .integer(values.count)
        case "depth": .integer(depth + 1)
        case "depth0": .integer(depth)
        case "previtem": index == 0 ? .undefined(Undefined("there is no previous item")) : values[index - 1]
        case "nextitem": index + 1 >= values.count ? .undefined(Undefined("there is no next item")) : values[index + 1]
        default: nil
        }
    }
}

/// `cycler(a, b)`: each `next()` gives the next of its values.
final class Cycler: TemplateObject {
    private let values: [Value]
    private var index = 0

    init(_ values: [Value]) {
        self.values = values
        super.init(holding: values)
    }

    override var typeName: String { "Cycler" }

    func next() -> Value {
        defer { index = (index + 1) % values.count }
        return values[index]
    }

    func reset() { index = 0 }

    override func attribute(_ name: MarkedText) -> Value? { name == "current" ? values[index] : nil }
}

/// `joiner(sep)`: called, it gives nothing the first time and the separator afterwards.
final class Joiner: TemplateObject {
    private let separator: MarkedText
    private var isUsed = false

    init(_ separator: MarkedText) {
        self.separator = separator
        super.init(holding: [])
    }

    override var typeName: String { "Joiner" }

    func next() -> Value {
        defer { isUsed = true }
        return isUsed ? .string(separator) : .emptyString
    }
}
