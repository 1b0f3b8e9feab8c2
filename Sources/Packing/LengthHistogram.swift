import JSON

/// How often each length occurred, exactly. Its memory grows with the different lengths, so at most with the square root of the tokens counted.
public struct LengthHistogram: Sendable, Equatable {
    private var counts: [Int: Int] = [:]
    public private(set) var total = 0
    public private(set) var sum = 0

    public init() {}

    public mutating func add(_ length: Int) {
        counts[length, default: 0] += 1
        total += 1
        sum += length
    }

    public static func += (left: inout LengthHistogram, right: LengthHistogram) {
        left.counts.merge(right.counts, uniquingKeysWith: +)
        left.total += right.total
        left.sum += right.sum
    }

    public var mean: Double { total == 0 ? 0 : Double(sum) / Double(total) }

    /// For each percent p (0...100, ascending) the smallest length that at least p % of all do not exceed (nearest rank); zeros when empty.
    public func percentiles(_ percents: [Int]) -> [Int] {
        let sorted = counts.sorted { $0.key < $1.key }
        var at = 0
        var below = 0
        return percents.map { percent in
            guard total > 0 else { return 0 }
            let rank = max(1, (total * percent + 99) / 100)
            while below + sorted[at].value < rank {
                below += sorted[at].value
                at += 1
            }
            return sorted[at].key
        }
    }

    static let percents = [0, 25, 50, 75, 95, 99, 100]
    static let names = ["min", "p25", "p50", "p75", "p95", "p99", "max"]

    var json: JSONValue {
        let values = zip(LengthHistogram.names, percentiles(LengthHistogram.percents)).map { ($0, JSONValue($1)) }
        return .object([("count", JSONValue(total)), ("sum", JSONValue(sum))] + values)
    }
}
