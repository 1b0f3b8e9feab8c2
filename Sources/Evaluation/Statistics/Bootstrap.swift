import PortableMath

/// The bootstrap over records (Efron 1979): how much a figure would change if other records of the same kind had been drawn.
///
/// Resample b takes as many records as there are, with replacement, by a counter-based generator keyed by (seed, b): the interval is a function
/// of data and seed alone. The interval goes from the 2.5th to the 97.5th percentile of the resampled figures.
public struct Bootstrap: Sendable {
    public var seed: UInt64
    public var resamples: Int

    public init(seed: UInt64 = 1, resamples: Int = 1000) {
        self.seed = seed
        self.resamples = resamples
    }

    /// Tells this use of a seed from others (see `CounterRandom`).
    static let stream: UInt32 = 0x626F_6F74

    /// One interval for each statistic, all from the same resamples. `statistics` gets how many times each record was taken.
    /// Unknown with fewer than two records, or where a twentieth of the resamples or more leave the figure undefined.
    func intervals(records: Int, count: Int, _ statistics: ([UInt32]) -> [Double]) -> [Interval] {
        guard records > 1, resamples > 0 else { return [Interval](repeating: .unknown, count: count) }
        var samples = [[Double]](repeating: [], count: count)
        var multiplicities = [UInt32](repeating: 0, count: records)
        for resample in 0 ..< resamples {
            for record in 0 ..< records { multiplicities[record] = 0 }
            var generator = CounterRandom(seed: seed, stream: Bootstrap.stream, epoch: UInt64(resample))
            for _ in 0 ..< records { multiplicities[generator.below(records)] += 1 }
            for (index, value) in statistics(multiplicities).enumerated() where !value.isNaN { samples[index].append(value) }
        }
        return samples.map { values in
            guard values.count * 20 > resamples * 19 else { return .unknown }
            let sorted = values.sorted()
            return Interval(Bootstrap.quantile(sorted, 0.025), Bootstrap.quantile(sorted, 0.975))
        }
    }

    /// Linear between the order statistics (numpy's default); `sorted` is not empty.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
}
