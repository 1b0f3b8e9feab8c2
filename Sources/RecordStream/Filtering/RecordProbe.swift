/// Looks at records that stand in no stream yet as it would in one: each becomes a block of its own, so that a condition holds for it exactly when it
/// will hold in the stream.
public final class RecordProbe<Record: StreamRecord> {
    private let builder = BlockBuilder(schema: Record.schema)

    public init() {}

    /// A block of this record alone. Throws for one that no stream can hold.
    public func block(_ record: Record) throws -> Block {
        builder.removeAll()
        record.append(to: builder)
        try builder.endRecord()
        let payload = builder.payload()
        return try Block(schema: builder.schema, name: "the record", firstRecord: 0, count: 1, payload: payload.bytes, owner: payload)
    }

    /// The number of the first condition that the record does not meet; nil when it meets all.
    public func firstUnmet(_ conditions: [RecordFilter], by record: Record) throws -> Int? {
        let block = try block(record)
        return try conditions.firstIndex { try !$0.matches(block, 0) }
    }
}
