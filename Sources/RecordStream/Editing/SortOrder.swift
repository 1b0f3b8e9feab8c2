import SystemIO

/// What sorting and merging go by.
public enum SortOrder: String, Sendable, CaseIterable {
    /// The bytes of the id.
    case id
    /// The number of the raw input, then the line in it: the order in which uf-convert read the records.
    case origin

    /// The key of a record; keys are compared byte by byte. Throws (usage) for a kind whose records have none.
    func key(in schema: Schema) throws -> (BlockRecord) -> [UInt8] {
        switch self {
        case .id:
            guard let column = schema.columns.firstIndex(of: .text("id")) else { throw missing(schema) }
            return { $0.block.text(column, $0.index) }
        case .origin:
            guard let input = schema.columns.firstIndex(of: Column("origin_input", .u32)), let line = schema.columns.firstIndex(of: Column("origin_line", .u64)) else {
                throw missing(schema)
            }
            return { record in
                let (input, line) = (record.block.number(input, record.index, as: UInt32.self), record.block.number(line, record.index, as: UInt64.self))
                return bigEndian(input) + bigEndian(line)
            }
        }
    }

    private func missing(_ schema: Schema) -> InputError {
        InputError("\(schema.kind) records have no \(self == .id ? "id" : "origin") of their own to be ordered by", status: .usage)
    }

    /// For messages.
    func words(_ record: BlockRecord) throws -> String {
        var view = try RecordView(record.block.schema, fields: self == .id ? ["id"] : ["origin_input", "origin_line"])
        return String(decoding: try view.line(record.block, record.index).dropLast(), as: UTF8.self)
    }
}

/// So that the order of the bytes is that of the numbers.
func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
