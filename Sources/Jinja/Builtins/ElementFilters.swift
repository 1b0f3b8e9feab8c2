/// Filters of what can be walked over.
extension Interpreter {
    func applyToElements(_ filter: Filter, _ value: Value, _ values: CallValues) throws -> Value {
        switch filter {
        case .first:
            try values.requireNone(for: "first")
            if case .string(let text) = value { return text.isEmpty ? .undefined(Undefined("there is no first item")) : .string(text[0 ..< text.next(0)]) }
            if case .object(let iteration as Iteration) = value { return try iteration.takeFirst() ?? .undefined(Undefined("there is no first item")) }
            return try elements(value).first ?? .undefined(Undefined("there is no first item"))
        case .last:
            try values.requireNone(for: "last")
            if case .object = value { throw TemplateFailure("a \(value.typeName) has no last item") }
            return try elements(value).last ?? .undefined(Undefined("there is no last item"))
        case .join:
            let bound = try values.bound(to: "d", "attribute", for: "join")
            let separator = try bound[0].map { try text($0) } ?? MarkedText()
            let getter = try AttributeGetter(bound[1] ?? .none, self)
            var result = MarkedText()
            for (index, element) in try elements(value).enumerated() {
                if index > 0 {
                    result.append(separator)
                    try budget.handle(separator.size)
                }
                let part = try text(getter.get(element, self))
                try budget.handle(part.size)
                result.append(part)
            }
            result.isMarkup = false
            return .string(result)
        case .list:
            try values.requireNone(for: "list")
            return try list(elements(value))
        case .items:
            try values.requireNone(for: "items")
            if value.isUndefined { return try iteration([]) }
            return try iteration(pairs(of: value))
        case .reverse:
            try values.requireNone(for: "reverse")
            if case .string(let text) = value { return try slice(.string(text), .none, .none, .integer(-1)) }
            let reversed = try Array(elements(value).reversed())
            if case .object = value { return try list(reversed) }
            return try iteration(reversed)
        case .map: return try map(value, values)
        case .select, .reject, .selectattr, .rejectattr: return try select(filter, value, values)
        case .sum:
            let bound = try values.bound(to: "attribute", "start", for: "sum")
            let getter = try AttributeGetter(bound[0] ?? .none, self)
            var total = bound[1] ?? .integer(0)
            for element in try elements(value) { total = try add(total, try getter.get(element, self)) }
            return total
        case .batch, .slice: return try iteration(parts(filter, value, values))
        default: return try ordered(filter, value, values)
        }
    }

    private func pairs(of value: Value) throws -> [Value] {
        guard case .dictionary(let mapping) = value else { throw TemplateFailure("items takes a dictionary, found a \(value.typeName)") }
        return try zip(mapping.keys, mapping.values).map { try list([$0, $1], .tuple) }
    }

    private func map(_ value: Value, _ values: CallValues) throws -> Value {
        guard value.truth else { return try iteration([]) }
        if values.positional.isEmpty, let attribute = values.named.first(where: { $0.name == "attribute" }) {
            guard values.named.allSatisfy({ $0.name == "attribute" || $0.name == "default" }) else { throw TemplateFailure("map takes attribute and default") }
            let getter = try AttributeGetter(attribute.value, self, standard: values.named.first { $0.name == "default" }?.value)
            return try iteration(elements(value).map { try getter.get($0, self) })
        }
        guard let name = values.positional.first else { throw TemplateFailure("map takes a filter's name") }
        let filterName = try requireString(name, "a filter's name").description
        guard let filter = Filter(rawValue: filterName) else { throw TemplateFailure("the filter \(filterName) is not known") }
        let arguments = CallValues(positional: Array(values.positional.dropFirst()), named: values.named)
        return try iteration(elements(value).map { element in try deeper { try apply(filter, to: element, arguments) } })
    }

    private func deeper<Result>(_ body: () throws -> Result) throws -> Result {
        try budget.enter()
        defer { budget.leave() }
        return try body()
    }

