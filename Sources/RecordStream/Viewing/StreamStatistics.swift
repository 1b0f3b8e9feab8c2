import Glibc
import JSON

/// What a stream holds, in numbers, in memory that does not grow with it.
public struct StreamStatistics {
    public struct ColumnStatistics {
        public var column: Column
        /// Raw bytes of the column: values, offsets, dictionaries; padding not.
        public var bytes = 0
        /// Of the innermost lists: bytes of texts, numbers of values.
        public var lengths = LengthDistribution()
        /// Lists a record, where the column has lists of lists.
        public var lists = LengthDistribution()
    }

    public struct DimensionStatistics {
        /// Records that have the dimension, and those in which it is left out (no target).
        public var records = 0
        public var leftOut = 0
        /// Responses of those records, how many have a rating, and how many take part in a distribution.
        public var responses = 0
        public var rated = 0
        public var marked = 0
        public var ratingSum = 0.0
        /// How often each rating occurs; beyond 32 different ones only `otherRatings` grows.
        public var ratings: [Double: Int] = [:]
        public var otherRatings = 0
        /// Sum over records of the target's entropy (nats) and of the entropy of an even one: their ratio says how decided the targets are.
        public var entropySum = 0.0
        public var evenEntropySum = 0.0
    }

    public private(set) var records = 0
    public private(set) var blocks = 0
    public private(set) var columns: [ColumnStatistics]
    /// By name.
    public private(set) var dimensions: [Text: DimensionStatistics] = [:]
    private let dimensionColumn: Int?

    public init(_ schema: Schema) {
        columns = schema.columns.map { ColumnStatistics(column: $0) }
        let known = StreamHead.knownSchemas.contains(schema)
        dimensionColumn = known ? schema.columns.firstIndex { $0.name == "dimensions" } : nil
    }

    /// Adds a block, its records held to the rules of their kind first.
    public mutating func add(_ block: Block) throws {
        try block.validateRecords()
        blocks += 1
        records += block.count
        for (index, column) in block.schema.columns.enumerated() {
            columns[index].bytes += block.columnBytes(index)
            guard column.depth > 0 else { continue }
            for record in 0 ..< block.count {
                let range = block.range(index, record)
                guard column.depth == 2 else {
                    columns[index].lengths.add(range.count)
                    continue
                }
                columns[index].lists.add(range.count)
                for list in range { columns[index].lengths.add(block.innerRange(index, list).count) }
            }
        }
        guard let column = dimensionColumn else { return }
        for record in 0 ..< block.count {
            if block.schema.columns[column].depth == 1 {
                add(Ratings(block, record, at: column))
            } else {
                let names = block.nameLists(column, record), ratings: [[Double]] = block.lists(column + 1, record)
                let rated: [[UInt8]] = block.lists(column + 2, record), targets: [[Double]] = block.lists(column + 3, record)
                for i in names.indices {
                    add(Ratings(dimensions: names[i].map { Text($0) }, ratings: ratings[i], rated: rated[i], targets: targets[i]))
                }
            }
        }
    }

    private mutating func add(_ matrix: Ratings) {
        guard !matrix.dimensions.isEmpty else { return }
        let responses = matrix.ratings.count / matrix.dimensions.count
        for (row, name) in matrix.dimensions.enumerated() {
            // A hostile stream may name a new dimension in every record.
            guard dimensions[name] != nil || dimensions.count < 1024 else { continue }
            let range = row * responses ..< (row + 1) * responses
            dimensions[name, default: DimensionStatistics()].add(
                ratings: matrix.ratings[range], rated: matrix.rated[range], targets: matrix.targets[range])
        }
    }
}

extension StreamStatistics.DimensionStatistics {
    mutating func add(ratings: ArraySlice<Double>, rated marks: ArraySlice<UInt8>, targets: ArraySlice<Double>) {
        records += 1
        responses += ratings.count
        for rating in ratings where !rating.isNaN {
            rated += 1
            ratingSum += rating
            if self.ratings[rating] != nil || self.ratings.count < 32 { self.ratings[rating, default: 0] += 1 } else { otherRatings += 1 }
        }
        let taking = marks.reduce(0) { $0 + Int($1) }
        marked += taking
        guard targets.contains(where: { $0 > 0 }) else { return leftOut += 1 }
        entropySum += targets.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) }
        evenEntropySum += log(Double(taking))
    }

    public var meanRating: Double? { rated == 0 ? nil : ratingSum / Double(rated) }
    /// Entropy of the targets as a share of that of even ones: 1 says nothing, 0 names one response.
    public var relativeEntropy: Double? { evenEntropySum > 0 ? entropySum / evenEntropySum : nil }
}
