/// A ratio of sums over records, sum(numerators) / sum(denominators): a share of pairs, a mean per record, a mean per response.
///
/// Records are what was drawn independently; the pairs or responses inside one are not. Every interval therefore takes records as clusters.
struct ClusteredRatio {
    private(set) var numerators: [Double] = []
    private(set) var denominators: [Double] = []
    /// Which record each entry belongs to, for resampling; rising.
    private(set) var records: [Int] = []

    /// Adds what one record contributes; a record that contributes nothing to the denominator says nothing.
    mutating func add(_ numerator: Double, of denominator: Double, record: Int) {
        guard denominator > 0 else { return }
        numerators.append(numerator)
        denominators.append(denominator)
        records.append(record)
    }

    var total: Double { denominators.reduce(0, +) }
    /// NaN where there is nothing.
    var value: Double { numerators.reduce(0, +) / total }

    /// The 95 % interval of a share: Wilson's, at the number of independent observations that the pairs are worth.
    ///
    /// The variance of the ratio between clusters (linearised, with the factor n / (n - 1)) gives the effective number p (1 - p) / variance, never
    /// taken as more than there are (Korn and Graubard 1998 do the same for the exact interval). At 0 and 1 the variance says nothing: there the records are counted.
    var shareInterval: Interval {
        let p = value
        guard p.isFinite, records.count > 1 else { return records.isEmpty ? .unknown : .wilson(successes: p, trials: 1) }
        let clusters = Double(records.count)
        if p <= 0 || p >= 1 { return .wilson(successes: p * clusters, trials: clusters) }
        var squares = 0.0
        for (numerator, denominator) in zip(numerators, denominators) {
            let residual = numerator - p * denominator
            squares += residual * residual
        }
        let variance = clusters / (clusters - 1) * squares / (total * total)
        let effective = variance > 0 ? min(total, p * (1 - p) / variance) : total
        return .wilson(successes: p * effective, trials: effective)
    }

    /// The ratio over a resample that takes record i `multiplicities[i]` times; NaN when it takes none that counts.
    func resampled(_ multiplicities: [UInt32]) -> Double {
        var numerator = 0.0, denominator = 0.0
        for (index, record) in records.enumerated() {
            let times = Double(multiplicities[record])
            numerator += times * numerators[index]
            denominator += times * denominators[index]
        }
        return numerator / denominator
    }
}
