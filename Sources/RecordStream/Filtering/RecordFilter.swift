import SystemIO

/// A condition on records: comparisons of facts with numbers or texts, joined by `and`, `or`, `not` and parentheses.
///
///     expression = term { "or" term }        term = factor { "and" factor }        factor = "not" factor | "(" expression ")" | comparison
///     comparison = fact ("=" | "!=" | "<" | "<=" | ">" | ">=") value                texts only with = and !=; a value with spaces stands in quotes, ' or "
///
/// Facts are those of `RecordFact`. For a bin, `source = x` holds when one of its records comes from x, and `source != x` when none does.
public struct RecordFilter: Sendable {
    /// As it was given.
    public let text: String
    private let test: FilterParser.Test

    /// What every command that takes a condition says of it in its help.
    public static let help =
        """
        A condition compares facts of a record with numbers or texts (fact = value; also !=, <, <=, >, >=), joined by and, or, not and parentheses: id, \
        source, origin_input, origin_line; length (prompt with longest response, in bytes or tokens; tokens of a bin), responses, dimensions (their \
        numbers), ties (dimensions in which two responses have the same rating), missing (ratings that are not there), gap (the largest difference \
        between two responses' mean ratings, over the dimensions that rate each). A text with spaces stands in quotes. A bin is asked about all its records.
        """

    /// Throws (usage) with the column of the first thing that is wrong, or for a fact that the kind does not have.
    public init(_ text: String, schema: Schema) throws {
        self.text = text
        // Facts are found by the names of columns, and what those hold is known of these schemas only.
        guard StreamHead.knownSchemas.contains(schema) else {
            throw InputError("--where: \(schema.kind) records in columns that this release does not know; nothing can be asked about them", status: .usage)
        }
        var parser = try FilterParser(text, schema: schema)
        test = try parser.parse()
    }

    /// Whether record `index` of a block of that schema, which keeps the rules of its kind, meets the condition.
    public func matches(_ block: Block, _ index: Int) throws -> Bool {
        try block.validate(index)
        return test(block, index)
    }
}

private struct FilterParser {
    typealias Test = @Sendable (Block, Int) -> Bool

    private struct Token {
        /// Quotes taken off.
        var text: String
        var isQuoted = false
        var column: Int
    }

    private static let comparisons = ["=", "==", "!=", "<", "<=", ">", ">="]
    private let schema: Schema
    private var tokens: [Token] = []
    private var at = 0
    private let end: Int

    init(_ text: String, schema: Schema) throws {
        self.schema = schema
        let characters = Array(text)
        end = characters.count + 1
        var position = 0
        while position < characters.count {
            let start = position, character = characters[start]
            position += 1
            switch character {
            case " ", "\t", "\n": continue
            case "(", ")": tokens.append(Token(text: String(character), column: start + 1))
            case "=", "!", "<", ">":
                if position < characters.count, characters[position] == "=" { position += 1 }
                tokens.append(Token(text: String(characters[start ..< position]), column: start + 1))
            case "'", "\"":
                guard let close = characters[position...].firstIndex(of: character) else { throw fault(start + 1, "the quotes are not closed") }
                tokens.append(Token(text: String(characters[position ..< close]), isQuoted: true, column: start + 1))
                position = close + 1
            default:
                while position < characters.count, !" \t\n()=!<>'\"".contains(characters[position]) { position += 1 }
                tokens.append(Token(text: String(characters[start ..< position]), column: start + 1))
            }
        }
    }

    mutating func parse() throws -> Test {
        let test = try expression()
        guard at == tokens.count else { throw expected("and, or, or the end") }
        return test
    }

    private mutating func expression() throws -> Test {
        var test = try term()
        while take("or") {
            let left = test, right = try term()
            test = { left($0, $1) || right($0, $1) }
        }
        return test
    }

    private mutating func term() throws -> Test {
        var test = try factor()
        while take("and") {
            let left = test, right = try factor()
            test = { left($0, $1) && right($0, $1) }
        }
        return test
    }

    private mutating func factor() throws -> Test {
        if take("not") {
            let test = try factor()
            return { !test($0, $1) }
        }
        if take("(") {
            let test = try expression()
            guard take(")") else { throw expected("and, or, or )") }
            return test
        }
        return try comparison()
    }

    private mutating func comparison() throws -> Test {
        let known = RecordFact.allCases.filter { $0.texts(in: schema) != nil || $0.number(in: schema) != nil }.map(\.rawValue).joined(separator: ", ")
        guard at < tokens.count, !tokens[at].isQuoted, let fact = RecordFact(rawValue: tokens[at].text) else { throw expected("not, ( or one of \(known)") }
        let place = tokens[at].column
        at += 1
        guard at < tokens.count, !tokens[at].isQuoted, FilterParser.comparisons.contains(tokens[at].text) else { throw expected("=, !=, <, <=, > or >=") }
        let comparison = tokens[at]
        at += 1
        guard at < tokens.count, tokens[at].isQuoted || !["(", ")"].contains(tokens[at].text) && !FilterParser.comparisons.contains(tokens[at].text) else {
            throw expected(fact.isText ? "a text" : "a number")
        }
        let value = tokens[at]
        at += 1
        if let texts = fact.texts(in: schema) {
            let bytes = Array(value.text.utf8)
            switch comparison.text {
            case "=", "==": return { texts($0, $1).contains(bytes) }
            case "!=": return { !texts($0, $1).contains(bytes) }
            default: throw fault(comparison.column, "\(fact.rawValue) is a text: it is compared with = or !=")
            }
        }
        guard let number = fact.number(in: schema) else { throw fault(place, "\(schema.kind) records have no \(fact.rawValue); they have \(known)") }
        guard !value.isQuoted, let limit = Double(value.text), limit.isFinite else { throw fault(value.column, "expected a number, found \(value.text)") }
        switch comparison.text {
        case "=", "==": return { number($0, $1) == limit }
        case "!=": return { number($0, $1) != limit }
        case "<": return { number($0, $1) < limit }
        case "<=": return { number($0, $1) <= limit }
        case ">": return { number($0, $1) > limit }
        default: return { number($0, $1) >= limit }
        }
    }

    private mutating func take(_ word: String) -> Bool {
        guard at < tokens.count, !tokens[at].isQuoted, tokens[at].text == word else { return false }
        at += 1
        return true
    }

    private func expected(_ what: String) -> InputError {
        at < tokens.count ? fault(tokens[at].column, "expected \(what), found \(tokens[at].text)") : fault(end, "expected \(what), found the end")
    }

    private func fault(_ column: Int, _ message: String) -> InputError { InputError("--where: column \(column): \(message)", status: .usage) }
}
