extension Parser {
    /// The whole template.
    mutating func parseTemplate() throws -> [Statement] {
        let statements = try parseBody(until: [])
        guard current == .end else { throw failure("found {% \(current.description) %}, which closes nothing") }
        return statements
    }

    /// Statements up to the tag that starts with one of the words, which becomes the current token; to the end of the template where there are no words.
    private mutating func parseBody(until words: [String]) throws -> [Statement] {
        try nested { parser in
            let start = parser.place
            var statements: [Statement] = []
            while true {
                switch parser.current {
                case .data(let bytes):
                    statements.append(.text(MarkedText(bytes)))
                    parser.advance()
                case .variableBegin:
                    parser.advance()
                    statements.append(.print(try parser.parseTuple()))
                    try parser.expect(.variableEnd)
                case .blockBegin:
                    parser.advance()
                    guard case .name(let word) = parser.current else { throw parser.expected("a tag's name") }
                    if words.contains(word) { return statements }
                    statements += try parser.parseStatement(word)
                    try parser.expect(.blockEnd)
                case .end:
                    guard words.isEmpty else { throw TemplateFailure("a tag without {% \(words[words.count - 1]) %}", at: start) }
                    return statements
                default: throw parser.expected("text or a tag")
                }
            }
        }
    }

    /// The rest of a tag, the statements that it holds, and the word that ends them.
    private mutating func parseBlock(_ words: String...) throws -> [Statement] {
        _ = skip(.colon)
        try expect(.blockEnd)
        return try parseBody(until: words)
    }

    private mutating func parseStatement(_ word: String) throws -> [Statement] {
        let start = place
        advance()
        switch word {
        case "if": return [try parseIf()]
        case "for": return [try parseFor(start)]
        case "set": return [try parseSet()]
        case "macro": return [try parseMacro()]
        case "call": return [try parseCall(start)]
        case "filter":
            guard let filter = try parseFilter(nil, startsInline: true) else { throw expected("a filter") }
            let body = try parseBlock("endfilter")
            advance()
            return [.filterBlock(filter, body)]
        case "with": return [try parseWith()]
        case "generation":
            let outer = loops
            loops = 0
            let body = try parseBlock("endgeneration")
            loops = outer
            advance()
            return [.generation(body)]
        case "print":
            var values: [Statement] = []
            while current != .blockEnd {
                if !values.isEmpty { try expect(.comma) }
                values.append(.print(try parseExpression()))
            }
            return values
        case "break", "continue":
            guard loops > 0 else { throw TemplateFailure("\(word) outside of a loop", at: start) }
            return [word == "break" ? .breakLoop : .continueLoop]
        case "include", "import", "from", "extends", "block", "autoescape":
            throw TemplateFailure("{% \(word) %} is not supported: a chat template is one file", at: start)
        default: throw TemplateFailure("{% \(word) %} is not known", at: start)
        }
    }

    private mutating func parseIf() throws -> Statement {
        var branches: [(condition: Expression, body: [Statement])] = []
        while true {
            let condition = try parseTuple(withConditions: false)
            branches.append((condition, try parseBlock("elif", "else", "endif")))
            if skip(word: "elif") { continue }
            if skip(word: "else") {
                let otherwise = try parseBlock("endif")
                advance()
                return .branches(branches, otherwise: otherwise)
            }
            advance()
            return .branches(branches, otherwise: [])
        }
    }

    private mutating func parseFor(_ start: Int) throws -> Statement {
        let target = try parseTarget(withMembers: false, endsAtIn: true)
        guard skip(word: "in") else { throw expected("in") }
        let sequence = try parseTuple(withConditions: false, endWords: ["recursive"])
        let condition = skip(word: "if") ? try parseExpression() : nil
        let isRecursive = skip(word: "recursive")
        loops += 1
        let body = try parseBlock("endfor", "else")
        loops -= 1
        var otherwise: [Statement] = []
        if skip(word: "else") { otherwise = try parseBlock("endfor") }
        advance()
        return .loop(LoopDefinition(
            target: target, sequence: sequence, condition: condition, isRecursive: isRecursive, body: body, otherwise: otherwise, place: start))
    }

