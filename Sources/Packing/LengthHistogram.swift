import JSON

/// How often each length occurred, exactly. Its memory grows with the longest of the short lengths and with the different long ones.
public struct LengthHistogram: Sendable, Equatable {
    /// How often each of the short lengths occurred, up to the longest of them; the long ones by a look-up.
    private var short: [Int] = [], long: [Int: Int] = [:]
    private static let firstLong = 1 << 12
    public private(set) var total = 0
    public private(set) var sum = 0

    public init() {}

    public mutating func add(_ length: Int) {
        count(length, 1)
        total += 1
        sum += length
    }

    private mutating func count(_ length: Int, _ more: Int) {
        guard length < LengthHistogram.firstLong else { return long[length, default: 0] += more }
        if length >= short.count { short += repeatElement(0, count: length + 1 - short.count) }
        short[length] += more
    }

    public static func += (left: inout LengthHistogram, right: LengthHistogram) {
        for (length, count) in right.counts { left.count(length, count) }
        left.total += right.total
        left.sum += right.sum
    }

    /// In ascending order.
    private var counts: [(length: Int, count: Int)] {
        short.indices.filter { short[$0] > 0 }.map { ($0, short[$0]) } + long.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    public var mean: Double { total == 0 ? 0 : Double(sum) / Double(total) }

    /// For each percent p (0...100, ascending) the smallest length that at least p % of all do not exceed (nearest rank); zeros when empty.
    public func percentiles(_ percents: [Int]) -> [Int] {
        let sorted = counts
        var at = 0
        var below = 0
        return percents.map { percent in
            guard total > 0 else { return 0 }
            let rank = max(1, (total * percent + 99) / 100)
            while below + sorted[at].count < rank {
                below += sorted[at].count
                at += 1
            }
            return sorted[at].length
        }
    }

    static let percents = [0, 25, 50, 75, 95, 99, 100]
    static let names = ["min", "p25", "p50", "p75", "p95", "p99", "max"]

    var json: JSONValue {
        let values = zip(LengthHistogram.names, percentiles(LengthHistogram.percents)).map { ($0, JSONValue($1)) }
        return .object([("count", JSONValue(total)), ("sum", JSONValue(sum))] + values)
    }
}
