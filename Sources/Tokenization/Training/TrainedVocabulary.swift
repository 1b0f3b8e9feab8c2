import JSON

/// A vocabulary that was learnt, and its `tokenizer.json`.
public struct TrainedVocabulary: Sendable {
    public struct Merge: Sendable, Hashable {
        /// Ids of the two tokens that become one.
        public var left: UInt32, right: UInt32
    }

    public let pattern: TrainingPattern
    let special: [String]
    /// By id, as the file spells them: special tokens as they are, the others in the alphabet that stands for bytes.
    public let tokens: [[UInt8]]
    /// In the order of their ranks.
    public let merges: [Merge]

    /// The file as the reference's own `save` writes it.
    public func tokenizerJSON() throws(JSONError) -> [UInt8] {
        let cutter: JSONValue
        if let expression = pattern.expression {
            let split = step("Split", [("pattern", .object([("Regex", .string(expression))])), ("behavior", .string("Isolated")), ("invert", .bool(false))])
            cutter = step("Sequence", [("pretokenizers", .array([split, byteLevel(prefixSpace: false, regex: false)]))])
        } else if pattern == .smollm2 {
            cutter = step("Sequence", [("pretokenizers", .array([step("Digits", [("individual_digits", .bool(true))]), byteLevel(prefixSpace: false)]))])
        } else {
            cutter = byteLevel(prefixSpace: false)
        }
        let file = JSONValue.object([
            ("version", .string("1.0")), ("truncation", .null), ("padding", .null), ("added_tokens", .array(addedTokens)),
            ("normalizer", pattern.composes ? step("NFC", []) : .null), ("pre_tokenizer", cutter),
            ("post_processor", byteLevel(trimOffsets: false)), ("decoder", byteLevel()), ("model", model),
        ])
        return try file.serialized(indent: 2)
    }

    private var addedTokens: [JSONValue] {
        tokens.prefix(Set(special).count).enumerated().map { id, content in
            .object([
                ("id", JSONValue(id)), ("content", .string(Text(content))), ("single_word", .bool(false)), ("lstrip", .bool(false)), ("rstrip", .bool(false)),
                ("normalized", .bool(false)), ("special", .bool(true)),
            ])
        }
    }

    private var model: JSONValue {
        func spelled(_ id: UInt32) -> JSONValue { .string(Text(tokens[Int(id)])) }
        return step("BPE", [
            ("dropout", .null), ("unk_token", .null), ("continuing_subword_prefix", .null), ("end_of_word_suffix", .null), ("fuse_unk", .bool(false)),
            ("byte_fallback", .bool(false)), ("ignore_merges", .bool(false)),
            ("vocab", .object(tokens.enumerated().map { JSONMember(Text($1), JSONValue($0)) })),
            ("merges", .array(merges.map { .array([spelled($0.left), spelled($0.right)]) })),
        ])
    }

    /// What does nothing in a post-processor or decoder is written as the reference writes it.
    private func byteLevel(prefixSpace: Bool = true, trimOffsets: Bool = true, regex: Bool = true) -> JSONValue {
        step("ByteLevel", [("add_prefix_space", .bool(prefixSpace)), ("trim_offsets", .bool(trimOffsets)), ("use_regex", .bool(regex))])
    }

    private func step(_ type: String, _ fields: [(String, JSONValue)]) -> JSONValue { .object([("type", .string(type))] + fields) }
}
