/// What `is` asks.
enum Test: String, CaseIterable {
    case boolean, callable, defined, divisibleby, escaped, even, filter, float, `in`, integer, iterable, lower, mapping, none, number, odd, sameas
    case sequence, string, test, undefined, upper
    case isTrue = "true", isFalse = "false"
    case equal = "eq", equalTo = "equalto", equalSign = "==", notEqual = "ne", notEqualSign = "!="
    case greater = "gt", greaterThan = "greaterthan", greaterSign = ">", greaterOrEqual = "ge", greaterOrEqualSign = ">="
    case less = "lt", lessThan = "lessthan", lessSign = "<", lessOrEqual = "le", lessOrEqualSign = "<="
}

extension Interpreter {
    func check(_ test: Test, _ value: Value, _ values: CallValues) throws -> Bool {
        func other() throws -> Value {
            guard values.named.isEmpty, values.positional.count == 1 else { throw TemplateFailure("the test \(test.rawValue) takes one value to compare with") }
            return values.positional[0]
        }
        switch test {
        case .equal, .equalTo, .equalSign: return try equal(value, try other())
        case .notEqual, .notEqualSign: return !(try equal(value, try other()))
        case .greater, .greaterThan, .greaterSign: return try order(value, try other(), ">") == 1
        case .greaterOrEqual, .greaterOrEqualSign: return [0, 1].contains(try order(value, try other(), ">="))
        case .less, .lessThan, .lessSign: return try order(value, try other(), "<") == -1
        case .lessOrEqual, .lessOrEqualSign: return try order(value, try other(), "<=") <= 0
        case .in: return try contains(try other(), value)
        case .sameas: return try isSame(value, try other())
        case .divisibleby:
            guard case .integer(0) = try arithmetic(.modulo, value, try other()) else {
                if case .float(0) = try arithmetic(.modulo, value, try other()) { return true }
                return false
            }
            return true
        default:
            try values.requireNone(for: "the test \(test.rawValue)")
            return try check(test, value)
        }
    }

    private func check(_ test: Test, _ value: Value) throws -> Bool {
        switch (test, value) {
        case (.defined, _): return !value.isUndefined
        case (.undefined, _): return value.isUndefined
        case (.none, _): return value.isNone
        case (.boolean, .boolean), (.integer, .integer), (.float, .float), (.string, .string), (.mapping, .dictionary), (.callable, .callable): return true
        case (.callable, .object(let object)): return object is Loop || object is Joiner
        // Undefined can be called, and fails.
        case (.callable, .undefined): return true
        case (.isTrue, .boolean(let flag)): return flag
        case (.isFalse, .boolean(let flag)): return !flag
        case (.number, .integer), (.number, .float), (.number, .boolean): return true
        case (.sequence, .string), (.sequence, .dictionary), (.sequence, .undefined): return true
        case (.sequence, .sequence(let items)): return [.list, .tuple, .range, .group].contains(items.kind)
        case (.iterable, .string), (.iterable, .dictionary), (.iterable, .sequence), (.iterable, .undefined): return true
        case (.iterable, .object(let object)): return object is Iteration || object is Loop
        case (.escaped, .string(let text)): return text.isMarkup
        case (.lower, _): return try text(value).isCased { $0.properties.isLowercase }
        case (.upper, _): return try text(value).isCased { $0.properties.isUppercase }
        case (.odd, _), (.even, _):
            let remainder = try arithmetic(.modulo, value, .integer(2))
            return try equal(remainder, .integer(test == .odd ? 1 : 0))
        case (.filter, _), (.test, _):
            guard Key(value) != nil || value.isUndefined else { throw TemplateFailure("a \(value.typeName) is no name") }
            guard case .string(let name) = value else { return false }
            return test == .filter ? Filter(rawValue: name.description) != nil : Test(rawValue: name.description) != nil
        default: return false
        }
    }

    /// Whether two are one thing. Numbers and strings are when they are equal and of one kind.
    private func isSame(_ left: Value, _ right: Value) throws -> Bool {
        switch (left, right) {
        case (.sequence(let a), .sequence(let b)): a === b
        case (.dictionary(let a), .dictionary(let b)): a === b
        case (.boolean, .boolean), (.integer, .integer), (.float, .float), (.string, .string), (.none, .none), (.namespace, .namespace), (.object, .object):
            try equal(left, right)
        default: false
        }
    }
}
