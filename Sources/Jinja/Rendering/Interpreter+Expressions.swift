extension Interpreter {
    func evaluate(_ expression: Expression) throws -> Value {
        try budget.step()
        switch expression.kind {
        case .string(let text): return .string(text)
        case .integer(let value): return .integer(value)
        case .float(let value): return .float(value)
        case .boolean(let value): return .boolean(value)
        case .none: return .none
        case .name(let id): return try value(of: id)
        default:
            try budget.enter()
            defer { budget.leave() }
            return try evaluateParts(expression)
        }
    }

    func value(of id: NameID) throws -> Value {
        scope.find(id) ?? .undefined(Undefined("\(names[Int(id.index)]) is undefined"))
    }

    private func evaluateParts(_ expression: Expression) throws -> Value {
        switch expression.kind {
        case .attribute(let owner, let name):
            let owner = try evaluate(owner)
            place = expression.place
            return try attribute(name, of: owner)
        case .item(let owner, let index):
            let owner = try evaluate(owner), index = try evaluate(index)
            place = expression.place
            return try item(index, of: owner)
        case .call(let callee, let arguments): return try evaluateCall(callee, arguments, expression.place)
        case .filter(let operand, let name, let filter, let arguments):
            let operand = try operand.map { try evaluate($0) } ?? .string(blockText)
            let values = try evaluate(arguments)
            place = expression.place
            guard let filter else { throw TemplateFailure("the filter \(name) is not known") }
            return try apply(filter, to: operand, values)
        case .test(let operand, let name, let test, let arguments):
            let operand = try evaluate(operand)
            let values = try evaluate(arguments)
            place = expression.place
            guard let test else { throw TemplateFailure("the test \(name) is not known") }
            return .boolean(try check(test, operand, values))
        case .not(let operand): return .boolean(!(try evaluate(operand).truth))
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.truth ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.truth ? value : try evaluate(right)
        case .comparison(let first, let others): return try compare(first, others)
        case .sum(let terms): return try sum(terms, expression.place)
        case .concatenation(let parts):
            var text = MarkedText()
            for part in parts { text.append(try self.text(evaluate(part))) }
            text.isMarkup = false
            place = expression.place
            return try string(text)
        case .condition(let condition, let then, let otherwise):
            if try evaluate(condition).truth { return try evaluate(then) }
            guard let otherwise else { return .undefined(Undefined("a condition without else was false")) }
            return try evaluate(otherwise)
        default: return try evaluateRest(expression)
        }
    }

    private func evaluateRest(_ expression: Expression) throws -> Value {
        switch expression.kind {
        case .list(let elements): return try list(elements.map { try evaluate($0) })
        case .tuple(let elements): return try list(elements.map { try evaluate($0) }, .tuple)
        case .dictionary(let members): return try dictionary(members.map { (try evaluate($0.key), try evaluate($0.value)) })
        case .slice(let owner, let start, let end, let step):
            let owner = try evaluate(owner)
            let bounds = try [start, end, step].map { try $0.map { try evaluate($0) } ?? .none }
            place = expression.place
            return try slice(owner, bounds[0], bounds[1], bounds[2])
        case .negative(let operand), .positive(let operand):
            let value = try evaluate(operand)
            place = expression.place
            if case .positive = expression.kind { return try Operators.positive(value) }
            return try Operators.negative(value)
        case .arithmetic(let operation, let left, let right):
            let left = try evaluate(left), right = try evaluate(right)
            place = expression.place
            return try arithmetic(operation, left, right)
        default: throw TemplateFailure("an expression that cannot stand here", at: expression.place)
        }
    }

    /// a + b + c: strings are joined in place, so that a long message is copied once.
    private func sum(_ terms: [Expression], _ place: Int) throws -> Value {
        var value = try evaluate(terms[0])
        var text: MarkedText?
        if case .string(let first) = value { text = first }
        for term in terms.dropFirst() {
            let more = try evaluate(term)
            self.place = place
            if text != nil, case .string(let more) = more {
                try budget.handle(more.size)
                if text!.isMarkup != more.isMarkup { text = Operators.joinedMarkup(text!, more) } else { text!.append(more) }
            } else {
                value = try add(text.map { .string($0) } ?? value, more)
                text = if case .string(let joined) = value { joined } else { nil }
            }
        }
        return try text.map { try string($0) } ?? value
    }

    private func compare(_ first: Expression, _ others: [(Comparison, Expression)]) throws -> Value {
        var left = try evaluate(first)
        for (comparison, expression) in others {
            let right = try evaluate(expression)
            place = expression.place
            let holds = switch comparison {
            case .equal: try equal(left, right)
            case .notEqual: !(try equal(left, right))
            case .less: try order(left, right, "<") < 0
            case .lessOrEqual: try order(left, right, "<=") <= 0
            case .greater: try order(left, right, ">") == 1
            case .greaterOrEqual: [0, 1].contains(try order(left, right, ">="))
            case .contained: try contains(right, left)
            case .notContained: !(try contains(right, left))
            }
            if !holds { return .boolean(false) }
            left = right
        }
        return .boolean(true)
    }

    // MARK: - Calls

    func evaluate(_ arguments: Arguments) throws -> CallValues {
        var values = CallValues(positional: try arguments.positional.map { try evaluate($0) })
        guard !arguments.isPlain else { return values }
        for (name, expression) in arguments.named { values.named.append((name, try evaluate(expression))) }
        if let more = arguments.morePositional { values.positional += try elements(evaluate(more)) }
        if let more = arguments.moreNamed {
            guard case .dictionary(let mapping) = try evaluate(more) else { throw TemplateFailure("what follows ** is no dictionary", at: more.place) }
            for (key, value) in zip(mapping.keys, mapping.values) {
                guard case .string(let name) = key else { throw TemplateFailure("a key after ** is no string", at: more.place) }
                values.named.append((name.description, value))
            }
        }
        return values
    }

    private func evaluateCall(_ callee: Expression, _ arguments: Arguments, _ place: Int) throws -> Value {
        // A method's owner and name at once: nothing is made to stand for the two.
        if case .attribute(let ownerExpression, let name) = callee.kind {
            let owner = try evaluate(ownerExpression)
            self.place = callee.place
            if let method = try method(name, of: owner) {
                let values = try evaluate(arguments)
                self.place = place
                return try callMethod(method, of: owner, values)
            }
            let function = try attribute(name, of: owner)
            let values = try evaluate(arguments)
            self.place = place
            return try call(function, values)
        }
        let function = try evaluate(callee)
        let values = try evaluate(arguments)
        self.place = place
        return try call(function, values)
    }
}
