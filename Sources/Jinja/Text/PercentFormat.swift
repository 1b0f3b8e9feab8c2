/// `'%s is %5.1f' % (name, x)`
enum PercentFormat {
    static func format(_ format: MarkedText, _ arguments: Value, _ interpreter: Interpreter) throws -> MarkedText {
        var result = MarkedText(), position = 0, used = 0
        var values = [arguments]
        if case .sequence(let items) = arguments, items.kind == .tuple || items.kind == .group { values = items.elements }
        func next() throws -> Value {
            guard used < values.count else { throw TemplateFailure("fewer values than the format has places for") }
            used += 1
            return values[used - 1]
        }
        var named = false
        while let percent = format.find([UInt8(ascii: "%")], from: position) {
            result.append(format, position ..< percent)
            position = percent + 1
            var value: Value?
            if format.starts(with: [UInt8(ascii: "(")], at: position) {
                guard let end = format.find([UInt8(ascii: ")")], from: position), case .dictionary(let mapping) = arguments else {
                    throw TemplateFailure("a format with names needs a dictionary")
                }
                let name = format[position + 1 ..< end]
                guard let found = mapping[name] else { throw TemplateFailure("the format names \(name.description), which is not there") }
                (value, named) = (found, true)
                position = end + 1
            }
            var specification = FormatSpecification()
            specification.alignment = UInt8(ascii: ">")
            while position < format.count, "-+ #0".utf8.contains(format.bytes[position]) {
                switch format.bytes[position] {
                case UInt8(ascii: "-"): specification.alignment = UInt8(ascii: "<")
                case UInt8(ascii: "0"):
                    if specification.alignment == UInt8(ascii: ">") { (specification.fill, specification.alignment) = (MarkedText("0"), UInt8(ascii: "=")) }
                case UInt8(ascii: "#"): specification.isAlternate = true
                default: if specification.sign != UInt8(ascii: "+") { specification.sign = format.bytes[position] }
                }
                position += 1
            }
            func number() throws -> Int? {
                guard format.starts(with: [UInt8(ascii: "*")], at: position) else { return try FormatSpecification.number(format, &position) }
                position += 1
                let width = try interpreter.integer(try next(), "a width")
                guard (0 ... FormatSpecification.widest).contains(width) else { throw TemplateFailure("a format wider than \(FormatSpecification.widest)") }
                return width
            }
            specification.width = try number() ?? 0
            if format.starts(with: [UInt8(ascii: ".")], at: position) {
                position += 1
                specification.precision = try number() ?? 0
            }
            guard position < format.count else { throw TemplateFailure("the format ends within a place for a value") }
            let letter = format.bytes[position]
            position += 1
            if letter == UInt8(ascii: "%") {
                result.append("%")
                continue
            }
            result.append(try apply(specification, letter, try value ?? next(), interpreter))
            try interpreter.budget.handle(result.count / 16)
        }
        result.append(format, position ..< format.count)
        // What has items may be there for its names.
        let hasItems = switch arguments {
        case .dictionary, .undefined: true
        case .sequence(let items): items.kind == .list || items.kind == .range
        default: false
        }
        guard named || hasItems || used == values.count else { throw TemplateFailure("more values than the format has places for") }
        return result
    }

    private static func apply(_ given: FormatSpecification, _ letter: UInt8, _ value: Value, _ interpreter: Interpreter) throws -> MarkedText {
        var specification = given
        switch letter {
        case UInt8(ascii: "s"), UInt8(ascii: "r"), UInt8(ascii: "a"):
            if specification.alignment == UInt8(ascii: "=") { (specification.alignment, specification.fill) = (UInt8(ascii: ">"), MarkedText(" ")) }
            specification.sign = nil
            let text = letter == UInt8(ascii: "s") ? try interpreter.text(value) : MarkedText(try interpreter.representation(value))
            return try specification.apply(.string(text), interpreter)
        case UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "u"):
            guard let number = Operators.number(value) else { throw Operators.unfit("%d", value) }
            guard number.integer != nil || number.double.magnitude < 9e18 else { throw TemplateFailure("a number beyond 64 bits") }
            specification.kind = UInt8(ascii: "d")
            return try specification.apply(.integer(number.integer ?? Int(number.double)), interpreter)
        case UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "o"):
            guard let number = Operators.number(value)?.integer else { throw Operators.unfit("%x", value) }
            specification.kind = letter
            return try specification.apply(.integer(number), interpreter)
        case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "g"), UInt8(ascii: "G"):
            guard let number = Operators.number(value) else { throw Operators.unfit("%f", value) }
            specification.kind = letter
            return try specification.apply(.float(number.double), interpreter)
        case UInt8(ascii: "c"):
            if case .string(let text) = value, text.characterCount == 1 { return try specification.apply(value, interpreter) }
            specification.kind = letter
            return try specification.apply(.integer(try interpreter.integer(value, "a character")), interpreter)
        default: throw TemplateFailure("%\(Character(Unicode.Scalar(letter))) is not known")
        }
    }
}
