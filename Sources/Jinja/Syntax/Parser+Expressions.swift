/// Expressions, by the precedence of the language: conditions, `or`, `and`, `not`, comparisons, + -, ~, * / // %, **, signs, filters and tests.
extension Parser {
    mutating func parseExpression(withConditions: Bool = true) throws -> Expression {
        try nested { parser in withConditions ? try parser.parseCondition() : try parser.parseOr() }
    }

    /// One expression, or a tuple of several with commas between.
    mutating func parseTuple(withConditions: Bool = true, endWords: [String] = [], inParentheses: Bool = false) throws -> Expression {
        let start = place
        var parts: [Expression] = [], isTuple = false
        while true {
            if !parts.isEmpty { try expect(.comma) }
            if endsTuple(endWords) { break }
            parts.append(try parseExpression(withConditions: withConditions))
            guard current == .symbol(.comma) else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = parts.first { return only }
            guard inParentheses else { throw expected("an expression") }
        }
        return try Expression(.tuple(parts), at: start, parts)
    }

    private func endsTuple(_ words: [String]) -> Bool {
        switch current {
        case .variableEnd, .blockEnd, .symbol(.rightParenthesis): true
        case .name(let name): words.contains(name)
        default: false
        }
    }

    private mutating func parseCondition() throws -> Expression {
        var value = try parseOr()
        while isWord("if") {
            let start = place
            advance()
            let condition = try parseOr()
            let otherwise = skip(word: "else") ? try nested { try $0.parseCondition() } : nil
            value = try Expression(.condition(condition, then: value, otherwise: otherwise), at: start, condition, value, otherwise)
        }
        return value
    }

    private mutating func parseOr() throws -> Expression {
        var left = try parseAnd()
        while isWord("or") {
            let start = place
            advance()
            let right = try parseAnd()
            left = try Expression(.or(left, right), at: start, left, right)
        }
        return left
    }

    private mutating func parseAnd() throws -> Expression {
        var left = try parseNot()
        while isWord("and") {
            let start = place
            advance()
            let right = try parseNot()
            left = try Expression(.and(left, right), at: start, left, right)
        }
        return left
    }

    private mutating func parseNot() throws -> Expression {
        guard isWord("not") else { return try parseComparison() }
        let start = place
        advance()
        let operand = try nested { try $0.parseNot() }
        return try Expression(.not(operand), at: start, operand)
    }

    private mutating func parseComparison() throws -> Expression {
        let first = try parseSum()
        var others: [(Comparison, Expression)] = []
        let start = place
        while let comparison = takeComparison() { others.append((comparison, try parseSum())) }
        return others.isEmpty ? first : try Expression(.comparison(first, others), at: start, [first] + others.map(\.1))
    }

    private mutating func takeComparison() -> Comparison? {
        let comparison: Comparison
        switch current {
        case .symbol(.equal): comparison = .equal
        case .symbol(.notEqual): comparison = .notEqual
        case .symbol(.less): comparison = .less
        case .symbol(.lessOrEqual): comparison = .lessOrEqual
        case .symbol(.greater): comparison = .greater
        case .symbol(.greaterOrEqual): comparison = .greaterOrEqual
        case .name("in"): comparison = .contained
        case .name("not"):
            guard following == .name("in") else { return nil }
            advance()
            comparison = .notContained
        default: return nil
        }
        advance()
        return comparison
    }

    private mutating func parseSum() throws -> Expression {
        var terms = [try parseConcatenation()]
        var start = place
        func sum() throws -> Expression { terms.count == 1 ? terms[0] : try Expression(.sum(terms), at: start, terms) }
        while true {
            let here = place
            if skip(.add) {
                if terms.count == 1 { start = here }
                terms.append(try parseConcatenation())
            } else if skip(.subtract) {
                let left = try sum(), right = try parseConcatenation()
                terms = [try Expression(.arithmetic(.subtract, left, right), at: here, left, right)]
            } else {
                return try sum()
            }
        }
    }

    private mutating func parseConcatenation() throws -> Expression {
        var parts = [try parseProduct()]
        let start = place
        while skip(.tilde) { parts.append(try parseProduct()) }
        return parts.count == 1 ? parts[0] : try Expression(.concatenation(parts), at: start, parts)
    }

    private mutating func parseProduct() throws -> Expression {
        var left = try parsePower()
        while true {
            let start = place
            let operation: Arithmetic
            switch current {
            case .symbol(.multiply): operation = .multiply
            case .symbol(.divide): operation = .divide
            case .symbol(.floorDivide): operation = .floorDivide
            case .symbol(.modulo): operation = .modulo
            default: return left
            }
            advance()
            let right = try parsePower()
            left = try Expression(.arithmetic(operation, left, right), at: start, left, right)
        }
    }

    private mutating func parsePower() throws -> Expression {
        var left = try parseSigned(withFilters: true)
        while current == .symbol(.power) {
            let start = place
            advance()
            let right = try parseSigned(withFilters: true)
            left = try Expression(.arithmetic(.power, left, right), at: start, left, right)
        }
        return left
    }

    private mutating func parseSigned(withFilters: Bool) throws -> Expression {
        let start = place
        var value: Expression
        if skip(.subtract) {
            let operand = try nested { try $0.parseSigned(withFilters: false) }
            value = try Expression(.negative(operand), at: start, operand)
        } else if skip(.add) {
            let operand = try nested { try $0.parseSigned(withFilters: false) }
            value = try Expression(.positive(operand), at: start, operand)
        } else {
            value = try parsePrimary()
        }
        value = try parsePostfix(value)
        return withFilters ? try parseFiltersAndTests(value) : value
    }
}
