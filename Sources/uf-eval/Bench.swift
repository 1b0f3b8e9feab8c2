import ArgumentParser
import BenchmarkData
import CommandSupport
import Evaluation
import JSON
import Numerics
import RunDatabase
import SystemIO

enum TaskName: String, ExpressibleByArgument, CaseIterable {
    case arcChallenge = "arc_challenge"
}

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run benchmarks as lm-eval 0.4.13 runs them.",
        discussion: HelpText.discussion(
            """
            Each answer's log-likelihood after the question is compared: acc takes the greatest, acc_norm the greatest per character. Prompts, worked examples, \
            token boundaries, scores and standard errors are lm-eval's (its default mode: no chat template), in single precision. The interval is Wilson's.

            --data is a folder with the files as published: ARC-Challenge-Test.jsonl (and -Train or -Dev for worked examples), or arc_test.jsonl and so on in the \
            layout of the Hugging Face data set; also in arc/ or ARC-Challenge/ below it.
            """,
            examples: [
                ("uf-eval bench --model model/ --tasks arc_challenge --data benchmarks/", "the whole test set without worked examples"),
                ("uf-eval bench --model model/ --tasks arc_challenge --data benchmarks/ --fewshot 5 --limit 100 --log-samples samples.jsonl", "the first 100 questions, each after 5 worked examples"),
            ]))

    @Option(name: .long, help: ArgumentHelp("A folder with config.json, model.safetensors and a vocabulary that uf-tokenize reads.", valueName: "folder"))
    var model: String

    @Option(name: .long, parsing: .upToNextOption, help: ArgumentHelp("What to run: arc_challenge.", valueName: "task"))
    var tasks: [TaskName]

    @Option(name: .long, help: ArgumentHelp("The folder of the benchmark's files.", valueName: "folder"))
    var data: String

    @Option(name: .long, help: ArgumentHelp("Worked examples in front of each question.", valueName: "number"))
    var fewshot = 0

    @Option(name: .long, help: ArgumentHelp("Only the first so many questions.", valueName: "number"))
    var limit: Int?

    @Flag(name: .customLong("no-bos"), help: "Leave out the BOS token that the tokenizer puts before a text, as lm-eval did before 0.4.9.2.")
    var noBOS = false

    @Option(name: .long, help: ArgumentHelp("Write every request with its log-likelihood here, one JSON object a line.", valueName: "file"))
    var logSamples: String?

    @OptionGroup var reporting: ReportingOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (0 ... 1000).contains(fewshot) else { throw ValidationError("--fewshot takes a number from 0 to 1000") }
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1") }
        try refuseDash([("--model", model), ("--data", data)])
        if logSamples == "-", reporting.goesToStandardOutput { throw ValidationError("--log-samples and the figures cannot both go to standard output; give -o FILE too") }
        guard Set(tasks).count == tasks.count else { throw ValidationError("--tasks names a task twice") }
    }

    func run() throws {
        let prepared = try tasks.map(prepare)
        let database = try reporting.openDatabase()
        let samples = try logSamples.map { try TextOutput($0) }, figures = try reporting.openOutput()
        let evaluated = try EvaluatedModel(path: model, workers: jobs.count)
        warnOfSlowKernels()
        let scorer = RequestScorer(evaluated.model, try HarnessTokenizer(evaluated, addsBOS: !noBOS))
        var outcomes: [BenchTable.Outcome] = []
        for (task, files) in prepared {
            let requests = try task.requests(shots: fewshot, limit: limit)
            let progress = common.progress("uf-eval bench \(task.name)", total: requests.count, unit: "requests")
            let answers: RequestScorer.Answers
            do { answers = try scorer.answer(requests) { progress.update($0) } } catch let error as InputError { throw error.at("\(model): \(task.name)") }
            progress.finish()
            if answers.cut > 0 {
                Console.line("uf-eval bench: \(task.name): the context of \(answers.cut) of \(requests.count) requests was cut at its left to fit the model's \(evaluated.model.configuration.contextLength) tokens")
            }
            if common.verbose {
                Console.line("uf-eval bench: \(task.name): \(requests.count) requests in \(Progress.duration(progress.elapsed)); read \(files.map(\.path).joined(separator: ", ")); \(BLAS.summary)")
            }
            let scores = task.score(answers.answers)
            outcomes.append(BenchTable.Outcome(task: task, requests: requests, answers: answers, scores: scores, results: scores.results(of: task), files: files))
        }
        if let samples {
            for outcome in outcomes { try samples.write(outcome.sampleLines()) }
            try samples.prepare()
        }
        try reporting.write(to: figures, { BenchTable(outcomes: outcomes, command: self).text() }, json: {
            ["model": .string(evaluated.digest), "options": .object(optionMembers),
             "data": .array(outcomes.flatMap(\.files).map { ["sha256": .string($0.sha256)] }), "results": .array(outcomes.flatMap(\.results).map(\.json))]
        })
        // Nothing lasts of a run whose figures or samples could not be written.
        if let database { for outcome in outcomes { _ = try database.record(description(outcome, evaluated), results: outcome.results) } }
        try samples?.publish()
        try figures.publish()
    }

    private func prepare(_ name: TaskName) throws -> (MultipleChoiceTask, [BenchmarkFile]) {
        switch name {
        case .arcChallenge:
            let splits = try BenchmarkFolder(data).arcChallenge()
            return (.arcChallenge(splits), splits.files)
        }
    }

    private var optionMembers: [(String, JSONValue)] {
        [("fewshot", JSONValue(fewshot)), ("limit", limit.map { JSONValue($0) } ?? .null), ("bos", .bool(!noBOS)), ("harness", "lm-eval 0.4.13")]
    }

    private func description(_ outcome: BenchTable.Outcome, _ evaluated: EvaluatedModel) -> RunDescription {
        RunDescription(
            command: "uf-eval bench", label: reporting.label, options: MachineFacts.text(optionMembers + [("task", .string(outcome.task.name)), ("version", .string(outcome.task.version))]),
            modelDigest: evaluated.digest, dataDigest: outcome.files.last?.sha256 ?? "", seed: MultipleChoiceTask.exampleSeed, machine: MachineFacts.json(jobs: jobs.count))
    }
}

extension BenchTable.Outcome {
    /// `--log-samples`: a line for each request.
    func sampleLines() throws -> [UInt8] {
        var lines: [UInt8] = []
        for (index, request) in requests.enumerated() {
            let answer = answers.answers[index]
            var members: [(String, JSONValue)] = [
                ("task", .string(task.name)), ("document", JSONValue(request.document)), ("choice", JSONValue(request.choice)), ("gold", JSONValue(task.questions[request.document].gold)),
                ("context", .string(request.context)), ("continuation", .string(request.continuation)), ("log_likelihood", .finite(answer.value)),
                ("is_greedy", answer.isGreedy.map { .bool($0) } ?? .null), ("tokens", JSONValue(answers.tokenCounts[index])),
            ]
            for (score, outcomes) in zip(scores.scores, scores.outcomes) { members.append((score.metric.rawValue, JSONValue(outcomes[request.document]))) }
            lines += try JSONValue.object(members).serialized() + [UInt8(ascii: "\n")]
        }
        return lines
    }
}
