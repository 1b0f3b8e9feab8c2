import JSON
import SystemIO

/// Rated records where they lie in their block: their texts are read without a copy. The plain way to the same is `RatedRecord(block, record)`.
public struct RatedColumns: @unchecked Sendable {
    /// Which records of the block are meant.
    public let records: Range<Int>
    /// Keeps the arrays.
    private let block: Block
    /// A dictionary text for each turn and a text for each, a text for each response, and a dictionary text for each response or none.
    public let roles, contents, responses, responseSystems: ColumnArrays
    /// Whether all those texts are UTF-8, without lone surrogates.
    public let areUTF8: Bool
    private let shared: [ColumnArrays]

    init(_ block: Block, _ records: Range<Int>) {
        self.block = block
        self.records = records
        (roles, contents, responses, responseSystems) = (block.arrays(of: 4), block.arrays(of: 5), block.arrays(of: 6), block.arrays(of: 7))
        areUTF8 = (4 ... 7).allSatisfy { block.textsAreUTF8($0) }
        shared = [0, 1, 2, 3, 9, 10, 11, 12].map { block.arrays(of: $0) }
    }

    /// Throws what `RatedRecord` throws for a record that contradicts itself.
    public func check(_ record: Int) throws {
        if !RatedRecord.isSound(block, record) { _ = try self.record(record) }
    }

    /// A copy.
    public func record(_ record: Int) throws -> RatedRecord { try block.record(record) }

    public func id(_ record: Int) -> Text { Text(block.text(0, record)) }

    /// Adds what token records take over as it is: id, origin, source and ratings.
    public func addShared(to tokens: BlockBuilder) {
        for (column, arrays) in shared.enumerated() { tokens.add(records, of: arrays, to: column) }
    }

    /// The columns are there as long as `body` runs.
    public func withBlock<Value>(_ body: () throws -> Value) rethrows -> Value { try withExtendedLifetime(block, body) }
}

extension RecordBatch where Record == RatedRecord {
    public var columns: RatedColumns { RatedColumns(block, range) }
}
