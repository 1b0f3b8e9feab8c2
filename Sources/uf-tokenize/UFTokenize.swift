import ArgumentParser
import CommandSupport

struct UFTokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-tokenize",
        abstract: "Turn rated records, or plain texts, into token ids.",
        discussion: HelpText.discussion(
            "Without a subcommand, a rated stream becomes a tokens stream (uf-tokenize records --help has the options).",
            examples: [
                ("uf-tokenize rated.uf --tokenizer model/ --template chatml -o tokens.uf", "the records of a stream, with a model's tokenizer"),
                ("uf-convert raw.jsonl | uf-tokenize --tokenizer model/ --template llama3 | uf-pack -o packed.uf", "in a pipe"),
                ("uf-tokenize text --tokenizer tokenizer.json < texts.jsonl > ids.jsonl", "JSON strings, one a line, to their ids"),
            ]),
        version: releaseVersion,
        subcommands: [TokenizeRecords.self, TokenizeText.self, DecodeTokens.self, RenderConversations.self, TrainVocabulary.self],
        defaultSubcommand: TokenizeRecords.self)
}
