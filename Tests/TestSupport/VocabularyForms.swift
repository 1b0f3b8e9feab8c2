import JSON

/// The forms of vocabularies beside tokenizer.json, written byte by byte: whole ones, and whatever a test wants to be wrong with them.
public enum VocabularyForms {
    /// One line of a tiktoken file.
    public static func rankLine(_ token: [UInt8], _ rank: Int) -> [UInt8] { base64(token) + Array(" \(rank)\n".utf8) }

    /// A tiktoken file of as many tokens as GPT-2's: all bytes, then pairs of them.
    public static let ranks: [UInt8] = (0 ..< 50256).flatMap { rank in
        rankLine(rank < 256 ? [UInt8(rank)] : [UInt8((rank - 256) / 256), UInt8((rank - 256) % 256)], rank)
    }

    /// A tokenizer.json as GPT-2's pair; the vocabulary without added tokens.
    public static func pair(_ tokenizer: JSONValue) throws -> (encoder: [UInt8], merges: [UInt8]) {
        let model = tokenizer["model"], merges = model?["merges"]?.array ?? []
        return (try model?["vocab"]?.serialized() ?? [], Array("#version: 0.2\n".utf8) + merges.flatMap { ($0.text?.bytes ?? []) + [0x0A] })
    }

    /// The tokens of a tokenizer.json that Llama's converter made as a SentencePiece model.
    public static func sentencePieces(_ tokenizer: JSONValue) -> [UInt8] {
        let plain = (tokenizer["model"]?["vocab"]?.object ?? []).filter { ($0.value.int ?? 0) > 258 }
        return SentencePieceBuilder.standard(plain.enumerated().map { ($0.element.key.bytes, -Float($0.offset), UInt64(1)) }).bytes
    }

    public static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return stride(from: 0, to: bytes.count, by: 3).flatMap { start -> [UInt8] in
            let group = bytes[start ..< min(start + 3, bytes.count)]
            let bits = (Array(group) + [0, 0]).prefix(3).reduce(0) { $0 << 8 | Int($1) }
            let letters = [18, 12, 6, 0].map { alphabet[bits >> $0 & 63] }
            return letters.prefix(group.count + 1) + [UInt8](repeating: UInt8(ascii: "="), count: 3 - group.count)
        }
    }
}

/// A SentencePiece model as protobuf.
public struct SentencePieceBuilder: Sendable {
    public var pieces: [(text: [UInt8], score: Float, type: UInt64)]
    /// Fields of TrainerSpec and NormalizerSpec that are numbers, in the order in which they are written.
    public var trainer: [(field: UInt64, value: UInt64)] = [(3, 2), (35, 1), (40, 0), (41, 1), (42, 2), (43, UInt64.max)]
    public var normalizer: [(field: UInt64, value: UInt64)] = [(3, 1), (4, 0), (5, 1)]
    public var rules: [UInt8] = []

    public init(_ pieces: [(text: [UInt8], score: Float, type: UInt64)]) { self.pieces = pieces }

    /// <unk>, <s>, </s>, all bytes, and these.
    public static func standard(_ more: [(text: [UInt8], score: Float, type: UInt64)]) -> SentencePieceBuilder {
        let special: [([UInt8], Float, UInt64)] = [("<unk>", 2), ("<s>", 3), ("</s>", 3)].map { (Array($0.0.utf8), 0, $0.1) }
        let bytes: [([UInt8], Float, UInt64)] = (0 ..< 256).map { (Array("<0x\($0 < 16 ? "0" : "")\(String($0, radix: 16, uppercase: true))>".utf8), 0, 6) }
        return SentencePieceBuilder(special + bytes + more)
    }

    public static func varint(_ value: UInt64) -> [UInt8] { value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7) }
    public static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }
    public static func text(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] { varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes }
    public static func float(_ field: UInt64, _ value: Float) -> [UInt8] { varint(field << 3 | 5) + withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }

    public var bytes: [UInt8] {
        typealias Builder = SentencePieceBuilder
        let rule = Builder.text(1, Array((rules.isEmpty ? "identity" : "nmt_nfkc").utf8)) + Builder.text(2, rules)
        return pieces.flatMap { Builder.text(1, Builder.text(1, $0.text) + Builder.float(2, $0.score) + Builder.number(3, $0.type)) }
            + Builder.text(2, trainer.flatMap { Builder.number($0.field, $0.value) }) + Builder.text(3, rule + normalizer.flatMap { Builder.number($0.field, $0.value) })
    }
}
