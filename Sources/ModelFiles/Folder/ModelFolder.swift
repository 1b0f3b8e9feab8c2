import JSON
import SystemIO

/// A model in the Hugging Face layout: `config.json`, weights as safetensors (mapped, whole or in shards), and the files of its tokenizer.
public final class ModelFolder: Sendable {
    public let path: String
    public let config: JSONValue
    public let weights: TensorCollection
    public let tokenizerFiles: TokenizerFiles

    /// Opens the folder and checks configuration syntax and every header. Throws `.missingInput` when a part is absent, `.invalidData` when one is damaged.
    public init(path: String) throws {
        self.path = path
        config = try ModelFolder.config(folder: path)
        weights = try TensorCollection(folder: path)
        tokenizerFiles = TokenizerFiles(folder: path)
    }

    /// `config.json` alone.
    public static func config(folder: String) throws -> JSONValue {
        try readJSONObject(folder + "/config.json")
    }

    /// What a folder written here may hold besides what its writer names itself.
    static let ownFileNames = Set(["config.json", "model.safetensors", "training.json", "metrics.jsonl"] + sideFileNames)

    /// What goes along unchanged when a model is trained: the tokenizer, the template, generation settings and licences.
    static let sideFileNames: [String] = [
        "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "added_tokens.json", "chat_template.jinja", "encoder.json", "generation_config.json", "merges.txt",
        "qwen.tiktoken", "special_tokens_map.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.bpe", "vocab.json",
    ]
}