    private func select(_ filter: Filter, _ value: Value, _ values: CallValues) throws -> Value {
        guard value.truth else { return try iteration([]) }
        var rest = values.positional[...]
        let byAttribute = filter == .selectattr || filter == .rejectattr
        if byAttribute, rest.isEmpty { throw TemplateFailure("\(filter.rawValue) takes an attribute's name") }
        let getter = try AttributeGetter(byAttribute ? rest.removeFirst() : .none, self)
        let testName = try rest.popFirst().map { try requireString($0, "a test's name").description }
        let test = testName.flatMap { Test(rawValue: $0) }
        if let testName, test == nil { throw TemplateFailure("the test \(testName) is not known") }
        let arguments = CallValues(positional: Array(rest), named: values.named)
        let keeps = filter == .select || filter == .selectattr
        return try iteration(elements(value).filter { element in
            let candidate = try getter.get(element, self)
            return try test.map { try check($0, candidate, arguments) } ?? candidate.truth == keeps
        })
    }

    private func parts(_ filter: Filter, _ value: Value, _ values: CallValues) throws -> [Value] {
        let bound = try values.bound(to: filter == .batch ? "linecount" : "slices", "fill_with", for: filter.rawValue)
        let size = try integer(bound[0] ?? .none, "the number"), fill = bound[1] ?? .none
        let elements = try elements(value)
        guard size > 0 else { throw TemplateFailure("\(filter.rawValue) takes a number from 1") }
        try budget.step(size)
        var lists: [Value] = []
        if filter == .batch {
            for start in stride(from: 0, to: elements.count, by: size) {
                var part = Array(elements[start ..< min(start + size, elements.count)])
                if !fill.isNone, part.count < size { part += [Value](repeating: fill, count: size - part.count) }
                lists.append(try list(part))
            }
        } else {
            var start = 0
            for number in 0 ..< size {
                let isLonger = number < elements.count % size
                let end = start + elements.count / size + (isLonger ? 1 : 0)
                lists.append(try list(Array(elements[start ..< end]) + (!fill.isNone && !isLonger ? [fill] : [])))
                start = end
            }
        }
        return lists
    }

    // MARK: - Order

