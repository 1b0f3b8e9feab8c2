extension Interpreter {
    /// `owner.name`: a method or another attribute, else the item of a dictionary.
    func attribute(_ name: MarkedText, of owner: Value) throws -> Value {
        if let found = try ownAttribute(name, of: owner) { return found }
        if case .dictionary(let mapping) = owner, let value = mapping[name] { return value }
        return missing(name, of: owner)
    }

    /// What the filter `attr` finds: no items.
    func plainAttribute(_ name: MarkedText, of owner: Value) throws -> Value { try ownAttribute(name, of: owner) ?? missing(name, of: owner) }

    /// The name of a method, where the owner has one of that name: a cheap look before a call.
    func method(_ name: MarkedText, of owner: Value) throws -> String? {
        let has = switch owner {
        case .string: StringMethod.named[name] != nil
        case .dictionary: MappingMethod.named[name] != nil
        case .sequence(let items): SequenceMethod.has(name, items.kind)
        case .object(is Loop): name == "cycle" || name == "changed"
        case .object(is Cycler): name == "next" || name == "reset"
        default: false
        }
        return has ? name.description : nil
    }

    private func ownAttribute(_ name: MarkedText, of owner: Value) throws -> Value? {
        switch owner {
        case .undefined(let undefined): throw TemplateFailure(undefined.message)
        case .namespace(let namespace): if let value = namespace[name] { return value }
        case .object(let object): if let value = object.attribute(name) { return value }
        case .sequence(let items) where items.kind == .group:
            if name == "grouper" { return items.elements[0] }
            if name == "list" { return items.elements[1] }
        case .callable(let callable):
            if case .macro(let definition, _) = callable.kind, name == "name" { return .string(definition.name) }
        default: break
        }
        return try method(name, of: owner).map { .callable(Callable(.method(owner, $0))) }
    }

    private func missing(_ name: MarkedText, of owner: Value) -> Value {
        if name.bytes.first == UInt8(ascii: "_") {
            return .undefined(Undefined("\(name.description) of a \(owner.typeName) is not for templates: no name may start with _"))
        }
        return .undefined(Undefined("a \(owner.typeName) has no \(name.description)"))
    }

    /// `owner[index]`: an item, else, for a string, the attribute of that name.
    func item(_ index: Value, of owner: Value) throws -> Value {
        switch owner {
        case .undefined(let undefined): throw TemplateFailure(undefined.message)
        case .dictionary(let mapping):
            if let key = Key(index), let value = mapping[key] { return value }
        case .sequence(let items) where items.kind == .list || items.kind == .tuple || items.kind == .range || items.kind == .group:
            if let position = whole(index), let found = Interpreter.position(position, items.elements.count) { return items.elements[found] }
        case .string(let text):
            if let position = whole(index) {
                try budget.handle(text.count)
                if let found = Interpreter.position(position, text.characterCount) {
                    let start = text.byteOffset(found)
                    return .string(text[start ..< text.next(start)])
                }
            }
        case .namespace: break
        default: break
        }
        if case .string(let name) = index { return try ownAttribute(name, of: owner) ?? missing(name, of: owner) }
        return .undefined(Undefined("a \(owner.typeName) has no item \(try representation(index))"))
    }

    private func whole(_ value: Value) -> Int? {
        switch value {
        case .integer(let value): value
        case .boolean(let value): value ? 1 : 0
        default: nil
        }
    }

    /// The place of an index that may count from the end.
    private static func position(_ index: Int, _ count: Int) -> Int? {
        let position = index < 0 ? index &+ count : index
        return (0 ..< count).contains(position) ? position : nil
    }

    /// `owner[start:end:step]`
    func slice(_ owner: Value, _ start: Value, _ end: Value, _ step: Value) throws -> Value {
        func bound(_ value: Value) throws -> Int? { value.isNone ? nil : try integer(value, "a bound of a slice") }
        let step = try bound(step) ?? 1, start = try bound(start), end = try bound(end)
        switch owner {
        case .undefined(let undefined): throw TemplateFailure(undefined.message)
        case .string(let text):
            try budget.handle(text.count)
            if step == 1 {
                let count = text.characterCount
                let range = try Interpreter.indices(start, end, 1, count)
                return .string(text[text.byteOffset(range.first) ..< text.byteOffset(range.first + range.count)])
            }
            let starts = text.characterStarts
            let indices = try Interpreter.indices(start, end, step, starts.count - 1)
            var result = MarkedText()
            for number in 0 ..< indices.count {
                let index = indices.first + number * step
                result.append(text, starts[index] ..< starts[index + 1])
            }
            return try string(result)
        case .sequence(let items) where items.kind == .list || items.kind == .tuple || items.kind == .range || items.kind == .group:
            let indices = try Interpreter.indices(start, end, step, items.elements.count)
            return try list((0 ..< indices.count).map { items.elements[indices.first + $0 * step] }, items.kind == .group ? .tuple : items.kind)
        default: throw TemplateFailure("a \(owner.typeName) cannot be sliced")
        }
    }

    /// The first index of a slice and how many it takes.
    static func indices(_ start: Int?, _ end: Int?, _ step: Int, _ count: Int) throws -> (first: Int, count: Int) {
        guard step != 0 else { throw TemplateFailure("a slice with a step of 0") }
        let low = step < 0 ? -1 : 0, high = step < 0 ? count - 1 : count
        func clamped(_ index: Int?, _ standard: Int) -> Int {
            guard let index else { return standard }
            let position = index < 0 ? index &+ count : index
            return position < 0 ? low : position >= count ? high : position
        }
        let first = clamped(start, step < 0 ? high : low), last = clamped(end, step < 0 ? low : high)
        let distance = step < 0 ? first - last : last - first
        guard distance > 0 else { return (min(max(first, 0), count), 0) }
        let size = step == Int.min ? Int.max : abs(step)
        return (first, (distance - 1) / size + 1)
    }
}
