import ArgumentParser
import CommandSupport
import ModelFiles
import SystemIO

struct ImportModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a model folder (config.json, model.safetensors, tokenizer.json, chat template) from a GGUF.",
        discussion: HelpText.discussion(
            """
            Weights are stored in single precision; F32, F16, BF16, Q8_0, Q4_0 and Q4_1 are read. The folder appears whole or not at all.
            """,
            examples: [("uf-train import SmolLM2-135M-Instruct.Q4_1.gguf -o smollm2", "the folder smollm2, which transformers loads too")]))

    @Argument(help: ArgumentHelp("The GGUF file.", valueName: "file"))
    var file: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var output: String

    @OptionGroup var common: CommonOptions

    func validate() throws { try refuseDash([("the GGUF file", file), ("--output", output)]) }

    func run() throws {
        let report = try GGUFImport.run(from: file, to: output)
        guard common.verbose else { return }
        let types = report.tensors.map { "\($0.count) \($0.type)" }.joined(separator: ", ")
        Console.line("uf-train import: \(report.parameters) parameters (tensors: \(types)), \(report.tokens) tokens, \(report.hasChatTemplate ? "with" : "no") chat template")
    }
}
