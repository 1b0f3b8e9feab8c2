/// What a run is, as known when it starts.
public struct RunDescription: Sendable, Equatable {
    /// The command and subcommand: "uf-train dpo", "uf-eval preference".
    public var command: String
    /// The user's own name for the run, by which reports address it ("before", "after"); may be empty.
    public var label: String
    /// The options as JSON text (an object).
    public var options: String
    /// Hexadecimal digests, which tie the run to the bytes it saw; empty when there are none.
    public var modelDigest: String
    public var dataDigest: String
    public var seed: UInt64?
    /// Facts that may change last bits or times, as JSON text (an object): CPU, BLAS kernel, threads, release; and of a run that takes time, `process`
    /// (`ProcessIdentity`).
    public var machine: String

    public init(command: String, label: String = "", options: String = "{}", modelDigest: String = "", dataDigest: String = "", seed: UInt64? = nil, machine: String = "{}") {
        self.command = command
        self.label = label
        self.options = options
        self.modelDigest = modelDigest
        self.dataDigest = dataDigest
        self.seed = seed
        self.machine = machine
    }
}

public enum RunStatus: String, Sendable, CaseIterable {
    /// At work; or killed before it could say otherwise, which `machine` may tell.
    case running
    case finished
    case failed
    /// Ended on request; can be resumed.
    case stopped
}

/// A row of `runs`.
public struct Run: Sendable, Equatable {
    public var id: Int64
    public var description: RunDescription
    /// ISO 8601, UTC, to the millisecond.
    public var started: String
    public var finished: String?
    public var status: RunStatus
}

/// A figure that a run logged at a step.
public struct Metric: Sendable, Equatable {
    /// "loss", "learning_rate", "tokens_per_second", ...
    public var name: String
    /// The dimension of preference it belongs to; empty when it belongs to none.
    public var dimension: String
    /// NaN is kept as "no value".
    public var value: Double

    public init(_ name: String, dimension: String = "", _ value: Double) {
        self.name = name
        self.dimension = dimension
        self.value = value
    }
}

/// A figure that an evaluation found.
public struct EvaluationResult: Sendable, Equatable {
    /// "preference", "arc_challenge", ...
    public var task: String
    /// "reward_accuracy", "acc_norm", ...
    public var metric: String
    /// "test", "train", ...; empty when unknown.
    public var split: String
    /// The dimension of preference; empty when it belongs to none.
    public var dimension: String
    public var value: Double
    public var standardError: Double?
    /// Bounds of the 95 % interval.
    public var low: Double?
    public var high: Double?
    /// What guessing, or a policy equal to its reference, reaches; nil where there is no such value.
    public var chance: Double?
    /// How many observations (pairs, records, documents) the figure rests on.
    public var count: Int

    public init(
        task: String, metric: String, split: String = "", dimension: String = "", value: Double,
        standardError: Double? = nil, low: Double? = nil, high: Double? = nil, chance: Double? = nil, count: Int
    ) {
        self.task = task
        self.metric = metric
        self.split = split
        self.dimension = dimension
        self.value = value
        self.standardError = standardError
        self.low = low
        self.high = high
        self.chance = chance
        self.count = count
    }
}
