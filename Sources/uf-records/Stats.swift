import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Count what a stream holds: records, bytes, lengths, ratings and targets by dimension, and what was dropped on the way.",
        discussion: HelpText.discussion(
            "Streams are read to their end and verified as uf-records check --full does.",
            examples: [
                ("uf-records stats rated.uf", "tables for one stream"),
                ("uf-records stats --stages train.packed.uf heldout.packed.uf", "what each stage read, dropped and cut, side by side"),
                ("uf-records stats --json tokens.uf", "the same for scripts"),
            ],
            statuses: [.done, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("Record streams; - or none is standard input.", valueName: "file"))
    var files: [String] = []

    @Flag(name: .long, help: "Only what each stage of the streams' making counted, one column a stream.")
    var stages = false

    @Flag(name: .long, help: "JSON, one object a stream.")
    var json = false

    func run() throws {
        let output = try openTextOutput(nil)
        var summaries: [StreamSummary] = []
        for file in files.isEmpty ? ["-"] : files {
            let summary = try StreamSummary(file, contents: !stages)
            if json {
                try output.write(summary.json(stages: stages).serialized())
                try output.write("\n")
            } else if stages {
                summaries.append(summary)
            } else {
                try output.write(summary.text())
            }
        }
        if stages, !json { try output.write(StageTable.text(summaries)) }
        try output.finish()
    }
}
