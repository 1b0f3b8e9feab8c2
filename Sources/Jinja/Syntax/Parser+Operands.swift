/// What operators join: values, with the subscripts, calls, filters and tests that follow them.
extension Parser {
    mutating func parsePrimary() throws -> Expression {
        let start = place
        switch current {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return try Expression(.boolean(true), at: start)
            case "false", "False": return try Expression(.boolean(false), at: start)
            case "none", "None": return try Expression(.none, at: start)
            default:
                let id = number(of: name)
                mention(id)
                return try Expression(.name(id), at: start)
            }
        case .string(let first):
            var bytes = first
            advance()
            while case .string(let more) = current {
                bytes += more
                advance()
            }
            return try Expression(.string(MarkedText(bytes)), at: start)
        case .integer(let value):
            advance()
            return try Expression(.integer(value), at: start)
        case .float(let value):
            advance()
            return try Expression(.float(value), at: start)
        case .symbol(.leftParenthesis):
            advance()
            let value = try parseTuple(inParentheses: true)
            try expect(.rightParenthesis)
            return value
        case .symbol(.leftBracket):
            advance()
            var elements: [Expression] = []
            while !skip(.rightBracket) {
                if !elements.isEmpty { try expect(.comma) }
                if skip(.rightBracket) { break }
                elements.append(try parseExpression())
            }
            return try Expression(.list(elements), at: start, elements)
        case .symbol(.leftBrace):
            advance()
            var members: [(key: Expression, value: Expression)] = []
            while !skip(.rightBrace) {
                if !members.isEmpty { try expect(.comma) }
                if skip(.rightBrace) { break }
                let key = try parseExpression()
                try expect(.colon)
                members.append((key, try parseExpression()))
            }
            return try Expression(.dictionary(members), at: start, members.flatMap { [$0.key, $0.value] })
        default: throw expected("an expression")
        }
    }

    // MARK: - What follows a value

    mutating func parsePostfix(_ value: Expression) throws -> Expression {
        var value = value
        while true {
            switch current {
            case .symbol(.dot), .symbol(.leftBracket): value = try parseSubscript(value)
            case .symbol(.leftParenthesis): value = try parseCall(value)
            default: return value
            }
        }
    }

    mutating func parseFiltersAndTests(_ value: Expression) throws -> Expression {
        var value = value
        while true {
            switch current {
            case .symbol(.pipe): value = try parseFilter(value, startsInline: false) ?? value
            case .name("is"): value = try parseTest(value)
            case .symbol(.leftParenthesis): value = try parseCall(value)
            default: return value
            }
        }
    }

    private mutating func parseSubscript(_ value: Expression) throws -> Expression {
        let start = place
        if skip(.dot) {
            switch current {
            case .name(let name):
                advance()
                return try Expression(.attribute(value, MarkedText(name)), at: start, value)
            case .integer(let index):
                advance()
                return try Expression(.item(value, try Expression(.integer(index), at: start)), at: start, value)
            default: throw expected("a name or a number")
            }
        }
        try expect(.leftBracket)
        let first = current == .symbol(.colon) ? nil : try parseExpression()
        if skip(.colon) { return try parseSlice(of: value, from: first, start) }
        guard var index = first else { throw expected("an expression") }
        if current == .symbol(.comma) {
            var parts = [index]
            while skip(.comma), current != .symbol(.rightBracket) { parts.append(try parseExpression()) }
            index = try Expression(.tuple(parts), at: start, parts)
        }
        try expect(.rightBracket)
        return try Expression(.item(value, index), at: start, value, index)
    }

    /// The rest of `[start:end:step]`, each of which may be missing.
    private mutating func parseSlice(of value: Expression, from first: Expression?, _ start: Int) throws -> Expression {
        func ends() -> Bool { current == .symbol(.colon) || current == .symbol(.rightBracket) }
        let second = ends() ? nil : try parseExpression()
        let third = skip(.colon) && !ends() ? try parseExpression() : nil
        try expect(.rightBracket)
        return try Expression(.slice(value, start: first, end: second, step: third), at: start, value, first, second, third)
    }

    private mutating func parseCall(_ callee: Expression) throws -> Expression {
        let start = place
        let arguments = try parseArguments()
        return try Expression(.call(callee, arguments), at: start, [callee] + arguments.parts)
    }

    private mutating func parseArguments() throws -> Arguments {
        try expect(.leftParenthesis)
        var arguments = Arguments()
        var isFirst = true
        while !skip(.rightParenthesis) {
            if !isFirst {
                try expect(.comma)
                if skip(.rightParenthesis) { break }
            }
            isFirst = false
            let misplaced = failure("an argument in the wrong place: values first, then names with values, then ** ")
            if skip(.multiply) {
                guard arguments.morePositional == nil, arguments.moreNamed == nil else { throw misplaced }
                arguments.morePositional = try parseExpression()
            } else if skip(.power) {
                guard arguments.moreNamed == nil else { throw misplaced }
                arguments.moreNamed = try parseExpression()
            } else if case .name(let name) = current, following == .symbol(.assign) {
                guard arguments.moreNamed == nil, !arguments.named.contains(where: { $0.name == name }) else { throw misplaced }
                advance()
                advance()
                arguments.named.append((name, try parseExpression()))
            } else {
                guard arguments.isPlain else { throw misplaced }
                arguments.positional.append(try parseExpression())
            }
        }
        return arguments
    }

    /// Filters one after another; without an operand the first takes what a block holds.
    mutating func parseFilter(_ operand: Expression?, startsInline: Bool) throws -> Expression? {
        var value = operand
        var isInline = startsInline
        while isInline || current == .symbol(.pipe) {
            if !isInline { advance() }
            isInline = false
            let start = place
            var name = try expectName()
            while skip(.dot) { name += "." + (try expectName()) }
            let arguments = current == .symbol(.leftParenthesis) ? try parseArguments() : Arguments()
            value = try Expression(.filter(value, name: name, Filter(rawValue: name), arguments), at: start, [value] + arguments.parts)
        }
        return value
    }

    private mutating func parseTest(_ value: Expression) throws -> Expression {
        advance()
        let isNegated = skip(word: "not")
        let start = place
        var name = try expectName()
        while skip(.dot) { name += "." + (try expectName()) }
        var arguments = Arguments()
        switch current {
        case .symbol(.leftParenthesis): arguments = try parseArguments()
        case .name("else"), .name("or"), .name("and"): break
        case .name("is"): throw failure("two tests in a row; join them by and")
        case .name, .string, .integer, .float, .symbol(.leftBracket), .symbol(.leftBrace):
            arguments.positional = [try parsePostfix(try parsePrimary())]
        default: break
        }
        let test = try Expression(.test(value, name: name, Test(rawValue: name), arguments), at: start, [value] + arguments.parts)
        return isNegated ? try Expression(.not(test), at: start, test) : test
    }
}
