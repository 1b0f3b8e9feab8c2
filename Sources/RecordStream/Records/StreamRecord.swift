/// A kind of record: its columns, and how a value goes into and comes out of them.
public protocol StreamRecord: Sendable {
    /// The stream's kind and columns. Column numbers below are positions in `schema.columns`.
    static var schema: Schema { get }

    /// Every layout of columns that its streams may have: `schema`, and others where a stream may carry more.
    static var schemas: [Schema] { get }

    /// Adds this record's value to every column, once each.
    func append(to builder: BlockBuilder)

    /// Reads record `record` of a block whose schema is this type's. Throws where the columns cannot be one record (lists of different lengths).
    init(_ block: Block, _ record: Int) throws

    /// Throws when the record contradicts itself. Asked by reader and writer alike, so that what is written can be read.
    func validate() throws
}

extension StreamRecord {
    public static var schemas: [Schema] { [schema] }
}
