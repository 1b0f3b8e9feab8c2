import ArgumentParser
import CommandSupport
import Glibc
import ModelFiles
import SystemIO
import Tokenization

/// Where the vocabulary comes from.
struct TokenizerOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The vocabulary: a tokenizer.json, or a model folder that holds one.", valueName: "file|folder"))
    var tokenizer: String

    func validate() throws { try refuseDash([("--tokenizer", tokenizer)]) }

    /// The path of the tokenizer.json.
    func path() throws -> String {
        isFolder ? try TokenizerFiles(folder: tokenizer).requireTokenizer() : tokenizer
    }

    func load() throws -> Tokenizer {
        let path = try path()
        let bytes = try readWholeFile(path, limit: 256 << 20)
        if bytes.starts(with: [0x1F, 0x8B]) { throw InputError("\(path): compressed by gzip; unpack it first (gzip -dk \(path))") }
        return try Tokenizer(json: bytes, name: path)
    }

    /// What lies beside the vocabulary.
    private var sideFiles: TokenizerFiles {
        TokenizerFiles(folder: isFolder ? tokenizer : tokenizer.lastIndex(of: "/").map { String(tokenizer[..<$0]) } ?? ".")
    }

    /// `bos_token` ("none" where the model has none) and `eos_token` of the tokenizer_config.json beside the vocabulary, where there is one that names them.
    func configuredTokens() throws -> (beginning: String?, ending: String?) {
        let (beginning, ending) = try sideFiles.specialTokens()
        return (beginning == .null ? "none" : beginning.name, ending.name)
    }

    /// The chat template beside the vocabulary, where there is one.
    func chatTemplateSource() throws -> ChatTemplateSource? { try sideFiles.chatTemplateSource() }

    /// Every special token that the files beside the vocabulary name.
    func namedTokens() throws -> [(name: String, text: String)] { try sideFiles.namedTokens() }

    /// The model's context as the config.json beside the vocabulary says it, where there is one.
    func contextLength() throws -> Int? { try sideFiles.contextLength() }

    private var isFolder: Bool {
        var status = stat()
        return stat(tokenizer, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
