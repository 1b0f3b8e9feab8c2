import ArgumentParser
import CommandSupport
import RecordStream
import SystemIO

struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Merge sorted streams of one kind into one sorted stream.",
        discussion: HelpText.discussion(
            """
            Every input must be sorted by what is asked for (uf-records sort); one that is not is refused. Of records that compare equal those of the first input come first; none is left out.
            """,
            examples: [
                ("uf-records merge --by origin part-*.uf -o all.uf", "what uf-records split --parts took apart, in its old order"),
                ("uf-records merge --by id a.uf b.uf -o all.uf", "two releases, equal ids side by side"),
            ]))

    @Argument(help: ArgumentHelp("Record streams; - or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @Option(help: ArgumentHelp("id (by its bytes), or origin (number of the raw input, then line).", valueName: "order"))
    var by: SortOrder

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let inputs = try StreamInputs(files)
        try rewrite(inputs, operands: files, to: output, common, inputs.head("uf-records merge", ["--by", by.rawValue])) { write in
            try Rearranging.merge(inputs.readers, by: by, write: write)
        }
    }
}

extension SortOrder: ExpressibleByArgument {}
