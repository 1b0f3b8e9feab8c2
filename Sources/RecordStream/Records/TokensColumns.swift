import JSON
import SystemIO

/// Token records where they lie: in their block, or one that was made, in columns of its own. Nothing is copied to look at them; the plain way to the same is
/// `TokensRecord(block, record)`.
public final class TokensColumns: @unchecked Sendable {
    /// Which records are meant.
    public let records: Range<Int>
    private let source: Source
    private let ids, sources, dimensions, ratings, rated, targets, prompts, responses: ColumnArrays
    /// The first eight.
    private let shared: [ColumnArrays]
    /// Of streams that keep earlier answers.
    private let answers: ColumnArrays?

    /// What keeps the arrays.
    private enum Source {
        case block(Block)
        case record(TokensRecord, BlockBuilder)
    }

    private init(_ source: Source, _ records: Range<Int>, _ columns: [ColumnArrays]) {
        self.records = records
        self.source = source
        shared = Array(columns[..<8])
        (ids, sources) = (columns[0], columns[3])
        (dimensions, ratings, rated, targets) = (columns[4], columns[5], columns[6], columns[7])
        (prompts, responses) = (columns[8], columns[11])
        answers = columns.count > 12 ? columns[12] : nil
    }

    convenience init(_ block: Block, _ records: Range<Int>) { self.init(.block(block), records, block.columns) }

    /// A record that was made, its number 0.
    ///
    /// - Parameter builder: of `TokensRecord.schemaWithAnswers`, for its columns: what it has is forgotten, and the next that goes there is the end of this one.
    public convenience init(_ record: TokensRecord, in builder: BlockBuilder = BlockBuilder(schema: TokensRecord.schemaWithAnswers, capacity: 256)) {
        builder.removeAll()
        record.append(to: builder)
        self.init(.record(record, builder), 0 ..< 1, builder.current)
    }

    /// Throws what `TokensRecord` throws for a record that contradicts itself.
    public func check(_ record: Int) throws {
        if case .block(let block) = source, !TokensRecord.isSound(block, record) { _ = try self.record(record) }
    }

    /// A copy.
    public func record(_ record: Int) throws -> TokensRecord {
        switch source {
        case .block(let block): try block.record(record)
        case .record(let made, _): made
        }
    }

    /// The columns are there as long as `body` runs.
    public func withArrays<Value>(_ body: () throws -> Value) rethrows -> Value { try withExtendedLifetime(source, body) }

    // MARK: Of one record

    public func id(_ record: Int) -> UnsafeBufferPointer<UInt8> { ids.values(ids.range(record)) }

    /// 1, or N.
    public func promptCount(_ record: Int) -> Int { prompts.range(record).count }
    public func responseCount(_ record: Int) -> Int { responses.range(record).count }

    public func prompt(_ number: Int, of record: Int) -> UnsafeBufferPointer<UInt32> { prompts.values(prompts.innerRange(prompts.range(record).lowerBound + number)) }

    public func response(_ number: Int, of record: Int) -> UnsafeBufferPointer<UInt32> { responses.values(responses.innerRange(responses.range(record).lowerBound + number)) }

    /// The tokens of all its prompts, or of all its responses, one after the other.
    public func promptTokens(_ record: Int) -> UnsafeBufferPointer<UInt32> { prompts.values(prompts.all(of: prompts.range(record), prompts.inner)) }
    public func responseTokens(_ record: Int) -> UnsafeBufferPointer<UInt32> { responses.values(responses.all(of: responses.range(record), responses.inner)) }

    /// Start and end of each earlier answer in a prompt.
    public func answerBounds(_ number: Int, of record: Int) -> UnsafeBufferPointer<UInt32> {
        answers.map { $0.values($0.innerRange($0.range(record).lowerBound + number)) } ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    public func ratings(_ record: Int) -> RatingsView {
        RatingsView(
            dimensionCount: dimensions.range(record).count, ratings: ratings.values(ratings.range(record)), rated: rated.values(rated.range(record)),
            targets: targets.values(targets.range(record)))
    }

    /// A copy of the names and the matrices.
    public func ownRatings(_ record: Int) -> Ratings {
        let view = ratings(record)
        return Ratings(
            dimensions: dimensions.range(record).map { Text(Array(dimensions.name($0))) }, ratings: Array(view.ratings), rated: Array(view.rated), targets: Array(view.targets))
    }

    /// Bytes of the names of its source and dimensions.
    public func nameBytes(_ record: Int) -> Int { dimensions.range(record).reduce(sources.name(record).count) { $0 + dimensions.name($1).count } }

    /// Adds id, origin, source and ratings to eight columns of the same form.
    func addShared(_ record: Int, ratings own: Ratings?, to builder: BlockBuilder) {
        for column in shared.indices.prefix(own == nil ? 8 : 4) { builder.add(record ..< record + 1, of: shared[column], to: column) }
        if let own { builder.add(own, to: 4) }
    }
}

/// The matrices of a record's ratings where they lie, as in `Ratings`.
public struct RatingsView {
    /// m.
    public let dimensionCount: Int
    public let ratings: UnsafeBufferPointer<Double>
    public let rated: UnsafeBufferPointer<UInt8>
    public let targets: UnsafeBufferPointer<Double>
}

extension Ratings {
    /// The view is there as long as `body` runs.
    public func withView<Value>(_ body: (RatingsView) throws -> Value) rethrows -> Value {
        try ratings.withUnsafeBufferPointer { ratings in
            try rated.withUnsafeBufferPointer { rated in
                try targets.withUnsafeBufferPointer { try body(RatingsView(dimensionCount: dimensions.count, ratings: ratings, rated: rated, targets: $0)) }
            }
        }
    }
}

extension RecordBatch where Record == TokensRecord {
    public var columns: TokensColumns { TokensColumns(block, range) }
}
