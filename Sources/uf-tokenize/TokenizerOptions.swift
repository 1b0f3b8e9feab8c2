import ArgumentParser
import CommandSupport
import ModelFiles
import SystemIO
import Tokenization

/// Where the vocabulary comes from.
struct TokenizerOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp(
        "The vocabulary: a tokenizer.json, encoder.json beside vocab.bpe, ranks (tiktoken), a SentencePiece BPE model, a GGUF, or a folder that holds one.",
        valueName: "file|folder"))
    var tokenizer: String

    @Option(name: .long, help: ArgumentHelp(
        "Whose pattern and special tokens ranks or encoder.json have, which do not say it. (default: by the number of tokens)", valueName: "family"))
    var tokenizerFamily: TokenizerFamily?

    func validate() throws { try refuseDash([("--tokenizer", tokenizer)]) }

    /// The vocabulary's file, for messages.
    func path() throws -> String { try TokenizerSource.files(of: tokenizer)[0] }

    /// - Parameter verbose: says what was assumed of a vocabulary that does not say it.
    func load(verbose: Bool) throws -> (tokenizer: Tokenizer, source: TokenizerSource) {
        let source = try TokenizerSource(path: tokenizer, family: tokenizerFamily)
        if verbose, let assumption = source.assumption { Console.line("uf-tokenize: \(source.name): \(assumption)") }
        return (try Tokenizer(json: source.json, name: source.name, digest: source.digest), source)
    }

    /// `bos_token` ("none" where the model has none) and `eos_token` as the files beside the vocabulary name them, where they do.
    func configuredTokens() throws -> (beginning: String?, ending: String?) {
        let (beginning, ending) = try TokenizerFiles(beside: tokenizer).specialTokens()
        return (beginning == .null ? "none" : beginning.name, ending.name)
    }

    /// The chat template beside the vocabulary, where there is one.
    func chatTemplateSource() throws -> ChatTemplateSource? { try TokenizerFiles(beside: tokenizer).chatTemplateSource() }

    /// Every special token that the files beside the vocabulary name.
    func namedTokens() throws -> [(name: String, text: String)] { try TokenizerFiles(beside: tokenizer).namedTokens() }

    /// The model's context as the files beside the vocabulary say it, where they do.
    func contextLength() throws -> Int? { try TokenizerFiles(beside: tokenizer).contextLength() }
}

extension TokenizerFamily: ExpressibleByArgument {}
