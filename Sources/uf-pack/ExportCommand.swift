import ArgumentParser
import CommandSupport
import Glibc
import Packing
import RecordStream
import SystemIO

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write packed records as JSON lines, as tokenised data sets of TRL and LLaMA-Factory, or as arrays of NumPy.",
        discussion: HelpText.discussion(
            """
            jsonl writes a line a record: id, source, origin, dimensions, ratings, rated and targets (a row a dimension), and of each response the tokens after its prompt's, \
            labels (-100 where nothing is learnt) and what was cut, of its prompt with the places (how many of the tokens left come before each gap, how many it took); with \
            layout pairs the pairs too, as numbers of responses.
            trl and llamafactory write a line a pair: the stream's own with layout pairs, else the best and the worst response by the mean of their targets, of equal ones the \
            first; records without such a pair are skipped and counted. trl has prompt_ids, chosen_ids and rejected_ids, what DPOTrainer's collator takes (a subclass whose \
            _prepare_dataset returns the data set as it is; TRL 0.24 calls them prompt_input_ids and so on); llamafactory has chosen_ and rejected_ input_ids, attention_mask and labels, for datasets' load_dataset("json") and \
            save_to_disk to a folder that tokenized_path names. With layout sft both write a line a sequence: input_ids, attention_mask, labels.
            npz has input_ids, attention_mask and labels [rows, L], padded on the right. rows16: the paper's rows, m x N a record, with pi_target and the numbers of record, \
            response and dimension. Else one row a response, with the numbers of record and response, ratings, rated and targets [m, rows], and with layout pairs the pairs as \
            numbers of rows. record_ids, sources and dimensions are names. The records are read once for each array, so the inputs must be files.
            """,
            examples: [
                ("uf-pack export --format jsonl packed.uf | head -1", "a record as other programs read it"),
                ("uf-pack export --format trl pairs.uf -o pairs.jsonl", "for TRL's DPOTrainer"),
                ("uf-pack export --format npz --pad-to 2048 rows.uf -o rows.npz", "the paper's tensors"),
            ]))

    @Argument(help: ArgumentHelp("Packed streams, joined in this order; - or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @Option(help: ArgumentHelp("jsonl, trl, llamafactory or npz.", valueName: "format"))
    var format: ExportFormat

    @Option(help: ArgumentHelp("npz: tokens of a row, a multiple of 8; a longer row is an error. (default: those of the longest, rounded up)", valueName: "tokens"))
    var padTo: Int?

    @Option(help: ArgumentHelp("npz: what fills input_ids up. (default: 0)", valueName: "token"))
    var padToken: UInt32?

    @Option(name: .shortAndLong, help: ArgumentHelp("Write here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    var output: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if format != .npz, padTo != nil || padToken != nil { throw ValidationError("--pad-to and --pad-token go with --format npz") }
        if let padTo, !(8 ... PackingOptions.largestLength).contains(padTo) || padTo % 8 != 0 {
            throw ValidationError("--pad-to takes a multiple of 8 from 8 to \(PackingOptions.largestLength), found \(padTo)")
        }
    }

    func run() throws {
        try refuseOutput(output ?? "-", over: files)
        if format == .npz { return try writeArrays() }
        let inputs = try RecordInputs<PackedBin>(files), layout = try layout(of: inputs), sink = try openTextOutput(output)
        var exporter = LineExporter(format, layout: layout)
        let progress = common.progress("uf-pack export", total: inputs.totalBytes, unit: inputs.totalBytes == nil ? "bins" : "bytes")
        while let bin = try inputs.next() {
            try sink.write(exporter.lines(bin))
            progress.update(inputs.totalBytes == nil ? inputs.recordsRead : inputs.bytesRead)
        }
        try sink.finish()
        progress.finish()
        tell(exporter.counts)
    }

    private func writeArrays() throws {
        for name in files.isEmpty ? ["-"] : files where !MappedStream.canMap(name) {
            if name != "-", access(name, F_OK) != 0 { throw InputError.cannotOpen(name) }
            throw InputError("\(name == "-" ? "standard input" : name): npz reads its inputs several times and needs files on disk", status: .usage)
        }
        if output == nil || output == "-", isatty(STDOUT_FILENO) == 1 { throw InputError("arrays are binary and would garble the terminal; give -o FILE", status: .usage) }
        let first = try RecordInputs<PackedBin>(files), layout = try layout(of: first)
        if let padToken, let size = try first.setting("vocabulary_size")?.int, Int(padToken) >= size {
            throw InputError("--pad-token \(padToken) is outside the vocabulary of \(size) ids that \(first.names[0]) was made with", status: .usage)
        }
        let sink = try openTextOutput(output)
        let progress = common.progress("uf-pack export", unit: "bins")
        var read = 0
        func bins(_ visit: (PackedBin) throws -> Void) throws {
            let inputs = try RecordInputs<PackedBin>(files)
            while let bin = try inputs.next() {
                try visit(bin)
                read += 1
                progress.update(read)
            }
        }
        let exporter = try ArrayExporter(bins, layout: layout, padding: .init(length: padTo, token: padToken ?? 0))
        try exporter.write(bins, to: sink)
        try sink.finish()
        progress.finish()
        tell(exporter.counts)
    }

    private func layout(of inputs: RecordInputs<PackedBin>) throws -> PackedLayout {
        let name = try inputs.setting("layout")?.string
        guard let layout = name.flatMap(PackedLayout.init) else {
            throw InputError("\(inputs.names[0]): its head \(name.map { "says the layout \($0), which this release does not know" } ?? "says no layout"); make the stream again with uf-pack")
        }
        return layout
    }

    private func tell(_ counts: ExportCounts) {
        if let summary = counts.summary { Console.error("uf-pack", summary) }
        if common.verbose { Console.line("uf-pack: \(counted(counts.records, "record")) as \(counted(counts.written, format == .npz ? "row" : "line"))") }
    }
}

extension ExportFormat: ExpressibleByArgument {}
