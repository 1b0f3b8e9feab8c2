import Checksums
import JSON
import LanguageModel
import ModelFiles
import Numerics
import RecordStream
import RunDatabase
import SystemIO

/// Where the reference's log-probabilities come from (`--reference`).
public enum ReferenceSource: Sendable, Equatable {
    /// The start weights, scored before the first step.
    case model
    /// A stream of `uf-eval score`, bound to model and shard; `-` is standard input.
    case file(String)
    /// No reference: r_i = beta s_i.
    case none

    public init(_ text: String) {
        switch text {
        case "model": self = .model
        case "none": self = .none
        default: self = .file(text)
        }
    }
}

/// A whole training run, from files to a model folder.
public struct TrainingJob {
    public var modelFolder: String
    public var data: any ByteSource
    public var validation: (any ByteSource)?
    public var reference = ReferenceSource.model
    public var beta = 0.1
    public var score = ResponseScore.sum
    /// Of log-probabilities, and so of losses; gradients are single precision's in either case.
    public var precision = Precision.single
    public var lambda: LambdaSchedule
    public var options = Trainer.Options()
    /// Threads; they change no bit.
    public var workers = 0
    /// The folder to write.
    public var output: String
    /// A file for the metrics besides the one in the folder; `-` is standard output.
    public var metricsFile: String?
    public var database: String?
    /// The run's name in the database.
    public var label = ""

    public init(modelFolder: String, data: any ByteSource, lambda: LambdaSchedule, output: String) {
        self.modelFolder = modelFolder
        self.data = data
        self.lambda = lambda
        self.output = output
    }

    /// Things worth a word before the run starts, though nothing is wrong with them.
    public var warnings: [String] {
        let kernels = BLAS.warning.map { [$0] } ?? []
        guard score == .mean, beta < 1 else { return kernels }
        return kernels + ["--log-prob mean with --beta \(beta): a rating gap of 1 needs a difference of \(1 / beta) nats a token, so P stays near 1/N and the loss near ln N; the equations mean --log-prob sum"]
    }

    /// Checks everything, trains, writes the folder.
    /// - Parameters:
    ///   - note: a line for `-v`.
    ///   - conclude: called with the summary before the folder gets its name; what it throws fails the run.
    public func run(note: (String) -> Void = { _ in }, report: (TrainingEvent, TrainingPlan?) throws -> Void,
                    conclude: (TrainingSummary) throws -> Void = { _ in }) throws -> TrainingSummary {
        // What can be refused is refused before hours of work: the outputs first.
        let writer = try ModelFolderWriter(path: output)
        let metrics = try metricsFile.map { path -> any ByteSink in
            if path == "-" { return FileSink.standardOutput() }
            return try AtomicFile(path: path)
        }
        let database = try database.map { try RunDatabase(path: $0) }
        let folder = try ModelFolder(path: modelFolder)
        let parameters = try Parameters(folder: folder)
        let modelDigest = hexadecimal(try folder.digest())
        let check = ShardCheck(model: modelFolder, configuration: parameters.configuration, tokenizerDigest: try folder.tokenizerFiles.vocabularyDigest().map { hexadecimal($0) })
        let shard = try PackedShard(data)
        try check.check(shard)
        let validationShard = try validation.map { try PackedShard($0) }
        if let validationShard { try check.check(validationShard, for: .measure) }
        note("\(shard.name): \(shard.recordCount) records in \(shard.binCount) bins, \(shard.tokenCount) tokens, content \(shard.contentDigest)")
        note(BLAS.summary)

        try checkLambda(shard)

        let model = LanguageModel(parameters: parameters, workers: workers, precision: precision)
        let dataReference = try referenceLogProbs(shard, model, modelDigest) { try report(.scoring(done: $0, total: $1), nil) }
        var scoredValidation: Trainer.ScoredShard?, initial: ReferenceLogProbs?
        if let validationShard {
            let start = try model.responseLogProbs(validationShard) { try report(.scoring(done: $0, total: $1), nil) }
            scoredValidation = Trainer.ScoredShard(validationShard, reference == .none ? try .none(for: validationShard) : start)
            initial = start
        }
        let trainer = Trainer(model: model, loss: LambdaDPO(beta: beta, score: score), lambda: lambda, options: options,
                              data: Trainer.ScoredShard(shard, dataReference), validation: scoredValidation)
        try trainer.checkLearningRate()
        let identity = identity(modelDigest, shard, validationShard)
        let recorder = try RunRecorder(database: database, description: try description(identity, modelDigest, shard))
        let summary: TrainingSummary
        do {
            try trainer.run(initialValidation: initial) { event in
                try recorder.record(event)
                try report(event, trainer.plan)
            }
            guard RowKernels(pool: model.pool).sumOfSquares(parameters.values.base, count: parameters.values.count).isFinite else {
                throw InputError("\(shard.name): the last step left weights that are not finite numbers; nothing is written (a smaller --learning-rate, or --clip)")
            }
            try write(writer, folder, parameters, identity, trainer.plan, recorder)
            try metrics?.write(recorder.lines)
            summary = TrainingSummary(plan: trainer.plan, recorder: recorder, shard: shard)
            try conclude(summary)
            try metrics?.finish()
            try writer.finish()
        } catch {
            try? recorder.finish(.failed)
            throw error
        }
        try recorder.finish(.finished)
        return summary
    }

    /// A dimension that lambda names and no record has is refused before hours of work: a misspelt name would change the objective in silence.
    private func checkLambda(_ shard: PackedShard) throws {
        let named = lambda.namedDimensions
        guard !named.isEmpty else { return }
        var known: Set<Text> = []
        for bin in 0 ..< shard.binCount { for member in try shard.bin(bin).members { known.formUnion(member.ratings.dimensions) } }
        if let unknown = named.first(where: { !known.contains($0) }) {
            throw InputError("\(shard.name): no record has the dimension \(unknown) that --lambda names; the data has \(known.sorted().map(\.description).joined(separator: ", "))")
        }
    }

    private func referenceLogProbs(_ shard: PackedShard, _ model: LanguageModel, _ digest: String, progress: (Int, Int) throws -> Void) throws -> ReferenceLogProbs {
        switch reference {
        case .model: try model.responseLogProbs(shard, progress: progress)
        case .file(let path): try ReferenceLogProbs(reading: FileSource(operand: path), for: shard, model: modelFolder, modelDigest: digest, precision: precision)
        case .none: try .none(for: shard)
        }
    }

    private func write(_ writer: ModelFolderWriter, _ folder: ModelFolder, _ parameters: Parameters, _ identity: JSONValue, _ plan: TrainingPlan, _ recorder: RunRecorder) throws {
        try writer.write(config: folder.config)
        try writer.write(weights: parameters.tensorSources)
        try writer.copySideFiles(from: folder.path)
        try writer.write(file: TrainingJob.recordFile, identity)
        try writer.write(file: TrainingJob.metricsName, recorder.lines)
    }
}