    private mutating func parseSet() throws -> Statement {
        let target = try parseTarget(withMembers: true)
        if skip(.assign) { return .set(target, try parseTuple()) }
        let filter = try parseFilter(nil, startsInline: false)
        let body = try parseBlock("endset")
        advance()
        return .setBlock(target, filter: filter, body)
    }

    private mutating func parseWith() throws -> Statement {
        var values: [(target: Target, value: Expression)] = []
        while current != .blockEnd {
            if !values.isEmpty { try expect(.comma) }
            let target = try parseTarget(withMembers: false)
            try expect(.assign)
            values.append((target, try parseExpression()))
        }
        let body = try parseBlock("endwith")
        advance()
        return .with(values, body)
    }

    // MARK: - Macros

    private mutating func parseMacro() throws -> Statement {
        let name = try expectName()
        return .macro(number(of: name), try parseDefinition(name, hasSignature: true, "endmacro"))
    }

    private mutating func parseCall(_ start: Int) throws -> Statement {
        let hasSignature = current == .symbol(.leftParenthesis)
        let signature = hasSignature ? try parseSignature() : []
        let call = try parseExpression()
        guard case .call(let callee, let arguments) = call.kind else { throw TemplateFailure("{% call %} needs a call, as in {% call macro() %}", at: start) }
        return .callBlock(callee, arguments, try parseDefinition("caller", signature: signature, "endcall"), place: call.place)
    }

    private mutating func parseSignature() throws -> [(id: NameID, name: String, standard: Expression?)] {
        try expect(.leftParenthesis)
        var parameters: [(id: NameID, name: String, standard: Expression?)] = []
        while !skip(.rightParenthesis) {
            if !parameters.isEmpty { try expect(.comma) }
            let name = try expectName()
            guard !parameters.contains(where: { $0.name == name }) else { throw failure("two parameters are named \(name)") }
            let standard = skip(.assign) ? try parseExpression() : nil
            guard standard != nil || parameters.last?.standard == nil else {
                throw failure("\(name) has no default value and stands after a parameter that has one")
            }
            parameters.append((number(of: name), name, standard))
        }
        return parameters
    }

    private mutating func parseDefinition(
        _ name: String, hasSignature: Bool = false, signature: [(id: NameID, name: String, standard: Expression?)] = [], _ end: String
    ) throws -> MacroDefinition {
        mentions.append([])
        let outer = loops
        loops = 0
        let parameters = hasSignature ? try parseSignature() : signature
        let body = try parseBlock(end)
        loops = outer
        advance()
        return MacroDefinition(name: name, parameters: parameters, body: body, uses: mentions.removeLast())
    }

    // MARK: - Targets

    /// What a value is given to: a name, a namespace's member, or several.
    private mutating func parseTarget(withMembers: Bool, endsAtIn: Bool = false) throws -> Target {
        let start = place
        var targets: [Target] = [], isTuple = false
        while true {
            let ends = endsAtIn && isWord("in") || current == .symbol(.assign) || current == .blockEnd || current == .symbol(.rightParenthesis)
            if ends, !targets.isEmpty { break }
            targets.append(try parseSingleTarget(withMembers))
            guard skip(.comma) else { break }
            isTuple = true
        }
        return isTuple ? .tuple(targets, place: start) : targets[0]
    }

    private mutating func parseSingleTarget(_ withMembers: Bool) throws -> Target {
        let start = place
        if skip(.leftParenthesis) {
            let target = try nested { try $0.parseTarget(withMembers: withMembers) }
            try expect(.rightParenthesis)
            return target
        }
        let name = try expectName()
        guard !["true", "false", "none", "True", "False", "None"].contains(name) else { throw TemplateFailure("nothing can be assigned to \(name)", at: start) }
        let id = number(of: name)
        if withMembers, skip(.dot) {
            mention(id)
            return .member(id, MarkedText(try expectName()), place: start)
        }
        return .name(id)
    }
}
