import JSON

/// Reads the members of a map file (see `RecordMap`), each once; what is left over is an error, so that a misspelt member is told.
struct MapReader {
    struct Fault: Error { var message: String }

    private let members: [JSONMember]
    private var known: [String] = []

    init(_ document: JSONValue) throws {
        guard let members = document.object else { throw Fault(message: "\(document.typeName), expected an object with prompt, responses and ratings") }
        self.members = members
    }

    private mutating func take(_ key: String) -> JSONValue? {
        known.append(key)
        return members.last { $0.key == key }?.value
    }

    func refuseOthers() throws {
        if let other = members.first(where: { !known.contains($0.key.description) }) {
            throw Fault(message: "unknown member \"\(other.key)\", expected \(known.joined(separator: ", "))")
        }
    }

    mutating func name(_ key: String) throws -> RecordMap.Name? {
        guard let value = take(key) else { return nil }
        let text = try MapReader.string(value, key)
        return text.hasPrefix("/") ? .pointer(try MapReader.single(value, key)) : .literal(Text(text))
    }

    mutating func pointer(_ key: String) throws -> JSONPointer? { try take(key).map { try MapReader.single($0, key) } }

    mutating func pointersIfThere(_ key: String) throws -> [JSONPointer]? { try take(key).map { try MapReader.list($0, key) } }

    mutating func pointers(_ key: String) throws -> [JSONPointer] {
        guard let pointers = try pointersIfThere(key) else { throw Fault(message: "\(key) is missing, expected a JSON Pointer or an array of such") }
        return pointers
    }

    mutating func prompt() throws -> RecordMap.Prompt {
        guard let value = take("prompt") else { throw Fault(message: "prompt is missing, expected a JSON Pointer, or an object with turns, role and content") }
        guard let object = value.object else { return .text(try MapReader.single(value, "prompt")) }
        var parts = MapReader(object)
        guard let turns = parts.take("turns"), let role = parts.take("role"), let content = parts.take("content") else {
            throw Fault(message: "prompt is an object without turns, role and content, expected a JSON Pointer for each")
        }
        var roles: [Text: Text] = [:]
        if let names = parts.take("roles") {
            guard let members = names.object else { throw Fault(message: "prompt.roles is \(names.typeName), expected an object from a speaker's name to a role") }
            for member in members { roles[member.key] = Text(try MapReader.string(member.value, "prompt.roles.\(member.key)")) }
        }
        try parts.refuseOthers()
        let list = try JSONPointer(try MapReader.string(turns, "prompt.turns"))
        guard list.isList else { throw Fault(message: "prompt.turns is \"\(list)\", expected a JSON Pointer with * for every turn, as in /dialogue/*") }
        return .turns(list, role: try MapReader.single(role, "prompt.role"), content: try MapReader.single(content, "prompt.content"), roles: roles)
    }

    mutating func ratings() throws -> [(dimension: Text, rule: RecordMap.Rule)] {
        guard let value = take("ratings") else { return [] }
        guard let dimensions = value.object else { throw Fault(message: "ratings is \(value.typeName), expected an object from a dimension's name to its rule") }
        return try dimensions.map { member in (member.key, try MapReader.rule(member.value, "ratings.\(member.key)")) }
    }

    private static func rule(_ value: JSONValue, _ path: String) throws -> RecordMap.Rule {
        let expected = "expected an object with values and range, with ranks, or with best"
        guard let object = value.object else { throw Fault(message: "\(path) is \(value.typeName), \(expected)") }
        var parts = MapReader(object)
        let values = parts.take("values"), range = parts.take("range"), ranks = parts.take("ranks"), best = parts.take("best")
        try parts.refuseOthers()
        switch (values, range, ranks, best) {
        case (let values?, let range?, nil, nil):
            let text = try string(range, "\(path).range")
            do { return .values(try list(values, "\(path).values"), try RatingRange(text)) } catch let fault as OptionFault {
                throw Fault(message: "\(path).range: \(fault)")
            }
        case (_?, nil, nil, nil): throw Fault(message: "\(path).range is missing, expected LOW..HIGH as in 1..5: what a rating may be")
        case (nil, nil, let ranks?, nil): return .ranks(try list(ranks, "\(path).ranks"))
        case (nil, nil, nil, let best?): return .best(try single(best, "\(path).best"))
        default: throw Fault(message: "\(path) has \(object.map(\.key.description).joined(separator: ", ")), \(expected)")
        }
    }

    private init(_ members: [JSONMember]) { self.members = members }

    private static func string(_ value: JSONValue, _ path: String) throws -> String {
        guard let text = value.string else { throw Fault(message: "\(path) is \(value.typeName), expected a string") }
        return text
    }

    /// One pointer, to one place.
    private static func single(_ value: JSONValue, _ path: String) throws -> JSONPointer {
        let pointer = try JSONPointer(try string(value, path))
        guard !pointer.isList else { throw Fault(message: "\(path) is \"\(pointer)\", expected a JSON Pointer without *: there is one for a record") }
        return pointer
    }

    /// One pointer, or one for each response.
    private static func list(_ value: JSONValue, _ path: String) throws -> [JSONPointer] {
        guard let values = value.array else { return [try JSONPointer(try string(value, path))] }
        guard !values.isEmpty else { throw Fault(message: "\(path) is an empty array, expected JSON Pointers") }
        return try values.enumerated().map { i, value in try single(value, "\(path)[\(i)]") }
    }
}
