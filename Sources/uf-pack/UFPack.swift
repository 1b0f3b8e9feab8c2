import ArgumentParser
import CommandSupport

struct UFPack: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-pack",
        abstract: "Lay token records into bins, what a model computes on at once; or write bins for other programs.",
        discussion: HelpText.discussion(
            "Without a subcommand, a tokens stream becomes a packed stream (uf-pack run --help has the options).",
            examples: [
                ("uf-pack tokens.uf --model model/ -o packed.uf", "bins of about 4096 tokens, sequences within the model's context"),
                ("uf-tokenize rated.uf ... | uf-pack --max-length 1024 > packed.uf", "in a pipe"),
                ("uf-pack export --format npz packed.uf -o packed.npz", "padded arrays for NumPy"),
            ]),
        version: releaseVersion,
        subcommands: [PackCommand.self, ExportCommand.self],
        defaultSubcommand: PackCommand.self)
}
