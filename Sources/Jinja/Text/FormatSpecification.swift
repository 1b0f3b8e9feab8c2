/// How one value is laid out: fill, side, sign, width, digits, kind; what `'%5.2f' % x` and `'{:>5}'.format(x)` have in common.
struct FormatSpecification {
    var fill = MarkedText(" ")
    /// `<`, `>`, `^` or `=`, nil for the kind's own side.
    var alignment: UInt8?
    /// The side of numbers, where nothing else is said.
    private var numberAlignment = UInt8(ascii: ">")
    var sign: UInt8?
    var isAlternate = false
    var grouping: UInt8?
    var width = 0
    var precision: Int?
    var kind: UInt8?

    /// The widest that a template may ask for.
    static let widest = 1 << 20

    /// `[[fill]align][sign][#][0][width][,][.precision][kind]`
    init(_ text: MarkedText) throws {
        var position = 0
        func isAlignment(_ at: Int) -> Bool { at < text.count && "<>^=".utf8.contains(text.bytes[at]) }
        func take(_ characters: String) -> UInt8? {
            guard position < text.count, characters.utf8.contains(text.bytes[position]) else { return nil }
            position += 1
            return text.bytes[position - 1]
        }
        if !text.isEmpty, isAlignment(text.next(0)) {
            fill = text[0 ..< text.next(0)]
            position = text.next(0)
        }
        alignment = take("<>^=")
        sign = take("+- ")
        isAlternate = take("#") != nil
        if take("0") != nil, alignment == nil {
            fill = MarkedText("0")
            numberAlignment = UInt8(ascii: "=")
        }
        width = try FormatSpecification.number(text, &position) ?? 0
        grouping = take(",_")
        if take(".") != nil {
            guard let digits = try FormatSpecification.number(text, &position) else { throw TemplateFailure("a format without digits after its point") }
            precision = digits
        }
        kind = take("bcdeEfFgGnosxX%")
        guard position == text.count else { throw TemplateFailure("the format \(text.description) is not supported") }
    }

    init() {}

    static func number(_ text: MarkedText, _ position: inout Int) throws -> Int? {
        var value: Int?
        while position < text.count, (0x30 ... 0x39).contains(text.bytes[position]) {
            value = (value ?? 0) * 10 + Int(text.bytes[position] - 0x30)
            guard value! <= widest else { throw TemplateFailure("a format wider than \(widest)") }
            position += 1
        }
        return value
    }

    func apply(_ value: Value, _ interpreter: Interpreter) throws -> MarkedText {
        try interpreter.budget.handle(width)
        if case .string(let text) = value { return try apply(text) }
        guard let number = Operators.number(value) else {
            let text = try interpreter.text(value)
            guard isEmpty else { throw TemplateFailure("a \(value.typeName) cannot be laid out") }
            return text
        }
        if case .boolean = value, isEmpty { return try interpreter.text(value) }
        return try padded(digits(number), standard: numberAlignment)
    }

    /// Whether it asks for nothing.
    private var isEmpty: Bool { width == 0 && precision == nil && kind == nil && sign == nil && grouping == nil && !isAlternate }

    private func apply(_ text: MarkedText) throws -> MarkedText {
        guard kind == nil || kind == UInt8(ascii: "s"), sign == nil, grouping == nil, alignment != UInt8(ascii: "=") || width == 0 else {
            throw TemplateFailure("a format for numbers with a string")
        }
        return try padded(precision.map { text[0 ..< text.byteOffset($0)] } ?? text, standard: UInt8(ascii: "<"))
    }

    /// The number's sign, prefix and digits.
    private func digits(_ number: (integer: Int?, double: Double)) throws -> MarkedText {
        var digits: String
        let letter = kind.map { Character(Unicode.Scalar($0)) }
        switch letter {
        case nil where number.integer != nil && precision == nil, "d", "n": 
            guard let whole = number.integer else { throw TemplateFailure("a format for whole numbers with a float") }
            digits = grouped(String(whole.magnitude))
        case "x", "X", "o", "b":
            guard let whole = number.integer else { throw TemplateFailure("a format for whole numbers with a float") }
            let radix = letter == "o" ? 8 : letter == "b" ? 2 : 16
            digits = String(whole.magnitude, radix: radix, uppercase: letter == "X")
            if isAlternate { digits = "0\(letter!)" + digits }
        case "c":
            guard let scalar = number.integer.flatMap({ UInt32(exactly: $0) }).flatMap({ Unicode.Scalar($0) }) else {
                throw TemplateFailure("no character has this number")
            }
            return MarkedText(String(scalar))
        case nil:
            digits = precision == nil ? PythonNumber.text(number.double.magnitude) : general(number.double.magnitude, precision ?? 6, "g")
        case "e", "E", "f", "F": digits = grouped(PythonNumber.fixed(number.double.magnitude, precision ?? 6, letter!))
        case "%": digits = grouped(PythonNumber.fixed(number.double.magnitude * 100, precision ?? 6)) + "%"
        case "g", "G": digits = general(number.double.magnitude, precision ?? 6, letter!)
        default: throw TemplateFailure("a format for strings with a number")
        }
        let isNegative = number.integer.map { $0 < 0 } ?? (number.double.sign == .minus && !number.double.isNaN)
        let mark = isNegative ? "-" : sign == UInt8(ascii: "+") ? "+" : sign == UInt8(ascii: " ") ? " " : ""
        return MarkedText(mark + digits)
    }

    private func general(_ value: Double, _ precision: Int, _ letter: Character) -> String { PythonNumber.fixed(value, max(1, precision), letter) }

    private func grouped(_ digits: String) -> String {
        guard let grouping else { return digits }
        let end = digits.firstIndex { !$0.isNumber } ?? digits.endIndex
        var result = "", left = digits.distance(from: digits.startIndex, to: end)
        for digit in digits[..<end] {
            result.append(digit)
            left -= 1
            if left > 0, left % 3 == 0 { result.append(Character(Unicode.Scalar(grouping))) }
        }
        return result + digits[end...]
    }

    private func padded(_ text: MarkedText, standard: UInt8) throws -> MarkedText {
        switch alignment ?? standard {
        case UInt8(ascii: "<"): return text.padded(.ljust, to: width, fill)
        case UInt8(ascii: ">"): return text.padded(.rjust, to: width, fill)
        case UInt8(ascii: "^"):
            let missing = max(0, width - text.characterCount)
            return text.padded(.rjust, to: width - (missing - missing / 2), fill).padded(.ljust, to: width, fill)
        default:
            let signs = text.bytes.first.map { "+- ".utf8.contains($0) } == true ? 1 : 0
            var result = text[0 ..< signs]
            result.append(text[signs ..< text.count].padded(.rjust, to: width - signs, fill))
            return result
        }
    }
}
