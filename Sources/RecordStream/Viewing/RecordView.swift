import JSON
import SystemIO

/// Records as JSON for people and scripts: one object a record, its members named after the schema's columns.
///
/// Works for any schema. Where a kind is known, columns that belong together are joined: roles and contents of a conversation to `turns`, matrices to one row a
/// dimension, a bin's parallel lists to `segments` and `records`. NaN is null; an infinity is the string "inf" or "-inf", because JSON has no such number.
public struct RecordView {
    enum Content: Equatable {
        case column(Int)
        case turns(roles: Int, contents: Int)
        case segments, members
    }

    private let fields: [(name: String, content: Content)]
    private let dimensions: Int?
    private var writer = JSONWriter()

    /// - Parameter names: which members to show, in the order given; nil shows all. Throws (usage) for a name that the kind does not have, an empty one, and one that stands twice.
    public init(_ schema: Schema, fields names: [String]? = nil) throws {
        let all = RecordView.contents(of: schema)
        dimensions = schema.columns.firstIndex { $0.name == "dimensions" && $0.depth == 1 && $0.meaning == .dictionary }
        if let name = names?.enumerated().first(where: { names?[..<$0.offset].contains($0.element) == true })?.element {
            throw InputError("the field \(name) is named twice; an object has a member once", status: .usage)
        }
        fields = try names?.map { name in
            guard !name.isEmpty else { throw InputError("an empty name of a field; \(schema.kind) records have \(all.map(\.name).joined(separator: ", "))", status: .usage) }
            guard let field = all.first(where: { $0.name == name }) else {
                throw InputError("\(schema.kind) records have no field \(name); they have \(all.map(\.name).joined(separator: ", "))", status: .usage)
            }
            return field
        } ?? all
    }

    /// Shown in words. Somebody else's column of that name may hold anything.
    static let states = Column("rating_states", .u8, depth: 1)

    static func contents(of schema: Schema) -> [(name: String, content: Content)] {
        var fields: [(name: String, content: Content)] = schema.columns.enumerated().map { ($1.name, .column($0)) }
        if schema == RatedRecord.schema, let roles = fields.firstIndex(where: { $0.name == "roles" }) {
            fields.replaceSubrange(roles ... roles + 1, with: [("turns", .turns(roles: roles, contents: roles + 1))])
        }
        if PackedBin.schemas.contains(schema) { fields = Array(fields[..<2]) + [("segments", .segments), ("records", .members)] }
        return fields
    }

    /// The record's JSON and a line feed. Records of a known kind are held to its rules first.
    public mutating func line(_ block: Block, _ record: Int) throws -> [UInt8] {
        try block.validate(record)
        let bin = fields.contains { $0.content == .segments || $0.content == .members } ? try block.record(record, as: PackedBin.self) : nil
        writer.removeAll()
        append("{")
        for (number, field) in fields.enumerated() {
            append(number > 0 ? ",\"\(field.name)\":" : "\"\(field.name)\":")
            switch field.content {
            case .column(let column): try write(block, column, record)
            case .turns(let roles, let contents): try writeTurns(block, roles, contents, record)
            case .segments: try writer.write(.array(bin?.segments.map(\.json) ?? []))
            case .members: try list(0 ..< (bin?.members.count ?? 0)) { view, number in try bin.map { try view.write($0.members[number]) } }
            }
        }
        append("}\n")
        return writer.bytes
    }

    private mutating func append(_ text: String) { writer.append(raw: text.utf8) }

    private mutating func list(_ range: Range<Int>, _ element: (inout RecordView, Int) throws -> Void) rethrows {
        append("[")
        for i in range {
            if i > range.lowerBound { append(",") }
            try element(&self, i)
        }
        append("]")
    }

    private mutating func write(_ block: Block, _ index: Int, _ record: Int) throws {
        let column = block.schema.columns[index]
        switch column.depth {
        case 0: try write(block, index, value: record)
        case 1:
            let range = block.range(index, record)
            if column.meaning == .text { return try write(text: block.values(index, as: UInt8.self), range) }
            guard let rows = rows(block, column, record), rows > 0, range.count % rows == 0 else {
                return try list(range) { try $0.write(block, index, value: $1) }
            }
            let width = range.count / rows
            try list(0 ..< rows) { view, row in
                let start = range.lowerBound + row * width
                try view.list(start ..< start + width) { try $0.write(block, index, value: $1) }
            }
        default:
            try list(block.range(index, record)) { view, inner in
                let range = block.innerRange(index, inner)
                if column.meaning == .text { return try view.write(text: block.values(index, as: UInt8.self), range) }
                try view.list(range) { try $0.write(block, index, value: $1) }
            }
        }
    }

    /// How many rows the column's list has as a matrix; nil for a plain list.
    private func rows(_ block: Block, _ column: Column, _ record: Int) -> Int? {
        guard let dimensions, ["ratings", "rated", "targets", "rating_states"].contains(column.name) else { return nil }
        return block.range(dimensions, record).count
    }

    private mutating func write(_ block: Block, _ index: Int, value at: Int) throws {
        let column = block.schema.columns[index]
        guard column.meaning != .dictionary else {
            return try writer.write(textBytes: block.dictionaryText(index, Int(block.values(index, as: UInt32.self)[at])))
        }
        switch column.type {
        case .u8:
            let value = block.values(index, as: UInt8.self)[at]
            if column == RecordView.states, let state = RatingState(rawValue: value) { append("\"\(state.name)\"") } else { append(String(value)) }
        case .u32: append(String(block.values(index, as: UInt32.self)[at]))
        case .u64: append(String(block.values(index, as: UInt64.self)[at]))
        case .i32: append(String(block.values(index, as: Int32.self)[at]))
        case .f32: append(RecordView.number(block.values(index, as: Float.self)[at]))
        case .f64: append(RecordView.number(block.values(index, as: Double.self)[at]))
        }
    }

