/// A name of a template, by its number.
struct NameID: Hashable, Sendable {
    var index: Int32

    static let loop = NameID(index: 0), caller = NameID(index: 1), varargs = NameID(index: 2), kwargs = NameID(index: 3)
    static let reserved = ["loop", "caller", "varargs", "kwargs"]
}

/// An expression of the template, with the byte of the source where it, or its operator, stands.
final class Expression: Sendable {
    enum Kind: Sendable {
        case string(MarkedText)
        case integer(Int)
        case float(Double)
        case boolean(Bool)
        case none
        case name(NameID)
        case list([Expression])
        case tuple([Expression])
        case dictionary([(key: Expression, value: Expression)])
        case attribute(Expression, MarkedText)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, end: Expression?, step: Expression?)
        case call(Expression, Arguments)
        /// Without an operand: what a `filter` or `set` block holds.
        case filter(Expression?, name: String, Filter?, Arguments)
        case test(Expression, name: String, Test?, Arguments)
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case and(Expression, Expression)
        case or(Expression, Expression)
        case comparison(Expression, [(Comparison, Expression)])
        /// `a + b + c`, from the left: nearly always strings.
        case sum([Expression])
        case arithmetic(Arithmetic, Expression, Expression)
        /// `a ~ b ~ c`
        case concatenation([Expression])
        case condition(Expression, then: Expression, otherwise: Expression?)
    }

    let kind: Kind
    let place: Int
    /// How many expressions stand inside one another: bounded, for the stack's sake.
    let height: Int

    static let greatestHeight = 200

    init(_ kind: Kind, at place: Int, _ parts: [Expression?]) throws {
        self.kind = kind
        self.place = place
        height = 1 + parts.reduce(0) { max($0, $1?.height ?? 0) }
        guard height <= Expression.greatestHeight else {
            throw TemplateFailure("more than \(Expression.greatestHeight) expressions inside one another", at: place)
        }
    }

    convenience init(_ kind: Kind, at place: Int, _ parts: Expression?...) throws { try self.init(kind, at: place, parts) }
}

enum Arithmetic: Sendable { case subtract, multiply, divide, floorDivide, modulo, power }

enum Comparison: Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, contained, notContained }

/// What stands between a call's parentheses.
struct Arguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    /// `*values` and `**values`
    var morePositional: Expression?
    var moreNamed: Expression?

    var parts: [Expression?] { positional + named.map(\.value) + [morePositional, moreNamed] }
    var isPlain: Bool { named.isEmpty && morePositional == nil && moreNamed == nil }
}

indirect enum Target: Sendable {
    case name(NameID)
    case member(NameID, MarkedText, place: Int)
    case tuple([Target], place: Int)
}

/// A macro, or the body that a `call` block hands over as `caller`.
final class MacroDefinition: Sendable {
    let name: String
    let parameters: [(id: NameID, name: String, standard: Expression?)]
    let body: [Statement]
    /// Which of the names that a call may fill the body mentions.
    let usesCaller: Bool, usesVarargs: Bool, usesKwargs: Bool

    init(name: String, parameters: [(id: NameID, name: String, standard: Expression?)], body: [Statement], uses: Set<NameID>) {
        self.name = name
        self.parameters = parameters
        self.body = body
        usesCaller = uses.contains(.caller)
        usesVarargs = uses.contains(.varargs)
        usesKwargs = uses.contains(.kwargs)
    }
}

struct LoopDefinition: Sendable {
    var target: Target
    var sequence: Expression
    var condition: Expression?
    var isRecursive: Bool
    var body: [Statement]
    var otherwise: [Statement]
    var place: Int
}

indirect enum Statement: Sendable {
    case text(MarkedText)
    case print(Expression)
    case branches([(condition: Expression, body: [Statement])], otherwise: [Statement])
    case loop(LoopDefinition)
    case set(Target, Expression)
    case setBlock(Target, filter: Expression?, [Statement])
    case macro(NameID, MacroDefinition)
    /// The call, to which the body goes as `caller`.
    case callBlock(Expression, Arguments, MacroDefinition, place: Int)
    case filterBlock(Expression, [Statement])
    case with([(target: Target, value: Expression)], [Statement])
    /// `generation` blocks mark what a model wrote; they only have names of their own.
    case generation([Statement])
    case breakLoop
    case continueLoop
}
