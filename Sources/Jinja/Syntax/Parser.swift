/// Tokens to a tree: the state that statements and expressions share.
struct Parser {
    private let tokens: [(token: Token, place: Int)]
    private var index = 0
    /// Names by their numbers.
    private(set) var names: [String] = NameID.reserved
    private var numbers: [String: NameID] = [:]
    /// Loops around a statement, within the innermost macro: what `break` and `continue` need.
    var loops = 0
    /// For each macro around, which of the names that a call may fill were mentioned in it.
    var mentions: [Set<NameID>] = []
    private var depth = 0

    /// How many tags and parentheses may stand inside one another.
    private static let greatestDepth = 150

    init(_ tokens: [(token: Token, place: Int)]) {
        self.tokens = tokens
        for (number, name) in names.enumerated() { numbers[name] = NameID(index: Int32(number)) }
    }

    var current: Token { tokens[index].token }
    var place: Int { tokens[index].place }
    var following: Token { tokens[min(index + 1, tokens.count - 1)].token }

    mutating func advance() { index = min(index + 1, tokens.count - 1) }

    mutating func skip(_ token: Token) -> Bool {
        guard current == token else { return false }
        advance()
        return true
    }

    mutating func skip(_ symbol: Token.Symbol) -> Bool { skip(.symbol(symbol)) }
    mutating func skip(word: String) -> Bool { skip(.name(word)) }

    func isWord(_ words: String...) -> Bool {
        if case .name(let name) = current { words.contains(name) } else { false }
    }

    func failure(_ message: String) -> TemplateFailure { TemplateFailure(message, at: place) }
    func expected(_ what: String) -> TemplateFailure { failure("found \(current.description), expected \(what)") }

    mutating func expect(_ token: Token) throws {
        guard skip(token) else { throw expected(token.description) }
    }

    mutating func expect(_ symbol: Token.Symbol) throws { try expect(.symbol(symbol)) }

    mutating func expectName() throws -> String {
        guard case .name(let name) = current else { throw expected("a name") }
        advance()
        return name
    }

    mutating func number(of name: String) -> NameID {
        if let number = numbers[name] { return number }
        let number = NameID(index: Int32(names.count))
        names.append(name)
        numbers[name] = number
        return number
    }

    /// Notes that a name is read.
    mutating func mention(_ name: NameID) {
        guard name == .caller || name == .varargs || name == .kwargs else { return }
        for index in mentions.indices { mentions[index].insert(name) }
    }

    /// Runs what parses something that may hold its like.
    mutating func nested<Result>(_ parse: (inout Parser) throws -> Result) throws -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Parser.greatestDepth else { throw failure("more than \(Parser.greatestDepth) tags and parentheses inside one another") }
        return try parse(&self)
    }
}
