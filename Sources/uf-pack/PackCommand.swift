import ArgumentParser
import Checksums
import CommandSupport
import JSON
import ModelFiles
import Packing
import RecordStream
import SystemIO

struct PackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Lay token records into bins (what uf-pack does without a subcommand).",
        discussion: HelpText.discussion(
            """
            shared-prefix stores a prompt once with all its responses branching from it, several records a bin. rows16 stores prompt and response together, one row \
            for each response, and a map to the paper's rows (row = N * dimension + response). pairs is shared-prefix with only the responses that --pairs chooses, and \
            for each pair which of the two is better: by the mean of their targets over the dimensions, among responses that are rated in all of these. sft stores \
            conversations to imitate, packed without attention across them: each prompt with the response that --answers chooses, and with its earlier answers learnt too \
            where uf-tokenize had --loss-on assistant.
            A record stays whole in one bin. It is dropped, and counted, where the layout has no use for it (with fewer than two responses, with no dimension that has \
            targets, all tied), or with an empty prompt or response. Where a prompt with its longest response exceeds --max-length, --overlong says whether the record is cut or dropped. --truncation ours keeps the \
            header that opens the answer and a system turn, removes the oldest turns, then the middle of the others, down to half of the context where the responses \
            need that much, and last the ends of responses; paper keeps the heads of both by the rule of the paper's code.
            Records go into bins as they come; --order shuffled and grouped need them all in memory. Training shuffles the bins of each epoch in any case.
            """,
            examples: [
                ("uf-pack tokens.uf --model model/ -o packed.uf", "bins of about 4096 tokens, sequences within the model's context"),
                ("uf-tokenize rated.uf ... | uf-pack --max-length 1024 --overlong drop -v > packed.uf", "in a pipe, with a table of lengths and savings on standard error"),
                ("uf-pack tokens.uf --layout pairs --pairs all --model model/ -o pairs.uf", "every two responses of unequal mean target"),
                ("uf-pack tokens.uf --layout sft --model model/ -o sft.uf", "the best response of each prompt"),
                ("uf-pack tokens.uf --layout rows16 --truncation paper --max-length 2048 -o rows.uf", "the paper's rows, one record a bin"),
            ]))

    @Argument(help: ArgumentHelp("Tokens streams, joined in this order; - or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @OptionGroup var output: OutputOptions

    @OptionGroup var sharding: ShardOptions

    @Option(help: ArgumentHelp("shared-prefix, rows16, pairs or sft.", valueName: "layout"))
    var layout = PackedLayout.sharedPrefix

    @Option(help: ArgumentHelp(
        "With --layout pairs: best-worst, given (records that came as pairs, no others) or all (every two of unequal mean target). (default: best-worst)", valueName: "rule"))
    var pairs: PairRule?

    @Option(help: ArgumentHelp("With --layout sft: the best response of a record, or all. (default: best)", valueName: "rule"))
    var answers: AnswerRule?

    @Option(help: ArgumentHelp("The most tokens of a prompt with one of its responses. (default: the context that --model or the tokens stream names)", valueName: "tokens"))
    var maxLength: Int?

    @Option(help: ArgumentHelp("A model folder whose config.json gives --max-length, and whose tokenizer the records must have.", valueName: "folder"), completion: .directory)
    var model: String?

    @Option(help: ArgumentHelp("Bins are filled up to this many tokens; a record that is larger alone has a bin of its own.", valueName: "tokens"))
    var maxTokens = PackingOptions.defaultMaxTokens

    @Option(help: ArgumentHelp("The most records of a bin. (default: 1 with rows16, else what fits)", valueName: "records"))
    var recordsPerBin: Int?

    @Option(help: ArgumentHelp(
        "How many unfinished bins wait for a record that fits; with 1 the records keep their order. (default: 1 with rows16, else \(PackingOptions.defaultOpenBins))", valueName: "bins"))
    var openBins: Int?

    @Option(help: ArgumentHelp("How records that are too long are cut: ours or paper.", valueName: "rule"))
    var truncation = Truncation.ours

    @Option(help: ArgumentHelp("What becomes of records that are too long: cut or drop.", valueName: "action"))
    var overlong = OverlongPolicy.cut

    @Flag(help: "rows16: add 1e-10 to every target in pi_target without renormalising, as the paper's code does.")
    var paperEpsilon = false

    @Option(help: ArgumentHelp("Order of the records before they go into bins: input, shuffled, or grouped (shuffled, neighbours of similar length).", valueName: "order"))
    var order = RecordOrder.input

    @Option(help: ArgumentHelp("With --order shuffled or grouped: the order is a function of this, of --epoch and of the records' ids. (default: 0)", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("With --order shuffled or grouped: which of the orders of a seed. (default: 0)", valueName: "number"))
    var epoch: UInt64?

    @Option(help: ArgumentHelp("With --order grouped: so many records in a row are of similar length: those of a batch. (default: \(PackingOptions.defaultGroup))", valueName: "records"))
    var group: Int?

    @Option(help: ArgumentHelp("With --order shuffled or grouped: the most memory for records. (default: \(Packer.defaultShuffleMemory >> 20))", valueName: "MiB"))
    var shuffleMemory: Int?

    @Option(help: ArgumentHelp("Write counts, lengths and savings here, as JSON.", valueName: "file"))
    var report: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if maxLength != nil, model != nil { throw ValidationError("--max-length and --model both say how long a sequence may be; give one") }
        try refuseDash([("--model", model)])
        if pairs != nil, layout != .pairs { throw ValidationError("--pairs goes with --layout pairs") }
        if answers != nil, layout != .sft { throw ValidationError("--answers goes with --layout sft") }
        for (name, isGiven) in [("--seed", seed != nil), ("--epoch", epoch != nil), ("--shuffle-memory", shuffleMemory != nil)] where isGiven && order == .input {
            throw ValidationError("\(name) goes with --order shuffled or grouped")
        }
        if group != nil, order != .grouped { throw ValidationError("--group goes with --order grouped") }
        if sharding.shards != nil { _ = try sharding.names(output.output) }
        if let shuffleMemory, !(1 ... 1 << 20).contains(shuffleMemory) { throw ValidationError("--shuffle-memory takes a number from 1 to \(1 << 20)") }
        // What can be judged without the inputs is judged before they are opened.
        do { try options(maxLength: maxLength ?? 2).validate() } catch let error as InputError { throw ValidationError(error.message) }
    }

    private func options(maxLength: Int) -> PackingOptions {
        var options = PackingOptions(layout: layout, maxLength: maxLength)
        options.maxTokens = maxTokens
        if let recordsPerBin { options.recordsPerBin = recordsPerBin }
        if let openBins { options.openBins = openBins }
        if let pairs { options.pairs = pairs }
        if let answers { options.answers = answers }
        options.truncation = truncation
        options.overlong = overlong
        options.paperEpsilon = paperEpsilon
        options.order = order
        options.seed = seed ?? 0
        options.epoch = epoch ?? 0
        if let group { options.group = group }
        options.shards = sharding.shards ?? sharding.one?.count ?? 1
        return options
    }

    func run() throws {
        let modelContext = try model.map(ContextLength.ofModel)
        let inputs = try RecordInputs<TokensRecord>(files)
        var settings: [String: JSONValue] = [:]
        for name in Set(inputs.heads.flatMap(\.settings.keys)).sorted() { settings[name] = try inputs.setting(name) }
        try checkTokenizer(settings["tokenizer"]?.string, in: inputs.names[0])
        guard let length = try maxLength ?? modelContext ?? ContextLength.ofStream(settings) else {
            throw InputError("how long a sequence may be is unknown: give --max-length TOKENS, or --model FOLDER to take the model's context", status: .usage)
        }
        let options = options(maxLength: length)
        let shards = sharding.one.map { $0.index ..< $0.index + 1 } ?? 0 ..< options.shards
        var packer = try ShardedPacker(options, shards: shards, vocabularySize: settings["vocabulary_size"]?.int, shuffleMemory: shuffleMemory.map { $0 << 20 } ?? Packer.defaultShuffleMemory)
        settings.merge(options.settings) { $1 }
        let provenance = Provenance(command: "uf-pack", recipe: 2, arguments: options.arguments.map { .text($0) }, inputs: inputs.provenance)
        try sharding.refuse(output, report: report, inputs: files)
        let reportSink = try report.map { try openTextOutput($0) }
        let stream: any ShardOutput<PackedBin> = try sharding.open(output, head: StreamHead(schema: PackedBin.schemaWithGaps, settings: settings, provenance: provenance))
        func append(_ bin: PackedDraft, to shard: Int) throws { try stream.appendUnchecked(to: shard, bin.append) }
        let progress = common.progress("uf-pack", total: inputs.totalBytes, unit: inputs.totalBytes == nil ? "records" : "bytes")
        while let records = try inputs.nextBatch(StreamLimits.blockRecords)?.columns {
            try packer.add(records, output: append)
            progress.update(inputs.totalBytes == nil ? packer.recordsRead : inputs.bytesRead)
        }
        try packer.finish(output: append)
        let whole = packer.reports.reduce(into: PackingReport(options), +=)
        // The stream last: what fails before it leaves the old file.
        if let reportSink { try write(whole, to: reportSink) }
        let made = try inputs.asInputs()
        try stream.finish(packer.reports.map { StreamTail(inputs: made, counts: $0.counts.json, licences: inputs.licences) })
        progress.finish()
        if let summary = whole.counts.summary { Console.error("uf-pack", summary) }
        if common.verbose { whole.table(seconds: progress.elapsed).forEach(Console.line) }
    }

    /// Refuses token ids that are not the model's.
    private func checkTokenizer(_ digest: String?, in stream: String) throws {
        guard let model, let digest, let ours = try TokenizerFiles(folder: model).vocabularyDigest().map({ hexadecimal($0) }), digest != ours else { return }
        throw InputError("\(stream): its token ids were made with the tokenizer of sha256 \(digest), that of \(model) has \(ours); run uf-tokenize with the model's tokenizer")
    }

    private func write(_ report: PackingReport, to sink: BufferedSink) throws {
        try sink.write(report.json.serialized(indent: 2))
        try sink.write("\n")
        try sink.finish()
    }
}

extension PackedLayout: ExpressibleByArgument {}
extension PairRule: ExpressibleByArgument {}
extension AnswerRule: ExpressibleByArgument {}
extension Truncation: ExpressibleByArgument {}
extension OverlongPolicy: ExpressibleByArgument {}
extension RecordOrder: ExpressibleByArgument {}
