import ArgumentParser
import CommandSupport
import SystemIO
import Tokenization

struct TokenizeText: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text",
        abstract: "Turn JSON strings, one a line, into JSON arrays of token ids, one a line.",
        discussion: HelpText.discussion(
            "Nothing is put around the texts. Special tokens that they spell out stay text unless --special is given.",
            examples: [("uf-tokenize text --tokenizer model/ < texts.jsonl > ids.jsonl", "each line's ids"), ("echo '\"Hello world\"' | uf-tokenize text --tokenizer model/", "the ids of one text")]))

    @Argument(help: ArgumentHelp("Lines of JSON strings; - or none is standard input.", valueName: "file"))
    var file: String?

    @OptionGroup var vocabulary: TokenizerOptions

    @Flag(name: .long, help: "Special tokens that a text spells out become their ids.")
    var special = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Write here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    var output: String?

    @OptionGroup var jobs: JobsOptions

    @Flag(name: .shortAndLong, help: "Say on standard error what was assumed of a vocabulary that does not say all.")
    var verbose = false

    func run() throws {
        let lines = LineTokenizer(try vocabulary.load(verbose: verbose).tokenizer)
        let sink = try openTextOutput(output)
        let counts = try lines.encode(try openInput(file ?? "-"), special: special ? .ids : .text, workers: jobs.count, write: { try sink.write($0) }, pause: { try sink.flush() })
        try sink.finish()
        if counts.surrogates + counts.invalidBytes > 0 {
            Console.line("uf-tokenize: \(counts.surrogates) lone surrogates and \(counts.invalidBytes) invalid bytes replaced by U+FFFD")
        }
    }
}
