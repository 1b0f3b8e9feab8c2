/// The methods of dictionaries. Those that would change one are known and refused: a template changes nothing but its namespaces.
enum MappingMethod: String, CaseIterable {
    case get, items, keys, values, copy
    case clear, pop, popitem, setdefault, update

    static let named = Dictionary(uniqueKeysWithValues: allCases.map { (MarkedText($0.rawValue), $0) })
}

/// The methods of lists, tuples and ranges.
enum SequenceMethod: String, CaseIterable {
    case count, index, copy
    case append, clear, extend, insert, pop, remove, reverse, sort

    static let named = Dictionary(uniqueKeysWithValues: allCases.map { (MarkedText($0.rawValue), $0) })

    static func has(_ name: MarkedText, _ kind: Items.Kind) -> Bool {
        guard let method = named[name] else { return false }
        switch kind {
        case .list: return true
        case .tuple, .group, .range: return method == .count || method == .index
        case .keys, .values, .items: return false
        }
    }
}

extension Interpreter {
    func callMethod(_ name: String, of mapping: Mapping, _ values: CallValues) throws -> Value {
        switch MappingMethod(rawValue: name) {
        case .get:
            try values.requirePositional(1 ... 2, for: "get")
            guard let key = Key(values.positional[0]) else {
                if case .undefined = values.positional[0] { return values.positional.count == 2 ? values.positional[1] : .none }
                throw TemplateFailure("a \(values.positional[0].typeName) cannot be a key of a dictionary")
            }
            return mapping[key] ?? (values.positional.count == 2 ? values.positional[1] : .none)
        case .items:
            try values.requireNone(for: name)
            return try items(of: mapping, .items)
        case .keys:
            try values.requireNone(for: name)
            return try list(mapping.keys, .keys)
        case .values:
            try values.requireNone(for: name)
            return try list(mapping.values, .values)
        case .copy:
            try values.requireNone(for: name)
            return .dictionary(mapping)
        case .clear, .pop, .popitem, .setdefault, .update: throw TemplateFailure("\(name) would change a dictionary, which a template must not")
        case nil: throw TemplateFailure("a dict has no method \(name)")
        }
    }

    func items(of mapping: Mapping, _ kind: Items.Kind) throws -> Value {
        try list(zip(mapping.keys, mapping.values).map { try list([$0, $1], .tuple) }, kind)
    }

    func callMethod(_ name: String, of items: Items, _ values: CallValues) throws -> Value {
        switch SequenceMethod(rawValue: name) {
        case .count:
            try values.requirePositional(1 ... 1, for: name)
            return .integer(try items.elements.count { try equal($0, values.positional[0]) })
        case .index:
            try values.requirePositional(1 ... 3, for: name)
            func bound(_ number: Int) throws -> Int? { values.positional.count > number ? try integer(values.positional[number], "a bound") : nil }
            let range = try Interpreter.indices(try bound(1), try bound(2), 1, items.elements.count)
            for index in range.first ..< range.first + range.count where try equal(items.elements[index], values.positional[0]) { return .integer(index) }
            throw TemplateFailure("index: the value is not there")
        case .copy:
            try values.requireNone(for: name)
            return .sequence(items)
        case .append, .clear, .extend, .insert, .pop, .remove, .reverse, .sort: throw TemplateFailure("\(name) would change a list, which a template must not")
        case nil: throw TemplateFailure("a \(Value.sequence(items).typeName) has no method \(name)")
        }
    }
}
