import JSON
import SystemIO

/// Reads what `RecordView` shows: one JSON object is one record.
struct RecordParser {
    private let schema: Schema
    private let fields: [(name: String, content: RecordView.Content)]

    init(_ schema: Schema) {
        self.schema = schema
        fields = RecordView.contents(of: schema)
    }

    /// Adds the record to every column of `builder`; after an error the builder must not be used any more.
    func append(_ cursor: JSONCursor, to builder: BlockBuilder) throws {
        let members = try ImportValue(cursor: cursor, path: []).members(fields.map(\.name))
        if PackedBin.schemas.contains(schema) { return try PackedBin(imported: members, hasGaps: PackedBin.hasGaps(schema)).append(to: builder) }
        for field in fields {
            guard let value = members[field.name] else { continue }
            switch field.content {
            case .column(let column): try append(value, to: column, builder)
            case .turns(let roles, let contents):
                let turns = try value.elements().map { try $0.members(["role", "content"]) }
                builder.add(names: try turns.map { try $0["role"]?.text() ?? Text() }, to: roles)
                builder.add(texts: try turns.map { try $0["content"]?.text() ?? Text() }, to: contents)
            case .segments, .members: break
            }
        }
    }

    private func append(_ value: ImportValue, to column: Int, _ builder: BlockBuilder) throws {
        let definition = schema.columns[column]
        switch (definition.meaning, definition.depth) {
        case (.text, 1): builder.add(text: try value.text(), to: column)
        case (.text, _): builder.add(texts: try value.elements().map { try $0.text() }, to: column)
        case (.dictionary, 0): builder.add(name: try value.text(), to: column)
        case (.dictionary, 1): builder.add(names: try value.elements().map { try $0.text() }, to: column)
        case (.dictionary, _): builder.add(nameLists: try value.elements().map { try $0.elements().map { try $0.text() } }, to: column)
        case (.number, _):
            switch definition.type {
            case .u8 where definition == RecordView.states: builder.add(list: try value.flattened().map { try RecordParser.state($0) }, to: column)
            case .u8: try append(value, to: column, builder, as: UInt8.self)
            case .u32: try append(value, to: column, builder, as: UInt32.self)
            case .u64: try append(value, to: column, builder, as: UInt64.self)
            case .i32: try append(value, to: column, builder, as: Int32.self)
            case .f32: try append(value, to: column, builder, as: Float.self)
            case .f64: try append(value, to: column, builder, as: Double.self)
            }
        }
    }

    private func append<Number: ImportNumber>(_ value: ImportValue, to column: Int, _ builder: BlockBuilder, as _: Number.Type) throws {
        switch schema.columns[column].depth {
        case 0: builder.add(number: try value.number(Number.self), to: column)
        case 1: builder.add(list: try value.flattened().map { try $0.number(Number.self) }, to: column)
        default: builder.add(lists: try value.elements().map { try $0.elements().map { try $0.number(Number.self) } }, to: column)
        }
    }

    private static func state(_ value: ImportValue) throws -> UInt8 {
        guard let state = RatingState.allCases.first(where: { value.cursor.stringBytes?.elementsEqual($0.name.utf8) == true }) else {
            throw value.fault("expected one of \(RatingState.allCases.map { "\"\($0.name)\"" }.joined(separator: ", "))")
        }
        return state.rawValue
    }
}

extension ImportValue {
    /// The numbers of a list, or of a matrix row by row; rows of one length.
    func flattened() throws -> [ImportValue] {
        let rows = try elements()
        guard rows.contains(where: { $0.cursor.elements != nil }) else { return rows }
        let values = try rows.map { try $0.elements() }
        if let odd = values.firstIndex(where: { $0.count != values[0].count }) { throw rows[odd].fault("a row of \(values[odd].count) values after rows of \(values[0].count)") }
        return values.flatMap { $0 }
    }
}

extension PackedBin {
    /// From the members that `RecordView` shows of a bin.
    init(imported members: [String: ImportValue], hasGaps: Bool) throws {
        func list(_ name: String) throws -> [ImportValue] { try members[name]?.elements() ?? [] }
        let segments = try list("segments").map { value in
            let names = ["start", "end", "parent", "record", "response", "label_start"], members = try value.members(names)
            func number<Number: ImportNumber>(_ name: String) throws -> Number { try members[name]!.number() }
            func orMinusOne(_ name: String) throws -> Int32 { members[name]?.cursor.isNull == true ? -1 : try number(name) }
            return Segment(
                start: try number("start"), end: try number("end"), parent: try orMinusOne("parent"), record: try number("record"), response: try orMinusOne("response"),
                labelStart: try number("label_start"))
        }
        self.init(
            tokens: try list("tokens").map { try $0.number() }, positions: try list("positions").map { try $0.number() }, segments: segments,
            members: try list("records").map { try Member(imported: $0, hasGaps: hasGaps) })
    }
}

extension PackedBin.Gap {
    fileprivate init(imported value: ImportValue) throws {
        let members = try value.members(["at", "tokens"])
        self.init(at: try members["at"]!.number(), tokens: try members["tokens"]!.number())
    }
}

extension PackedBin.Member {
    fileprivate init(imported value: ImportValue, hasGaps: Bool) throws {
        let names = (hasGaps ? ["prompt_gaps"] : []) + ["id", "origin_input", "origin_line", "source", "dimensions", "ratings", "rated", "targets", "prompt_cuts", "response_cuts"]
        let members = try value.members(names, optional: ["row_map", "pi_target"])
        func numbers<Number: ImportNumber>(_ name: String) throws -> [Number] { try members[name]?.flattened().map { try $0.number() } ?? [] }
        func number<Number: ImportNumber>(_ name: String) throws -> Number { try members[name]!.number() }
        func text(_ name: String) throws -> Text { try members[name]!.text() }
        let cuts: [UInt32] = try numbers("prompt_cuts")
        let gaps = try members["prompt_gaps"].map { value in
            let prompts = try value.elements()
            // The column has the lists of all records one after the other: there nobody could tell whose is missing.
            guard prompts.count == cuts.count else { throw value.fault("gaps of \(prompts.count) prompts, expected \(cuts.count), a list for each number in prompt_cuts") }
            return try prompts.map { try $0.elements().map(PackedBin.Gap.init(imported:)) }
        }
        self.init(
            id: try text("id"), origin: Origin(input: try number("origin_input"), line: try number("origin_line")), source: try text("source"),
            ratings: Ratings(
                dimensions: try members["dimensions"]!.elements().map { try $0.text() }, ratings: try numbers("ratings"), rated: try numbers("rated"),
                targets: try numbers("targets")),
            promptCuts: cuts, promptGaps: gaps, responseCuts: try numbers("response_cuts"), rowMap: try numbers("row_map"), piTarget: try numbers("pi_target"))
    }
}
