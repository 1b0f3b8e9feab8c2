import JSON
import RecordStream

/// Means over the records of a step or of a shard.
public struct LossTally: Sendable, Equatable {
    /// One dimension of preference, over the records that use it.
    public struct Dimension: Sendable, Equatable {
        public var lossSum = 0.0
        public var divergenceSum = 0.0
        public var records = 0
        public var pairs = PairOrder()

        /// Mean of L_k.
        public var loss: Double { lossSum / Double(records) }
        /// Mean of L_k - H(p_k).
        public var divergence: Double { divergenceSum / Double(records) }
    }

    public private(set) var lossSum = 0.0
    public private(set) var divergenceSum = 0.0
    /// Records with a loss, and those without one because no dimension is in use.
    public private(set) var records = 0
    public private(set) var unused = 0
    public private(set) var dimensions: [Text: Dimension] = [:]
    /// Pairs ordered by the lambda-weighted target.
    public private(set) var pairs = PairOrder()

    public init() {}

    public var loss: Double { records > 0 ? lossSum / Double(records) : 0 }
    public var divergence: Double { records > 0 ? divergenceSum / Double(records) : 0 }
    /// By name: an order that does not depend on the data's.
    public var sortedDimensions: [(name: Text, values: Dimension)] { dimensions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// - Parameter lambda: the record's weights; the pairs of all dimensions together are those of the weighted target.
    public mutating func add(_ record: RecordLoss, _ ratings: Ratings, lambda: [Double]) {
        guard record.isUsed else { return unused += 1 }
        records += 1
        lossSum += record.loss
        divergenceSum += record.divergence
        let n = record.rewards.count
        for (k, term) in record.dimensions.enumerated() {
            guard let term else { continue }
            let row = k * n ..< (k + 1) * n
            let marks = Array(ratings.rated[row])
            var dimension = dimensions[ratings.dimensions[k]] ?? Dimension()
            dimension.lossSum += term.loss
            dimension.divergenceSum += term.divergence
            dimension.records += 1
            dimension.pairs += PairOrder(targets: ratings.targets[row], rewards: record.rewards) { marks[$0] != 0 }
            dimensions[ratings.dimensions[k]] = dimension
        }
        pairs += weightedPairs(record, ratings, lambda)
    }

    /// Pairs of p_lambda, among responses that are rated in every dimension that counts: others have no comparable target.
    private func weightedPairs(_ record: RecordLoss, _ ratings: Ratings, _ lambda: [Double]) -> PairOrder {
        let n = record.rewards.count
        var mixed = [Double](repeating: 0, count: n), counts = [Bool](repeating: true, count: n)
        for k in record.dimensions.indices where record.dimensions[k] != nil && lambda[k] > 0 {
            for i in 0 ..< n {
                mixed[i] += lambda[k] * ratings.targets[k * n + i]
                if ratings.rated[k * n + i] == 0 { counts[i] = false }
            }
        }
        // Sums of targets that are equal in mathematics may differ in their last bits.
        return PairOrder(targets: mixed, rewards: record.rewards, tolerance: 1e-12) { counts[$0] }
    }
}
