import JSON
import SystemIO

/// What `tokenizer.ggml.token_type` says of a token.
enum GGUFTokenType: Int64 {
    case normal = 1, unknown, control, userDefined, unused, byte
}

/// A token list with its types, checked: `tokenizer.ggml.tokens` and `tokenizer.ggml.token_type` of a GGUF, or the pieces of a SentencePiece model, whose
/// types are the same.
struct Vocabulary {
    let tokens: [[UInt8]]
    let types: [GGUFTokenType]
    let ids: [[UInt8]: Int]
    /// Tokens from here on are in `added_tokens` alone or nowhere, as in the published tokenizers: special tokens at the end of the list do not take part in merging.
    let plainCount: Int

    /// A longer token would make the search for merges quadratic in what a file chooses.
    static let longestToken = 1024

    /// - Parameter rows: of the embedding, where the file has one.
    init(_ file: GGUFFile, rows: Int?) throws {
        let tokens = try file.strings("tokenizer.ggml.tokens")
        guard !tokens.isEmpty else { throw file.error("tokenizer.ggml.tokens is empty") }
        if let rows, tokens.count > rows { throw file.error("tokenizer.ggml.tokens has \(tokens.count) tokens; the embedding has \(rows) rows") }
        var types = [GGUFTokenType](repeating: .normal, count: tokens.count)
        if file.metadata["tokenizer.ggml.token_type"] != nil {
            let numbers = try file.integers("tokenizer.ggml.token_type")
            guard numbers.count == tokens.count else { throw file.error("tokenizer.ggml.token_type has \(numbers.count) entries for \(tokens.count) tokens") }
            for (id, number) in numbers.enumerated() {
                guard let type = GGUFTokenType(rawValue: number) else { throw file.error("token \(id) has the type \(number); 1 to 6 are known") }
                types[id] = type
            }
        }
        try self.init(tokens: tokens, types: types, name: file.path)
    }

    /// - Parameter name: of the file, for messages.
    init(tokens: [[UInt8]], types: [GGUFTokenType], name: String) throws {
        var types = types
        var ids: [[UInt8]: Int] = [:]
        ids.reserveCapacity(tokens.count)
        for (id, token) in tokens.enumerated() {
            guard !token.isEmpty, token.count <= Vocabulary.longestToken, String(validating: token, as: UTF8.self) != nil else {
                throw InputError("\(name): token \(id) is empty, longer than \(Vocabulary.longestToken) bytes or not valid UTF-8")
            }
            if let first = ids.updateValue(id, forKey: token) { throw InputError("\(name): tokens \(first) and \(id) are the same: \(String(decoding: token, as: UTF8.self))") }
            // Converters fill the list up to the rows of the embedding with [PADn]; older ones call that user-defined.
            if types[id] == .userDefined, token == Array("[PAD\(id)]".utf8) { types[id] = .unused }
        }
        self.tokens = tokens
        self.types = types
        self.ids = ids
        // An unused token before an added one has to stay, or the added one's id would move.
        let lastAdded = types.lastIndex { $0 == .control || $0 == .userDefined } ?? -1
        plainCount = (types.indices.last { id in
            switch types[id] {
            case .normal, .unknown, .byte: true
            case .unused: id < lastAdded
            case .control, .userDefined: false
            }
        } ?? -1) + 1
    }

    func text(_ id: Int) -> Text { Text(tokens[id]) }

    /// `model.vocab` of a tokenizer.json.
    var json: JSONValue { .object((0 ..< plainCount).map { JSONMember(text($0), JSONValue($0)) }) }

    /// `added_tokens` of a tokenizer.json.
    func added(includingUnknown: Bool) -> JSONValue {
        .array(types.indices.filter { types[$0] == .control || types[$0] == .userDefined || includingUnknown && types[$0] == .unknown }.map { id in
            BytePairTokenizer.addedToken(text(id), id, isSpecial: types[id] != .userDefined)
        })
    }
}

/// The tokens with a role.
struct SpecialTokens {
    let begin, end, unknown, padding, endOfTurn: Int?
    let addsBegin, addsEnd: Bool

    /// Of a SentencePiece model, which puts its first token in front where it has one.
    init(begin: Int?, end: Int?, unknown: Int?, padding: Int?) {
        (self.begin, self.end, self.unknown, self.padding, endOfTurn) = (begin, end, unknown, padding, nil)
        (addsBegin, addsEnd) = (begin != nil, false)
    }

    /// - Parameter addsBegin: what the kind of tokenizer does when the file does not say.
    init(_ file: GGUFFile, tokens: Int, addsBegin: Bool) throws {
        func id(_ key: String) throws -> Int? {
            guard let id = try file.optionalInteger("tokenizer.ggml.\(key)_token_id") else { return nil }
            guard id < tokens else { throw file.error("tokenizer.ggml.\(key)_token_id is \(id); there are \(tokens) tokens") }
            return id
        }
        begin = try id("bos")
        end = try id("eos")
        unknown = try id("unknown")
        padding = try id("padding")
        endOfTurn = try id("eot")
        let said = try file.optionalBool("tokenizer.ggml.add_bos_token")
        self.addsBegin = said ?? addsBegin
        addsEnd = try file.optionalBool("tokenizer.ggml.add_eos_token") ?? false
        if self.addsBegin, begin == nil {
            throw file.error(
                said == nil ? "tokenizer.ggml.bos_token_id does not name the token that texts of such a model begin with, and tokenizer.ggml.add_bos_token does not say that they have none"
                    : "tokenizer.ggml.add_bos_token asks for a first token and tokenizer.ggml.bos_token_id does not name one")
        }
        if addsEnd, end == nil { throw file.error("tokenizer.ggml.add_eos_token asks for a last token and tokenizer.ggml.eos_token_id does not name one") }
    }

    /// For config.json and generation_config.json.
    var ids: [(String, JSONValue)] {
        [("bos_token_id", begin), ("eos_token_id", end), ("pad_token_id", padding)].compactMap { name, id in id.map { (name, JSONValue($0)) } }
    }

    /// The post-processor that puts the first and the last token around a text, or null where there is none.
    func postProcessor(_ vocabulary: Vocabulary) -> JSONValue {
        func special(_ id: Int, _ type: Int) -> JSONValue { ["SpecialToken": ["id": .string(vocabulary.text(id)), "type_id": JSONValue(type)]] }
        func sequence(_ name: String, _ type: Int) -> [JSONValue] {
            (addsBegin ? begin.map { [special($0, type)] } ?? [] : []) + [["Sequence": ["id": .string(name), "type_id": JSONValue(type)]]]
                + (addsEnd ? end.map { [special($0, type)] } ?? [] : [])
        }
        var used: [Int] = addsBegin ? [begin].compactMap { $0 } : []
        if addsEnd, let end, !used.contains(end) { used.append(end) }
        if used.isEmpty { return .null }
        return ["type": "TemplateProcessing", "single": .array(sequence("A", 0)), "pair": .array(sequence("A", 0) + sequence("B", 1)),
                "special_tokens": .object(used.map { id in
                    JSONMember(vocabulary.text(id), ["id": .string(vocabulary.text(id)), "ids": [JSONValue(id)], "tokens": [.string(vocabulary.text(id))]])
                })]
    }
}
