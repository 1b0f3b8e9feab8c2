import ArgumentParser
import CommandSupport
import Evaluation
import JSON
import Numerics
import RecordStream
import SystemIO

struct Score: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compute the log-probability of every response of a packed stream under a model.",
        discussion: HelpText.discussion(
            """
            For each record the sum over each response's tokens of log pi(token | what stands before it), in nats, stop token included, and the number of \
            those tokens. The output names the digests of model and packed stream; uf-train and uf-eval refuse it with another.
            """,
            examples: [
                ("uf-eval score packed.uf --model model/ -o reference.uf", "a cached reference: uf-train --reference reference.uf"),
                ("uf-pack tokens.uf | uf-eval score --model model/ > logps.uf", "in a pipe"),
            ]))

    @Argument(help: ArgumentHelp("The packed stream; - or none is standard input.", valueName: "file"))
    var file = "-"

    @Option(name: .long, help: ArgumentHelp("A folder with config.json, model.safetensors and a vocabulary that uf-tokenize reads.", valueName: "folder"))
    var model: String

    @Option(name: .customLong("model-sha256"), help: ArgumentHelp("Refuse the model unless its digest is this one, as uf-records explain names it.", valueName: "digest"))
    var modelDigest: String?

    @OptionGroup var precision: PrecisionOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        try refuseDash([("--model", model)])
        if let modelDigest, modelDigest.utf8.count != 64 { throw ValidationError("--model-sha256 takes 64 hexadecimal digits") }
    }

    func run() throws {
        let inputs = try RecordInputs<PackedBin>([file])
        let evaluated = try EvaluatedModel(path: model, workers: jobs.count, precision: precision.value)
        if let modelDigest, modelDigest != evaluated.digest {
            throw InputError("\(model): its digest is \(evaluated.digest), expected \(modelDigest): another model")
        }
        warnOfSlowKernels()
        let scorer = ResponseScorer(evaluated.model)
        let head = inputs.heads[0], name = inputs.names[0]
        try evaluated.checkTokenizer(of: head, in: name)
        var settings: [String: JSONValue] = ["model": .string(evaluated.digest)]
        settings["tokenizer"] = head.settings["tokenizer"]
        // Named only where it is not what it always was: a stream of single precision keeps its bytes.
        if precision.value != .single { settings["precision"] = .string(precision.value.rawValue) }
        let provenance = Provenance(
            command: "uf-eval score", recipe: 1, arguments: [.text("--model"), .file(role: "model", sha256: evaluated.digest)] + precision.arguments,
            inputs: inputs.provenance)
        let stream = try RecordOutput<LogProbRecord>(output, head: StreamHead(schema: LogProbRecord.schema, settings: settings, provenance: provenance))
        let progress = common.progress("uf-eval score", total: inputs.totalBytes, unit: inputs.totalBytes == nil ? "records" : "bytes")
        var responses = 0, tokens = 0
        while let bin = try inputs.next() {
            for record in try scorer.score(bin, in: name) {
                try stream.append(record)
                responses += record.tokenCounts.count
                tokens += record.tokenCounts.reduce(0) { $0 + Int($1) }
            }
            progress.update(inputs.totalBytes == nil ? stream.records : inputs.bytesRead)
        }
        let counts: JSONValue = ["records": JSONValue(stream.records), "responses": JSONValue(responses), "response_tokens": JSONValue(tokens)]
        try stream.finish(StreamTail(inputs: try inputs.asInputs(), counts: counts, licences: inputs.licences))
        progress.finish()
        guard common.verbose else { return }
        Console.line("uf-eval score: \(stream.records) records, \(responses) responses, \(tokens) response tokens in \(Progress.duration(progress.elapsed)), "
            + "\(Progress.quantity(Double(tokens) / max(progress.elapsed, 1e-9))) response tokens/s; \(BLAS.summary)")
    }
}
