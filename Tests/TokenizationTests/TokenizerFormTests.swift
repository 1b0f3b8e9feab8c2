import Glibc
import JSON
import ModelFiles
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

/// Ids from vocabularies that are no tokenizer.json, and what becomes of damaged ones.
@Suite struct TokenizerFormTests {
    private let folder = TemporaryFolder(inMemory: true)

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        let sink = FileSink(descriptor: open(folder.file(name), O_WRONLY | O_CREAT | O_TRUNC, 0o644), name: name, closes: true)
        try sink.write(bytes)
        try sink.finish()
    }

    private func tokenizer(_ path: String, _ family: TokenizerFamily? = nil) throws -> Tokenizer {
        let source = try TokenizerSource(path: path, family: family)
        return try Tokenizer(json: source.json, name: source.name, digest: source.digest)
    }

    private func compare(_ tokenizer: Tokenizer, _ vectors: String, least: Int = 5) throws {
        let rows = try TokenizerFiles.rows(vectors)
        #expect(rows.count >= least)
        for row in rows {
            let text = try #require(row["text"]?.text), ids = try #require(row["ids"]?.ids)
            #expect(tokenizer.ids(text, .ids) == ids, "\(vectors): \(text)")
            #expect(try Text(tokenizer.decodeText(ids)) == row["decoded"]?.text ?? text, "\(vectors): decoding of \(text)")
        }
    }

    /// A tokenizer.json as GPT-2's pair; the vocabulary without added tokens.
    private func writePair(_ json: JSONValue) throws {
        let model = try #require(json["model"]), merges = try #require(model["merges"]?.array)
        try write("encoder.json", try #require(model["vocab"]).serialized())
        try write("vocab.bpe", Array("#version: 0.2\n".utf8) + merges.flatMap { ($0.text?.bytes ?? []) + [0x0A] })
    }

    @Test func gpt2AsAPairAndAsRanks() throws {
        let json = try TokenizerFiles.json(Fixtures.path("tokenizers/gpt2/tokenizer.json.gz")), vectors = Fixtures.path("tokenizers/gpt2/vectors.json")
        try writePair(json)
        for path in [folder.path, folder.file("encoder.json"), folder.file("vocab.bpe")] {
            let pair = try tokenizer(path)
            #expect(pair.vocabularySize == 50257 && pair.addedTokens.map(\.id) == [50256])
            try compare(pair, vectors)
        }
        // tiktoken's file of GPT-2: every token but the special one, in the order of the ids. Its lines may stand in any order.
        let whole = try TokenizerFiles.fixture("gpt2")
        let lines = try (0 ..< 50256).map { VocabularyForms.rankLine(try #require(whole.piece(UInt32($0))), $0) }
        try write("r50k.tiktoken", Array(lines.reversed().joined()))
        let ranks = try tokenizer(folder.file("r50k.tiktoken"))
        #expect(ranks.vocabularySize == 50257 && ranks.addedTokens.map(\.id) == [50256])
        try compare(ranks, vectors)
        let merges = try JSON.parse(try TokenizerSource(path: folder.file("r50k.tiktoken")).json)["model"]?["merges"]
        #expect(merges == json["model"]?["merges"] && merges?.array?.count == 50000, "the merges that made the ranks")
    }

    /// The ids that `tokenizers` gave before the vocabulary became a GGUF.
    @Test(arguments: ["smollm", "qwen2", "llama-bpe", "gpt-2", "llama"]) func vocabularyInAGGUF(_ name: String) throws {
        let tokenizer = try tokenizer(Fixtures.path("gguf/import-\(name).gguf"))
        let rows = try #require(try TokenizerFiles.json(Fixtures.path("gguf/import-\(name).ids.json")).array)
        #expect(rows.count >= 5)
        for row in rows {
            let text = try #require(row["text"]?.text), plain = try #require(row["ids_plain"]?.ids)
            #expect(tokenizer.ids(text, .ids) == plain, "\(name): \(text)")
            // A text that begins with the first token gets no second here.
            if tokenizer.prefixTokens.isEmpty || !plain.starts(with: tokenizer.prefixTokens) {
                #expect(try tokenizer.encodeWhole(text.bytes, special: .ids) == row["ids"]?.ids, "\(name): \(text)")
            }
        }
    }

    static let smolLM2 = getenv("UFTOOLS_SMOLLM2_GGUF").map { String(cString: $0) }

    @Test(.enabled(if: smolLM2 != nil, "needs UFTOOLS_SMOLLM2_GGUF")) func publishedGGUF() throws {
        try compare(tokenizer(try #require(Self.smolLM2)), Fixtures.path("tokenizers/smollm2/vectors.json"))
    }

    @Test(.enabled(if: SharedFolder.has("tokenizers/README.md"), "needs the shared folder's tokenizers"), arguments: [
        ("gpt2", ["gpt2/encoder.json", "gpt2/vocab.bpe"], nil), ("llama3", ["llama3/tokenizer.model"], nil), ("llama3.2", ["llama3/tokenizer.model"], .llama31),
        ("qwen2", ["qwen2/qwen.tiktoken"], nil), ("qwen2.5", ["qwen2/qwen.tiktoken"], .qwen25), ("llama2", ["llama2/tokenizer.model"], nil), ("mistral-v1", ["mistral-v1/tokenizer.model"], nil),
    ] as [(String, [String], TokenizerFamily?)])
    func publishedFiles(_ name: String, _ files: [String], _ family: TokenizerFamily?) throws {
        for file in files {
            let path = try #require(SharedFolder.path("tokenizers/\(file)") ?? SharedFolder.path("tokenizers/\(file).gz"))
            try write(String(file.split(separator: "/")[1]), try TokenizerFiles.bytes(path))
        }
        try compare(tokenizer(folder.path, family), try #require(SharedFolder.path("tokenizers/\(name)/vectors.json")), least: 110)
    }

    // MARK: damage

    /// Flips, overwrites, cuts out, doubles, moves and cuts off.
    private func damaged(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0 ... Int.random(in: 0 ..< 3, using: &generator) where !bytes.isEmpty {
            let at = Int.random(in: 0 ..< bytes.count, using: &generator), end = min(at + Int.random(in: 1 ... 40, using: &generator), bytes.count)
            switch Int.random(in: 0 ..< 6, using: &generator) {
            case 0, 1: bytes[at] ^= 1 << UInt8.random(in: 0 ..< 8, using: &generator)
            case 2: for place in at ..< end { bytes[place] = UInt8.random(in: 0 ... 255, using: &generator) }
            case 3: bytes.removeSubrange(at ..< end)
            case 4: bytes.insert(contentsOf: Array(bytes[at ..< end]), at: Int.random(in: 0 ... bytes.count, using: &generator))
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }

    /// A damaged file is refused by its name, or what it has become encodes and decodes without going beyond its vocabulary.
    private func holdsMutants(of name: String, _ bytes: [UInt8], rounds: Int, path: String? = nil, _ family: TokenizerFamily? = nil) throws {
        var refused = 0
        for seed in 0 ..< UInt64(rounds) {
            var generator = SeededGenerator(seed: seed)
            try write(name, damaged(bytes, &generator))
            do {
                let tokenizer = try tokenizer(path ?? folder.file(name), family)
                let ids = try tokenizer.encode(Array("The dog's  été 漢 12 <|endoftext|>\n".utf8), special: .ids)
                #expect(ids.allSatisfy { $0 < tokenizer.vocabularySize }, "seed \(seed)")
                _ = try tokenizer.decodeText(ids)
            } catch let error as InputError {
                refused += 1
                #expect(error.status == .invalidData && error.message.hasPrefix(folder.path + "/"), "\(name), seed \(seed): \(error)")
            }
        }
        #expect(refused > rounds / 4, "\(name): \(refused) of \(rounds) refused")
    }

    @Test func mutantsOfPairs() throws {
        let json = try TokenizerFiles.json(Fixtures.path("gguf/import-qwen2.tokenizer.json"))
        try writePair(json)
        let encoder = try readWholeFile(folder.file("encoder.json")), merges = try readWholeFile(folder.file("vocab.bpe"))
        #expect(try tokenizer(folder.path, .qwen2).vocabularySize == 333)
        try holdsMutants(of: "encoder.json", encoder, rounds: 400, path: folder.path, .qwen2)
        try write("encoder.json", encoder)
        try holdsMutants(of: "vocab.bpe", merges, rounds: 400, path: folder.path, .qwen2)
    }

    @Test(arguments: ["llama", "smollm"]) func mutantsOfGGUF(_ name: String) throws {
        // The head alone: damage in the weights is none of the vocabulary's business.
        let bytes = try readWholeFile(Fixtures.path("gguf/import-\(name).gguf"))
        var generator = SeededGenerator(seed: 1)
        var refused = 0
        for round in 0 ..< 400 {
            let head = damaged(Array(bytes.prefix(9000)), &generator)
            try write("t.gguf", head + bytes.dropFirst(9000))
            do { _ = try tokenizer(folder.file("t.gguf")) } catch let error as InputError {
                refused += 1
                #expect(error.message.hasPrefix(folder.path + "/t.gguf: "), "round \(round): \(error)")
            }
        }
        #expect(refused > 100)
    }

    @Test func mutantsOfSentencePieceModels() throws {
        let json = try TokenizerFiles.json(Fixtures.path("gguf/import-llama.tokenizer.json")), vocabulary = try #require(json["model"]?["vocab"]?.object)
        let plain = vocabulary.filter { ($0.value.int ?? 0) > 258 }.enumerated().map { ($0.element.key.bytes, -Float($0.offset), UInt64(1)) }
        let builder = SentencePieceBuilder.standard(plain)
        try holdsMutants(of: "t.model", builder.bytes, rounds: 400)
        try holdsMutants(of: "t.model", Array(builder.bytes.suffix(80)), rounds: 100)
    }

    @Test func mutantsOfRanks() throws {
        let whole = try TokenizerFiles.fixture("gpt2")
        let bytes = try (0 ..< 50256).flatMap { VocabularyForms.rankLine(try #require(whole.piece(UInt32($0))), $0) }
        try holdsMutants(of: "t.tiktoken", bytes, rounds: 60)
    }

    @Test func mutantsOfATokenizerJSON() throws {
        try holdsMutants(of: "tokenizer.json", try readWholeFile(Fixtures.path("gguf/import-llama-bpe.tokenizer.json")), rounds: 400)
    }
}
