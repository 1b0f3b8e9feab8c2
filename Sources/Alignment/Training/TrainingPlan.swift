import PortableMath

/// Which bins make which step.
///
/// Bins are as uf-pack cut them, so a batch is counted in records but made of whole bins: bins are taken until they hold at least `batch` records. An epoch visits
/// every bin once, in an order that its number and the seed decide, and ends with its own last step, which may be smaller.
public struct TrainingPlan: Sendable {
    public let memberCounts: [Int]
    public let epochs: Int
    public let batch: Int
    public let seed: UInt64
    /// Number of steps of each epoch.
    public let stepCounts: [Int]

    /// Tells the order of bins from other uses of one seed.
    private static let stream: UInt32 = 0x6F72_6465

    public init(memberCounts: [Int], epochs: Int, batch: Int, seed: UInt64) {
        self.memberCounts = memberCounts
        self.epochs = epochs
        self.batch = batch
        self.seed = seed
        stepCounts = (0 ..< epochs).map { TrainingPlan.steps(memberCounts, epoch: $0, batch: batch, seed: seed).count }
    }

    public var totalSteps: Int { stepCounts.reduce(0, +) }

    /// The bins of each step of an epoch (from 0).
    public func steps(epoch: Int) -> [[Int]] {
        TrainingPlan.steps(memberCounts, epoch: epoch, batch: batch, seed: seed)
    }

    private static func steps(_ memberCounts: [Int], epoch: Int, batch: Int, seed: UInt64) -> [[Int]] {
        var order = Array(memberCounts.indices)
        var random = CounterRandom(seed: seed, stream: stream, epoch: UInt64(epoch))
        random.shuffle(&order)
        var steps: [[Int]] = [], bins: [Int] = [], records = 0
        for bin in order {
            bins.append(bin)
            records += memberCounts[bin]
            if records >= batch {
                steps.append(bins)
                bins = []
                records = 0
            }
        }
        return bins.isEmpty ? steps : steps + [bins]
    }
}
