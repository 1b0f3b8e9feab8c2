import JSON
import PortableMath
import RecordStream

/// What ratings, targets and texts are like, by source: gathered record by record in the order of the inputs, so that the same inputs give the same
/// numbers for any number of threads, in memory that does not grow with the data (at most some 0.3 MB a source).
///
/// Ratings and texts are those of the records that `ConversionCounts` counts: of the wanted part and shard, dropped ones included. Targets are those of
/// the records that are kept. Of a source's dimensions the first 32 are looked at, of the sources the first 200 one by one; what comes after is counted as
/// passed over, and as other sources.
public struct DataStatistics: Sendable {
    private var sources: [Text: SourceStatistics] = [:]
    private static let mostSources = 200

    mutating func add(_ record: RawPreference) {
        sources[known(record.source), default: SourceStatistics()].add(record)
    }

    mutating func add(targetsOf record: RatedRecord) {
        sources[known(record.source), default: SourceStatistics()].add(targets: record.ratings)
    }

    private func known(_ source: Text) -> Text {
        sources[source] != nil || sources.count < DataStatistics.mostSources ? source : ConversionCounts.otherSources
    }

    /// By name.
    public var bySource: [(name: Text, statistics: SourceStatistics)] { sources.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// Of all sources together.
    public var all: SourceStatistics { bySource.reduce(into: SourceStatistics()) { $0.add($1.statistics) } }
}

/// Of one source.
public struct SourceStatistics: Sendable {
    public init() {}

    static let mostDimensions = 32

    public private(set) var records = 0
    /// Bytes of UTF-8: of all turns of a prompt together, and of each response.
    public private(set) var promptBytes = LengthDistribution(), responseBytes = LengthDistribution()
    /// In the order in which the records first had them.
    public private(set) var dimensions: [DimensionStatistics] = []
    /// Of the ratings of two dimensions that one response has: those of 1 with 0, of 2 with 0 and 1, and so on.
    private var correlations: [Correlation] = []
    /// Dimensions of records that were not looked at, because the source has too many.
    public private(set) var passedOver = 0

    mutating func add(_ record: RawPreference) {
        records += 1
        promptBytes.add(record.turns.reduce(0) { $0 + $1.content.count })
        for response in record.responses { responseBytes.add(response.count) }
        let count = record.responses.count
        let rows: [(known: Int, start: Int)] = record.dimensions.indices.compactMap { k in
            guard let known = number(of: record.dimensions[k], expected: k, in: record.ranges[k]) else { return nil }
            return (known, k * count)
        }
        for (at, row) in rows.enumerated() {
            dimensions[row.known].add(record.values[row.start ..< row.start + count], record.states[row.start ..< row.start + count])
            for other in rows[..<at] where other.known != row.known {
                let index = SourceStatistics.pair(other.known, row.known)
                for i in 0 ..< count where record.states[row.start + i] == .rated && record.states[other.start + i] == .rated {
                    let x = record.values[other.start + i], y = record.values[row.start + i]
                    if other.known < row.known { correlations[index].add(x, y) } else { correlations[index].add(y, x) }
                }
            }
        }
    }

    mutating func add(targets ratings: Ratings) {
        guard !ratings.dimensions.isEmpty else { return }
        let count = ratings.targets.count / ratings.dimensions.count
        for (k, name) in ratings.dimensions.enumerated() {
            guard let known = known(name, expected: k) else { continue }
            dimensions[known].add(targets: ratings.targets[k * count ..< (k + 1) * count], rated: ratings.rated[k * count ..< (k + 1) * count])
        }
    }

    /// Records of a source have the same dimensions in the same order, nearly always.
    private func known(_ name: Text, expected: Int) -> Int? {
        expected < dimensions.count && dimensions[expected].name == name ? expected : dimensions.firstIndex { $0.name == name }
    }

    private mutating func number(of name: Text, expected: Int, in range: RatingRange) -> Int? {
        if let known = known(name, expected: expected) { return known }
        guard dimensions.count < SourceStatistics.mostDimensions else {
            passedOver += 1
            return nil
        }
        correlations += Array(repeating: Correlation(), count: dimensions.count)
        dimensions.append(DimensionStatistics(name, range))
        return dimensions.count - 1
    }

