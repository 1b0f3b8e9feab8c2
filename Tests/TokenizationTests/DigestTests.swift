import Checksums
import JSON
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

/// Ids of millions of texts, and texts of thousands of sequences of ids, held to the reference's by their digests (fixtures/tokenizers/make_digests.py has the texts).
@Suite struct DigestTests {
    /// Byte-level vocabularies and others, of the repository and of the shared folder.
    static let byteLevel = ["gpt2", "smollm2", "made/llama3-style", "made/qwen2-style"], largeByteLevel = ["llama3", "qwen2"]
    static let others = ["stories260K"], largeOthers = ["llama2", "mistral-v1"]

    private static func tokenizer(large name: String) throws -> Tokenizer {
        try TokenizerFiles.tokenizer(#require(SharedFolder.path("tokenizers/\(name)")) + "/tokenizer.json.gz")
    }

    @Test func shippedVocabularies() throws { try compare(Self.byteLevel + Self.others, { $0 }, TokenizerFiles.fixture) }

    @Test(.enabled(if: SharedFolder.has("tokenizers"), "needs the shared folder's tokenizers"))
    func largeVocabularies() throws { try compare(Self.largeByteLevel + Self.largeOthers, { "large/" + $0 }, Self.tokenizer(large:)) }

    /// A thread a vocabulary: ten million texts each.
    private func compare(_ names: [String], _ entry: (String) -> String, _ load: @escaping @Sendable (String) throws -> Tokenizer) throws {
        let digests = try #require(TokenizerFiles.json(Fixtures.path("tokenizers/digests.json"))["digests"])
        var rest = names[...]
        try orderedMap(
            workers: WorkPool.shared.threads, produce: { try rest.popFirst().map { ($0, try #require(digests[entry($0)]?.object)) } }, makeState: {},
            transform: { _, work in
                let tokenizer = try load(work.0)
                return try work.1.map { (name: work.0, key: $0.key.description, found: try digest($0.key.description, tokenizer), expected: $0.value.string) }
            },
            consume: { compared in
                #expect(compared.count == 14)
                for one in compared { #expect(one.found == one.expected, "\(one.name): \(one.key)") }
            })
    }

    private func digest(_ key: String, _ tokenizer: Tokenizer) throws -> String {
        switch key.split(separator: "/").first {
        case "points": try points(tokenizer, String(key.dropFirst("points/".count)))
        case "pieces": try encoded(tokenizer, Self.texts(ofPieces: tokenizer))
        case "bytes": try encoded(tokenizer, Self.textsOfBytes())
        case "decode": try decoded(Self.randomIDs(23, 12000, tokenizer).map { try tokenizer.decodeText($0, skippingSpecial: key == "decode/skip") })
        default: try decoded(Self.randomIDs(24, 2000, tokenizer).flatMap { ids in try (1 ... ids.count).map { try tokenizer.decodeText(ids.prefix($0)) } })
        }
    }

    /// What ids are decoded one by one: at every prefix, what has come, with what would end it there, is the text of the prefix; and nothing that has come is empty for long.
    @Test(arguments: byteLevel + others + ["made/few-bytes", "made/metaspace-first", "made/unknown-style"]) func oneByOneAsAtOnce(_ name: String) throws { try compareOneByOne(TokenizerFiles.fixture(name)) }

    @Test(.enabled(if: SharedFolder.has("tokenizers"), "needs the shared folder's tokenizers"), arguments: largeByteLevel + largeOthers)
    func oneByOneInLargeVocabularies(_ name: String) throws { try compareOneByOne(Self.tokenizer(large: name)) }

    private func compareOneByOne(_ tokenizer: Tokenizer) throws {
        var heldBack = 0
        for skipping in [false, true] {
            for ids in Self.randomIDs(25, 3000, tokenizer) {
                var decoder = TokenDecoder(tokenizer, skippingSpecial: skipping), text: [UInt8] = []
                for (place, id) in ids.enumerated() {
                    text += try decoder.push(id)
                    var ending = decoder
                    let rest = ending.finish()
                    if !rest.isEmpty { heldBack += 1 }
                    #expect(try text + rest == tokenizer.decodeText(ids[...place], skippingSpecial: skipping), "\(ids[...place])")
                    guard tokenizer.decoder == .bytes else { continue }
                    // The definition: the bytes of all pieces, read as UTF-8 at once.
                    let bytes = ids[...place].flatMap { skipping && tokenizer.isSpecial($0) ? [] : tokenizer.piece($0) ?? [] }
                    #expect(Array(String(decoding: bytes, as: UTF8.self).utf8) == text + rest, "\(ids[...place])")
                    #expect(rest.count <= 3, "more is held back than the start of one character")
                }
            }
        }
        #expect(heldBack > 300)
    }

    @Test func idsBeyondTheVocabulary() throws {
        let tokenizer = try TokenizerFiles.fixture("gpt2")
        var decoder = TokenDecoder(tokenizer)
        #expect(try decoder.push(50256) == Array("<|endoftext|>".utf8))
        #expect(throws: (any Error).self) { try decoder.push(50257) }
    }

    private func points(_ tokenizer: Tokenizer, _ place: String) throws -> String {
        let sides = place.split(separator: "-"), other = ["letter": "a", "space": " ", "digit": "1", "newline": "\n"][sides.last ?? ""] ?? ""
        let before = sides.first == "after" ? Array(other.utf8) : [], after = sides.first == "before" ? Array(other.utf8) : []
        var encoder = EncodingDigest(tokenizer), text: [UInt8] = []
        for point in UInt32(0) ..< 0x110000 where !(0xD800 ..< 0xE000).contains(point) {
            text.removeAll(keepingCapacity: true)
            text += before
            UTF8Text.append(point, to: &text)
            text += after
            try encoder.add(text)
        }
        return encoder.finish()
    }

    private func encoded(_ tokenizer: Tokenizer, _ texts: [[UInt8]]) throws -> String {
        var encoder = EncodingDigest(tokenizer)
        for text in texts { try encoder.add(text) }
        return encoder.finish()
    }

    private func decoded(_ texts: [[UInt8]]) -> String {
        var digest = SHA256()
        for text in texts {
            withUnsafeBytes(of: UInt32(text.count).littleEndian) { digest.update($0) }
            digest.update(text)
        }
        return digest.hexDigest()
    }

    /// Random numbers as the script draws them.
    private struct Draw {
        var generator: SeededGenerator

        init(_ seed: UInt64) { generator = SeededGenerator(seed: seed) }

        mutating func callAsFunction(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    }

    private static func read(_ bytes: [UInt8]) -> [UInt8] { Array(String(decoding: bytes, as: UTF8.self).utf8) }

    private static func texts(ofPieces tokenizer: Tokenizer) -> [[UInt8]] {
        var draw = Draw(21)
        return (0 ..< 12000).map { _ in
            let count = 1 + draw(12)
            return read((0 ..< count).flatMap { _ in tokenizer.piece(UInt32(draw(tokenizer.vocabularySize))) ?? [] })
        }
    }

    private static func textsOfBytes() -> [[UInt8]] {
        let edges: [UInt8] = [0xC0, 0xC2, 0xDF, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF]
        var draw = Draw(22)
        return (0 ..< 12000).map { _ in
            let kind = draw(3), count = 1 + draw(64)
            return read((0 ..< count).map { _ in kind == 0 ? UInt8(draw(256)) : kind == 1 ? UInt8(0x80 + draw(128)) : edges[draw(edges.count)] })
        }
    }

    private static func randomIDs(_ seed: UInt64, _ count: Int, _ tokenizer: Tokenizer) -> [[UInt32]] {
        var draw = Draw(seed)
        return (0 ..< count).map { _ in
            let bound = draw(2) == 0 ? min(tokenizer.vocabularySize, 300) : tokenizer.vocabularySize
            let length = 1 + draw(12)
            return (0 ..< length).map { _ in UInt32(draw(bound)) }
        }
    }
}

/// The digest of the ids of many texts.
private struct EncodingDigest {
    private let tokenizer: Tokenizer
    private let scratch = EncodingScratch()
    private var digest = SHA256(), ids: [UInt32] = [], words: [UInt32] = []

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    mutating func add(_ text: [UInt8]) throws {
        ids.removeAll(keepingCapacity: true)
        try text.withUnsafeBufferPointer { try tokenizer.encode($0, into: &ids, scratch: scratch) }
        words.append(UInt32(ids.count))
        words += ids
        if words.count > 1 << 14 { flush() }
    }

    mutating func finish() -> String {
        flush()
        return digest.hexDigest()
    }

    private mutating func flush() {
        words.withUnsafeBytes { digest.update($0) }
        words.removeAll(keepingCapacity: true)
    }
}
