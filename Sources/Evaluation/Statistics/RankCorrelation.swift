/// Spearman's rank correlation of two figures over all responses, ties at their average rank, with the record each belongs to for resampling.
struct RankCorrelation {
    private var x: [Double] = []
    private var y: [Double] = []
    private var records: [Int] = []
    private var order: (x: [Int], y: [Int]) = ([], [])
    /// A figure that is not a number has no rank, and the correlation no value.
    private let isDefined: Bool

    init(x: [Double], y: [Double], records: [Int]) {
        self.x = x
        self.y = y
        self.records = records
        isDefined = !x.contains(where: \.isNaN) && !y.contains(where: \.isNaN)
        guard isDefined else { return }
        // Stable, so that the sums below have one order: by value, then by position.
        order = (x.indices.sorted { (x[$0], $0) < (x[$1], $1) }, y.indices.sorted { (y[$0], $0) < (y[$1], $1) })
    }

    var count: Int { x.count }

    /// NaN when either figure is the same everywhere.
    var value: Double { resampled([UInt32](repeating: 1, count: (records.max() ?? -1) + 1)) }

    /// The correlation when the responses of record i stand there `multiplicities[i]` times. The sorting is done once: each resample costs four passes.
    func resampled(_ multiplicities: [UInt32]) -> Double {
        let weights = records.map { Double(multiplicities[$0]) }
        let total = weights.reduce(0, +)
        guard isDefined, total > 1 else { return .nan }
        let rankX = ranks(x, order.x, weights), rankY = ranks(y, order.y, weights)
        // The mean of the ranks 1...n, ties or not.
        let mean = (total + 1) / 2
        var xy = 0.0, xx = 0.0, yy = 0.0
        for i in x.indices {
            let a = rankX[i] - mean, b = rankY[i] - mean
            xy += weights[i] * a * b
            xx += weights[i] * a * a
            yy += weights[i] * b * b
        }
        return xx > 0 && yy > 0 ? xy / (xx.squareRoot() * yy.squareRoot()) : .nan
    }

    /// Average ranks, from 1, of values that stand there `weights` times.
    private func ranks(_ values: [Double], _ order: [Int], _ weights: [Double]) -> [Double] {
        var ranks = [Double](repeating: 0, count: values.count)
        var before = 0.0, first = 0
        while first < order.count {
            var last = first, tied = 0.0
            while last < order.count, values[order[last]] == values[order[first]] {
                tied += weights[order[last]]
                last += 1
            }
            for place in first ..< last { ranks[order[place]] = before + (tied + 1) / 2 }
            before += tied
            first = last
        }
        return ranks
    }
}