    private static func pair(_ a: Int, _ b: Int) -> Int { max(a, b) * (max(a, b) - 1) / 2 + min(a, b) }

    /// Pearson's correlation of two dimensions by their index, and of how many responses: those that both have rated.
    public func correlation(_ a: Int, _ b: Int) -> (responses: Int, r: Double?) {
        let correlation = correlations[SourceStatistics.pair(a, b)]
        return (correlation.count, correlation.r)
    }

    mutating func add(_ other: SourceStatistics) {
        records += other.records
        promptBytes.add(other.promptBytes)
        responseBytes.add(other.responseBytes)
        passedOver += other.passedOver
        let numbers = other.dimensions.enumerated().map { number(of: $1.name, expected: $0, in: $1.range) }
        for (k, own) in numbers.enumerated() {
            guard let own else { continue }
            dimensions[own].add(other.dimensions[k])
            for (l, earlier) in numbers[..<k].enumerated() {
                guard let earlier else { continue }
                let pair = other.correlations[SourceStatistics.pair(l, k)]
                correlations[SourceStatistics.pair(earlier, own)].add(earlier < own ? pair : pair.swapped)
            }
        }
    }
}

/// Of one dimension of a source.
public struct DimensionStatistics: Sendable {
    public let name: Text
    /// What a rating of the first record may be.
    let range: RatingRange
    public private(set) var histogram: RatingHistogram
    private var ratings = Moments()
    /// Pairs of rated responses of one record, and those with equal ratings.
    public private(set) var pairs = 0, tiedPairs = 0
    /// Entropy of each target in thousandths of a nat: its distribution; its mean in nats, and that of ln N, the entropy of an even target over as many
    /// responses.
    public private(set) var milliNats = LengthDistribution()
    private var entropy = Moments(), even = Moments()

    init(_ name: Text, _ range: RatingRange) {
        self.name = name
        self.range = range
        histogram = RatingHistogram(range)
    }

    public var rated: Int { ratings.count }
    public var mean: Double? { ratings.count == 0 ? nil : ratings.mean }
    public var standardDeviation: Double? { ratings.standardDeviation }
    public var tiedShare: Double? { pairs == 0 ? nil : Double(tiedPairs) / Double(pairs) }
    public var targets: Int { entropy.count }
    public var meanEntropy: Double? { entropy.count == 0 ? nil : entropy.mean }
    public var meanEvenEntropy: Double? { even.count == 0 ? nil : even.mean }
    /// Of the targets as a share of that of even ones: 1 says nothing, 0 names one response.
    public var relativeEntropy: Double? { even.count == 0 || even.mean == 0 ? nil : entropy.mean / even.mean }

    mutating func add(_ values: ArraySlice<Double>, _ states: ArraySlice<RatingState>) {
        var given = 0
        for i in values.indices where states[i] == .rated {
            histogram.add(values[i])
            ratings.add(values[i])
            pairs += given
            given += 1
        }
        tiedPairs += ConversionCounts.tiedPairs(zip(values, states).compactMap { $1 == .rated ? $0 : nil })
    }

    mutating func add(targets: ArraySlice<Double>, rated: ArraySlice<UInt8>) {
        let taking = rated.reduce(0) { $0 + Int($1) }
        guard taking >= 2 else { return }
        let nats = targets.reduce(0) { $0 - ($1 > 0 ? $1 * ExactMath.log($1) : 0) }
        entropy.add(nats)
        even.add(ExactMath.log(Double(taking)))
        milliNats.add(Int((nats * 1000).rounded()))
    }

    mutating func add(_ other: DimensionStatistics) {
        histogram.add(other.histogram)
        ratings.add(other.ratings)
        pairs += other.pairs
        tiedPairs += other.tiedPairs
        milliNats.add(other.milliNats)
        entropy.add(other.entropy)
        even.add(other.even)
    }
}
