import RecordStream

/// How often rewards put pairs of responses in the order of their ratings: the counts behind reward accuracy.
public struct PairOrder: Sendable, Equatable {
    /// Pairs with unequal targets that the rewards order the same way, the other way, and not at all.
    public var right = 0, wrong = 0, tied = 0

    public init(right: Int = 0, wrong: Int = 0, tied: Int = 0) {
        self.right = right
        self.wrong = wrong
        self.tied = tied
    }

    /// Share of the ordered pairs that are right; nil when rewards order none (a policy equal to its reference).
    public var accuracy: Double? { right + wrong > 0 ? Double(right) / Double(right + wrong) : nil }

    /// Pairs of `targets` that differ by more than `tolerance`, among the responses that `counts` admits.
    public init(targets: some RandomAccessCollection<Double>, rewards: [Double], tolerance: Double = 0, counts: (Int) -> Bool = { _ in true }) {
        let targets = Array(targets)
        for i in targets.indices where counts(i) {
            for j in targets.indices.dropFirst(i + 1) where counts(j) && abs(targets[i] - targets[j]) > tolerance {
                if rewards[i] == rewards[j] { tied += 1 } else if (targets[i] > targets[j]) == (rewards[i] > rewards[j]) { right += 1 } else { wrong += 1 }
            }
        }
    }

    public static func += (left: inout PairOrder, right: PairOrder) {
        left.right += right.right
        left.wrong += right.wrong
        left.tied += right.tied
    }
}
