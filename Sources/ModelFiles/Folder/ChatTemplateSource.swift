import JSON
import SystemIO

/// A chat template as it lies beside a model, with the names of special tokens that its text may ask for.
public struct ChatTemplateSource: Sendable {
    public var text: [UInt8]
    /// For messages.
    public var name: String
    /// `bos_token` and its like with what they stand for, where the files say so.
    public var tokens: [(name: String, text: String)] = []

    /// Reads the template of a model folder, the one in the metadata of a GGUF file, or any other file as a template's text.
    ///
    /// - Throws: `.missingInput` where nothing can be read, `.invalidData` for a folder or a GGUF without a template.
    public init(path: String) throws {
        if isFolder(path) {
            let files = TokenizerFiles(folder: path)
            guard let source = try files.chatTemplateSource() else {
                throw InputError("\(path): holds no chat template (neither chat_template.jinja nor chat_template in tokenizer_config.json); give one by its file or name")
            }
            self = source
            return
        }
        guard try GGUFFile.isGGUF(path) else {
            (text, name) = (try readWholeFile(path, limit: 16 << 20), path)
            if text.starts(with: "GGUF".utf8), isPipe(path) { throw InputError("\(path): a GGUF is read where it lies, and this is a pipe; give the file's name") }
            return
        }
        let file = try GGUFFile(path: path)
        guard let source = try ChatTemplateSource(file) else { throw file.error("holds no tokenizer.chat_template") }
        self = source
    }

    public init(text: [UInt8], name: String, tokens: [(name: String, text: String)] = []) {
        (self.text, self.name, self.tokens) = (text, name, tokens)
    }

    /// - Returns: nil for a file without a template.
    init?(_ file: GGUFFile) throws {
        guard let source = try file.optionalString("tokenizer.chat_template") else { return nil }
        (text, name) = (Array(source.utf8), file.path + ": tokenizer.chat_template")
        tokens = try file.namedTokens()
    }
}

extension GGUFFile {
    /// `bos_token` and its like with what they stand for, where the file says so.
    func namedTokens() throws -> [(name: String, text: String)] {
        guard metadata["tokenizer.ggml.tokens"] != nil else { return [] }
        let vocabulary = try strings("tokenizer.ggml.tokens")
        return try [("bos", "bos_token"), ("eos", "eos_token"), ("padding", "pad_token"), ("unknown", "unk_token"), ("seperator", "sep_token")].compactMap { key, variable in
            guard let id = try optionalInteger("tokenizer.ggml.\(key)_token_id"), vocabulary.indices.contains(id) else { return nil }
            return (variable, String(decoding: vocabulary[id], as: UTF8.self))
        }
    }
}

extension TokenizerFiles {
    /// The chat template: that of the GGUF, `chat_template.jinja`, else `chat_template` of `tokenizer_config.json` (a string, or a list of named templates of which
    /// `default` counts), else nil.
    public func chatTemplateSource() throws -> ChatTemplateSource? {
        if let gguf { return try ChatTemplateSource(gguf) }
        let tokens = try namedTokens()
        if let file = chatTemplateFile { return ChatTemplateSource(text: try readWholeFile(file, limit: 16 << 20), name: file, tokens: tokens) }
        guard let (file, config) = try configuration(), let value = config["chat_template"], !value.isNull else { return nil }
        let name = file + ": chat_template"
        if let text = value.text { return ChatTemplateSource(text: text.bytes, name: name, tokens: tokens) }
        guard let named = value.array else {
            throw InputError("\(file): chat_template is \(value.typeName); a string or a list of named templates was expected")
        }
        for template in named where template["name"]?.string == "default" {
            guard let text = template["template"]?.text else { throw InputError("\(file): the chat_template named default has no template") }
            return ChatTemplateSource(text: text.bytes, name: name, tokens: tokens)
        }
        return nil
    }

    /// Every `..._token` of `tokenizer_config.json`, as strings or as objects with `content`, in the order of the file.
    public func namedTokens() throws -> [(name: String, text: String)] {
        if let gguf { return try gguf.namedTokens() }
        guard let (_, config) = try configuration() else { return [] }
        return config.object?.compactMap { member in
            guard member.key.description.hasSuffix("_token"), let text = member.value.string ?? member.value["content"]?.string else { return nil }
            return (member.key.description, text)
        } ?? []
    }
}
