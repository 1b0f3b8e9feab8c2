import JSON
import SystemIO

/// The pre-tokenizers that `tokenizer.ggml.pre` names for byte-level BPE, by family, as the published tokenizer.json files of their models have them.
enum BytePairFamily {
    case gpt2, digits, llama3, qwen2

    init?(_ name: String) {
        switch name {
        case "gpt-2", "phi-2", "mpt", "olmo", "jais", "exaone4": self = .gpt2
        case "smollm", "starcoder", "refact", "codeshell": self = .digits
        case "llama-bpe", "llama3", "llama-v3", "falcon3": self = .llama3
        case "qwen2", "deepseek-r1-qwen", "megrez": self = .qwen2
        default: return nil
        }
    }

    static let known = "gpt-2, smollm, starcoder, llama-bpe, qwen2 and their relatives"

    /// Llama 3 takes a piece that is a token whole, whatever the merges say.
    var ignoresMerges: Bool { self == .llama3 }
    var addsBegin: Bool { self == .llama3 }
    var normalizer: JSONValue { self == .qwen2 ? ["type": "NFC"] : .null }

    /// Letters, digits and punctuation of Llama 3 and Qwen 2, which differ in how many digits go together.
    private static func pattern(digits: String) -> JSONValue {
        .string(#"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#)
    }

    var preTokenizer: JSONValue {
        func byteLevel(usesPattern: Bool) -> JSONValue { ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .bool(usesPattern)] }
        func split(_ pattern: JSONValue) -> JSONValue {
            ["type": "Sequence", "pretokenizers": [["type": "Split", "pattern": ["Regex": pattern], "behavior": "Isolated", "invert": false], byteLevel(usesPattern: false)]]
        }
        return switch self {
        case .gpt2: byteLevel(usesPattern: true)
        case .digits: ["type": "Sequence", "pretokenizers": [["type": "Digits", "individual_digits": true], byteLevel(usesPattern: true)]]
        case .llama3: split(BytePairFamily.pattern(digits: #"\p{N}{1,3}"#))
        case .qwen2: split(BytePairFamily.pattern(digits: #"\p{N}"#))
        }
    }
}

/// tokenizer.json of a byte-level BPE (`tokenizer.ggml.model` gpt2).
enum BytePairTokenizer {
    static func family(_ file: GGUFFile) throws -> BytePairFamily {
        guard let name = try file.optionalString("tokenizer.ggml.pre") else {
            throw file.error("tokenizer.ggml.pre is missing, so that the pre-tokenizer is unknown: convert the model again with a current converter")
        }
        guard let family = BytePairFamily(name) else { throw file.error("the pre-tokenizer \(name) is not supported (\(BytePairFamily.known) are)") }
        return family
    }

    static func json(_ file: GGUFFile, _ vocabulary: Vocabulary, _ tokens: SpecialTokens, _ family: BytePairFamily) throws -> JSONValue {
        json(family, vocabulary: vocabulary.json, merges: try merges(file, vocabulary), added: vocabulary.added(includingUnknown: false), postProcessor: tokens.postProcessor(vocabulary))
    }

    /// - Parameters:
    ///   - vocabulary: `model.vocab`, an object of spellings and ids.
    ///   - merges: `model.merges`, strings of two spellings with a space between.
    ///   - added: `added_tokens`.
    static func json(_ family: BytePairFamily, vocabulary: JSONValue, merges: JSONValue, added: JSONValue, postProcessor: JSONValue) -> JSONValue {
        ["version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added, "normalizer": family.normalizer, "pre_tokenizer": family.preTokenizer,
         "post_processor": postProcessor, "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
         "model": ["type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": false,
                   "byte_fallback": false, "ignore_merges": .bool(family.ignoresMerges), "vocab": vocabulary, "merges": merges]]
    }

    /// An element of `added_tokens`.
    static func addedToken(_ content: Text, _ id: Int, isSpecial: Bool) -> JSONValue {
        ["id": JSONValue(id), "content": .string(content), "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": .bool(isSpecial)]
    }

    /// A post-processor that puts one token in front of a text.
    static func postProcessor(beginning token: Text, _ id: Int) -> JSONValue {
        let special: JSONValue = ["SpecialToken": ["id": .string(token), "type_id": 0]], text: JSONValue = ["Sequence": ["id": "A", "type_id": 0]]
        return ["type": "TemplateProcessing", "single": [special, text],
                "special_tokens": .object([JSONMember(token, ["id": .string(token), "ids": [JSONValue(id)], "tokens": [.string(token)]])])]
    }

    /// The merges as "left right"; both and what they make must be tokens that merging may reach.
    private static func merges(_ file: GGUFFile, _ vocabulary: Vocabulary) throws -> JSONValue {
        func isPlain(_ token: [UInt8]) -> Bool { vocabulary.ids[token].map { $0 < vocabulary.plainCount } ?? false }
        return .array(try file.strings("tokenizer.ggml.merges").enumerated().map { rank, merge in
            // In byte-level text a space is written as another letter, so that the one space separates.
            guard let space = merge.firstIndex(of: 0x20), space == merge.lastIndex(of: 0x20), isPlain(Array(merge[..<space])), isPlain(Array(merge[(space + 1)...])),
                  isPlain(Array(merge[..<space]) + merge[(space + 1)...]) else {
                throw file.error("merge \(rank), \"\(String(decoding: merge.prefix(80), as: UTF8.self))\", does not join two tokens to a third")
            }
            return .string(Text(merge))
        })
    }
}
