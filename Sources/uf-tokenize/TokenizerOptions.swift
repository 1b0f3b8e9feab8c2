import ArgumentParser
import CommandSupport
import Glibc
import JSON
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

    /// `bos_token` and `eos_token` of the tokenizer_config.json beside the vocabulary, where there is one.
    func configuredTokens() throws -> (beginning: String?, ending: String?) {
        let folder = isFolder ? tokenizer : tokenizer.lastIndex(of: "/").map { String(tokenizer[..<$0]) } ?? "."
        guard let file = TokenizerFiles(folder: folder).tokenizerConfig else { return (nil, nil) }
        let config: JSONValue
        do { config = try JSON.parse(try readWholeFile(file, limit: 16 << 20), limits: JSONLimits(roundsHugeIntegers: true)) } catch let error as JSONError { throw InputError("\(file): \(error)") }
        func name(_ key: String) -> String? { config[key]?.string ?? config[key]?["content"]?.string }
        // A beginning that the configuration says is null: texts of this model have none.
        let hasNone = config["bos_token"].map { $0.isNull } ?? false
        return (hasNone ? "none" : name("bos_token"), name("eos_token"))
    }

    /// The model's context, `max_position_embeddings` of the config.json beside the vocabulary, where there is one that says it.
    func contextLength() throws -> Int? {
        let folder = isFolder ? tokenizer : tokenizer.lastIndex(of: "/").map { String(tokenizer[..<$0]) } ?? "."
        // One that is there and cannot be read is no reason to go on without it: shards would be packed to another length in silence.
        guard TokenizerFiles(folder: folder).modelConfig != nil else { return nil }
        return try ModelFolder.config(folder: folder)["max_position_embeddings"]?.int
    }

    private var isFolder: Bool {
        var status = stat()
        return stat(tokenizer, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
