import Glibc

/// Numbers as Python writes, reads and rounds them.
enum PythonNumber {
    /// The shortest digits that give the number back; an exponent from 1e16 on and below 1e-4.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
        let (digits, exponent) = shortest(value.magnitude)
        let sign = value < 0 ? "-" : ""
        if exponent < -4 || exponent >= 16 {
            let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
            return sign + digits.prefix(1) + (digits.count > 1 ? "." + digits.dropFirst() : "") + (exponent < 0 ? "e-" : "e+") + size
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        if digits.count <= exponent + 1 { return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) + ".0" }
        return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
    }

    /// The shortest digits and the exponent of the first.
    private static func shortest(_ value: Double) -> (digits: String, exponent: Int) {
        let parts = "\(value)".split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + mantissa[0].count - 1
        var digits = mantissa.joined()[...]
        while digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), exponent)
    }

    private static func stripped(_ text: String) -> String? {
        let trimmed = MarkedText(text).trimmed().description
        // Single underscores between digits are allowed, others not.
        guard !trimmed.hasPrefix("_"), !trimmed.hasSuffix("_"), !trimmed.contains("__") else { return nil }
        return trimmed.filter { $0 != "_" }
    }

    /// - Returns: nil for what is no whole number of the base.
    static func integer(_ text: String, radix: Int) -> Int? {
        guard (2 ... 36).contains(radix), var digits = stripped(text)?[...] else { return nil }
        let isNegative = digits.first == "-"
        if isNegative || digits.first == "+" { digits.removeFirst() }
        let prefixes = [2: "0b", 8: "0o", 16: "0x"]
        if let prefix = prefixes[radix], digits.lowercased().hasPrefix(prefix) { digits = digits.dropFirst(2) }
        guard let first = digits.first, first != "-", first != "+" else { return nil }
        return Int((isNegative ? "-" : "") + digits, radix: radix)
    }

    static func double(_ text: String) -> Double? {
        guard let digits = stripped(text), let first = digits.first, !digits.lowercased().contains("x"), !digits.contains("("), first != " " else { return nil }
        return Double(digits)
    }

    /// Digits after the point as `printf` rounds them: of the exact value, halves to even.
    static func fixed(_ value: Double, _ digits: Int, _ conversion: Character = "f") -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        var buffer = [CChar](repeating: 0, count: 512 + max(0, digits))
        let length = withVaList([Int32(clamping: digits), value]) { vsnprintf(&buffer, buffer.count, "%.*\(conversion)", $0) }
        return String(decoding: buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func rounded(_ number: (integer: Int?, double: Double), _ precision: Int, _ method: String) throws -> Value {
        guard method == "common" else {
            let scale = pow(10, Double(precision)), scaled = number.double * scale
            guard scaled.isFinite else { throw TemplateFailure("a number that is not finite cannot be rounded") }
            return .float((method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)) / scale)
        }
        if let whole = number.integer {
            guard precision < 0 else { return .integer(whole) }
            guard precision > -19 else { return .integer(0) }
            let unit = (0 ..< -precision).reduce(1) { unit, _ in unit * 10 }
            let (remainder, base) = (whole % unit, whole - whole % unit)
            let twice = remainder.magnitude * 2, isOdd = (base / unit) % 2 != 0
            let moves = twice > UInt(unit) || twice == UInt(unit) && isOdd
            let (result, overflows) = base.addingReportingOverflow(moves ? (remainder < 0 ? -unit : unit) : 0)
            return .integer(try Operators.checked(result, overflows))
        }
        guard number.double.isFinite, number.double != 0, precision < 324 else { return .float(number.double) }
        if precision >= 0 { return .float(Double(fixed(number.double, precision)) ?? number.double) }
        guard precision > -310 else { return .float(copysign(0, number.double)) }
        let scale = pow(10, Double(-precision))
        return .float((number.double / scale).rounded(.toNearestOrEven) * scale)
    }
}
