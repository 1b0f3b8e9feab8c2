/// Operators on values of all kinds.
extension Interpreter {
    func add(_ left: Value, _ right: Value) throws -> Value {
        switch (left, right) {
        case (.string(var text), .string(let more)):
            if text.isMarkup != more.isMarkup { return try string(Operators.joinedMarkup(text, more)) }
            text.append(more)
            return try string(text)
        case (.sequence(let a), .sequence(let b)) where a.kind == .list && b.kind == .list: return try list(a.elements + b.elements)
        case (.sequence(let a), .sequence(let b)) where (a.kind == .tuple || a.kind == .group) && (b.kind == .tuple || b.kind == .group):
            return try list(a.elements + b.elements, .tuple)
        default:
            guard let a = Operators.number(left), let b = Operators.number(right) else { throw Operators.unfit("+", left, right) }
            guard let a = a.integer, let b = b.integer else { return .float(a.double + b.double) }
            let (sum, overflows) = a.addingReportingOverflow(b)
            return .integer(try Operators.checked(sum, overflows))
        }
    }

    func arithmetic(_ operation: Arithmetic, _ left: Value, _ right: Value) throws -> Value {
        if let a = Operators.number(left), let b = Operators.number(right) { return try Operators.numbers(operation, a, b) }
        switch (operation, left, right) {
        case (.modulo, .string(let format), _): return try string(try PercentFormat.format(format, right, self))
        case (.multiply, _, _):
            if let count = Operators.number(right)?.integer, let result = try repeated(left, count) { return result }
            if let count = Operators.number(left)?.integer, let result = try repeated(right, count) { return result }
        default: break
        }
        let name = switch operation {
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .floorDivide: "//"
        case .modulo: "%"
        case .power: "**"
        }
        throw Operators.unfit(name, left, right)
    }

    private func repeated(_ value: Value, _ count: Int) throws -> Value? {
        let count = max(0, count)
        switch value {
        case .string(let text):
            let (total, overflows) = text.count.multipliedReportingOverflow(by: count)
            try budget.handle(overflows ? Int.max / 2 : total)
            var result = MarkedText()
            if !text.isEmpty { for _ in 0 ..< count { result.append(text) } }
            result.isMarkup = text.isMarkup
            return .string(result)
        case .sequence(let items) where items.kind == .list || items.kind == .tuple || items.kind == .group:
            let (total, overflows) = items.elements.count.multipliedReportingOverflow(by: count)
            try budget.step(overflows ? Int.max / 2 : total)
            guard total > 0 else { return try list([], items.kind == .list ? .list : .tuple) }
            return try list((0 ..< count).flatMap { _ in items.elements }, items.kind == .list ? .list : .tuple)
        default: return nil
        }
    }

    // MARK: - Comparison

    func equal(_ left: Value, _ right: Value) throws -> Bool {
        try budget.step()
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let a), .string(let b)):
            if !a.hasPlaceholders, !b.hasPlaceholders, a.size != b.size { return false }
            try budget.handle(a.size)
            return a.equals(b)
        case (.sequence(let a), .sequence(let b)):
            guard Interpreter.comparable(a, b), a.elements.count == b.elements.count else { return false }
            return try deeper {
                for (x, y) in zip(a.elements, b.elements) where !(try equal(x, y)) { return false }
                return true
            }
        case (.dictionary(let a), .dictionary(let b)):
            guard a.count == b.count else { return false }
            return try deeper {
                for (key, value) in zip(a.keys, a.values) {
                    guard let hashed = Key(key), let other = b[hashed], try equal(value, other) else { return false }
                }
                return true
            }
        case (.namespace(let a), .namespace(let b)): return a === b
        case (.object(let a), .object(let b)): return a === b
        case (.callable(let a), .callable(let b)): return a === b
        default:
            guard let a = Operators.number(left), let b = Operators.number(right) else { return false }
            if let a = a.integer, let b = b.integer { return a == b }
            return a.double == b.double
        }
    }

    private func deeper<Result>(_ body: () throws -> Result) throws -> Result {
        try budget.enter()
        defer { budget.leave() }
        return try body()
    }

    private static func comparable(_ a: Items, _ b: Items) -> Bool {
        func kind(_ items: Items) -> Items.Kind { items.kind == .group ? .tuple : items.kind }
        return kind(a) == kind(b) && (a.kind != .values || a === b)
    }

    /// Whether the left value is less (-1), equal (0) or greater (1) than the right; 2 where a NaN is neither.
    func order(_ left: Value, _ right: Value, _ name: String) throws -> Int {
        try budget.step()
        switch (left, right) {
        case (.string(let a), .string(let b)):
            try budget.handle(min(a.count, b.count))
            return a.bytes == b.bytes ? 0 : a.bytes.lexicographicallyPrecedes(b.bytes) ? -1 : 1
        case (.sequence(let a), .sequence(let b)) where Interpreter.comparable(a, b) && [.list, .tuple, .group].contains(a.kind):
            return try deeper {
                for (x, y) in zip(a.elements, b.elements) where !(try equal(x, y)) { return try order(x, y, name) }
                return a.elements.count == b.elements.count ? 0 : a.elements.count < b.elements.count ? -1 : 1
            }
        default:
            guard let a = Operators.number(left), let b = Operators.number(right) else { throw Operators.unfit(name, left, right) }
            if let a = a.integer, let b = b.integer { return a == b ? 0 : a < b ? -1 : 1 }
            return a.double == b.double ? 0 : a.double < b.double ? -1 : a.double > b.double ? 1 : 2
        }
    }

    /// `value in container`
    func contains(_ container: Value, _ value: Value) throws -> Bool {
        switch container {
        case .string(let text):
            let part = try requireString(value, "what is looked for in a string")
            try budget.handle(text.size)
            return text.contains(part)
        case .dictionary(let mapping):
            guard let key = Key(value) else { throw TemplateFailure("a \(value.typeName) cannot be a key of a dictionary") }
            return mapping[key] != nil
        case .sequence, .undefined, .object:
            for element in try elements(container) where try equal(element, value) { return true }
            return false
        default: throw TemplateFailure("a \(container.typeName) cannot be looked through")
        }
    }
}
