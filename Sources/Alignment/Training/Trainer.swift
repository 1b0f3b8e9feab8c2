import LanguageModel
import Numerics
import RecordStream
import SystemIO

/// The training loop: bins in the order of the plan, the gradient of the mean loss over a step's records, one AdamW step each.
///
/// Weights, losses and norms are functions of the model, the shards and the options; the number of threads changes no bit.
public final class Trainer {
    public struct Options: Sendable, Equatable {
        public var epochs = 1
        /// Records a step, at least (whole bins are taken).
        public var batch = 8
        public var learningRate = 5e-6
        public var schedule = LearningRate.Shape.cosine
        public var warmup = LearningRate.Warmup.share(0.1)
        public var optimizer = Optimizer.Settings()
        public var seed: UInt64 = 1
        /// Groups of a step's bins in the sum of gradients.
        public var groups = 4
        /// Steps between validations; nil for the start and the end only.
        public var validationInterval: Int?

        public init() {}
    }

    /// A shard with what the reference says about it.
    public struct ScoredShard {
        public let shard: PackedShard
        public let reference: ReferenceLogProbs

        public init(_ shard: PackedShard, _ reference: ReferenceLogProbs) {
            self.shard = shard
            self.reference = reference
        }
    }

    public let plan: TrainingPlan
    private let model: LanguageModel
    private let loss: LambdaDPO
    private let lambda: LambdaSchedule
    private let options: Options
    private let data: ScoredShard
    private let validation: ScoredShard?

    public init(model: LanguageModel, loss: LambdaDPO, lambda: LambdaSchedule, options: Options, data: ScoredShard, validation: ScoredShard?) {
        self.model = model
        self.loss = loss
        self.lambda = lambda
        self.options = options
        self.data = data
        self.validation = validation
        plan = TrainingPlan(memberCounts: data.shard.memberCounts, epochs: options.epochs, batch: options.batch, seed: options.seed)
    }

    /// Refuses a run whose learning rate is 0 at every step (a warmup as long as the run): its weights would be the start weights.
    public func checkLearningRate() throws {
        let rates = LearningRate(peak: options.learningRate, shape: options.schedule, warmup: options.warmup, totalSteps: plan.totalSteps)
        guard plan.totalSteps == 0 || (1 ... plan.totalSteps).contains(where: { rates.rate(step: $0) > 0 }) else {
            throw InputError("the learning rate is 0 in all of the run's \(counted(plan.totalSteps, "step")), because the warmup begins there: nothing would be learned (--warmup 0, more --epochs or a smaller --batch)", status: .usage)
        }
    }

    /// Trains the model's parameters in place.
    /// - Parameter initialValidation: log-probabilities of the validation shard under the start weights, where they are known already.
    public func run(initialValidation: ReferenceLogProbs? = nil, report: (TrainingEvent) throws -> Void) throws {
        let optimizer = try Optimizer(model.parameters, settings: options.optimizer, pool: model.pool)
        let rates = LearningRate(peak: options.learningRate, shape: options.schedule, warmup: options.warmup, totalSteps: plan.totalSteps)
        var gradients = GradientTree(layout: model.parameters.layout, groups: options.groups, pool: model.pool)
        try validate(after: 0, known: initialValidation, report)
        var step = 0
        for epoch in 0 ..< options.epochs {
            for bins in plan.steps(epoch: epoch) {
                step += 1
                do {
                    let result = try takeStep(bins, epoch: epoch, &gradients, optimizer, rates.rate(step: step))
                    try report(.step(StepReport(step: step, epoch: epoch + 1, losses: result.losses, gradientNorm: result.norm, learningRate: rates.rate(step: step),
                                                tokens: bins.reduce(0) { $0 + data.shard.tokenCounts[$1] })))
                } catch let error as InputError {
                    throw error.at("step \(step)")
                }
                if let interval = options.validationInterval, step % interval == 0, step < plan.totalSteps { try validate(after: step, report) }
            }
        }
        try validate(after: step, report)
    }

    private func takeStep(_ bins: [Int], epoch: Int, _ gradients: inout GradientTree, _ optimizer: Optimizer, _ rate: Double) throws -> (losses: LossTally, norm: Double?) {
        // The mean runs over the records that have a loss; which they are does not depend on the weights.
        var weights: [[RecordLambda]] = [], used = 0
        for bin in bins {
            let lambdas = try data.shard.bin(bin).members.map { try RecordLambda(lambda, $0, epoch: epoch, seed: options.seed) }
            used += lambdas.count { $0.isUsed }
            weights.append(lambdas)
        }
        var losses = LossTally()
        let sum = try gradients.sum(bins: bins.count) { index, gradients in
            let records = try lossGradient(bins[index], weights[index], scale: 1 / Double(max(1, used)), gradients)
            for (record, ratings, weights) in records { losses.add(record, ratings, lambda: weights) }
        }
        return (losses, used > 0 ? try optimizer.step(sum, learningRate: rate) : nil)
    }

    /// Adds a bin's share of the gradient.
    private func lossGradient(_ number: Int, _ lambdas: [RecordLambda], scale: Double, _ gradients: Gradients) throws -> [(RecordLoss, Ratings, [Double])] {
        let bin = try data.shard.bin(number), scored = ScoredBin(bin)
        let policy = try model.responseLogProbs(scored, keepingActivations: true)
        var results: [(RecordLoss, Ratings, [Double])] = []
        for (member, reference) in data.reference.members(of: number, in: data.shard).enumerated() {
            let ratings = bin.members[member].ratings, weights = lambdas[member].weights
            let result = loss.evaluate(ratings, lambda: weights, policy: policy[member], reference: reference)
            guard result.loss.isFinite else {
                throw InputError("\(data.shard.name): record \(bin.members[member].id): the loss is \(InputError.text(result.loss)); lower --learning-rate or --beta")
            }
            results.append((result, ratings, weights))
        }
        try model.backward(scored.tokenGradients(results.map(\.0.tokenGradients), scale: scale), into: gradients)
        return results
    }

    private func validate(after step: Int, known: ReferenceLogProbs? = nil, _ report: (TrainingEvent) throws -> Void) throws {
        guard let validation else { return }
        let policy = try known ?? model.responseLogProbs(validation.shard) { _, _ in }
        try report(.validation(ValidationReport(step: step, losses: tally(validation, policy))))
    }

    /// The losses of a shard under given log-probabilities. Lambda is drawn as in the first epoch, the same at every validation.
    private func tally(_ scored: ScoredShard, _ policy: ReferenceLogProbs) throws -> LossTally {
        var losses = LossTally()
        for number in 0 ..< scored.shard.binCount {
            let first = scored.shard.firstMember[number]
            for (place, member) in try scored.shard.bin(number).members.enumerated() {
                let weights = try RecordLambda(lambda, member, epoch: 0, seed: options.seed).weights
                let record = loss.evaluate(member.ratings, lambda: weights, policy: policy[first + place], reference: scored.reference[first + place])
                losses.add(record, member.ratings, lambda: weights)
            }
        }
        return losses
    }
}
