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
            Reads UltraFeedback (JSON Lines or a JSON array; N completions, each rated in m dimensions) and pairs made from it (prompt, chosen, rejected, \
            scores), plain, compressed (gz, bz2, xz, zst) or inside tar and zip. Several files are read in order; - or none is standard input. Each \
            file of an archive counts as an input of its own.
            What was dropped or missing is told in one line on standard error, in full with -v, with --report, and in the stream itself.
            """,
            examples: [
                ("uf-convert evol_instruct.jsonl sharegpt.jsonl.gz -o rated.uf", "both files, records in order"),
                ("uf-convert --split train=0.9,test=0.1 --part test raw.jsonl -o test.uf", "a tenth of the prompts; the same ones in every run"),
                ("uf-convert raw.jsonl --shards 8 -o 'data/train-%05d-of-%05d.uf'", "eight streams and data/train.MANIFEST, for uf-records check data"),
                ("uf-convert raw.jsonl --decontaminate mmlu.tar.gz --decontaminate arc/ --report r.json -o clean.uf", "without what is in these benchmarks; r.json says what was"),
                ("zstdcat raw.zst | uf-convert --missing floor -v > rated.uf", "as the paper's code treats \"N/A\": as the worst rating"),
            ]),
        version: releaseVersion)

    @Argument(help: ArgumentHelp("Raw files; - is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var sharding: ShardOptions

    @Option(help: ArgumentHelp("Format of the records: auto, ultrafeedback or ultrafeedback-binarized. auto looks at each record's keys.", valueName: "format"))
    var from = SourceFormat.auto

    @Option(help: ArgumentHelp(
        "What becomes of a rating that is not there: mask (the response is left out of that dimension), floor (it becomes 1), mean (of the dimension's others), drop (the record is).",
        valueName: "policy"))
    var missing = MissingPolicy.mask

    @Option(help: ArgumentHelp("T of the targets, softmax(ratings / T).", valueName: "T"))
    var temperature = 1.0

    @Option(help: ArgumentHelp("What a rating may be; others count as missing. (default: 1..5, for pairs 0..10)", valueName: "low..high"))
    var ratingRange: RatingRange?

    @Option(help: ArgumentHelp("Divide the prompts by a hash of their text, as in train=0.9,test=0.1; shares below 1 in sum leave the rest out. Needs --part.", valueName: "name=share,..."))
    var split: String?

    @Option(help: ArgumentHelp("The part of the split to keep.", valueName: "name"))
    var part: String?

    @Option(help: ArgumentHelp("Invalid JSON, another schema, a rating that is no number: stop (status 65) or skip the record and count it.", valueName: "action"))
    var onBadRecord = ConversionOptions.OnBadRecord.stop

    @Flag(help: "Stop at the first oddity of any kind: a missing rating (except N/A), an empty or repeated text, fewer than two responses, a repeated JSON key.")
    var strict = false

    @Option(help: ArgumentHelp("Record the licence of a source in the stream; may be repeated.", valueName: "source=licence"))
    var licence: [String] = []

    @Option(help: ArgumentHelp(
        """
        Leave out records that share 13 words in a row with a benchmark's question or answers, or a whole question of 8 to 12: published files of MMLU, ARC, HellaSwag, \
        TruthfulQA, WSC273 and GSM8K (CSV, JSON, XML or text, plain, compressed or in tar and zip), or a folder of them. May be repeated.
        """, valueName: "path"), completion: .file())
    var decontaminate: [String] = []

    @Option(help: ArgumentHelp("Refuse other benchmark files than those that a stream was made with, by the digest in its provenance.", valueName: "digest"))
    var benchmarksSha256: String?

    @Option(help: ArgumentHelp("Write all counts and the digests of the inputs here, as JSON.", valueName: "file"))
    var report: String?

    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard temperature > 0, temperature.isFinite else { throw ValidationError("--temperature takes a number above 0") }
        if split != nil, part == nil { throw ValidationError("--split needs --part NAME: one part is written at a time") }
        if split == nil, part != nil { throw ValidationError("--part needs --split NAME=SHARE,...") }
        if files.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input (-) is named twice") }
        try refuseDash(decontaminate.map { ("--decontaminate", $0) })
        if benchmarksSha256 != nil, decontaminate.isEmpty { throw ValidationError("--benchmarks-sha256 needs --decontaminate PATH") }
        _ = try options()
        if sharding.shards != nil { _ = try sharding.names(output.output) }
    }

    private func options() throws -> ConversionOptions {
        var options = ConversionOptions()
        options.format = from
        options.range = ratingRange
        options.targets = Targets(missing: missing, temperature: temperature)
        if let split, let part {
            do { options.split = try Split(split, part: part) } catch let fault as Split.Fault { throw ValidationError(fault.description) }
        }
        if let shards = sharding.shards { options.shards = shards }
        if let one = sharding.one { (options.shard, options.shards) = (one.index, one.count) }
        options.onBadRecord = onBadRecord
        options.strict = strict
        for entry in licence {
            guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex else { throw ValidationError("--licence takes SOURCE=LICENCE, not \"\(entry)\"") }
            options.licences[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        return options
    }

    func run() throws {
        var options = try options()
        try DecodedInputs.check(files)
        if files.isEmpty || files.contains("-") { try refuseTerminalInput() }
        let inputs = DecodedInputs(files)
        let reader = ChunkReader(inputs)
        try output.refuse(report: report, inputs: files + decontaminate)
        options.decontamination = try decontamination()
        let conversion = Conversion(options)
        let reportSink = try report.map { try openTextOutput($0) }
        let stream = try openOutput(options)
        let progress = common.progress("uf-convert", total: inputs.encodedTotal, unit: "bytes")
        try conversion.run(reader, threads: jobs.count) { record, shard in
            try stream.append(record, to: shard)
            progress.update(inputs.encodedBytes, detail: "\(stream.records) records")
        }
        let tails = conversion.tails(inputs)
        progress.finish()
        // The stream last: what fails before it leaves the old file.
        if let reportSink { try write(conversion, inputs, to: reportSink) }
        try stream.finish(tails)
        tell(conversion)
    }

    private func openOutput(_ options: ConversionOptions) throws -> any ShardOutput<RatedRecord> {
        guard sharding.shards != nil else { return try RecordOutput<RatedRecord>(output, head: options.heads[0]) }
        return try ShardedRecordOutput<RatedRecord>(sharding.names(output.output), output, heads: options.heads)
    }

    private func decontamination() throws -> Decontamination? {
        guard !decontaminate.isEmpty else { return nil }
        let found = try Decontamination(decontaminate)
        if let benchmarksSha256, benchmarksSha256 != found.files.sha256 {
            throw InputError("the benchmark files' digest is \(found.files.sha256), expected \(benchmarksSha256): these are not the files that the stream was made with")
        }
        return found
    }

    private func write(_ conversion: Conversion, _ inputs: DecodedInputs, to sink: BufferedSink) throws {
        let value: JSONValue = .object([
            ("command", "uf-convert"), ("release", .string(releaseVersion)),
            ("inputs", .array(inputs.digests.map { .object([("bytes", JSONValue($0.length)), ("sha256", .string($0.sha256))]) })),
            ("counts", conversion.counts.json),
        ] + (conversion.decontaminationJSON.map { [("decontamination", $0)] } ?? []))
        try sink.write(value.serialized(indent: 2))
        try sink.write("\n")
        try sink.finish()
    }

    private func tell(_ conversion: Conversion) {
        let counts = conversion.counts
        if let line = conversion.summaryLine { Console.error("uf-convert", line) }
        guard common.verbose else { return }
        var records = TextTable([("", .left), ("", .right)])
        for row in counts.recordRows { records.add(row) }
        var ratings = TextTable(ConversionCounts.ratingColumns.enumerated().map { ($1, $0 < 2 ? .left : .right) })
        for row in counts.ratingRows { ratings.add(row) }
        var benchmarks = TextTable([("benchmark", .left), ("documents", .right), ("records left out", .right)])
        for row in conversion.decontaminationRows { benchmarks.add(row) }
        for line in records.lines() + [""] + ratings.lines() + (decontaminate.isEmpty ? [] : [""] + benchmarks.lines()) { Console.line(line) }
    }
}

extension SourceFormat: ExpressibleByArgument {}
extension MissingPolicy: ExpressibleByArgument {}
extension ConversionOptions.OnBadRecord: ExpressibleByArgument {}
extension RatingRange: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