    private func ordered(_ filter: Filter, _ value: Value, _ values: CallValues) throws -> Value {
        switch filter {
        case .sort:
            let bound = try values.bound(to: "reverse", "case_sensitive", "attribute", for: "sort")
            let getters = try AttributeGetter.several(bound[2] ?? .none, self)
            let isSensitive = bound[1]?.truth ?? false
            let keyed = try elements(value).map { element in
                (try list(getters.map { Interpreter.key(try $0.get(element, self), isSensitive) }), element)
            }
            return try list(sorted(keyed, reverse: bound[0]?.truth ?? false))
        case .dictsort:
            let bound = try values.bound(to: "case_sensitive", "by", "reverse", for: "dictsort")
            guard case .dictionary(let mapping) = value else {
                if case .undefined(let undefined) = value { throw TemplateFailure(undefined.message) }
                throw TemplateFailure("dictsort takes a dictionary, found a \(value.typeName)")
            }
            let by = try bound[1].map { try requireString($0, "by").description } ?? "key"
            guard by == "key" || by == "value" else { throw TemplateFailure("dictsort sorts by key or value") }
            let isSensitive = bound[0]?.truth ?? false
            let keyed = try zip(mapping.keys, mapping.values).map { (Interpreter.key(by == "key" ? $0 : $1, isSensitive), try list([$0, $1], .tuple)) }
            return try list(sorted(keyed, reverse: bound[2]?.truth ?? false))
        case .unique:
            let bound = try values.bound(to: "case_sensitive", "attribute", for: "unique")
            let getter = try AttributeGetter(bound[1] ?? .none, self)
            var seen: Set<Key> = []
            return try iteration(elements(value).filter { element in
                let candidate = Interpreter.key(try getter.get(element, self), bound[0]?.truth ?? false)
                guard let key = Key(candidate) else { throw TemplateFailure("unique cannot tell values of the type \(candidate.typeName) apart") }
                return seen.insert(key).inserted
            })
        case .groupby:
            let bound = try values.bound(to: "attribute", "default", "case_sensitive", for: "groupby")
            let getter = try AttributeGetter(bound[0] ?? .none, self, standard: bound[1])
            let isSensitive = bound[2]?.truth ?? false
            let keyed = try elements(value).map { (Interpreter.key(try getter.get($0, self), isSensitive), $0) }
            var groups: [(key: Value, elements: [Value])] = []
            for (key, element) in try sortedPairs(keyed, reverse: false) {
                if let last = groups.last, try equal(last.key, key) {
                    groups[groups.count - 1].elements.append(element)
                } else {
                    groups.append((key, [element]))
                }
            }
            return try list(groups.map { group in
                let key = isSensitive ? group.key : try getter.get(group.elements[0], self)
                return try list([key, try list(group.elements)], .group)
            })
        default:
            let bound = try values.bound(to: "case_sensitive", "attribute", for: filter.rawValue)
            let getter = try AttributeGetter(bound[1] ?? .none, self)
            var best: (key: Value, element: Value)?
            for element in try elements(value) {
                let key = Interpreter.key(try getter.get(element, self), bound[0]?.truth ?? false)
                if let current = best {
                    let wins = filter == .min ? try order(key, current.key, "<") == -1 : try order(key, current.key, ">") == 1
                    if !wins { continue }
                }
                best = (key, element)
            }
            return best?.element ?? .undefined(Undefined("there is no item"))
        }
    }

    /// What is compared: strings in lower case, unless the case counts.
    private static func key(_ value: Value, _ isSensitive: Bool) -> Value {
        if !isSensitive, case .string(let text) = value { return .string(text.changingCase(.lower)) }
        return value
    }

    private func sorted(_ keyed: [(Value, Value)], reverse: Bool) throws -> [Value] { try sortedPairs(keyed, reverse: reverse).map(\.1) }

    /// Equal ones keep their order, also in reverse.
    private func sortedPairs(_ keyed: [(Value, Value)], reverse: Bool) throws -> [(Value, Value)] {
        let indices = try keyed.indices.sorted { a, b in
            let comparison = try order(keyed[a].0, keyed[b].0, "<")
            if comparison == 0 || comparison == 2 { return a < b }
            return reverse ? comparison > 0 : comparison < 0
        }
        return indices.map { keyed[$0] }
    }
}

/// `attribute="message.role"`: what filters take from each element; numbers are indices.
struct AttributeGetter {
    private let path: [Value]
    private let standard: Value?

    init(_ attribute: Value, _ interpreter: Interpreter, standard: Value? = nil) throws {
        self.standard = standard.flatMap { $0.isNone ? nil : $0 }
        switch attribute {
        case .none: path = []
        case .integer: path = [attribute]
        default:
            path = try interpreter.requireString(attribute, "an attribute").split(MarkedText("."), -1).map { part in
                part.bytes.allSatisfy { (0x30 ... 0x39).contains($0) } ? Int(part.description).map { .integer($0) } ?? .string(part) : .string(part)
            }
        }
    }

    /// Attributes with commas between them.
    static func several(_ attribute: Value, _ interpreter: Interpreter) throws -> [AttributeGetter] {
        guard case .string(let text) = attribute else { return [try AttributeGetter(attribute, interpreter)] }
        return try text.split(MarkedText(","), -1).map { try AttributeGetter(.string($0), interpreter) }
    }

    func get(_ element: Value, _ interpreter: Interpreter) throws -> Value {
        var value = element
        for part in path {
            value = try interpreter.item(part, of: value)
            if value.isUndefined, let standard { value = standard }
        }
        return value
    }
}
