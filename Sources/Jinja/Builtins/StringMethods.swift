/// The methods of strings.
enum StringMethod: String, CaseIterable {
    case capitalize, casefold, center, count, endswith, find, format, index, isalnum, isalpha, isascii, isdecimal, isdigit, islower, isnumeric
    case isspace, istitle, isupper
    case join, ljust, lower, lstrip, partition, removeprefix, removesuffix, replace, rfind, rindex, rjust, rpartition, rsplit, rstrip, split
    case splitlines, startswith, strip
    case swapcase, title, upper, zfill
    case formatMap = "format_map"

    static let named = Dictionary(uniqueKeysWithValues: allCases.map { (MarkedText($0.rawValue), $0) })
}

extension Interpreter {
    func callMethod(_ name: String, of owner: Value, _ values: CallValues) throws -> Value {
        try budget.step()
        switch owner {
        case .string(let text):
            guard let method = StringMethod(rawValue: name) else { break }
            try budget.handle(text.size)
            return try call(method, text, values)
        case .dictionary(let mapping): return try callMethod(name, of: mapping, values)
        case .sequence(let items): return try callMethod(name, of: items, values)
        case .object(let loop as Loop):
            guard values.named.isEmpty else { throw TemplateFailure("loop.\(name) takes no arguments with names") }
            return name == "cycle" ? try loop.cycled(values.positional) : .boolean(try loop.changed(values.positional, self))
        case .object(let cycler as Cycler):
            try values.requireNone(for: name)
            if name == "next" { return cycler.next() }
            cycler.reset()
            return .none
        default: break
        }
        throw TemplateFailure("a \(owner.typeName) has no method \(name)")
    }

    private func call(_ method: StringMethod, _ text: MarkedText, _ values: CallValues) throws -> Value {
        let name = method.rawValue
        switch method {
        case .split, .rsplit:
            let bound = try values.bound(to: "sep", "maxsplit", for: name)
            let most = try bound[1].map { try integer($0, "maxsplit") } ?? -1
            let separator = try bound[0].flatMap { $0.isNone ? nil : try requireString($0, "a separator") }
            if let separator, separator.isEmpty { throw TemplateFailure("an empty separator") }
            return try strings(method == .split ? text.split(separator, most) : text.splitFromEnd(separator, most))
        case .splitlines: return try strings(text.lines(keepingEnds: try values.bound(to: "keepends", for: name)[0]?.truth ?? false))
        case .replace:
            let named = values.named.map { $0.name }
            guard values.positional.count + named.count <= 3, named.allSatisfy({ $0 == "count" }), values.positional.count >= 2 else {
                throw TemplateFailure("replace takes a text, another, and a count")
            }
            let most = try (values.positional.dropFirst(2).first ?? values.named.first?.value).map { try integer($0, "count") } ?? -1
            let old = try requireString(values.positional[0], "what is replaced"), new = try requireString(values.positional[1], "a replacement")
            return try replaced(text, old, new, most)
        case .format: return try string(try BraceFormat.format(text, values, self))
        default:
            guard values.named.isEmpty else { throw TemplateFailure("\(name) takes no arguments with names") }
            return try call(method, text, values.positional)
        }
    }

