import ArgumentParser
import CommandSupport
import RecordStream
import SystemIO

struct Cat: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Join streams of one kind, one after the other.",
        discussion: HelpText.discussion(
            "The streams must have the same columns and settings (tokenizer, layout ...). With one stream: the same records in blocks of the usual size, or with another codec.",
            examples: [
                ("uf-records cat evol.uf sharegpt.uf -o all.uf", "the records of both"),
                ("uf-records cat rated.uf --codec zstd -o small.uf", "the same stream, compressed"),
            ]))

    @Argument(help: ArgumentHelp("Record streams, in this order; - or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let inputs = try StreamInputs(files)
        try rewrite(inputs, operands: files, to: output, common, inputs.head("uf-records cat", [])) { write in
            for reader in inputs.readers {
                while let record = try reader.next() { try write(record.bytes()) }
            }
        }
    }
}

/// What the commands that rearrange records have in common: the output opened, progress, the end mark after the inputs' ends.
func rewrite(
    _ inputs: StreamInputs, operands: [String], to options: OutputOptions, _ common: CommonOptions, _ head: StreamHead, together: BlockGroup = .most,
    _ body: (([UInt8]) throws -> Void) throws -> Void
) throws {
    try options.refuse(inputs: operands)
    let output = try StreamOutput(options, head: head, together: together), progress = common.progress(head.provenance.command)
    try body { record in
        try output.append(record: record)
        progress.update(output.records)
    }
    try output.finish(inputs.tail(written: output.records))
    progress.finish()
    if common.verbose { Console.error("uf-records", "\(counted(inputs.recordsRead, "record")) read, \(output.records) written") }
}