    static func number(_ value: some BinaryFloatingPoint & CustomStringConvertible) -> String {
        value.isFinite ? value.description : value.isNaN ? "null" : value < 0 ? "\"-inf\"" : "\"inf\""
    }

    private mutating func write(text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) throws {
        try writer.write(textBytes: UnsafeBufferPointer(rebasing: text[range]))
    }

    private mutating func write(_ member: PackedBin.Member) throws {
        for (number, (name, value)) in member.json.enumerated() {
            append(number > 0 ? ",\"\(name)\":" : "{\"\(name)\":")
            // A line's number is of 64 bits, which a JSON value of ours holds 63 of.
            if let value { try writer.write(value) } else { append(String(member.origin.line)) }
        }
        append("}")
    }

    private mutating func writeTurns(_ block: Block, _ roles: Int, _ contents: Int, _ record: Int) throws {
        let first = block.range(contents, record).lowerBound, roleStart = block.range(roles, record).lowerBound
        try list(0 ..< block.range(roles, record).count) { view, turn in
            view.append("{\"role\":")
            try view.write(block, roles, value: roleStart + turn)
            view.append(",\"content\":")
            try view.write(text: block.values(contents, as: UInt8.self), block.innerRange(contents, first + turn))
            view.append("}")
        }
    }
}

extension PackedBin.Segment {
    /// For people: what -1 stands for is null.
    fileprivate var json: JSONValue {
        func orNull(_ number: Int32) -> JSONValue { number < 0 ? .null : JSONValue(Int(number)) }
        return .object([
            ("start", JSONValue(Int(start))), ("end", JSONValue(Int(end))), ("parent", orNull(parent)), ("record", JSONValue(Int(record))),
            ("response", orNull(response)), ("label_start", JSONValue(Int(labelStart))),
        ])
    }
}

extension PackedBin.Gap {
    public var json: JSONValue { .object([("at", JSONValue(Int(at))), ("tokens", JSONValue(Int(tokens)))]) }
}

extension PackedBin.Member {
    /// The members of its object; nil stands for the number of its line.
    fileprivate var json: [(name: String, value: JSONValue?)] {
        func matrix(_ values: [JSONValue]) -> JSONValue {
            .array((0 ..< ratings.dimensions.count).map { row in .array(Array(values[row * responseCount ..< (row + 1) * responseCount])) })
        }
        func integers(_ values: [UInt32]) -> JSONValue { .array(values.map { JSONValue(Int($0)) }) }
        var members: [(name: String, value: JSONValue?)] = [
            ("id", .string(id)), ("origin_input", JSONValue(Int(origin.input))), ("origin_line", nil), ("source", .string(source)),
            ("dimensions", .array(ratings.dimensions.map { .string($0) })), ("ratings", matrix(ratings.ratings.map { $0.isNaN ? .null : .number($0) })),
            ("rated", matrix(ratings.rated.map { JSONValue(Int($0)) })), ("targets", matrix(ratings.targets.map { .number($0) })),
            ("prompt_cuts", integers(promptCuts)), ("response_cuts", integers(responseCuts)),
        ]
        if let promptGaps { members.append(("prompt_gaps", .array(promptGaps.map { .array($0.map(\.json)) }))) }
        if !rowMap.isEmpty {
            members += [("row_map", integers(rowMap)), ("pi_target", .array(piTarget.map { .number(Double($0)) }))]
        }
        return members
    }
}

extension Block {
    /// Holds record `index` to the rules of its kind; a kind that this release does not know has none. Throws without a place.
    func checkRules(_ index: Int) throws {
        func check<Record: StreamRecord>(_: Record.Type) throws { try Record(self, index).validate() }
        switch schema {
        case RatedRecord.schema: if !RatedRecord.isSound(self, index) { try check(RatedRecord.self) }
        case TokensRecord.schema, TokensRecord.schemaWithAnswers: if !TokensRecord.isSound(self, index) { try check(TokensRecord.self) }
        case PackedBin.schema, PackedBin.schemaWithGaps: if !PackedBin.isSound(self, index) { try check(PackedBin.self) }
        case LogProbRecord.schema: try check(LogProbRecord.self)
        default: break
        }
    }

    /// The same; an error names stream and record.
    func validate(_ index: Int) throws {
        do { try checkRules(index) } catch let error as InputError { throw error.at("\(name): record \(firstRecord + index)") }
    }

    /// Holds every record to the rules of its kind.
    public func validateRecords() throws {
        for index in 0 ..< count { try validate(index) }
    }

    /// Whether record `index` has the id, or, for a bin, holds a record that has it.
    public func holds(id: Text, at index: Int) -> Bool {
        guard let column = schema.columns.firstIndex(where: { $0.meaning == .text && ($0.name == "id" || $0.name == "ids") }) else { return false }
        let bytes = values(column, as: UInt8.self)
        if schema.columns[column].depth == 1 { return bytes[range(column, index)].elementsEqual(id.bytes) }
        return range(column, index).contains { bytes[innerRange(column, $0)].elementsEqual(id.bytes) }
    }
}
