import ArgumentParser
import CommandSupport
import SystemIO
import Tokenization

struct DecodeTokens: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Turn JSON arrays of token ids, one a line, into JSON strings, one a line.",
        discussion: HelpText.discussion(
            "A token may hold a part of a character; what is not UTF-8 in the end becomes U+FFFD.",
            examples: [("uf-tokenize decode --tokenizer model/ < ids.jsonl", "each line's text")]))

    @Argument(help: ArgumentHelp("Lines of JSON arrays; - or none is standard input.", valueName: "file"))
    var file: String?

    @OptionGroup var vocabulary: TokenizerOptions

    @Flag(name: .long, help: "Leave special tokens out.")
    var skipSpecial = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Write here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    var output: String?

    @OptionGroup var jobs: JobsOptions

    @Flag(name: .shortAndLong, help: "Say on standard error what was assumed of a vocabulary that does not say all.")
    var verbose = false

    func run() throws {
        let lines = LineTokenizer(try vocabulary.load(verbose: verbose).tokenizer)
        let sink = try openTextOutput(output)
        try lines.decode(try openInput(file ?? "-"), skippingSpecial: skipSpecial, workers: jobs.count, write: { try sink.write($0) }, pause: { try sink.flush() })
        try sink.finish()
    }
}
