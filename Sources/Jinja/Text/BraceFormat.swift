/// `'{} {name:>5}'.format(x, name=y)`
enum BraceFormat {
    static func format(_ format: MarkedText, _ values: CallValues, _ interpreter: Interpreter) throws -> MarkedText {
        var result = MarkedText(), position = 0, automatic = 0
        while position < format.count {
            let byte = format.bytes[position]
            guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") else {
                let start = position
                while position < format.count, format.bytes[position] != UInt8(ascii: "{"), format.bytes[position] != UInt8(ascii: "}") { position += 1 }
                result.append(format, start ..< position)
                continue
            }
            if position + 1 < format.count, format.bytes[position + 1] == byte {
                result.append(format, position ..< position + 1)
                position += 2
                continue
            }
            guard byte == UInt8(ascii: "{"), let end = format.find([UInt8(ascii: "}")], from: position) else {
                throw TemplateFailure("a brace in a format that stands alone")
            }
            let field = format[position + 1 ..< end]
            guard field.find([UInt8(ascii: "{")]) == nil else { throw TemplateFailure("a format within a format is not supported") }
            position = end + 1
            let colon = field.find([UInt8(ascii: ":")]) ?? field.count
            let specification = try FormatSpecification(field[min(colon + 1, field.count) ..< field.count])
            var name = field[0 ..< colon], conversion: UInt8?
            if let mark = name.find([UInt8(ascii: "!")]) {
                guard mark + 2 == name.count else { throw TemplateFailure("! in a format takes s or r") }
                conversion = name.bytes[mark + 1]
                name = name[0 ..< mark]
            }
            var value = try self.value(name, values, &automatic, interpreter)
            switch conversion {
            case nil: break
            case UInt8(ascii: "s"): value = .string(try interpreter.text(value))
            case UInt8(ascii: "r"): value = .string(try interpreter.representation(value))
            default: throw TemplateFailure("! in a format takes s or r")
            }
            if case .undefined(let undefined) = value, colon < field.count { throw TemplateFailure(undefined.message) }
            result.append(try specification.apply(value, interpreter))
            try interpreter.budget.handle(result.count / 16)
        }
        return result
    }

    /// `name`, `0`, nothing, with `.attribute` and `[item]` after it.
    private static func value(_ name: MarkedText, _ values: CallValues, _ automatic: inout Int, _ interpreter: Interpreter) throws -> Value {
        var rest = name.description[...]
        func isEnd(_ character: Character) -> Bool { character == "." || character == "[" }
        let first = String(rest.prefix { !isEnd($0) })
        rest = rest.dropFirst(first.count)
        var value: Value
        if let index = first.isEmpty ? automatic : Int(first) {
            if first.isEmpty { automatic += 1 }
            guard values.positional.indices.contains(index) else { throw TemplateFailure("the format names value \(index), which is not there") }
            value = values.positional[index]
        } else {
            guard let found = values.named.first(where: { $0.name == first }) else { throw TemplateFailure("the format names \(first), which is not there") }
            value = found.value
        }
        while let mark = rest.popFirst() {
            if mark == "." {
                let attribute = rest.prefix { !isEnd($0) }
                rest = rest.dropFirst(attribute.count)
                value = try interpreter.attribute(MarkedText(String(attribute)), of: value)
            } else {
                let index = rest.prefix { $0 != "]" }
                rest = rest.dropFirst(index.count + 1)
                value = try interpreter.item(Int(index).map { .integer($0) } ?? .string(String(index)), of: value)
            }
            if case .undefined(let undefined) = value { throw TemplateFailure(undefined.message) }
        }
        return value
    }
}
