import JSON
import RunDatabase

/// What a run tells while it goes on.
public enum TrainingEvent: Sendable {
    /// Log-probabilities of the reference: bins done, of how many.
    case scoring(done: Int, total: Int)
    case step(StepReport)
    case validation(ValidationReport)
}

/// One step of the optimizer.
public struct StepReport: Sendable, Equatable {
    /// From 1.
    public var step: Int
    /// From 1.
    public var epoch: Int
    /// Before the step.
    public var losses: LossTally
    /// Before clipping; nil for a step without any record in use, which changes nothing.
    public var gradientNorm: Double?
    public var learningRate: Double
    public var tokens: Int

    /// One line of the metrics file. Times are not in it: they would differ from run to run.
    public var json: JSONValue {
        .object([("step", JSONValue(step)), ("split", "train"), ("epoch", JSONValue(epoch))] + losses.jsonMembers(withPairs: false) + [
            ("gradient_norm", gradientNorm.map { .number($0) } ?? .null), ("learning_rate", .number(learningRate)), ("tokens", JSONValue(tokens)),
        ])
    }

    /// Rows for the run database.
    public var metrics: [Metric] {
        losses.metrics(prefix: "") + (gradientNorm.map { [Metric("gradient_norm", $0)] } ?? []) + [Metric("learning_rate", learningRate)]
    }
}

/// The validation shard under the weights after a step (0: before the first).
public struct ValidationReport: Sendable, Equatable {
    public var step: Int
    public var losses: LossTally

    public var json: JSONValue {
        .object([("step", JSONValue(step)), ("split", "validation")] + losses.jsonMembers(withPairs: true))
    }

    public var metrics: [Metric] {
        var metrics = losses.metrics(prefix: "validation_")
        if let accuracy = losses.pairs.accuracy { metrics.append(Metric("validation_reward_accuracy", accuracy)) }
        for (name, values) in losses.sortedDimensions {
            if let accuracy = values.pairs.accuracy { metrics.append(Metric("validation_reward_accuracy", dimension: String(describing: name), accuracy)) }
        }
        return metrics
    }
}

extension LossTally {
    func jsonMembers(withPairs: Bool) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [("loss", .number(loss)), ("kl", .number(divergence)), ("records", JSONValue(records))]
        if unused > 0 { members.append(("records_without_loss", JSONValue(unused))) }
        if withPairs { members += LossTally.members(pairs) }
        members.append(("dimensions", .object(sortedDimensions.map { name, values in
            var members: [(String, JSONValue)] = [("loss", .number(values.loss)), ("kl", .number(values.divergence)), ("records", JSONValue(values.records))]
            if withPairs { members += LossTally.members(values.pairs) }
            return JSONMember(name, .object(members))
        })))
        return members
    }

    private static func members(_ pairs: PairOrder) -> [(String, JSONValue)] {
        [("reward_accuracy", pairs.accuracy.map { .number($0) } ?? .null), ("pairs", JSONValue(pairs.right + pairs.wrong + pairs.tied)), ("ties", JSONValue(pairs.tied))]
    }

    func metrics(prefix: String) -> [Metric] {
        guard records > 0 else { return [] }
        var metrics = [Metric(prefix + "loss", loss), Metric(prefix + "kl", divergence)]
        for (name, values) in sortedDimensions {
            metrics.append(Metric(prefix + "loss", dimension: String(describing: name), values.loss))
            metrics.append(Metric(prefix + "kl", dimension: String(describing: name), values.divergence))
        }
        return metrics
    }
}
