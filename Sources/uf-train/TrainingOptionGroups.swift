import Alignment
import ArgumentParser
import LanguageModel
import SystemIO

enum LossName: String, ExpressibleByArgument, CaseIterable {
    case lambdaDPO = "lambda-dpo"
}

extension ResponseScore: ExpressibleByArgument {}
extension LearningRate.Shape: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

struct LossOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The loss: lambda-dpo, listwise DPO weighted by lambda over the dimensions.", valueName: "name"))
    var loss = LossName.lambdaDPO

    @Option(name: .long, help: ArgumentHelp("How far the policy may leave the reference: r = beta (s - s_ref).", valueName: "number"))
    var beta = 0.1

    @Option(name: .long, help: ArgumentHelp("A response's score: the sum or the mean of its tokens' log-probabilities.", valueName: "kind"))
    var logProb = ResponseScore.sum

    @Option(name: .long, help: ArgumentHelp("Arithmetic of log-probabilities and losses: single, or double (losses equal to a float64 reference, in about twice the time).", valueName: "name"))
    var precision = Precision.single

    @Option(name: .long, help: ArgumentHelp("Weights of the dimensions: uniform, fixed:A,B,.., fixed:NAME=A,.., dirichlet:A, gaussian, one-hot or one-hot:NAME.", valueName: "schedule"))
    var lambda = "uniform"

    @Option(name: .long, help: ArgumentHelp("The reference: model (the start weights), a FILE of uf-eval score (- is standard input), or none.", valueName: "source"))
    var reference = "model"

    func validate() throws {
        guard beta > 0, beta <= 1e6 else { throw ValidationError("--beta takes a number above 0, at most 1e6") }
    }

    func apply(to job: inout TrainingJob) {
        job.beta = beta
        job.score = logProb
        job.precision = precision
        job.reference = ReferenceSource(reference)
    }
}

struct OptimizerOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Times to go through the data.", valueName: "number"))
    var epochs = 1

    @Option(name: .long, help: ArgumentHelp("Records a step, at least: whole bins are taken.", valueName: "records"))
    var batch = 8

    @Option(name: .long, help: ArgumentHelp("The highest learning rate.", valueName: "number"))
    var learningRate = 5e-6

    @Option(name: .long, help: ArgumentHelp("After the warmup: cosine (down to 0) or constant.", valueName: "shape"))
    var schedule = LearningRate.Shape.cosine

    @Option(name: .long, help: ArgumentHelp("Steps over which the rate rises: a whole number, or a share of all steps below 1.", valueName: "steps"))
    var warmup = "0.1"

    @Option(name: .long, help: ArgumentHelp("Decoupled weight decay; norms are left out.", valueName: "number"))
    var weightDecay = 0.0

    @Option(name: .long, help: ArgumentHelp("AdamW's two decay rates.", valueName: "beta1,beta2"))
    var adamBetas = "0.9,0.999"

    @Option(name: .long, help: ArgumentHelp("AdamW's epsilon.", valueName: "number"))
    var adamEpsilon = 1e-8

    @Option(name: .long, help: ArgumentHelp("The greatest norm of a step's gradient; 0 for no limit.", valueName: "norm"))
    var clip = 1.0

    @Option(name: .long, help: ArgumentHelp("Decides the order of the bins and random lambda.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(name: .long, help: ArgumentHelp("Groups of a step's bins in the sum of gradients; part of the result, unlike -j.", valueName: "number"))
    var groups = 4

    func validate() throws {
        func check(_ holds: Bool, _ message: String) throws { if !holds { throw ValidationError(message) } }
        try check((1 ... 10000).contains(epochs), "--epochs takes a number from 1 to 10000")
        try check((1 ... 1_000_000).contains(batch), "--batch takes a number from 1 to 1000000")
        try check(learningRate > 0 && learningRate.isFinite, "--learning-rate takes a number above 0")
        try check(LearningRate.Warmup(warmup) != nil, "--warmup takes a whole number of steps or a share from 0 to below 1")
        try check(weightDecay >= 0 && weightDecay.isFinite, "--weight-decay takes a number of at least 0")
        try check(clip >= 0 && clip.isFinite, "--clip takes a number of at least 0")
        try check((1 ... 64).contains(groups), "--groups takes a number from 1 to 64")
        try check(adamEpsilon > 0 && adamEpsilon.isFinite, "--adam-epsilon takes a number above 0")
        try check(betas != nil, "--adam-betas takes two numbers from 0 to below 1, as 0.9,0.999")
    }

    private var betas: (Double, Double)? {
        let numbers = adamBetas.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? -1 }
        guard numbers.count == 2, numbers.allSatisfy({ $0 >= 0 && $0 < 1 }) else { return nil }
        return (numbers[0], numbers[1])
    }

    func options() throws -> Trainer.Options {
        guard let warmup = LearningRate.Warmup(warmup), let betas else { throw InputError("--warmup or --adam-betas", status: .usage) }
        var options = Trainer.Options()
        options.epochs = epochs
        options.batch = batch
        options.learningRate = learningRate
        options.schedule = schedule
        options.warmup = warmup
        options.optimizer = Optimizer.Settings(beta1: betas.0, beta2: betas.1, epsilon: adamEpsilon, weightDecay: weightDecay, clip: clip > 0 ? clip : nil)
        options.seed = seed
        options.groups = groups
        return options
    }
}
