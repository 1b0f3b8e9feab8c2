import JSON
import SystemIO

/// tokenizer.json of a SentencePiece BPE: of a GGUF (`tokenizer.ggml.model` llama) or of a SentencePiece model.
struct SentencePieceTokenizer {
    /// By id; the pair whose result scores highest is joined first.
    let scores: [Float]
    /// Whether a space goes in front of a text.
    let addsSpace: Bool
    let byteFallback: Bool
    /// The file, for messages.
    let name: String

    private static let mark = "\u{2581}"

    func json(_ vocabulary: Vocabulary, _ tokens: SpecialTokens) throws -> JSONValue {
        let mark = SentencePieceTokenizer.mark
        let replace: JSONValue = ["type": "Replace", "pattern": ["String": " "], "content": .string(mark)]
        let prepend: JSONValue = ["type": "Prepend", "prepend": .string(mark)]
        var decoders: [JSONValue] = [["type": "Replace", "pattern": ["String": .string(mark)], "content": " "], ["type": "ByteFallback"], ["type": "Fuse"]]
        if addsSpace { decoders.append(["type": "Strip", "content": " ", "start": 1, "stop": 0]) }
        guard let unknown = vocabulary.types.firstIndex(of: .unknown) ?? tokens.unknown else { throw InputError("\(name): the vocabulary has no unknown token") }
        return ["version": "1.0", "truncation": nil, "padding": nil, "added_tokens": vocabulary.added(includingUnknown: true),
                "normalizer": ["type": "Sequence", "normalizers": .array((addsSpace ? [prepend] : []) + [replace])],
                "pre_tokenizer": nil, "post_processor": tokens.postProcessor(vocabulary), "decoder": ["type": "Sequence", "decoders": .array(decoders)],
                "model": ["type": "BPE", "dropout": nil, "unk_token": .string(vocabulary.text(unknown)), "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
                          "fuse_unk": true, "byte_fallback": .bool(byteFallback), "ignore_merges": false, "vocab": vocabulary.json, "merges": .array(try merges(vocabulary))]]
    }

    /// SentencePiece joins the pair whose result scores highest. As a list of merges: every way to make a token from two others, best score first; among equal scores the longer
    /// left part, then the longer right part, then the order of the vocabulary and of the parts' ids (what Hugging Face's own converter does, so that ids agree).
    private func merges(_ vocabulary: Vocabulary) throws -> [JSONValue] {
        if let id = scores.firstIndex(where: \.isNaN) { throw InputError("\(name): token \(id) has no score (NaN)") }
        struct Merge { var token, left, right, leftLength, rightLength: Int }
        var merges: [Merge] = []
        for id in 0 ..< vocabulary.plainCount where vocabulary.types[id] != .byte && vocabulary.types[id] != .control {
            let token = vocabulary.tokens[id]
            // Cuts between characters only.
            let cuts = token.indices.dropFirst().filter { token[$0] & 0xC0 != 0x80 }
            var found: [Merge] = []
            for (place, cut) in cuts.enumerated() {
                guard let left = vocabulary.ids[Array(token[..<cut])], let right = vocabulary.ids[Array(token[cut...])], left < vocabulary.plainCount, right < vocabulary.plainCount else { continue }
                found.append(Merge(token: id, left: left, right: right, leftLength: place + 1, rightLength: cuts.count - place))
            }
            merges += found.sorted { ($0.left, $0.right) < ($1.left, $1.right) }
        }
        // The sort has to be stable; the place in the list makes it so.
        let order = merges.indices.sorted { a, b in
            let x = merges[a], y = merges[b]
            if scores[x.token] != scores[y.token] { return scores[x.token] > scores[y.token] }
            if x.leftLength != y.leftLength { return x.leftLength > y.leftLength }
            if x.rightLength != y.rightLength { return x.rightLength > y.rightLength }
            return a < b
        }
        return order.map { .string(Text(vocabulary.tokens[merges[$0].left] + [0x20] + vocabulary.tokens[merges[$0].right])) }
    }
}

extension SentencePieceTokenizer {
    init(_ file: GGUFFile, _ vocabulary: Vocabulary) throws {
        let scores = try file.floats("tokenizer.ggml.scores")
        guard scores.count == vocabulary.tokens.count else { throw file.error("tokenizer.ggml.scores has \(scores.count) entries for \(vocabulary.tokens.count) tokens") }
        self.init(scores: scores, addsSpace: try file.optionalBool("tokenizer.ggml.add_space_prefix") ?? true, byteFallback: true, name: file.path)
    }
}
