/// What `|` applies. Those of the language that give HTML, random or measured text (`urlize`, `random`, `pprint` ...) are not for chat templates.
enum Filter: String, CaseIterable {
    case abs, attr, batch, capitalize, center, count, d, `default`, dictsort, e, escape, first, float, forceescape, format, groupby, indent, int
    case items, join, last, length, list
    case lower, map, max, min, reject, rejectattr, replace, reverse, round, safe, select, selectattr, slice, sort, string, sum, title, tojson, trim
    case truncate, unique, upper, wordcount
}

extension Interpreter {
    func apply(_ filter: Filter, to value: Value, _ values: CallValues) throws -> Value {
        try budget.step()
        if case .string(let text) = value { try budget.handle(text.size) }
        switch filter {
        case .default, .d:
            let bound = try values.bound(to: "default_value", "boolean", for: filter.rawValue)
            return value.isUndefined || bound[1]?.truth == true && !value.truth ? bound[0] ?? .emptyString : value
        case .tojson:
            let bound = try values.bound(to: "ensure_ascii", "indent", "separators", "sort_keys", for: "tojson")
            var writer = try PythonJSONWriter(
                self, escapesAll: bound[0]?.truth ?? false, indent: bound[1] ?? .none, separators: bound[2] ?? .none, sortsKeys: bound[3]?.truth ?? false)
            try writer.write(value)
            return .string(writer.text)
        case .trim, .upper, .lower, .capitalize, .title, .replace, .indent, .center, .truncate, .wordcount, .format, .string, .safe, .e, .escape, .forceescape:
            return try applyToText(filter, value, values)
        case .int, .float, .abs, .round: return try applyToNumber(filter, value, values)
        case .length, .count:
            try values.requireNone(for: filter.rawValue)
            return .integer(try length(value))
        case .attr: return try plainAttribute(try requireString(try values.bound(to: "name", for: "attr")[0] ?? .none, "an attribute's name"), of: value)
        default: return try applyToElements(filter, value, values)
        }
    }

    func length(_ value: Value) throws -> Int {
        switch value {
        case .undefined: return 0
        case .string(let text): return text.characterCount
        case .sequence(let items): return items.elements.count
        case .dictionary(let mapping): return mapping.count
        case .object(let loop as Loop): if case .integer(let length)? = loop.attribute(MarkedText("length")) { return length }
        default: break
        }
        throw TemplateFailure("a \(value.typeName) has no length")
    }

    // MARK: - Text

    private func applyToText(_ filter: Filter, _ value: Value, _ values: CallValues) throws -> Value {
        var text = try self.text(value)
        switch filter {
        case .trim:
            let characters = try values.bound(to: "chars", for: "trim")[0].flatMap { $0.isNone ? nil : try requireString($0, "the characters to trim") }
            return .string(text.trimmed(of: characters, left: true, right: true))
        case .upper, .lower, .capitalize:
            try values.requireNone(for: filter.rawValue)
            return try string(text.changingCase(filter == .upper ? .upper : filter == .lower ? .lower : .capitalize))
        case .title:
            try values.requireNone(for: "title")
            return try string(text.titled())
        case .replace:
            let bound = try values.bound(to: "old", "new", "count", for: "replace")
            guard let old = bound[0], let new = bound[1] else { throw TemplateFailure("replace takes a text and another") }
            let most = try bound[2].map { $0.isNone ? -1 : try integer($0, "count") } ?? -1
            text.isMarkup = false
            return try replaced(text, try self.text(old), try self.text(new), most)
        case .indent:
            let bound = try values.bound(to: "width", "first", "blank", for: "indent")
            let width: MarkedText
            switch bound[0] ?? .integer(4) {
            case .string(let text): width = text
            case let count:
                let count = max(0, try integer(count, "the width"))
                try budget.handle(count)
                width = MarkedText([UInt8](repeating: 0x20, count: count))
            }
            return try indented(try requireString(value, "what indent takes"), width, first: bound[1]?.truth ?? false, blank: bound[2]?.truth ?? false)
        case .center:
            let width = try values.bound(to: "width", for: "center")[0].map { try integer($0, "the width") } ?? 80
            try budget.handle(max(0, width))
            return try string(text.padded(.center, to: width, MarkedText(" ")))
        case .truncate: return try truncated(value, values)
        case .wordcount:
            try values.requireNone(for: "wordcount")
            var words = 0, inWord = false, position = 0
            while position < text.count {
                let isWord = text.scalar(at: position).map { $0 == "_" || $0.isLetter || $0.isNumber } ?? false
                if isWord, !inWord { words += 1 }
                inWord = isWord
                position = text.next(position)
            }
            return .integer(words)
        case .format:
            guard values.positional.isEmpty || values.named.isEmpty else { throw TemplateFailure("format takes values or names with values, not both") }
            let arguments = values.named.isEmpty ? try list(values.positional, .tuple) : try dictionary(values.named.map { (.string($0.name), $0.value) })
            return try string(try PercentFormat.format(text, arguments, self))
        case .safe:
            text.isMarkup = true
            return .string(text)
        case .e, .escape: return try string(text.isMarkup ? text : text.escaped())
        case .forceescape: return try string(text.escaped())
        default:
            try values.requireNone(for: filter.rawValue)
            return .string(text)
        }
    }

