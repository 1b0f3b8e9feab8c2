/// A kind of record: its columns, and how a value goes into and comes out of them.
public protocol StreamRecord: Sendable {
    /// The stream's kind and columns. Column numbers below are positions in `schema.columns`.
    static var schema: Schema { get }

    /// Adds this record's value to every column, once each.
    func append(to builder: BlockBuilder)

    /// Reads record `record` of a block whose schema is this type's. Throws when the columns contradict each other.
    init(_ block: Block, _ record: Int) throws
}
