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

    @Test func gpt2AsAPairAndAsRanks() throws {
        let json = try TokenizerFiles.json(Fixtures.path("tokenizers/gpt2/tokenizer.json.gz")), vectors = Fixtures.path("tokenizers/gpt2/vectors.json")
        let files = try VocabularyForms.pair(json)
        try write("encoder.json", files.encoder)
        try write("vocab.bpe", files.merges)
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

    private static let samples: [VocabularySample] = (try? VocabularySample.all()) ?? []

    /// Every sample as it is: mutants of what is refused anyway would test nothing.
    @Test func samplesAreWhole() throws {
        #expect(Self.samples.count == 7)
        for sample in Self.samples {
            let own = TemporaryFolder(), tokenizer = try tokenizer(sample.write(into: own.path), sample.family.flatMap(TokenizerFamily.init(rawValue:)))
            #expect(try tokenizer.decodeText(tokenizer.encode(VocabularySample.text, special: .ids)) == VocabularySample.text, "\(sample)")
        }
    }

    /// A damaged file is refused by its name, or what it has become encodes and decodes without going beyond its vocabulary.
    @Test(arguments: samples) func mutants(of sample: VocabularySample) throws {
        let rounds = ["pair": 800, "ranks": 60, "SentencePiece specifications": 100][sample.form] ?? 400
        var refused = 0
        for seed in 0 ..< UInt64(rounds) {
            var generator = SeededGenerator(seed: seed)
            let mutant = sample.damaged(Int(seed) % sample.files.count) { ByteMutator.damaged($0, &generator) }
            do {
                let tokenizer = try tokenizer(mutant.write(into: folder.path), sample.family.flatMap(TokenizerFamily.init(rawValue:)))
                let ids = try tokenizer.encode(VocabularySample.text, special: .ids)
                #expect(ids.allSatisfy { $0 < tokenizer.vocabularySize }, "\(sample), seed \(seed)")
                _ = try tokenizer.decodeText(ids)
            } catch let error as InputError {
                refused += 1
                #expect(error.status == .invalidData && error.message.hasPrefix(folder.path + "/"), "\(sample), seed \(seed): \(error)")
            }
        }
        // Whatever is changed of ranks, there are no longer as many as a published model has, or one is not made of those before it.
        #expect(refused > rounds / 4 && (refused < rounds) == (sample.form != "ranks"), "\(sample): \(refused) of \(rounds) refused")
    }
}
