/// What a template's source is cut into.
enum Token: Equatable {
    /// Text between tags, white space around them taken away as the marks and settings say.
    case data([UInt8])
    case variableBegin, variableEnd, blockBegin, blockEnd
    case name(String)
    case string([UInt8])
    case integer(Int)
    case float(Double)
    case symbol(Symbol)
    case end

    enum Symbol: String {
        case add = "+", subtract = "-", divide = "/", floorDivide = "//", multiply = "*", modulo = "%", power = "**", tilde = "~"
        case leftBracket = "[", rightBracket = "]", leftParenthesis = "(", rightParenthesis = ")", leftBrace = "{", rightBrace = "}"
        case equal = "==", notEqual = "!=", greater = ">", greaterOrEqual = ">=", less = "<", lessOrEqual = "<="
        case assign = "=", dot = ".", colon = ":", pipe = "|", comma = ",", semicolon = ";"
    }

    /// For messages.
    var description: String {
        switch self {
        case .data: "text"
        case .variableBegin: "{{"
        case .variableEnd: "}}"
        case .blockBegin: "{%"
        case .blockEnd: "%}"
        case .name(let name): name
        case .string: "a string"
        case .integer(let value): "\(value)"
        case .float(let value): "\(value)"
        case .symbol(let symbol): symbol.rawValue
        case .end: "the end of the template"
        }
    }
}

/// Why a template cannot be read or rendered; its place is added where it is known.
struct TemplateFailure: Error {
    var message: String
    /// Byte of the source, where it is known to whoever fails.
    var place: Int?

    init(_ message: String, at place: Int? = nil) {
        self.message = message
        self.place = place
    }
}
