import CommandSupport
import Evaluation
import RunDatabase

/// How figures are written for people: name, unit, value, interval, what chance reaches, and what may be said.
struct FigureText {
    enum Unit { case share, nats, count, correlation }

    var name: String
    var unit: Unit
    /// "above" and "below" chance in this figure's own words.
    var above: String
    var below: String

    init(metric: String) {
        switch PreferenceMetric(rawValue: metric) {
        case .rewardAccuracy: self.init("reward accuracy", .share, "above chance", "BELOW chance")
        case .topOne: self.init("top-1: best r is best rated", .share, "above chance", "BELOW chance")
        case .loss: self.init("loss, nats a record", .nats)
        case .lossGain: self.init("loss below untrained, nats", .nats, "learned", "WORSE than untrained")
        case .divergence: self.init("KL(ratings || policy), nats", .nats)
        case .policyEntropy: self.init("entropy of the policy, nats", .nats)
        case .logRatio: self.init("log-ratio to reference, nats a response", .nats, "responses more likely", "responses less likely")
        case .logRatioPerToken: self.init("log-ratio to reference, nats a token", .nats, "responses more likely", "responses less likely")
        case .referenceDivergence: self.init("KL(policy || reference), nats a token", .nats, "moved from the reference", "")
        case .lengthCorrelation: self.init("Spearman of mean log-prob and length", .correlation, "long ones favoured", "short ones favoured")
        case .rewardLengthCorrelation: self.init("Spearman of r and length", .correlation, "long ones favoured", "short ones favoured")
        case .rewardTies: self.init("pairs that tie in r", .count)
        case .ratingTies: self.init("pairs that tie in rating", .count)
        case .topTies: self.init("records that tie in top r", .count)
        case nil:
            switch metric {
            case "acc": self.init("accuracy", .share, "above chance", "BELOW chance")
            case "acc_norm": self.init("accuracy, by length", .share, "above chance", "BELOW chance")
            default: self.init(metric, .nats)
            }
        }
    }

    private init(_ name: String, _ unit: Unit, _ above: String = "", _ below: String = "") {
        self.name = name
        self.unit = unit
        self.above = above
        self.below = below
    }

    func value(_ value: Double?) -> String {
        guard let value, !value.isNaN else { return "-" }
        switch unit {
        case .share: return decimal(100 * value, 1) + " %"
        case .nats, .correlation: return decimal(value, 4)
        case .count: return decimal(value, 0)
        }
    }

    func interval(_ result: EvaluationResult) -> String {
        guard let low = result.low, let high = result.high else { return "-" }
        return unit == .share ? "\(decimal(100 * low, 1)) .. \(value(high))" : "\(value(low)) .. \(value(high))"
    }

    /// - Parameter all: the figures of the same run.
    func reading(_ result: EvaluationResult, among all: [EvaluationResult]) -> String {
        switch Reading(result) {
        case .aboveChance: above
        case .belowChance: below
        case .coversChance: above.isEmpty ? "" : result.chance == 0 && unit != .share ? "nothing shown: covers 0" : "nothing shown: covers chance"
        case .undefined: all.areOfNoRecords ? "no records" : "no value: nothing but ties"
        case .notFinite: "no value: beyond the range of numbers"
        case .none: result.low == nil && unit != .count ? "too few records for an interval" : ""
        }
    }
}
