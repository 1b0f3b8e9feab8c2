import Glibc

/// Operators that need no interpreter.
enum Operators {
    static func negative(_ value: Value) throws -> Value {
        switch value {
        case .integer(let value):
            let (result, overflows) = Int(0).subtractingReportingOverflow(value)
            return .integer(try checked(result, overflows))
        case .boolean(let value): return .integer(value ? -1 : 0)
        case .float(let value): return .float(-value)
        default: throw unfit("-", value)
        }
    }

    static func positive(_ value: Value) throws -> Value {
        switch value {
        case .integer, .float: return value
        case .boolean(let value): return .integer(value ? 1 : 0)
        default: throw unfit("+", value)
        }
    }

    static func unfit(_ name: String, _ values: Value...) -> TemplateFailure {
        for case .undefined(let undefined) in values { return TemplateFailure(undefined.message) }
        return TemplateFailure("\(name) does not go with \(values.map(\.typeName).joined(separator: " and "))")
    }

    static func checked(_ result: Int, _ overflows: Bool) throws -> Int {
        if overflows { throw TemplateFailure("a number beyond 64 bits") }
        return result
    }

    /// Two texts of which one is marked as HTML: the other is escaped.
    static func joinedMarkup(_ left: MarkedText, _ right: MarkedText) -> MarkedText {
        var result = left.isMarkup ? left : left.escaped()
        result.append(right.isMarkup ? right : right.escaped())
        result.isMarkup = true
        return result
    }

    static func number(_ value: Value) -> (integer: Int?, double: Double)? {
        switch value {
        case .integer(let value): (value, Double(value))
        case .boolean(let value): (value ? 1 : 0, value ? 1 : 0)
        case .float(let value): (nil, value)
        default: nil
        }
    }

    static func numbers(_ operation: Arithmetic, _ left: (integer: Int?, double: Double), _ right: (integer: Int?, double: Double)) throws -> Value {
        if let a = left.integer, let b = right.integer {
            switch operation {
            case .subtract:
                let (result, overflows) = a.subtractingReportingOverflow(b)
                return .integer(try checked(result, overflows))
            case .multiply:
                let (result, overflows) = a.multipliedReportingOverflow(by: b)
                return .integer(try checked(result, overflows))
            case .divide:
                guard b != 0 else { throw TemplateFailure("division by zero") }
                return .float(Double(a) / Double(b))
            case .floorDivide, .modulo:
                guard b != 0 else { throw TemplateFailure("division by zero") }
                let (quotient, overflows) = a.dividedReportingOverflow(by: b)
                let remainder = a &- (quotient &* b)
                let rounds = remainder != 0 && (remainder < 0) != (b < 0)
                if operation == .modulo { return .integer(rounds ? remainder + b : remainder) }
                return .integer(try checked(rounds ? quotient - 1 : quotient, overflows))
            case .power: return try power(a, b)
            }
        }
        let a = left.double, b = right.double
        switch operation {
        case .subtract: return .float(a - b)
        case .multiply: return .float(a * b)
        case .divide:
            guard b != 0 else { throw TemplateFailure("division by zero") }
            return .float(a / b)
        case .floorDivide, .modulo:
            guard b != 0 else { throw TemplateFailure("division by zero") }
            var remainder = fmod(a, b), quotient = (a - remainder) / b
            if remainder != 0 {
                if (b < 0) != (remainder < 0) {
                    remainder += b
                    quotient -= 1
                }
            } else {
                remainder = copysign(0, b)
            }
            if operation == .modulo { return .float(remainder) }
            guard quotient != 0 else { return .float(copysign(0, a / b)) }
            let whole = quotient.rounded(.down)
            return .float(quotient - whole > 0.5 ? whole + 1 : whole)
        case .power:
            if a == 0, b < 0 { throw TemplateFailure("0 to a negative power") }
            let result = pow(a, b)
            if result.isNaN, !a.isNaN, !b.isNaN { throw TemplateFailure("a root of a negative number") }
            if result.isInfinite, a.isFinite, b.isFinite { throw TemplateFailure("a number that is too large") }
            return .float(result)
        }
    }

    private static func power(_ base: Int, _ exponent: Int) throws -> Value {
        guard exponent >= 0 else { return try numbers(.power, (nil, Double(base)), (nil, Double(exponent))) }
        var result = 1, factor = base, rest = exponent
        if base == 0 || base == 1 { return .integer(exponent == 0 ? 1 : base) }
        if base == -1 { return .integer(exponent % 2 == 0 ? 1 : -1) }
        while rest > 0 {
            if rest & 1 == 1 {
                let (product, overflows) = result.multipliedReportingOverflow(by: factor)
                result = try checked(product, overflows)
            }
            rest >>= 1
            if rest > 0 {
                let (square, overflows) = factor.multipliedReportingOverflow(by: factor)
                factor = try checked(square, overflows)
            }
        }
        return .integer(result)
    }
}
