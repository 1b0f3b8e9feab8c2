import JSON
import SystemIO

/// Where a model folder keeps what belongs to its tokenizer. Finding them needs no weights.
public struct TokenizerFiles: Sendable {
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// `tokenizer.json`, when it is there.
    public var tokenizer: String? { existing("tokenizer.json") }
    public var tokenizerConfig: String? { existing("tokenizer_config.json") }
    public var chatTemplateFile: String? { existing("chat_template.jinja") }
    /// The model's `config.json`, which says how long a text may be.
    public var modelConfig: String? { existing("config.json") }
    public var generationConfig: String? { existing("generation_config.json") }

    private func existing(_ name: String) -> String? {
        fileExists(folder + "/" + name) ? folder + "/" + name : nil
    }

    /// The path of `tokenizer.json`, which has to be there.
    public func requireTokenizer() throws -> String {
        guard let tokenizer else { throw InputError("\(folder): holds no tokenizer.json; a model folder with its tokenizer was expected", status: .missingInput) }
        return tokenizer
    }

    /// A special token as `tokenizer_config.json` names it.
    public enum SpecialToken: Sendable, Equatable {
        case named(String)
        /// The model has none.
        case null
        /// Nothing is said of it.
        case unsaid

        public var name: String? {
            if case .named(let name) = self { name } else { nil }
        }
    }

    /// `bos_token` and `eos_token` of `tokenizer_config.json`, as strings or as objects with `content`; both unsaid where there is no such file.
    /// Throws `.invalidData` for anything else there.
    public func specialTokens() throws -> (beginning: SpecialToken, ending: SpecialToken) {
        guard let (file, config) = try configuration() else { return (.unsaid, .unsaid) }
        func token(_ key: String) throws -> SpecialToken {
            guard let value = config[key] else { return .unsaid }
            if value.isNull { return .null }
            guard let name = value.string ?? value["content"]?.string else {
                let found = value.object == nil ? value.found : "an object whose content is \(value["content"]?.found ?? "missing")"
                throw InputError("\(file): \(key) is \(found); expected a string, an object with the string \"content\", or null")
            }
            return .named(name)
        }
        return (try token("bos_token"), try token("eos_token"))
    }

    /// `max_position_embeddings` of `config.json`: nil where there is no such file, or it does not say. Throws `.invalidData` for anything but a whole number from 1.
    public func contextLength() throws -> Int? {
        // One that is there and cannot be read is no reason to go on without it: shards would be packed to another length in silence.
        guard let file = modelConfig, let value = try ModelFolder.config(folder: folder)["max_position_embeddings"], !value.isNull else { return nil }
        guard let length = value.int, length >= 1 else { throw InputError("\(file): max_position_embeddings is \(value.found); expected a whole number from 1") }
        return length
    }

    /// `tokenizer_config.json`, which has to be an object, with its path for messages.
    func configuration() throws -> (file: String, config: JSONValue)? {
        guard let file = tokenizerConfig else { return nil }
        return (file, try readJSONObject(file))
    }
}
