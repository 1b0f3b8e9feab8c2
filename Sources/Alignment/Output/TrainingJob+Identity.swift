import JSON
import Numerics
import RunDatabase
import SystemIO

/// What a run is, for its folder and for the database.
extension TrainingJob {
    /// Files of the output folder besides the model's own.
    static let recordFile = "training.json"
    static let metricsName = "metrics.jsonl"

    /// Every option and input that decides the weights, nothing else: two runs with equal records make equal folders (on one class of CPU).
    func identity(_ modelDigest: String, _ shard: PackedShard, _ validation: PackedShard?) -> JSONValue {
        var inputs: [(String, JSONValue)] = [("model", .string(modelDigest)), ("data", TrainingJob.describe(shard))]
        if let validation { inputs.append(("validation", TrainingJob.describe(validation))) }
        return .object([("command", "uf-train"), ("recipe", 1), ("options", .object(optionMembers)), ("inputs", .object(inputs))])
    }

    private static func describe(_ shard: PackedShard) -> JSONValue {
        .object([("content", .string(shard.contentDigest)), ("records", JSONValue(shard.recordCount)), ("bins", JSONValue(shard.binCount)), ("tokens", JSONValue(shard.tokenCount))])
    }

    var optionMembers: [(String, JSONValue)] {
        let optimizer = options.optimizer
        return [
            ("loss", "lambda-dpo"), ("beta", .number(beta)), ("log_prob", .string(score.rawValue)), ("precision", .string(precision.rawValue)), ("lambda", .string(lambda.description)),
            ("reference", .string(referenceName)), ("epochs", JSONValue(options.epochs)), ("batch", JSONValue(options.batch)),
            ("learning_rate", .number(options.learningRate)), ("schedule", .string(options.schedule.rawValue)), ("warmup", .string(options.warmup.description)),
            ("beta1", .number(optimizer.beta1)), ("beta2", .number(optimizer.beta2)), ("epsilon", .number(optimizer.epsilon)),
            ("weight_decay", .number(optimizer.weightDecay)), ("clip", optimizer.clip.map { .number($0) } ?? .null),
            ("seed", .string(String(options.seed))), ("groups", JSONValue(options.groups)),
        ]
    }

    /// Cached log-probabilities are those of the start weights, so a file makes no difference to what is trained.
    private var referenceName: String { reference == .none ? "none" : "model" }

    func description(_ identity: JSONValue, _ modelDigest: String, _ shard: PackedShard) throws -> RunDescription {
        let machine: JSONValue = .object([
            ("blas", .string(BLAS.kernelName)), ("workers", JSONValue(workers)), ("process", ProcessIdentity.current.map { .string($0.text) } ?? .null),
        ])
        do {
            return RunDescription(command: "uf-train", label: label, options: String(decoding: try identity.serialized(), as: UTF8.self), modelDigest: modelDigest,
                                  dataDigest: shard.contentDigest, seed: options.seed, machine: String(decoding: try machine.serialized(), as: UTF8.self))
        } catch {
            throw InputError("the options have no form in JSON: \(error)", status: .internalError)
        }
    }
}
