import JSON

/// What a finished run has to say.
public struct TrainingSummary: Sendable {
    public var steps: Int
    public var epochs: Int
    /// Records that went through the model, counted once an epoch.
    public var records: Int
    /// Tokens that went through the model in training.
    public var tokens: Int
    public var firstStep: StepReport?
    public var lastStep: StepReport?
    public var validations: [ValidationReport]
    /// Records (counted once an epoch) without a loss, because no dimension was in use.
    public var unused: Int

    init(plan: TrainingPlan, recorder: RunRecorder, shard: PackedShard) {
        steps = plan.totalSteps
        epochs = plan.epochs
        records = shard.recordCount * plan.epochs
        tokens = shard.tokenCount * plan.epochs
        firstStep = recorder.firstStep
        lastStep = recorder.lastStep
        validations = recorder.validations
        unused = recorder.unused
    }

    /// For `--json`; the same members as the lines of the metrics file.
    public var json: JSONValue {
        .object([
            ("steps", JSONValue(steps)), ("epochs", JSONValue(epochs)), ("records", JSONValue(records)), ("records_without_loss", JSONValue(unused)),
            ("tokens", JSONValue(tokens)), ("first_step", firstStep?.json ?? .null), ("last_step", lastStep?.json ?? .null),
            ("validations", .array(validations.map(\.json))),
        ])
    }
}
