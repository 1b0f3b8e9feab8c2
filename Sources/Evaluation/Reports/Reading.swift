import RunDatabase

/// What may be said of a figure, and nothing more: with its interval on both sides of chance, nothing is claimed.
public enum Reading: String, Sendable {
    case aboveChance = "above_chance"
    case belowChance = "below_chance"
    /// The interval covers what chance, or an untrained policy, reaches.
    case coversChance = "covers_chance"
    /// Nothing was there to count: r ties everywhere, or no pair has unequal ratings.
    case undefined
    /// An infinity: sums beyond the range of numbers show nothing.
    case notFinite = "not_finite"
    /// There is no chance level to compare with, or too few records for an interval.
    case none

    public init(_ result: EvaluationResult) {
        guard !result.value.isNaN else {
            self = .undefined
            return
        }
        guard result.value.isFinite else {
            self = .notFinite
            return
        }
        guard let chance = result.chance, let low = result.low, let high = result.high, chance.isFinite, low.isFinite, high.isFinite else {
            self = .none
            return
        }
        self = low > chance + Reading.rounding ? .aboveChance : high < chance - Reading.rounding ? .belowChance : .coversChance
    }

    /// An untrained policy's figures equal chance but for the last bits of a sum: that is no finding.
    private static let rounding = 1e-9
}

extension [EvaluationResult] {
    /// Nothing was evaluated: an empty stream.
    public var areOfNoRecords: Bool { allSatisfy { $0.count == 0 } }
}

/// How a figure changed between two evaluations of the same records.
public enum Change: String, Sendable {
    case rose, fell
    /// The intervals overlap. (They are those of each evaluation by itself, so that small changes that a paired comparison would show stay unclaimed.)
    case notTold = "not_told"
    /// One of the two has no value or no interval, or an infinite one.
    case unknown

    public init(before: EvaluationResult, after: EvaluationResult) {
        guard let beforeLow = before.low, let beforeHigh = before.high, let afterLow = after.low, let afterHigh = after.high,
              [before.value, beforeLow, beforeHigh, after.value, afterLow, afterHigh].allSatisfy(\.isFinite) else {
            self = .unknown
            return
        }
        self = afterLow > beforeHigh ? .rose : afterHigh < beforeLow ? .fell : .notTold
    }
}

/// A figure that two runs have in common.
public struct ComparedFigure: Sendable {
    public var before: EvaluationResult
    public var after: EvaluationResult
    public var change: Change { Change(before: before, after: after) }

    /// The figures of `after` that `before` has too, in the order of `after`.
    public static func all(before: [EvaluationResult], after: [EvaluationResult]) -> [ComparedFigure] {
        after.compactMap { result in
            before.first { $0.task == result.task && $0.metric == result.metric && $0.split == result.split && $0.dimension == result.dimension }
                .map { ComparedFigure(before: $0, after: result) }
        }
    }
}
