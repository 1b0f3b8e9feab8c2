import JSON
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

/// Vocabularies learnt here and by the reference from the same texts (fixtures/tokenizers/make_training.py): the same file, so the same ids, merges and settings.
@Suite struct VocabularyTrainerTests {
    /// Instructions and responses of the records.
    private static func vicuna() throws -> [Text] {
        try lines().split(separator: 0x0A).flatMap { line -> [Text] in
            let record = try JSON.parse(Array(line)), completions = try #require(record["completions"]?.array)
            return [try #require(record["instruction"]?.text)] + completions.compactMap { $0["response"]?.text }
        }
    }

    private static func lines() throws -> [UInt8] { try TokenizerFiles.bytes(Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz")) }

    /// Texts in many scripts that are hard to cut.
    private static func hard() throws -> [Text] {
        try ["vectors", "cases"].flatMap { try TokenizerFiles.rows(Fixtures.path("tokenizers/gpt2/\($0).json")).compactMap { $0["text"]?.text } }
    }

    private static func strings(_ texts: [Text]) throws -> [UInt8] { try texts.flatMap { try JSONWriter.line($0) } }

    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var trainer: VocabularyTrainer
        var testDescription: String { name }

        init(_ name: String, _ pattern: TrainingPattern, _ size: Int, _ change: (inout VocabularyTrainer) -> Void = { _ in }) {
            self.name = name
            trainer = VocabularyTrainer(size: size, pattern: pattern)
            change(&trainer)
        }

        func input() throws -> (bytes: [UInt8], isPlain: Bool) {
            switch name {
            case "gpt2": (try strings(vicuna()), false)
            case "exhausted": (try strings(hard()), false)
            case "lines": (try lines(), true)
            default: (try strings(vicuna() + hard()), false)
            }
        }
    }

    static let cases = [
        Case("gpt2", .gpt2, 2000) { $0.special = ["<|endoftext|>"] },
        Case("llama3", .llama3, 3000) { ($0.special, $0.minimumFrequency) = (["<|begin_of_text|>", "<|end_of_text|>", " the", "Ġof"], 3) },
        // The reference's max_token_length is what no token reaches.
        Case("qwen2", .qwen2, 2500) { ($0.special, $0.initialAlphabet, $0.longestToken) = (["<|endoftext|>", "a"], .seen, 5) },
        Case("smollm2", .smollm2, 2000) { ($0.initialAlphabet, $0.mostSymbols) = (.seen, 100) },
        Case("lines", .gpt2, 1500), Case("exhausted", .llama3, 100_000),
        Case("frequent", .gpt2, 100_000) { ($0.initialAlphabet, $0.minimumFrequency) = (.seen, 40) },
    ]

    private func counted(_ test: Case, _ sources: [any ByteSource], isPlain: Bool, workers: Int) throws -> CountedTexts {
        let inputs = TrainingInputs(sources, readsPlainText: isPlain)
        return try CountedTexts(test.trainer.pattern, memory: 1 << 30, workers: workers, next: { try inputs.next() }, progress: {})
    }

    @Test(arguments: cases) func equalsTheReference(_ test: Case) throws {
        let (bytes, isPlain) = try test.input()
        let reference = try TokenizerFiles.bytes(Fixtures.path("tokenizers/training/\(test.name).json.gz"))
        // For any number of threads, and wherever reads end.
        for (workers, readSize) in [(1, Int.max), (2, 4096), (5, 700)] {
            let texts = try counted(test, [MemorySource(bytes, readSize: readSize)], isPlain: isPlain, workers: workers)
            let vocabulary = try test.trainer.train(texts)
            let expected = try JSON.parse(reference)
            #expect(vocabulary.merges.map { [vocabulary.tokens[Int($0.left)], vocabulary.tokens[Int($0.right)]] } == expected["model"]?["merges"]?.array?.map { $0.array?.compactMap(\.text?.bytes) ?? [] },
                    "\(test.name), \(workers) threads: the merges")
            #expect(try vocabulary.tokenizerJSON() == reference, "\(test.name), \(workers) threads: the file")
        }
    }

    /// What was learnt from all texts at once is learnt from them in several inputs; and it loads, and gives back what it encodes.
    @Test(arguments: cases) func isReadAgain(_ test: Case) throws {
        guard test.name != "lines" else { return }
        let texts = test.name == "gpt2" ? try Self.vicuna() : test.name == "exhausted" ? try Self.hard() : try Self.vicuna() + Self.hard(), half = texts.count / 2
        let parts = try [Array(texts[..<half]), [], Array(texts[half...])].map { MemorySource(try Self.strings($0)) }
        let vocabulary = try test.trainer.train(counted(test, parts, isPlain: false, workers: 2))
        let file = try vocabulary.tokenizerJSON()
        #expect(file == (try TokenizerFiles.bytes(Fixtures.path("tokenizers/training/\(test.name).json.gz"))))
        let tokenizer = try Tokenizer(json: file, name: "learnt"), scratch = EncodingScratch()
        #expect(tokenizer.vocabularySize == vocabulary.tokens.count)
        guard test.trainer.initialAlphabet == .bytes, !test.trainer.pattern.composes else { return }
        for text in texts { #expect(try tokenizer.decodeText(tokenizer.encode(text.bytes, scratch: scratch)) == text.bytes) }
    }

    /// Counts of pairs beyond 2^31, where the reference's overflow.
    @Test func manyOccurrences() throws {
        let pieces = PieceCounts()
        let words = ["ab", "bc", "abc"].map { Array($0.utf8) }
        let numbers = words.map { word in word.withUnsafeBufferPointer { pieces.number(of: $0.baseAddress!, $0.count) } }
        for _ in 0 ..< 40 { pieces.add(copy(of: pieces)) }
        pieces.note([numbers[0], numbers[2]])
        pieces.add(copy(of: pieces))
        #expect(pieces.occurrences == [2, 0, 2])
        for _ in 0 ..< 31 { pieces.add(copy(of: pieces)) }
        #expect(pieces.occurrences == [1 << 32, 0, 1 << 32])
        var pairs = PairTable()
        let rows = TrainingWords(pieces, symbols: (0 ..< 256).map { UInt32($0) })
        rows.countPairs(&pairs)
        #expect(pairs.count(of: PairTable.pair(0x61, 0x62)) == 1 << 33)
        #expect(pairs.count(of: PairTable.pair(0x62, 0x63)) == 1 << 32)
        #expect(pairs.count(of: PairTable.pair(0x63, 0x61)) == 0)
    }

    private func copy(of pieces: PieceCounts) -> PieceCounts {
        let copy = PieceCounts()
        copy.add(pieces)
        return copy
    }

    @Test func refusals() throws {
        func train(_ text: String, size: Int = 300, memory: Int = 1 << 20, workers: Int = 1, _ change: (inout VocabularyTrainer) -> Void = { _ in }) -> String {
            var trainer = VocabularyTrainer(size: size, pattern: .gpt2)
            change(&trainer)
            do {
                let inputs = TrainingInputs([MemorySource(Array(text.utf8), name: "texts")])
                _ = try trainer.train(CountedTexts(.gpt2, memory: memory, workers: workers, next: { try inputs.next() }, progress: {}))
                return ""
            } catch { return "\(error)" }
        }
        #expect(train("\"a b\"\n") == "")
        #expect(train("") == "the inputs hold no text to learn from: 0 texts, all of them empty")
        #expect(train("\"\"\n\"\"\n") == "the inputs hold no text to learn from: 2 texts, all of them empty")
        #expect(train("\"a b\"\n", size: 256) { $0.special = ["x!"] } == "a vocabulary of 256 tokens cannot hold the 257 that it starts from: 1 special ones and the alphabet; raise --size")
        #expect(train("\"a b\"\n", size: 2) { $0.initialAlphabet = .seen } == "a vocabulary of 2 tokens cannot hold the 3 that it starts from: 0 special ones and the alphabet; raise --size")
        #expect(train("\"a\"\n7\n") == "texts: line 2: expected a JSON string, found a number (--text reads plain text)")
        #expect(train("\"a\"\n\"b\n") .hasPrefix("texts: line 2, column "))
        let many = (0 ..< 20000).map { "\"word\($0)x\"\n" }.joined()
        for workers in [1, 3] {
            #expect(train(many, workers: workers).hasPrefix("the texts have more distinct pieces than 1 MiB hold ("))
        }
    }
}
