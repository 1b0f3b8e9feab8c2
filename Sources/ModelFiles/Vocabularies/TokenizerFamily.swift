import JSON
import SystemIO

/// The models whose vocabularies come as ranks or merges alone: what such a file leaves unsaid, which is how text is cut and which special tokens there are.
public enum TokenizerFamily: String, CaseIterable, Sendable {
    case gpt2, llama3, llama31 = "llama3.1", qwen2, qwen25 = "qwen2.5"

    /// For options and messages.
    public static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// What is put around the vocabulary in a tokenizer.json.
    var pipeline: BytePairFamily {
        switch self {
        case .gpt2: .gpt2
        case .llama3, .llama31: .llama3
        case .qwen2, .qwen25: .qwen2
        }
    }

    /// Whether ranks become every merge of two tokens to a third, as for Llama 3, or the one merge that made each token, as GPT-2's and Qwen's own lists
    /// have them.
    var mergesEverySplit: Bool { pipeline == .llama3 }

    /// How many tokens the published vocabulary has, special ones apart.
    var mergedTokens: Int {
        switch self {
        case .gpt2: 50256
        case .llama3, .llama31: 128_000
        case .qwen2, .qwen25: 151_643
        }
    }

    /// The families that the number of tokens may belong to; the first is assumed where none was asked for.
    static func ofSize(_ tokens: Int) -> [TokenizerFamily] { allCases.filter { $0.mergedTokens == tokens } }

    /// Added tokens in the order of their ids, which follow those of the vocabulary; `isSpecial` false for those that are kept when special tokens are skipped.
    var addedTokens: [(content: String, isSpecial: Bool)] {
        func reserved(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { "<|reserved_special_token_\($0)|>" } }
        let special: [String] = switch self {
        case .gpt2: ["<|endoftext|>"]
        case .llama3:
            ["<|begin_of_text|>", "<|end_of_text|>"] + reserved(0 ... 3) + ["<|start_header_id|>", "<|end_header_id|>"] + reserved(4 ... 4)
                + ["<|eot_id|>"] + reserved(5 ... 250)
        case .llama31:
            ["<|begin_of_text|>", "<|end_of_text|>"] + reserved(0 ... 1) + ["<|finetune_right_pad_id|>"] + reserved(2 ... 2)
                + ["<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"] + reserved(3 ... 247)
        case .qwen2: ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        case .qwen25:
            ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + ["object_ref", "box", "quad"].flatMap { ["<|\($0)_start|>", "<|\($0)_end|>"] }
                + ["<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]
        }
        let kept = self == .qwen25
            ? ["<tool_call>", "</tool_call>"] + ["fim_prefix", "fim_middle", "fim_suffix", "fim_pad", "repo_name", "file_sep"].map { "<|\($0)|>" } : []
        return special.map { ($0, true) } + kept.map { ($0, false) }
    }

    /// What is said of a choice that nobody made.
    func assumption(_ tokens: Int) -> String {
        let others = TokenizerFamily.ofSize(tokens).filter { $0 != self }.map(\.rawValue)
        return "taken for \(rawValue) because it has \(tokens) tokens: its pattern and its \(counted(addedTokens.count, "added token"))"
            + (others.isEmpty ? "" : " (--tokenizer-family \(others.joined(separator: " or ")) names them otherwise)")
    }
}

/// A byte-level vocabulary and its merges, before it becomes a tokenizer.json.
struct RankedVocabulary {
    /// Tokens by id, as a tokenizer.json spells them.
    var tokens: [[UInt8]]
    /// Pairs of ids, by rank.
    var merges: [(left: Int, right: Int)]

    /// The tokenizer.json of a model of the family. Added tokens that the vocabulary lacks follow it.
    func json(_ family: TokenizerFamily) -> JSONValue {
        var ids: [[UInt8]: Int] = [:]
        let contents = Set(family.addedTokens.map { Array($0.content.utf8) })
        for (id, token) in tokens.enumerated() where contents.contains(token) { ids[token] = id }
        var next = tokens.count, begin: (Text, Int)?
        let added: [JSONValue] = family.addedTokens.map { token in
            let known = ids[Array(token.content.utf8)], id = known ?? next
            if known == nil { next += 1 }
            if begin == nil { begin = (Text(token.content), id) }
            return BytePairTokenizer.addedToken(Text(token.content), id, isSpecial: token.isSpecial)
        }
        let vocabulary = tokens.enumerated().map { JSONMember(Text($0.element), JSONValue($0.offset)) }
        let merges = merges.map { JSONValue.string(Text(tokens[$0.left] + [0x20] + tokens[$0.right])) }
        let pipeline = family.pipeline
        let first: JSONValue = pipeline.addsBegin ? begin.map { BytePairTokenizer.postProcessor(beginning: $0.0, $0.1) } ?? .null : .null
        return BytePairTokenizer.json(pipeline, vocabulary: .object(vocabulary), merges: .array(merges), added: .array(added), postProcessor: first)
    }
}
