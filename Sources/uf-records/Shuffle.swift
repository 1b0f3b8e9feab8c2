import ArgumentParser
import CommandSupport
import RecordStream
import SystemIO

struct Shuffle: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the records of streams of one kind into a random order.",
        discussion: HelpText.discussion(
            """
            The order is a function of the seed and of the records themselves: not of the order in which they come, of the number of inputs or of --memory. More than \
            --memory goes to temporary files ($TMPDIR or /tmp), which have no name and are gone with the command.
            """,
            examples: [("uf-records shuffle --seed 1 rated.uf -o shuffled.uf", "the same order in every run")]))

    @Argument(help: ArgumentHelp("Record streams; - or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @Option(help: ArgumentHelp("Another number, another order.", valueName: "number"))
    var seed: UInt64 = 0

    @OptionGroup var memory: MemoryOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let inputs = try StreamInputs(files, together: .two)
        try rewrite(inputs, operands: files, to: output, common, inputs.head("uf-records shuffle", ["--seed", "\(seed)"]), together: .two) { write in
            try Rearranging.shuffle(inputs.readers, seed: seed, memory: memory.bytes, write: write)
        }
    }
}
