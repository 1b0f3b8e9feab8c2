import JSON
import SystemIO

/// Turns a GGUF of a Llama into a model folder in the Hugging Face layout, weights in single precision.
public enum GGUFImport {
    /// What was imported.
    public struct Report: Sendable, Equatable {
        /// Tensors by the type they had in the file, in the order of its first use.
        public var tensors: [(type: String, count: Int)]
        public var parameters: Int
        public var tokens: Int
        public var hasChatTemplate: Bool

        public static func == (one: Report, other: Report) -> Bool {
            one.tensors.elementsEqual(other.tensors, by: ==) && one.parameters == other.parameters && one.tokens == other.tokens && one.hasChatTemplate == other.hasChatTemplate
        }
    }

    /// Reads `source` and writes the folder `target`: config.json, generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json and, where the
    /// file carries one, chat_template.jinja. The folder appears whole or not at all.
    /// Throws `.missingInput`, `.invalidData` for a damaged or unsupported file, `.cannotCreate` and `.ioError` for the folder.
    public static func run(from source: String, to target: String) throws -> Report {
        let file = try GGUFFile(path: source)
        let configuration = try LlamaConfiguration(file)
        let tensors = LlamaTensor.all(configuration)
        try LlamaTensor.check(tensors, in: file)
        let tokenizer = try Tokenizer(file, rows: configuration.vocabulary)

        let folder = try ModelFolderWriter(path: target)
        try folder.write(config: configuration.json(tokenizer.tokens))
        try folder.write(file: "generation_config.json", tokenizer.generationConfig)
        try folder.write(file: "tokenizer.json", compact: tokenizer.json)
        try folder.write(file: "tokenizer_config.json", tokenizer.config(context: configuration.context))
        if let template = tokenizer.chatTemplate { try folder.write(file: "chat_template.jinja", Array(template.utf8)) }
        try folder.write(weights: tensors.map { $0.source(file) })
        try folder.finish()

        var counts: [(type: String, count: Int)] = []
        for tensor in file.tensors {
            if let place = counts.firstIndex(where: { $0.type == tensor.type.name }) { counts[place].count += 1 } else { counts.append((tensor.type.name, 1)) }
        }
        return Report(tensors: counts, parameters: tensors.reduce(0) { $0 + (elementCount(of: $1.shape) ?? 0) }, tokens: tokenizer.vocabulary.tokens.count,
                      hasChatTemplate: tokenizer.chatTemplate != nil)
    }
}

/// The tokenizer's side of a model folder, from the metadata of a GGUF.
struct Tokenizer {
    let vocabulary: Vocabulary
    let tokens: SpecialTokens
    let json: JSONValue
    let chatTemplate: String?

    /// - Parameter rows: of the embedding, where the file has one; a GGUF may hold a vocabulary alone.
    init(_ file: GGUFFile, rows: Int?) throws {
        guard let model = try file.optionalString("tokenizer.ggml.model") else { throw file.error("tokenizer.ggml.model is missing: this file holds no tokenizer") }
        switch model {
        case "gpt2":
            let family = try BytePairTokenizer.family(file)
            vocabulary = try Vocabulary(file, rows: rows)
            tokens = try SpecialTokens(file, tokens: vocabulary.tokens.count, addsBegin: family.addsBegin)
            json = try BytePairTokenizer.json(file, vocabulary, tokens, family)
        case "llama":
            vocabulary = try Vocabulary(file, rows: rows)
            tokens = try SpecialTokens(file, tokens: vocabulary.tokens.count, addsBegin: true)
            json = try SentencePieceTokenizer(file, vocabulary).json(vocabulary, tokens)
        default: throw file.error("a tokenizer of model \(model) is not supported (gpt2, which is byte-level BPE, and llama, which is SentencePiece BPE, are)")
        }
        chatTemplate = try file.optionalString("tokenizer.chat_template")
    }

    /// Generation stops at the end of a text and at the end of a turn, where the file knows both.
    var generationConfig: JSONValue {
        var members = tokens.ids
        if let end = tokens.end, let turn = tokens.endOfTurn, turn != end, let place = members.firstIndex(where: { $0.0 == "eos_token_id" }) {
            members[place].1 = [JSONValue(end), JSONValue(turn)]
        }
        return .object([("_from_model_config", true)] + members)
    }

    func config(context: Int) -> JSONValue {
        func token(_ name: String, _ id: Int?) -> [(String, JSONValue)] { id.map { [(name, .string(vocabulary.text($0)))] } ?? [] }
        return .object([("add_bos_token", .bool(tokens.addsBegin)), ("add_eos_token", .bool(tokens.addsEnd))] + token("bos_token", tokens.begin)
            + [("clean_up_tokenization_spaces", false)] + token("eos_token", tokens.end) + [("model_max_length", JSONValue(context))]
            + token("pad_token", tokens.padding) + [("tokenizer_class", "PreTrainedTokenizerFast")] + token("unk_token", tokens.unknown))
    }
}
