import Alignment
import ArgumentParser
import CommandSupport
import JSON
import SystemIO

struct TrainModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Train a model on a packed stream (what uf-train does without a subcommand).",
        discussion: HelpText.discussion(
            """
            The output is a model folder that transformers loads, with training.json (what made it) and metrics.jsonl (loss, loss by dimension, \
            gradient norm, a line for each step). It appears only whole. The same model, data and options give the same weights, for any -j, file or pipe, \
            on one class of CPU.

            A step takes whole bins of the shard until they hold --batch records; the loss is the mean over them. The shard stays in memory (about 8 bytes a token).
            """,
            examples: [
                ("uf-train model --data train.uf --validation test.uf --epochs 3 -o trained", "train, and watch held-out loss and reward accuracy"),
                ("uf-pack tokens.uf | uf-train model --data - -o trained", "from a pipe"),
                ("uf-train model --data train.uf --reference train.reference.uf --database runs.sqlite -o trained", "with log-probabilities cached by uf-eval score, into the run database"),
            ]))

    @Argument(help: ArgumentHelp("The model to start from: a folder with config.json, model.safetensors and a vocabulary that uf-tokenize reads.", valueName: "model-folder"))
    var model: String

    @Option(name: .long, help: ArgumentHelp("The packed stream to train on; - is standard input.", valueName: "file"))
    var data: String

    @Option(name: .long, help: ArgumentHelp("A packed stream to measure on, before the first step and after the last; - is standard input.", valueName: "file"))
    var validation: String?

    @Option(name: .long, help: ArgumentHelp("Measure on --validation after every so many steps too.", valueName: "steps"))
    var validateEvery: Int?

    @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var output: String

    @OptionGroup(title: "Loss") var loss: LossOptions
    @OptionGroup(title: "Optimizer") var optimizer: OptimizerOptions

    @Option(name: .long, help: ArgumentHelp("Write the metrics here too, as JSON lines; - is standard output.", valueName: "file"))
    var metrics: String?

    @Option(name: .long, help: ArgumentHelp("Enter the run and its metrics into this SQLite database.", valueName: "file"))
    var database: String?

    @Option(name: .customLong("name"), help: ArgumentHelp("The run's name in the database.", valueName: "text"))
    var label = ""

    @Flag(name: .long, help: "Print the summary as JSON on standard output.")
    var json = false

    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let validateEvery {
            guard validateEvery >= 1 else { throw ValidationError("--validate-every takes a number from 1") }
            guard validation != nil else { throw ValidationError("--validate-every needs --validation FILE") }
        }
        try refuseSharedInput([("--data", data), ("--validation", validation), ("--reference", loss.reference)])
        try refuseDash([("the model folder", model), ("--output", output), ("--database", database)])
        if metrics == "-", json { throw ValidationError("--metrics and --json cannot both go to standard output") }
    }

    func run() throws {
        let job = try makeJob()
        for warning in job.warnings { Console.line("uf-train: warning: \(warning)") }
        let progress = TrainingProgress(common)
        let summary = try job.run(note: { if common.verbose { Console.line("uf-train: \($0)") } }, report: { progress.show($0, $1) }, conclude: { summary in
            progress.finish()
            if json { try print(summary) }
        })
        if summary.unused > 0 {
            Console.line("uf-train: \(summary.unused) of \(summary.records) records (counted once an epoch) had no loss: no dimension with weight has two ratings")
        }
        if common.verbose { Console.line(summary.table(seconds: progress.elapsed)) }
    }

    private func print(_ summary: TrainingSummary) throws {
        let output = try openTextOutput(nil)
        try output.write(try summary.json.serialized(indent: 2) + [UInt8(ascii: "\n")])
        try output.finish()
    }

    private func makeJob() throws -> TrainingJob {
        let schedule = try LambdaSchedule(loss.lambda)
        var job = TrainingJob(modelFolder: model, data: try openInput(data), lambda: schedule, output: output)
        job.validation = try validation.map { try openInput($0) }
        if loss.reference == "-" { try refuseTerminalInput() }
        loss.apply(to: &job)
        job.options = try optimizer.options()
        job.options.validationInterval = validateEvery
        job.workers = jobs.count
        job.metricsFile = metrics
        job.database = database
        job.label = label
        return job
    }
}