    private func indented(_ text: MarkedText, _ width: MarkedText, first: Bool, blank: Bool) throws -> Value {
        var ended = text
        ended.append("\n")
        var result = first ? width : MarkedText()
        for (number, line) in ended.lines().enumerated() {
            try budget.handle(width.count)
            if number > 0 {
                result.append("\n")
                if blank || !line.isEmpty { result.append(width) }
            }
            result.append(line)
        }
        return try string(result)
    }

    private func truncated(_ value: Value, _ values: CallValues) throws -> Value {
        let bound = try values.bound(to: "length", "killwords", "end", "leeway", for: "truncate")
        let length = try bound[0].map { try integer($0, "length") } ?? 255
        let end = try bound[2].map { try requireString($0, "end") } ?? MarkedText("...")
        let leeway = try bound[3].flatMap { $0.isNone ? nil : try integer($0, "leeway") } ?? 5
        let kept = length - end.characterCount
        guard kept >= 0, leeway >= 0 else { throw TemplateFailure("truncate to less than the length of its end, or with a leeway below 0") }
        guard try self.length(value) > length + leeway else { return value }
        let text = try requireString(value, "what truncate takes")
        var result = text[0 ..< text.byteOffset(kept)]
        if bound[1]?.truth != true { result = result.splitFromEnd(MarkedText(" "), 1)[0] }
        result.append(end)
        return try string(result)
    }

    // MARK: - Numbers

    private func applyToNumber(_ filter: Filter, _ value: Value, _ values: CallValues) throws -> Value {
        if case .undefined(let undefined) = value { throw TemplateFailure(undefined.message) }
        switch filter {
        case .int:
            let bound = try values.bound(to: "default", "base", for: "int")
            let standard = bound[0] ?? .integer(0)
            var number = Operators.number(value)
            if case .string(let text) = value {
                if let whole = PythonNumber.integer(text.description, radix: try bound[1].map { try integer($0, "base") } ?? 10) { return .integer(whole) }
                number = PythonNumber.double(text.description).map { (nil, $0) }
            }
            guard let number else { return standard }
            if let whole = number.integer { return .integer(whole) }
            guard number.double.isFinite else { return standard }
            guard let whole = Int(exactly: number.double.rounded(.towardZero)) else { throw TemplateFailure("a number beyond 64 bits") }
            return .integer(whole)
        case .float:
            let standard = try values.bound(to: "default", for: "float")[0] ?? .float(0)
            if case .string(let text) = value { return PythonNumber.double(text.description).map { .float($0) } ?? standard }
            return Operators.number(value).map { .float($0.double) } ?? standard
        case .abs:
            try values.requireNone(for: "abs")
            guard let number = Operators.number(value) else { throw Operators.unfit("abs", value) }
            guard let whole = number.integer else { return .float(number.double.magnitude) }
            return whole < 0 ? try Operators.negative(value) : .integer(whole)
        default:
            let bound = try values.bound(to: "precision", "method", for: "round")
            let precision = try bound[0].map { try integer($0, "precision") } ?? 0
            guard let number = Operators.number(value) else { throw Operators.unfit("round", value) }
            let method = try bound[1].map { try requireString($0, "method").description } ?? "common"
            guard ["common", "ceil", "floor"].contains(method) else { throw TemplateFailure("the method of round is common, ceil or floor") }
            return try PythonNumber.rounded(number, precision, method)
        }
    }
}

extension MarkedText {
    /// Each word with a capital: words start after white space, hyphens and opening brackets.
    func titled() -> MarkedText {
        func parts(_ position: Int) -> Bool {
            switch bytes[position] {
            case UInt8(ascii: "-"), UInt8(ascii: "("), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "<"): true
            default: MarkedText.isSpace(scalar(at: position))
            }
        }
        var result = MarkedText(), position = 0
        while position < count {
            let start = position, isSeparator = parts(start)
            while position < count, parts(position) == isSeparator { position = next(position) }
            let first = next(start)
            result.append(self[start ..< first].changingCase(.upper))
            result.append(self[first ..< position].changingCase(.lower))
        }
        return result
    }
}
