extension Interpreter {
    func call(_ function: Value, _ values: CallValues) throws -> Value {
        try budget.step()
        switch function {
        case .undefined(let undefined): throw TemplateFailure(undefined.message)
        case .object(let loop as Loop): return try call(Callable(.loop(loop)), values)
        case .object(let joiner as Joiner): return try call(Callable(.joiner(joiner)), values)
        case .callable(let callable): return try call(callable, values)
        default: throw TemplateFailure("a \(function.typeName) cannot be called")
        }
    }

    private func call(_ callable: Callable, _ values: CallValues) throws -> Value {
        switch callable.kind {
        case .function(let function): return try call(function, values)
        case .method(let owner, let name): return try callMethod(name, of: owner, values)
        case .macro(let definition, let scope): return try call(definition, scope, values)
        case .loop(let loop):
            let sequence = try values.bound(to: "iterable", for: "loop")
            guard loop.definition.isRecursive else { throw TemplateFailure("loop(...) needs {% for ... recursive %}") }
            let outer = self.scope
            self.scope = loop.scope
            defer { self.scope = outer }
            return .string(try captured { try run(loop.definition, over: sequence[0] ?? .none, depth: loop.depth + 1) })
        case .joiner(let joiner):
            try values.requireNone(for: "joiner")
            return joiner.next()
        }
    }

    private func call(_ definition: MacroDefinition, _ closure: Scope, _ given: CallValues) throws -> Value {
        let callPlace = place
        let parameters = definition.parameters
        var named = given.named
        let text = try scoped(in: closure) {
            var values: [Value?] = Array(given.positional.prefix(parameters.count))
            for parameter in parameters[values.count...] {
                let index = named.firstIndex { $0.name == parameter.name }
                values.append(index.map { named.remove(at: $0).value })
            }
            for (parameter, value) in zip(parameters, values) {
                let value = try value ?? parameter.standard.map { try evaluate($0) }
                scope.set(parameter.id, value ?? .undefined(Undefined("\(parameter.name) was not given to the macro \(definition.name)")))
            }
            place = callPlace
            if definition.usesCaller, !parameters.contains(where: { $0.id == .caller }) {
                let index = named.firstIndex { $0.name == "caller" }
                let missing = Value.undefined(Undefined("the macro \(definition.name) was not called by a call block"))
                scope.set(.caller, index.map { named.remove(at: $0).value } ?? missing)
            }
            if definition.usesKwargs {
                scope.set(.kwargs, try dictionary(named.map { (.string($0.name), $0.value) }))
            } else if let more = named.first {
                throw TemplateFailure("the macro \(definition.name) has no parameter named \(more.name), or is given it twice")
            }
            let more = given.positional.dropFirst(parameters.count)
            if definition.usesVarargs {
                scope.set(.varargs, try list(Array(more), .tuple))
            } else if !more.isEmpty {
                throw TemplateFailure("the macro \(definition.name) takes at most \(parameters.count) arguments, found \(given.positional.count)")
            }
            return try captured { _ = try execute(definition.body) }
        }
        place = callPlace
        return .string(text)
    }

    // MARK: - Functions

    private func call(_ function: GlobalFunction, _ values: CallValues) throws -> Value {
        switch function {
        case .range:
            try values.requirePositional(1 ... 3, for: "range")
            let numbers = try values.positional.map { try integer($0, "an argument of range") }
            return try range(numbers.count == 1 ? 0 : numbers[0], numbers.count == 1 ? numbers[0] : numbers[1], numbers.count == 3 ? numbers[2] : 1)
        case .dict: return try dictionary(try pairs(values))
        case .namespace:
            let namespace = newNamespace()
            for (key, value) in try pairs(values) { try set(try requireString(key, "a member's name"), of: namespace, value) }
            return .namespace(namespace)
        case .cycler:
            guard !values.positional.isEmpty, values.named.isEmpty else { throw TemplateFailure("cycler needs values to cycle through") }
            return try object(Cycler(values.positional))
        case .joiner: return .object(Joiner(try text(values.bound(to: "sep", for: "joiner")[0] ?? .string(", "))))
        case .raiseException:
            let message = try values.bound(to: "message", for: "raise_exception")[0] ?? .none
            throw TemplateFailure("the template refuses this: " + (try text(message).description))
        case .now:
            let format = try requireString(try values.bound(to: "format", for: "strftime_now")[0] ?? .none, "the format of strftime_now")
            guard let time = settings.now else { throw TemplateFailure("strftime_now is undefined") }
            return try string(MarkedText(time.formatted(format.bytes)))
        }
    }

    /// The pairs that `dict` and `namespace` take: of a dictionary or of pairs, then the named ones.
    private func pairs(_ values: CallValues) throws -> [(key: Value, value: Value)] {
        guard values.positional.count <= 1 else { throw TemplateFailure("at most one argument without a name was expected, found \(values.positional.count)") }
        var pairs: [(key: Value, value: Value)] = []
        switch values.positional.first {
        case nil: break
        case .dictionary(let mapping): pairs = zip(mapping.keys, mapping.values).map { ($0, $1) }
        case let other?:
            for element in try elements(other) {
                let pair = try elements(element)
                guard pair.count == 2 else { throw TemplateFailure("found \(pair.count) values, expected pairs of a key and a value") }
                pairs.append((pair[0], pair[1]))
            }
        }
        return pairs + values.named.map { (.string($0.name), $0.value) }
    }

    private func range(_ start: Int, _ end: Int, _ step: Int) throws -> Value {
        guard step != 0 else { throw TemplateFailure("range with a step of 0") }
        let (distance, overflows) = end.subtractingReportingOverflow(start)
        let count = overflows ? Int.max : max(0, (distance / step) + (distance % step != 0 && (distance < 0) == (step < 0) ? 1 : 0))
        guard count <= 100_000 else { throw TemplateFailure("a range of more than 100,000 numbers") }
        return try list((0 ..< count).map { .integer(start + $0 * step) }, .range)
    }
}
