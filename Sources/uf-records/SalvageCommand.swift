import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct SalvageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "salvage",
        abstract: "Take the intact records out of a damaged or cut stream, with an exact account of what was lost.",
        discussion: HelpText.discussion(
            """
            The output is a whole stream; its provenance says that it was salvaged, from which bytes, and its counts say what was lost. Every frame whose checksums are \
            right and that belongs to the stream is kept, wherever it lies; the head must be one of them. Which records (numbers from 0) and bytes were lost is told on standard error, and \
            with --report in a file. The damaged file stays as it is. Status 0 also when records were lost.
            """,
            examples: [
                ("uf-records salvage cut.uf -o saved.uf", "what uf-records check --full refuses"),
                ("uf-records salvage cut.uf --report lost.json -o saved.uf", "the account for scripts"),
            ]))

    @Argument(help: ArgumentHelp("The damaged stream, a file.", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Write the account here, as JSON.", valueName: "file"), completion: .file())
    var report: String?

    @OptionGroup var output: OutputOptions

    func validate() throws { try refuseDash([("the damaged stream", file)]) }

    func run() throws {
        try output.refuse(report: report, inputs: [file])
        var salvage = try Salvage(path: file)
        let provenance = Provenance(command: "uf-records salvage", recipe: 1, arguments: [], inputs: [salvage.head.provenance])
        let reportSink = try report.map { try openTextOutput($0) }
        let stream = try StreamOutput(output, head: StreamHead(schema: salvage.head.schema, settings: salvage.head.settings, provenance: provenance))
        try salvage.run { try stream.append(record: $0) }
        // The stream last: what fails before it leaves the old file.
        if let reportSink {
            try reportSink.write(salvage.account.json.serialized(indent: 2))
            try reportSink.write("\n")
            try reportSink.finish()
        }
        try stream.finish(StreamTail(inputs: [.raw(sha256: salvage.sha256, bytes: salvage.byteCount)], counts: salvage.account.json, licences: salvage.licences))
        if let diagnosis = salvage.account.diagnosis { Console.error("uf-records", diagnosis) }
        for line in salvage.account.lines { Console.error("uf-records", "\(file): \(line)") }
    }
}
