/// What the filter `tojson` writes in chat templates: Python's JSON, in which nothing is escaped for HTML.
struct PythonJSONWriter {
    private let interpreter: Interpreter
    private let escapesAll: Bool
    private let sortsKeys: Bool
    private let indent: MarkedText?
    private var itemSeparator: MarkedText
    private var keySeparator = MarkedText(": ")
    private var level = 0
    private(set) var text = MarkedText()

    init(_ interpreter: Interpreter, escapesAll: Bool, indent: Value, separators: Value, sortsKeys: Bool) throws {
        self.interpreter = interpreter
        self.escapesAll = escapesAll
        self.sortsKeys = sortsKeys
        switch indent {
        case .none: self.indent = nil
        case .string(let text): self.indent = text
        default:
            let width = max(0, try interpreter.integer(indent, "indent"))
            try interpreter.budget.handle(width)
            self.indent = MarkedText([UInt8](repeating: 0x20, count: width))
        }
        itemSeparator = MarkedText(self.indent == nil ? ", " : ",")
        if !separators.isNone {
            let pair = try interpreter.elements(separators)
            guard pair.count == 2 else { throw TemplateFailure("separators are \(pair.count), expected two") }
            itemSeparator = try interpreter.requireString(pair[0], "a separator")
            keySeparator = try interpreter.requireString(pair[1], "a separator")
        }
    }

    mutating func write(_ value: Value) throws {
        try interpreter.budget.step()
        switch value {
        case .none: text.append("null")
        case .boolean(let value): text.append(bytes: (value ? "true" : "false").utf8)
        case .integer(let value): text.append(bytes: "\(value)".utf8)
        case .float(let value): text.append(bytes: PythonJSONWriter.number(value).utf8)
        case .string(let string): try write(string)
        case .sequence(let items) where items.kind == .list || items.kind == .tuple || items.kind == .group:
            try write(items.elements, "[", "]") { writer, element in try writer.write(element) }
        case .dictionary(let mapping):
            var members = zip(mapping.keys, mapping.values).map { (key: $0, value: $1) }
            if sortsKeys { members = try members.sorted { try interpreter.order($0.key, $1.key, "<") == -1 } }
            try write(members, "{", "}") { writer, member in
                try writer.write(try writer.key(member.key))
                writer.text.append(writer.keySeparator)
                try writer.write(member.value)
            }
        case .undefined(let undefined): throw TemplateFailure("tojson: \(undefined.message)")
        default: throw TemplateFailure("tojson: a \(value.typeName) has no form in JSON")
        }
    }

    private static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : PythonNumber.text(value)
    }

    private func key(_ value: Value) throws -> MarkedText {
        switch value {
        case .string(let text): return text
        case .none: return MarkedText("null")
        case .boolean(let value): return MarkedText(value ? "true" : "false")
        case .integer(let value): return MarkedText("\(value)")
        case .float(let value): return MarkedText(PythonJSONWriter.number(value))
        default: throw TemplateFailure("tojson: a \(value.typeName) cannot be a key")
        }
    }

    private mutating func write<Element>(
        _ elements: [Element], _ opening: StaticString, _ closing: StaticString, _ body: (inout PythonJSONWriter, Element) throws -> Void
    ) throws {
        text.append(opening)
        try interpreter.budget.enter()
        defer { interpreter.budget.leave() }
        level += 1
        for (index, element) in elements.enumerated() {
            if index > 0 { text.append(itemSeparator) }
            try startLine()
            try body(&self, element)
        }
        level -= 1
        if !elements.isEmpty { try startLine() }
        text.append(closing)
        guard text.count <= Budget.greatestOutput else { throw TemplateFailure("more than \(Budget.greatestOutput >> 20) MiB of text") }
    }

    private mutating func startLine() throws {
        guard let indent else { return }
        text.append("\n")
        try interpreter.budget.handle(level * indent.count)
        for _ in 0 ..< level { text.append(indent) }
    }

    private mutating func write(_ string: MarkedText) throws {
        try interpreter.budget.handle(string.count)
        text.append("\"")
        var done = 0, position = 0
        while position < string.count {
            let byte = string.bytes[position], end = string.next(position)
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte < 0x7F || !escapesAll {
                position = end
                continue
            }
            text.append(string, done ..< position)
            text.append(bytes: escape(string, position).utf8, origin: string.origin(at: position))
            position = end
            done = end
        }
        text.append(string, done ..< string.count)
        text.append("\"")
    }

    private func escape(_ string: MarkedText, _ position: Int) -> String {
        switch string.bytes[position] {
        case UInt8(ascii: "\""): return "\\\""
        case UInt8(ascii: "\\"): return "\\\\"
        case 0x08: return "\\b"
        case 0x09: return "\\t"
        case 0x0A: return "\\n"
        case 0x0C: return "\\f"
        case 0x0D: return "\\r"
        default: break
        }
        func unit(_ value: UInt32) -> String {
            let digits = String(value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        guard let scalar = string.scalar(at: position) else {
            let bytes = string.bytes[position ..< string.next(position)]
            return bytes.count == 3 ? unit(bytes.reduce(0) { $0 << 6 | UInt32($1 & ($0 == 0 ? 0x0F : 0x3F)) }) : unit(0xFFFD)
        }
        return UTF16.encode(scalar)?.map { unit(UInt32($0)) }.joined() ?? ""
    }
}
