import Alignment
import ArgumentParser
import CommandSupport
import Evaluation
import JSON
import Numerics
import RunDatabase
import SystemIO

struct Preference: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a policy against its reference on rated records.",
        discussion: HelpText.discussion(
            """
            r = beta (s - s_ref), s the log-probability of a response. Reward accuracy: the share of response pairs with unequal ratings that r puts in the \
            order of the ratings. Loss: the cross-entropy between the ratings' distribution and softmax(r) over the record's responses. Before training policy \
            and reference are one model, every r is 0, and all is ties.

            Records are the units of every interval. Shares have Wilson intervals at the number of independent pairs that the records are worth; the rest has the \
            bootstrap over records (percentiles; --resamples, --seed).
            """,
            examples: [
                ("uf-eval preference test.uf --model trained/ --reference model/", "with the models"),
                ("uf-eval preference test.uf --model trained.logps.uf --reference model.logps.uf --json", "with what uf-eval score made, as JSON"),
                ("uf-eval preference test.uf --model trained/ --reference model/ --database runs.sqlite --label after", "into the run database"),
            ]))

    @Argument(help: ArgumentHelp("The packed stream; - or none is standard input.", valueName: "file"))
    var file = "-"

    @Option(name: .long, help: ArgumentHelp("The policy: a model folder, or a stream of uf-eval score (- is standard input).", valueName: "folder|file"))
    var model: String

    @Option(name: .long, help: ArgumentHelp("The reference: a model folder, or a stream of uf-eval score (- is standard input).", valueName: "folder|file"))
    var reference: String

    @Option(name: .long, help: ArgumentHelp("r = beta (s - s_ref); it scales loss and KL, not the order.", valueName: "number"))
    var beta = 0.1

    @Option(name: .long, help: ArgumentHelp("s: the sum of the tokens' log-probabilities, or their mean.", valueName: "sum|mean"))
    var logProb = LogProbKind.sum

    @Option(name: .customLong("lambda"), help: ArgumentHelp(
        "Weights of the dimensions in the overall figures, as uf-train takes them: uniform, fixed:A,B,.., fixed:NAME=A,.. or one-hot:NAME; random schedules count at their mean, which is uniform.",
        valueName: "schedule"))
    var lambda = "uniform"

    @Option(name: .long, help: ArgumentHelp("What the records are, for the table and the database: test, train.", valueName: "name"))
    var split = ""

    @OptionGroup var precision: PrecisionOption

    @Option(name: .long, help: ArgumentHelp("Resamples of the bootstrap, at least 100.", valueName: "number"))
    var resamples = 1000

    @Option(name: .long, help: ArgumentHelp("Seed of the bootstrap.", valueName: "number"))
    var seed: UInt64 = 1

    @OptionGroup var reporting: ReportingOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        try refuseSharedInput([("the packed stream", file), ("--model", model), ("--reference", reference)])
        guard beta > 0, beta <= 1e6 else { throw ValidationError("--beta takes a number above 0, at most 1e6") }
        // Below 100 the percentiles of the interval are hardly more than the least and the greatest resample.
        guard (100 ... 1_000_000).contains(resamples) else { throw ValidationError("--resamples takes a number from 100 to 1000000") }
        _ = try weights()
    }

    func run() throws {
        let source = try openInput(file)
        let database = try reporting.openDatabase(), figures = try reporting.openOutput()
        let policy = try self.source(model)
        // One model twice is computed once.
        let reference = try model == self.reference ? policy : self.source(self.reference)
        var options = PreferenceMetrics.Options(beta: beta, logProb: logProb, bootstrap: Bootstrap(seed: seed, resamples: resamples))
        options.weights = try weights()
        if policy.isModel || reference.isModel { warnOfSlowKernels() }
        let progress = common.progress("uf-eval preference")
        let outcome = try PreferenceEvaluation().run(source, policy: policy, reference: reference, options: options) { progress.update($0) }
        let results = outcome.metrics.results(split: split)
        progress.finish()
        if outcome.cutResponses + outcome.cutPrompts > 0 {
            Console.line("uf-eval preference: \(outcome.cutPrompts) prompts and \(outcome.cutResponses) responses had been cut by uf-pack; a cut response counts without its end")
        }
        if common.verbose {
            Console.line("uf-eval preference: \(outcome.metrics.records) records in \(Progress.duration(progress.elapsed)); policy \(outcome.policy), reference \(outcome.reference), data \(outcome.data); \(BLAS.summary)")
        }
        try reporting.write(to: figures, { PreferenceTable(outcome: outcome, results: results, command: self).text() }, json: {
            ["policy": .string(outcome.policy), "reference": .string(outcome.reference), "data": .string(outcome.data), "records": JSONValue(outcome.metrics.records),
             "responses": JSONValue(outcome.metrics.responses), "records_of_equal_reward": JSONValue(outcome.metrics.recordsOfEqualReward),
             "cut_prompts": JSONValue(outcome.cutPrompts), "cut_responses": JSONValue(outcome.cutResponses),
             "options": .object(optionMembers), "results": .array(results.map(\.json))]
        })
        // Nothing lasts of a run whose figures could not be written.
        if let database { _ = try database.record(description(outcome), results: results) }
        try figures.publish()
    }

    private func source(_ operand: String) throws -> LogProbSource {
        if isFolder(operand) { return LogProbSource(try EvaluatedModel(path: operand, workers: jobs.count, precision: precision.value)) }
        return try LogProbSource(stream: openInput(operand), precision: precision.value)
    }

    /// What training with this schedule minimises: the loss is linear in lambda, so where lambda is drawn its mean stands for it.
    private func weights() throws -> DimensionWeights {
        do {
            switch try LambdaSchedule(lambda).kind {
            case .uniform, .dirichlet, .gaussian, .oneHot: return .equal
            case .fixedByOrder(let weights): return .byOrder(weights)
            case .fixedByName(let weights): return .byName(weights)
            case .oneHotNamed(let name): return .byName([name: 1])
            }
        } catch let error as InputError { throw ValidationError(error.message) }
    }

    private var optionMembers: [(String, JSONValue)] {
        [("beta", .number(beta)), ("log_prob", .string(logProb.rawValue)), ("lambda", .string(lambda)), ("precision", .string(precision.value.rawValue)),
         ("resamples", JSONValue(resamples)), ("seed", .string(String(seed)))]
    }

    private func description(_ outcome: PreferenceEvaluation.Outcome) -> RunDescription {
        RunDescription(
            command: "uf-eval preference", label: reporting.label, options: MachineFacts.text(optionMembers + [("reference", .string(outcome.reference))]),
            modelDigest: outcome.policy, dataDigest: outcome.data, seed: seed, machine: MachineFacts.json(jobs: jobs.count))
    }
}

extension LogProbKind: ExpressibleByArgument {}
