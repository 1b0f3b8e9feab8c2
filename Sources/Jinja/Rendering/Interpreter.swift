/// One rendering of a template: its names, its output, and what it has spent.
final class Interpreter {
    let names: [String]
    let settings: RenderSettings
    var budget: Budget
    /// Byte of the source at which work goes on, for messages.
    var place = 0
    var output = MarkedText()
    var scope: Scope
    /// What a `filter` or `set` block held, for the first of its filters.
    var blockText = MarkedText()
    /// Scopes that macros keep and namespaces: they may hold each other, and are emptied when all is done.
    private var kept: [Scope] = []
    private var namespaces: [Namespace] = []

    init(names: [String], settings: RenderSettings, globals: Scope, inputBytes: Int) throws {
        self.names = names
        self.settings = settings
        budget = Budget(inputBytes: inputBytes)
        scope = try Scope(parent: globals)
    }

    func run(_ statements: [Statement]) throws -> MarkedText {
        defer {
            for scope in kept { scope.close() }
            for namespace in namespaces { (namespace.names, namespace.values) = ([], []) }
        }
        _ = try execute(statements)
        return output
    }

    func keep(_ scope: Scope) { kept.append(scope) }

    func newNamespace() -> Namespace {
        let namespace = Namespace()
        namespaces.append(namespace)
        return namespace
    }

    // MARK: - Values with their costs

    /// Elements as a list; each counts as a step.
    func list(_ elements: [Value], _ kind: Items.Kind = .list) throws -> Value {
        try budget.step(elements.count)
        var height = 0
        for element in elements { height = max(height, element.height) }
        try checkHeight(height + 1)
        return .sequence(Items(elements, kind: kind, height: height + 1))
    }

    func strings(_ texts: [MarkedText]) throws -> Value { try list(texts.map { .string($0) }) }

    /// - Parameter pairs: the last of equal keys counts, in the place of the first.
    func dictionary(_ pairs: [(key: Value, value: Value)]) throws -> Value {
        try budget.step(pairs.count)
        var keys: [Value] = [], values: [Value] = [], positions: [Key: Int] = [:], height = 0
        for (key, value) in pairs {
            guard let hashed = Key(key) else { throw TemplateFailure("a \(key.typeName) cannot be a key of a dictionary") }
            height = max(height, key.height, value.height)
            if let position = positions[hashed] {
                values[position] = value
            } else {
                positions[hashed] = keys.count
                keys.append(key)
                values.append(value)
            }
        }
        try checkHeight(height + 1)
        return .dictionary(Mapping(keys: keys, values: values, height: height + 1))
    }

    func iteration(_ elements: @autoclosure () throws -> [Value]) throws -> Value {
        let found: [Value]
        do { found = try elements() } catch let failure as TemplateFailure { return .object(Iteration([], failure)) }
        try budget.step(found.count)
        return try object(Iteration(found))
    }

    func object(_ object: TemplateObject) throws -> Value {
        try checkHeight(object.height)
        return .object(object)
    }

    private func checkHeight(_ height: Int) throws {
        guard height <= Budget.greatestHeight else { throw TemplateFailure("more than \(Budget.greatestHeight) lists and dictionaries inside one another") }
    }

    /// A string that was made: its bytes are paid for.
    func string(_ text: MarkedText) throws -> Value {
        try budget.handle(text.size)
        return .string(text)
    }

    // MARK: - Conversions

    /// What can be walked over, as an array.
    func elements(_ value: Value) throws -> [Value] {
        switch value {
        case .undefined: return []
        case .string(let text):
            try budget.handle(text.count)
            try budget.step(text.count)
            return text.characters.map { .string(MarkedText.plain($0)) }
        case .sequence(let items):
            try budget.step(items.elements.count)
            return items.elements
        case .dictionary(let mapping):
            try budget.step(mapping.count)
            return mapping.keys
        case .object(let iteration as Iteration): return try iteration.take()
        case .object(let loop as Loop): return loop.takeRest(self)
        default: throw TemplateFailure("a \(value.typeName) cannot be walked over")
        }
    }

    /// The text that a value is printed as.
    func text(_ value: Value) throws -> MarkedText {
        if case .string(let text) = value { return text }
        var writer = PythonWriter(self)
        try writer.writeString(value)
        return writer.text
    }

    func integer(_ value: Value, _ what: String) throws -> Int {
        switch value {
        case .integer(let value): return value
        case .boolean(let value): return value ? 1 : 0
        case .undefined(let undefined): throw TemplateFailure(undefined.message)
        default: throw TemplateFailure("\(what) is a \(value.typeName), expected a whole number")
        }
    }

    func requireString(_ value: Value, _ what: String) throws -> MarkedText {
        switch value {
        case .string(let text): return text
        case .undefined(let undefined): throw TemplateFailure(undefined.message)
        default: throw TemplateFailure("\(what) is a \(value.typeName), expected a string")
        }
    }

    /// Runs with an output of its own, and returns it.
    func captured(_ body: () throws -> Void) throws -> MarkedText {
        let outer = output
        output = MarkedText()
        defer { output = outer }
        try body()
        return output
    }
}
