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

    /// The source of the chat template: `chat_template.jinja`, else `chat_template` of `tokenizer_config.json` (a string, or a list of named
    /// templates of which `default` counts), else nil.
    public func chatTemplate() throws -> Text? {
        if let file = chatTemplateFile { return Text(try readWholeFile(file, limit: 16 << 20)) }
        guard let file = tokenizerConfig, let value = try readJSONFile(file)["chat_template"], !value.isNull else { return nil }
        if let text = value.text { return text }
        guard let named = value.array else { throw InputError("\(file): chat_template is \(value.typeName); a string or a list of named templates was expected") }
        for template in named where template["name"]?.string == "default" {
            guard let text = template["template"]?.text else { throw InputError("\(file): the chat_template named default has no template") }
            return text
        }
        return nil
    }
}
