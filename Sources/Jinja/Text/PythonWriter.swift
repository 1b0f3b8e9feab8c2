/// Values as Python prints them. Bytes of strings keep their origin, whatever stands around them.
struct PythonWriter {
    private let interpreter: Interpreter
    private(set) var text = MarkedText()

    init(_ interpreter: Interpreter) { self.interpreter = interpreter }

    /// As `str` has it.
    mutating func writeString(_ value: Value) throws {
        switch value {
        case .undefined: break
        case .string(let string): append(string)
        default: try writeRepresentation(value)
        }
    }

    private mutating func append(_ more: MarkedText) { text.append(more) }
    private mutating func append(_ more: String) { text.append(bytes: more.utf8) }

    /// As `repr` has it.
    mutating func writeRepresentation(_ value: Value) throws {
        try interpreter.budget.step()
        try interpreter.budget.enter()
        defer { interpreter.budget.leave() }
        switch value {
        case .undefined: append("Undefined")
        case .none: append("None")
        case .boolean(let value): append(value ? "True" : "False")
        case .integer(let value): append("\(value)")
        case .float(let value): append(PythonNumber.text(value))
        case .string(let string):
            try interpreter.budget.handle(string.count)
            if string.isMarkup { append("Markup(") }
            append(PythonWriter.quoted(string))
            if string.isMarkup { append(")") }
        case .sequence(let items): try write(items)
        case .dictionary(let mapping): try write(zip(mapping.keys, mapping.values).map { ($0, $1) })
        case .namespace(let namespace):
            append("<Namespace ")
            try write(zip(namespace.names, namespace.values).map { (.string($0), $1) })
            append(">")
        case .callable(let callable):
            if case .macro(let definition, _) = callable.kind { append("<Macro '\(definition.name)'>") } else { append("<function>") }
        case .object(let object): append("<\(object.typeName)>")
        }
        // Printing one thing again and again is no way around the limit.
        guard text.count <= Budget.greatestOutput else { throw TemplateFailure("more than \(Budget.greatestOutput >> 20) MiB of text") }
    }

    private mutating func write(_ items: Items) throws {
        switch items.kind {
        case .list: try write(items.elements, "[", "]")
        case .tuple, .group: try write(items.elements, "(", items.elements.count == 1 ? ",)" : ")")
        case .keys: try write(items.elements, "dict_keys([", "])")
        case .values: try write(items.elements, "dict_values([", "])")
        case .items: try write(items.elements, "dict_items([", "])")
        case .range:
            guard case .integer(let first)? = items.elements.first, case .integer(let last)? = items.elements.last else {
                append("range(0, 0)")
                return
            }
            let step = if items.elements.count > 1, case .integer(let second) = items.elements[1] { second - first } else { 1 }
            append("range(\(first), \(last + step.signum())\(step == 1 ? "" : ", \(step)"))")
        }
    }

    private mutating func write(_ elements: [Value], _ opening: String, _ closing: String) throws {
        append(opening)
        for (index, element) in elements.enumerated() {
            if index > 0 { append(", ") }
            try writeRepresentation(element)
        }
        append(closing)
    }

    private mutating func write(_ members: [(Value, Value)]) throws {
        append("{")
        for (index, member) in members.enumerated() {
            if index > 0 { append(", ") }
            try writeRepresentation(member.0)
            append(": ")
            try writeRepresentation(member.1)
        }
        append("}")
    }

    static func quoted(_ string: MarkedText) -> MarkedText {
        let quote = string.bytes.contains(UInt8(ascii: "'")) && !string.bytes.contains(UInt8(ascii: "\"")) ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        var result = MarkedText([quote]), position = 0
        while position < string.count {
            let end = string.next(position), byte = string.bytes[position]
            if let escape = escape(string, position, byte, quote) {
                result.append(bytes: escape.utf8, origin: string.origin(at: position))
            } else {
                result.append(string, position ..< end)
            }
            position = end
        }
        result.append(bytes: [quote])
        return result
    }

    private static func escape(_ string: MarkedText, _ position: Int, _ byte: UInt8, _ quote: UInt8) -> String? {
        switch byte {
        case quote: return "\\" + String(Character(Unicode.Scalar(quote)))
        case UInt8(ascii: "\\"): return "\\\\"
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        case 0x20 ..< 0x7F: return nil
        default: break
        }
        let value: UInt32
        if let scalar = string.scalar(at: position) {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator: value = scalar.value
            default: return nil
            }
        } else if string.next(position) - position == 3 {
            value = UInt32(string.bytes[position] & 0x0F) << 12 | UInt32(string.bytes[position + 1] & 0x3F) << 6 | UInt32(string.bytes[position + 2] & 0x3F)
        } else {
            return nil
        }
        func digits(_ count: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return value < 0x100 ? "\\x" + digits(2) : value < 0x10000 ? "\\u" + digits(4) : "\\U" + digits(8)
    }
}

extension Interpreter {
    /// A value as `repr` prints it, for messages.
    func representation(_ value: Value) throws -> String {
        var writer = PythonWriter(self)
        try writer.writeRepresentation(value)
        return writer.text.description
    }
}
