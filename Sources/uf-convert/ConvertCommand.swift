import ArgumentParser
import CommandSupport
import InputFiles
import JSON
import PreferenceData
import RecordStream
import SystemIO

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-convert",
        abstract: "Turn raw preference data into a stream of rated records with target distributions.",
        discussion: HelpText.discussion(
            """
            Reads preference data and conversations of many sources, as JSON Lines or a JSON array, plain, compressed (gz, bz2, xz, zst) or inside tar and zip. \
            Several files are read in order; - or none is standard input. Each file of an archive counts as an input of its own, and its first record shows its \
            source; --from names one for all, --map describes any other layout. A source with one response a prompt makes records to learn from, without targets.

            SOURCES
            \(ConvertCommand.sources)

            Ratings are taken as the source has them: --scale brings sources with other ranges to one, as in --scale 1:5, before the softmax whose \
            temperature was meant for it; then --missing and --temperature act. --dimensions chooses, orders and renames; the other options use the new names.
            Records are left out in this order: by --split, --decontaminate, too few responses or ratings, --where, --dedup, --sample. \(RecordFilter.help)
            What was dropped or missing is told in one line on standard error, in full with -v, with --report, and in the stream itself.
            Memory does not grow with the data: to count repeats, more than 65,536 prompts go through temporary files in $TMPDIR (or /tmp). Only --dedup and \
            --sample remember more; with --strict a repeat that far behind is told at the end.

            REPORT
            \(Conversion.reportHelp)
            """,
            examples: [
                ("uf-convert evol_instruct.jsonl sharegpt.jsonl.gz -o rated.uf", "both files, records in order"),
                ("uf-convert --split train=0.95,validation=0.05 raw.jsonl -o 'ultra-%.uf'",
                 "ultra-train.uf and ultra-validation.uf; in a later release no prompt changes sides"),
                ("uf-convert --split train=0.9,test=0.1 --part test raw.jsonl -o test.uf", "a tenth of the prompts; the same ones in every run"),
                ("uf-convert raw.jsonl --shards 8 -o 'data/train-%05d-of-%05d.uf'", "eight streams and data/train.MANIFEST, for uf-records check --full data"),
                ("uf-convert raw.jsonl --where 'gap >= 1 and length < 8000' --where 'source != evol_instruct' -o clear.uf",
                 "clear preferences of bounded length, without one source"),
                ("uf-convert *.jsonl --sample 5000 --stratify source --seed 7 -o small.uf", "5000 records in which each source has its share"),
                ("zcat raw.jsonl.gz | uf-convert --expect-records 63967 -o rated.uf",
                 "refused when zcat fails on the way; or name the file, and uf-convert sees for itself"),
                ("uf-convert raw.jsonl --decontaminate mmlu.tar.gz --decontaminate arc/ --report r.json -o clean.uf", "without what these benchmarks hold; r.json lists it"),
                ("uf-convert v2.jsonl --dedup near --dedup-store released.sqlite -o v2.uf", "without the prompts of v1, which was made with the same store"),
                ("zstdcat raw.zst | uf-convert --missing floor -v > rated.uf", "as the paper's code treats \"N/A\": as the worst rating"),
                ("uf-convert --dimensions helpfulness,verbosity=length --scale 1:5 helpsteer.jsonl -o rated.uf", "two attributes, one renamed, on UltraFeedback's scale"),
                ("uf-convert --map fields.json answers.jsonl -o rated.uf", "another layout: {\"prompt\": \"/question\", \"responses\": \"/answers/*/text\", \"ratings\": {\"quality\": {\"values\": \"/answers/*/mark\", \"range\": \"0..10\"}}}"),
            ]),
        version: releaseVersion)

    @Argument(help: ArgumentHelp("Raw files; - is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var sharding: ShardOptions

    @Option(help: ArgumentHelp("Source of all records, one of those above, or auto: the first record of each input shows it.", valueName: "source"))
    var from = SourceFormat.auto

    @Option(help: ArgumentHelp("A JSON file that says by JSON Pointers where id, system, prompt, responses, models and ratings (values in a range, ranks or best) stand, in place of --from.", valueName: "file"), completion: .file())
    var map: String?

    @Option(help: ArgumentHelp("One score of UltraFeedback as the only dimension, score: overall_score (1..10) or fine-grained_score (1..5).", valueName: "key"))
    var scoreFrom: UltraFeedbackScore?

    @Option(help: ArgumentHelp(
        "System prompts of UltraFeedback's completions: none (left out: the responses answer one prompt) or completion (each response answers the prompt under its own).",
        valueName: "kind"))
    var system = SystemPrompts.none

    @Option(help: ArgumentHelp("Dimensions to keep, in this order; NAME=NEW renames one. (default: all)", valueName: "name,..."), transform: { try DimensionChoice($0) })
    var dimensions: DimensionChoice?

    @Option(help: ArgumentHelp("Map ratings linearly from what they may be onto LOW:HIGH, all or those of NAME=LOW:HIGH,...", valueName: "low:high"), transform: RatingScale.read)
    var scale: RatingScale?

    @Option(help: ArgumentHelp(
        "What becomes of a rating that is not there: mask (the response is left out of that dimension), floor (it becomes the lowest there is), mean (of the dimension's others), drop (the record is).",
        valueName: "policy"))
    var missing = MissingPolicy.mask

    @Option(help: ArgumentHelp("T of the targets, softmax(ratings / T): one for all, or NAME=T,... with 1 for the rest. (default: 1)", valueName: "T"), transform: Temperature.read)
    var temperature = Temperature(1)

    @Option(help: ArgumentHelp("What a rating may be; others count as missing. (default: what the source says)", valueName: "low..high"), transform: { try RatingRange($0) })
    var ratingRange: RatingRange?

    @OptionGroup var selection: SelectionOptions
    @OptionGroup var expectations: ExpectationOptions

    @Option(help: ArgumentHelp("Invalid JSON, another schema, a rating that is no number: stop (status 65) or skip the record and count it.", valueName: "action"))
    var onBadRecord = ConversionOptions.OnBadRecord.stop

    @Flag(help: "Stop at the first oddity of any kind: a missing rating (except N/A), an empty or repeated text, fewer than two responses, a repeated JSON key.")
    var strict = false

    @Option(help: ArgumentHelp("Record the licence of a source of the data in the stream; may be repeated.", valueName: "source=licence"))
    var licence: [String] = []

    @Option(name: .customLong("rate"), help: ArgumentHelp(
        "Add dimensions rated 1 to 5 from the text itself, under the raters' names with _ for -: " + Rater.allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: "; ") + ".", valueName: "rater,..."))
    var raters: String?

    @OptionGroup var deduplication: DeduplicationOptions

    @Option(help: ArgumentHelp(
        """
        Leave out records that share 13 words in a row with a benchmark's question or answers, or a whole question of 8 to 12: published files of MMLU, ARC, \
        HellaSwag, TruthfulQA, WSC273 and GSM8K (CSV, JSON, XML or text, plain, compressed or in tar and zip), or a folder of them. May be repeated.
        """, valueName: "path"), completion: .file())
    var decontaminate: [String] = []

    @Option(help: ArgumentHelp("Refuse other benchmark files than those that a stream was made with, by the digest in its provenance.", valueName: "digest"))
    var benchmarksSha256: String?

    @Option(help: ArgumentHelp("Write counts, first places, statistics and the digests of the inputs here, as JSON (see REPORT).", valueName: "file"))
    var report: String?

    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard map == nil || from == .auto else { throw ValidationError("--map describes the records, so --from does not go with it") }
        guard scoreFrom == nil || (map == nil && ["auto", "ultrafeedback"].contains(from.name)) else {
            throw ValidationError("--score-from goes with --from ultrafeedback, which alone has such scores")
        }
        guard system == .none || (map == nil && ["auto", "ultrafeedback"].contains(from.name)) else {
            throw ValidationError("--system completion goes with --from ultrafeedback, which alone has such system prompts")
        }
        if files.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input (-) is named twice") }
        try refuseDash(decontaminate.map { ("--decontaminate", $0) })
        if benchmarksSha256 != nil, decontaminate.isEmpty { throw ValidationError("--benchmarks-sha256 needs --decontaminate PATH") }
        try expectations.check(operands: files)
        _ = try names(options())
    }

    /// Of the output files, where several are written.
    private func names(_ options: ConversionOptions) throws -> [String]? {
        if let split = options.split, split.wanted == nil, sharding.shards != nil || sharding.shard != nil {
            throw ValidationError("--split writes all parts, \(sharding.shards != nil ? "--shards divides" : "--shard is a share of") one of them: give --part NAME")
        }
        guard let parts = try selection.partNames(options, output: output.output) else {
            return try sharding.shards.map { count in try (0 ..< count).map { try sharding.names(output.output).name($0, of: count) } }
        }
        return parts
    }

    private func options() throws -> ConversionOptions {
        var options = ConversionOptions()
        options.format = from
        options.score = scoreFrom
        options.systems = system
        options.range = ratingRange
        options.dimensions = dimensions
        options.scale = scale
        options.raters = try wantedRaters()
        options.deduplication = deduplication.dedup
        options.targets = Targets(missing: missing, temperature: temperature)
        try selection.apply(to: &options)
        if let shards = sharding.shards { options.shards = shards }
        if let one = sharding.one { (options.shard, options.shards) = (one.index, one.count) }
        options.onBadRecord = onBadRecord
        options.strict = strict
        for entry in licence {
            guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex else { throw ValidationError("--licence takes SOURCE=LICENCE, not \"\(entry)\"") }
            let source = String(entry[..<equals])
            guard options.licences.updateValue(String(entry[entry.index(after: equals)...]), forKey: source) == nil else {
                throw ValidationError("--licence names \(source) twice")
            }
        }
        return options
    }

    private func wantedRaters() throws -> [Rater] {
        try (raters?.split(separator: ",", omittingEmptySubsequences: false) ?? []).reduce(into: []) { found, name in
            guard let rater = Rater(rawValue: String(name)) else {
                throw ValidationError("--rate: no rater \"\(name)\"; expected names among \(Rater.allCases.map(\.rawValue).joined(separator: ","))")
            }
            guard !found.contains(rater) else { throw ValidationError("--rate names \(name) twice") }
            found.append(rater)
        }
    }

    func run() throws {
        var options = try options()
        options.map = try map.map { try RecordMap(file: $0) }
        try DecodedInputs.check(files)
        if files.isEmpty || files.contains("-") { try refuseTerminalInput() }
        let inputs = DecodedInputs(files)
        let reader = ChunkReader(inputs)
        for name in try names(options).map({ $0.map(Optional.some) }) ?? [output.output] {
            var one = output
            one.output = name
            try one.refuse(report: report, inputs: files + decontaminate + [map, deduplication.dedupStore].compactMap(\.self))
        }
        options.decontamination = try decontamination()
        options.gathersStatistics = report != nil || common.verbose
        let store = try deduplication.store(files)
        options.earlier = store?.earlier
        let conversion = Conversion(options, store: store)
        let reportSink = try report.map { try openTextOutput($0) }
        let stream = try openOutput(options)
        let progress = common.progress("uf-convert", total: inputs.encodedTotal, unit: "bytes")
        try conversion.run(reader, threads: jobs.count) { record, shard in
            try stream.append(record, to: shard)
            progress.update(inputs.encodedBytes, detail: counted(stream.records, "record"))
        }
        try expectations.value.check(inputs, records: conversion.counts.read)
        let tails = conversion.tails(inputs)
        progress.finish()
        // The stream last: what fails before it leaves the old file.
        if let reportSink {
            try reportSink.write(conversion.report(inputs, release: releaseVersion).serialized(indent: 2))
            try reportSink.write("\n")
            try reportSink.finish()
        }
        try conversion.enterPrompts(inputs)
        try stream.finish(tails)
        try store?.commit()
        let told = [conversion.summaryLine, inputs.passedOverLine].compactMap(\.self)
        if !told.isEmpty { Console.error("uf-convert", told.joined(separator: "; ")) }
        if common.verbose {
            for name in inputs.passedOver { Console.error("uf-convert", "\(name): passed over") }
            for (input, source) in conversion.detected { Console.error("uf-convert", "\(input): read as \(source)") }
            ConversionTables(conversion).lines.forEach(Console.line)
        }
    }

    private static var sources: String {
        let listing = SourceFormat.listing, width = listing.map(\.name.count).max() ?? 0
        return listing.map { "\($0.name.padding(to: width))  \($0.summary)" }.joined(separator: "\n")
    }

    private func openOutput(_ options: ConversionOptions) throws -> any ShardOutput<RatedRecord> {
        if let parts = try selection.partNames(options, output: output.output) {
            return try PartedRecordOutput<RatedRecord>(parts, output, heads: options.heads)
        }
        guard sharding.shards != nil else { return try RecordOutput<RatedRecord>(output, head: options.heads[0]) }
        return try ShardedRecordOutput<RatedRecord>(sharding.names(output.output), output, heads: options.heads, appendingTo: sharding.earlier)
    }

    private func decontamination() throws -> Decontamination? {
        guard !decontaminate.isEmpty else { return nil }
        let found = try Decontamination(decontaminate)
        if let benchmarksSha256, benchmarksSha256 != found.files.sha256 {
            throw InputError("the benchmark files' digest is \(found.files.sha256), expected \(benchmarksSha256): "
                + "these are not the files that the stream was made with")
        }
        return found
    }
}

private extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