    private func call(_ method: StringMethod, _ text: MarkedText, _ given: [Value]) throws -> Value {
        let name = method.rawValue
        func arguments(_ range: ClosedRange<Int>) throws {
            guard range.contains(given.count) else {
                throw TemplateFailure("\(name) takes \(range.lowerBound) to \(range.upperBound) arguments, found \(given.count)")
            }
        }
        func argument() throws -> MarkedText {
            try arguments(1 ... 1)
            return try requireString(given[0], "the argument of \(name)")
        }
        func property(_ holds: Bool) throws -> Value {
            try arguments(0 ... 0)
            return .boolean(holds)
        }
        switch method {
        case .strip, .lstrip, .rstrip:
            try arguments(0 ... 1)
            let left = method != .rstrip, right = method != .lstrip
            let characters = try given.first.flatMap { $0.isNone ? nil : try requireString($0, "the characters to strip") }
            return .string(text.trimmed(of: characters, left: left, right: right))
        case .upper, .lower, .title, .capitalize, .casefold, .swapcase:
            try arguments(0 ... 0)
            return try string(text.changingCase(method))
        case .startswith, .endswith:
            try arguments(1 ... 3)
            if given.count == 1, case .string(let part) = given[0], !part.isEmpty,
               text.asks(part, { method == .startswith ? .doesNotStart($0) : .doesNotEnd($0) }) { return .boolean(false) }
            let (start, end) = try window(text, given)
            let candidates: [Value] = if case .sequence(let items) = given[0], items.kind == .tuple { items.elements } else { [given[0]] }
            return .boolean(try candidates.contains { candidate in
                let part = try requireString(candidate, "the argument of \(name)").bytes
                guard start <= end, part.count <= end - start else { return false }
                return text.starts(with: part, at: method == .startswith ? start : end - part.count)
            })
        case .find, .rfind, .index, .rindex, .count:
            try arguments(1 ... 3)
            let part = try requireString(given[0], "what \(name) looks for").bytes
            let (start, end) = try window(text, given)
            if method == .count { return .integer(text.count(of: part, start, end)) }
            let found = method == .find || method == .index ? text.find(part, from: start, to: end) : text.findLast(part, from: start, to: end)
            guard let found else {
                if method == .index || method == .rindex { throw TemplateFailure("\(name): the text is not there") }
                return .integer(-1)
            }
            return .integer(text.characterOffset(found))
        case .join:
            try arguments(1 ... 1)
            var result = MarkedText()
            for (index, element) in try elements(given[0]).enumerated() {
                if index > 0 { result.append(text) }
                result.append(try requireString(element, "an element to join"))
                try budget.handle(text.count)
            }
            return try string(result)
        case .partition, .rpartition:
            let separator = try argument()
            guard !separator.isEmpty else { throw TemplateFailure("an empty separator") }
            guard let found = method == .partition ? text.find(separator.bytes) : text.findLast(separator.bytes) else {
                let parts = method == .partition ? [text, MarkedText(), MarkedText()] : [MarkedText(), MarkedText(), text]
                return try list(parts.map { .string($0) }, .tuple)
            }
            return try list([.string(text[0 ..< found]), .string(separator), .string(text[found + separator.count ..< text.count])], .tuple)
        case .removeprefix:
            let part = try argument()
            return .string(text.starts(with: part.bytes, at: 0) ? text[part.count ..< text.count] : text)
        case .removesuffix:
            let part = try argument()
            return .string(part.count <= text.count && text.starts(with: part.bytes, at: text.count - part.count) ? text[0 ..< text.count - part.count] : text)
        case .center, .ljust, .rjust, .zfill:
            try arguments(1 ... (method == .zfill ? 1 : 2))
            let width = try integer(given[0], "the width")
            let fill = try given.count == 2 ? requireString(given[1], "the fill") : MarkedText(" ")
            guard fill.characterCount == 1 else { throw TemplateFailure("the fill is not one character") }
            try budget.handle(max(0, width) &* fill.count)
            return try string(text.padded(method, to: width, fill))
        case .formatMap:
            try arguments(1 ... 1)
            guard case .dictionary(let mapping) = given[0] else { throw TemplateFailure("format_map takes a dictionary") }
            let named = try zip(mapping.keys, mapping.values).map { (name: try requireString($0, "a key").description, value: $1) }
            return try string(try BraceFormat.format(text, CallValues(named: named), self))
        case .isascii: return try property(text.isASCII)
        case .isalnum: return try property(text.all { $0.isLetter || $0.isNumber })
        case .isalpha: return try property(text.all { $0.isLetter })
        case .isdecimal: return try property(text.all { $0.properties.generalCategory == .decimalNumber })
        case .isdigit: return try property(text.all { $0.properties.numericType == .decimal || $0.properties.numericType == .digit })
        case .isnumeric: return try property(text.all { $0.properties.numericType != nil })
        case .isspace: return try property(text.all { MarkedText.isSpace($0) })
        case .islower: return try property(text.isCased { $0.properties.isLowercase })
        case .isupper: return try property(text.isCased { $0.properties.isUppercase })
        case .istitle: return try property(text.isTitle)
        case .split, .rsplit, .splitlines, .replace, .format: return .none
        }
    }

    /// The bytes that the second and third argument of a search leave.
    private func window(_ text: MarkedText, _ given: [Value]) throws -> (start: Int, end: Int) {
        guard given.count > 1 else { return (0, text.count) }
        func bound(_ index: Int) throws -> Int? { given.count > index && !given[index].isNone ? try integer(given[index], "a bound") : nil }
        let count = text.characterCount
        let start = try bound(1) ?? 0, end = try bound(2) ?? count
        // A start beyond the end finds nothing, not even nothing.
        if start > count { return (1, 0) }
        return (text.byteOffset(start < 0 ? max(0, start + count) : start), text.byteOffset(end < 0 ? max(0, end + count) : end))
    }

    func replaced(_ text: MarkedText, _ old: MarkedText, _ new: MarkedText, _ most: Int) throws -> Value {
        var result = MarkedText(), done = 0, left = most < 0 ? Int.max : most
        if old.isEmpty {
            // Before every character and at the end.
            for start in text.characterStarts where left > 0 {
                result.append(text, done ..< start)
                result.append(new)
                try budget.handle(new.count)
                done = start
                left -= 1
            }
        } else {
            while left > 0, let found = text.find(old.bytes, from: done) {
                result.append(text, done ..< found)
                result.append(new)
                try budget.handle(new.count)
                done = found + old.count
                left -= 1
            }
        }
        result.append(text, done ..< text.count)
        return try string(result)
    }
}
