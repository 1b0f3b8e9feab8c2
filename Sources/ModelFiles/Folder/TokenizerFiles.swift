import Checksums
import JSON
import SystemIO

/// Where a model folder keeps what belongs to its tokenizer, or what a GGUF says of its own. Finding them needs no weights.
public struct TokenizerFiles: Sendable {
    public let folder: String
    /// Answers instead of the files in the folder.
    let gguf: GGUFFile?

    public init(folder: String) { (self.folder, gguf) = (folder, nil) }

    /// What lies beside a vocabulary: the folder's files for a folder, those of its folder for a file in it, its metadata for a GGUF.
    public init(beside path: String) throws {
        let isWhole = isFolder(path)
        folder = isWhole ? path : path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        gguf = try !isWhole && GGUFFile.isGGUF(path) ? GGUFFile(path: path) : nil
    }

    /// The files of the vocabulary, of the first form that is there: tokenizer.json; encoder.json and vocab.bpe, or vocab.json and merges.txt;
    /// tokenizer.model (SentencePiece, or ranks); qwen.tiktoken. Empty where there is none.
    public var vocabulary: [String] {
        if let file = existing("tokenizer.json") { return [file] }
        for (encoder, merges) in MergesPair.names { if let encoder = existing(encoder), let merges = existing(merges) { return [encoder, merges] } }
        return (existing("tokenizer.model") ?? existing("qwen.tiktoken")).map { [$0] } ?? []
    }
    public var tokenizerConfig: String? { existing("tokenizer_config.json") }
    public var chatTemplateFile: String? { existing("chat_template.jinja") }
    /// The model's `config.json`, which says how long a text may be.
    public var modelConfig: String? { existing("config.json") }
    public var generationConfig: String? { existing("generation_config.json") }

    private func existing(_ name: String) -> String? {
        fileExists(folder + "/" + name) ? folder + "/" + name : nil
    }

    /// The files of the vocabulary, which have to be there.
    public func requireVocabulary() throws -> [String] {
        let files = vocabulary
        guard !files.isEmpty else {
            throw InputError(
                "\(folder): holds no tokenizer.json (nor encoder.json with vocab.bpe, vocab.json with merges.txt, tokenizer.model, qwen.tiktoken); "
                    + "a model folder with its tokenizer was expected", status: .missingInput)
        }
        return files
    }

    /// SHA-256 of the vocabulary's bytes, as `TokenizerSource.digest` has it; nil where there is no vocabulary.
    public func vocabularyDigest() throws -> [UInt8]? {
        let files = vocabulary
        return files.isEmpty ? nil : try TokenizerFiles.digest(files)
    }

    /// SHA-256 of the bytes of files one after the other.
    static func digest(_ paths: [String]) throws -> [UInt8] {
        var sha = SHA256()
        for path in paths { try MappedFile(path: path).withBytes { sha.update($0) } }
        return sha.digest()
    }

    /// Both files of a pair of which one is named; nil for any other name.
    static func pair(of path: String) throws -> [String]? {
        let start = path.lastIndex(of: "/").map { path[...$0] } ?? "", name = path.dropFirst(start.count)
        guard let names = MergesPair.names.first(where: { $0.0 == name || $0.1 == name }) else { return nil }
        let paths = [start + names.0, start + names.1].map(String.init)
        for (file, other) in zip(paths, paths.reversed()) where fileExists(other) && !fileExists(file) {
            throw InputError("\(file): missing; \(other) is half a vocabulary without it", status: .missingInput)
        }
        return paths
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
        if let gguf {
            let tokens = try gguf.namedTokens()
            func token(_ name: String) -> SpecialToken { tokens.first { $0.name == name }.map { .named($0.text) } ?? .unsaid }
            return (token("bos_token"), token("eos_token"))
        }
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
        if let gguf { return try gguf.optionalString("general.architecture").flatMap { try gguf.optionalInteger($0 + ".context_length") } }
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
