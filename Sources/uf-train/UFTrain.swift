import ArgumentParser
import CommandSupport

struct UFTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-train",
        abstract: "Train a language model on a packed stream, or make a model folder from a GGUF.",
        discussion: HelpText.discussion(
            "Without a subcommand, a model is trained (uf-train run --help has the options).",
            examples: [
                ("uf-train import model.gguf -o model", "a model folder from a GGUF"),
                ("uf-train model --data packed.uf -o trained", "train on it"),
            ]),
        version: releaseVersion,
        subcommands: [TrainModel.self, ImportModel.self],
        defaultSubcommand: TrainModel.self)
}
