/// How often each rating was given, in memory that does not grow: by value while there are at most 64 different ones, as of integers and halves; of more,
/// a continuous range, in 20 equal bins of what a rating may be.
public struct RatingHistogram: Sendable, Equatable {
    static let mostValues = 64
    static let bins = 20

    /// A value (`low` and `high` are equal), or a bin: from `low` up to `high`, the last one with its end.
    public struct Bar: Sendable, Equatable {
        public var low: Double
        public var high: Double
        public var count: Int
    }

    /// That of the first rating; later ones outside it, where a source has several, are in the outer bins.
    private let range: RatingRange
    private var values: [Double] = []
    /// By value, or by bin where there are no values left.
    private var counts: [Int] = []
    private var isBinned = false

    init(_ range: RatingRange) { self.range = range }

    mutating func add(_ value: Double, count: Int = 1) {
        if isBinned { return counts[bin(value)] += count }
        // A handful of values: looking at each is faster than hashing one.
        if let known = values.firstIndex(of: value) { return counts[known] += count }
        values.append(value)
        counts.append(count)
        if values.count > RatingHistogram.mostValues { makeBins() }
    }

    /// The other's bins, where its range is another one, count as their middles.
    mutating func add(_ other: RatingHistogram) {
        if other.isBinned, !isBinned { makeBins() }
        for bar in other.bars where bar.count > 0 { add(bar.low + (bar.high - bar.low) / 2, count: bar.count) }
    }

    private mutating func makeBins() {
        let known = zip(values, counts)
        (values, counts, isBinned) = ([], [Int](repeating: 0, count: RatingHistogram.bins), true)
        for (value, count) in known { counts[bin(value)] += count }
    }

    private func bin(_ value: Double) -> Int {
        let position = (value - range.low) / (range.high - range.low) * Double(RatingHistogram.bins)
        return Int(max(0, min(Double(RatingHistogram.bins - 1), position)))
    }

    /// The lowest first.
    public var bars: [Bar] {
        guard isBinned else { return zip(values, counts).map { Bar(low: $0, high: $0, count: $1) }.sorted { $0.low < $1.low } }
        let width = (range.high - range.low) / Double(RatingHistogram.bins)
        return counts.enumerated().map { Bar(low: range.low + Double($0) * width, high: range.low + Double($0 + 1) * width, count: $1) }
    }
}
