import ArgumentParser
import CommandSupport
import RecordStream
import SystemIO

struct Sort: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sort the records of streams of one kind, by id or origin.",
        discussion: HelpText.discussion(
            "Records that compare equal keep their order. More than --memory goes to temporary files ($TMPDIR or /tmp), which have no name and are gone with the command.",
            examples: [("uf-records sort --by id rated.uf -o sorted.uf", "as uf-records merge --by id needs it")]))

    @Argument(help: ArgumentHelp("Record streams; - or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @Option(help: ArgumentHelp("id (by its bytes), or origin (number of the raw input, then line).", valueName: "order"))
    var by: SortOrder

    @OptionGroup var memory: MemoryOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let inputs = try StreamInputs(files, together: .two)
        try rewrite(inputs, operands: files, to: output, common, inputs.head("uf-records sort", ["--by", by.rawValue]), together: .two) { write in
            try Rearranging.sort(inputs.readers, by: by, memory: memory.bytes, write: write)
        }
    }
}

/// How much sorting may hold. It changes the time that a command takes and nothing else.
struct MemoryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Records held in memory at once; more go to temporary files. The result is the same.", valueName: "MiB"))
    var memory = 512.0

    func validate() throws {
        guard memory > 0, memory <= 1_048_576 else { throw ValidationError("--memory takes a number of MiB above 0, at most \(1 << 20)") }
    }

    var bytes: Int { max(1, Int(memory * 1_048_576)) }
}
