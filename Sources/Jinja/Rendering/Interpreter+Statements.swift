/// How a run of statements ended.
enum Flow { case normal, breakLoop, continueLoop }

extension Interpreter {
    func execute(_ statements: [Statement]) throws -> Flow {
        for statement in statements {
            let flow = try execute(statement)
            if flow != .normal { return flow }
        }
        return .normal
    }

    private func execute(_ statement: Statement) throws -> Flow {
        try budget.step()
        switch statement {
        case .text(let text): try write(text)
        case .print(let expression): try write(try text(evaluate(expression)))
        case .branches(let branches, let otherwise):
            for branch in branches where try evaluate(branch.condition).truth { return try nested { try execute(branch.body) } }
            return try nested { try execute(otherwise) }
        case .loop(let loop): try run(loop, over: try evaluate(loop.sequence), depth: 0)
        case .set(let target, let expression): try assign(try evaluate(expression), to: target)
        case .setBlock(let target, let filter, let body):
            let held = try scoped { try captured { _ = try execute(body) } }
            try assign(try filtered(held, filter), to: target)
        case .macro(let name, let definition):
            keep(scope)
            scope.set(name, .callable(Callable(.macro(definition, scope))))
        case .callBlock(let callee, let arguments, let definition, let place):
            keep(scope)
            var values = try evaluate(arguments)
            values.named.append(("caller", .callable(Callable(.macro(definition, scope)))))
            let function = try evaluate(callee)
            self.place = place
            try write(try text(call(function, values)))
        case .filterBlock(let filter, let body): try write(try text(filtered(try scoped { try captured { _ = try execute(body) } }, filter)))
        case .with(let values, let body):
            let evaluated = try values.map { try evaluate($0.value) }
            return try scoped {
                for (value, target) in zip(evaluated, values) { try assign(value, to: target.target) }
                return try execute(body)
            }
        case .generation(let body): _ = try scoped { try execute(body) }
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .normal
    }

    private func write(_ text: MarkedText) throws {
        try budget.handle(text.size)
        output.append(text)
        guard output.size <= Budget.greatestOutput else { throw TemplateFailure("more than \(Budget.greatestOutput >> 20) MiB of text") }
    }

    private func nested<Result>(_ body: () throws -> Result) throws -> Result {
        try budget.enter()
        defer { budget.leave() }
        return try body()
    }

    /// Runs with names of its own.
    func scoped<Result>(in parent: Scope? = nil, _ body: () throws -> Result) throws -> Result {
        let outer = scope
        scope = try Scope(parent: parent ?? outer)
        defer { scope = outer }
        return try nested(body)
    }

    private func filtered(_ held: MarkedText, _ filter: Expression?) throws -> Value {
        guard let filter else { return .string(held) }
        let outer = blockText
        blockText = held
        defer { blockText = outer }
        return try evaluate(filter)
    }

    // MARK: - Assignment

    func assign(_ value: Value, to target: Target) throws {
        switch target {
        case .name(let id): scope.set(id, value)
        case .member(let id, let member, let place):
            let owner = try self.value(of: id)
            self.place = place
            guard case .namespace(let namespace) = owner else {
                throw TemplateFailure("\(names[Int(id.index)]) is a \(owner.typeName): only a namespace's members can be set")
            }
            try set(member, of: namespace, value)
        case .tuple(let targets, let place):
            self.place = place
            if case .undefined(let undefined) = value { throw TemplateFailure(undefined.message) }
            let values = try elements(value)
            guard values.count == targets.count else { throw TemplateFailure("found \(values.count) values for \(targets.count) names") }
            for (value, target) in zip(values, targets) { try assign(value, to: target) }
        }
    }

    func set(_ member: MarkedText, of namespace: Namespace, _ value: Value) throws {
        guard member.bytes.first != UInt8(ascii: "_") else {
            throw TemplateFailure("a namespace's member cannot be named \(member.description): no name may start with _")
        }
        try budget.step(namespace.names.count / 16)
        namespace[member] = value
    }

    // MARK: - Loops

    func run(_ definition: LoopDefinition, over sequence: Value, depth: Int) throws {
        place = definition.place
        var values = try elements(sequence)
        if let condition = definition.condition {
            values = try scoped {
                try values.filter { value in
                    try budget.step()
                    try assign(value, to: definition.target)
                    return try evaluate(condition).truth
                }
            }
        }
        guard !values.isEmpty else {
            _ = try scoped { try execute(definition.otherwise) }
            return
        }
        let outer = scope
        let loop = try Loop(values, definition, outer, depth: depth)
        try nested {
            defer { scope = outer }
            while loop.advance() {
                try budget.step()
                scope = try Scope(parent: outer)
                scope.set(.loop, .object(loop))
                try assign(loop.current, to: definition.target)
                if try execute(definition.body) == .breakLoop { break }
            }
        }
    }
}
