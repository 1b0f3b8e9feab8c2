import JSON
import TestSupport
import Testing
@testable import Tokenization

/// Ids equal to those of the reference, `tokenizers` 0.23.3.
@Suite struct ReferenceIDTests {
    static let shipped = ["gpt2", "smollm2", "stories260K"]
    static let made = ["made/llama3-style", "made/qwen2-style", "made/unknown-style", "made/fused-style",
                       "made/sentencepiece-flags", "made/metaspace-first", "made/metaspace-always", "made/metaspace-never", "made/few-bytes"]
    static let shared = ["gpt2", "llama2", "llama3", "llama3.2", "mistral-v1", "qwen2", "qwen2.5", "smollm2", "starcoder"]

    @Test(arguments: shipped) func publishedVectorsOfShippedVocabularies(_ name: String) throws {
        try compareVectors(TokenizerFiles.fixture(name), Fixtures.path("tokenizers/\(name)/vectors.json"))
    }

    @Test(arguments: shipped + made) func hardCases(_ name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name), scratch = EncodingScratch()
        var texts = 0, decodings = 0
        for row in try TokenizerFiles.rows(Fixtures.path("tokenizers/\(name)/cases.json")) {
            guard let text = row["text"]?.text else {
                let ids = try #require(row["decode"]?.ids)
                #expect(try Text(tokenizer.decodeText(ids)) == #require(row["decoded"]?.text), "\(name): decode \(ids)")
                #expect(try Text(tokenizer.decodeText(ids, skippingSpecial: true)) == #require(row["skipped"]?.text), "\(name): decode \(ids)")
                decodings += 1
                continue
            }
            texts += 1
            let plain = try #require(row["ids"]?.ids), special = row["special"]?.ids ?? plain
            #expect(tokenizer.ids(text, scratch: scratch) == plain, "\(name): \(row)")
            #expect(tokenizer.ids(text, .ids, scratch: scratch) == special, "\(name), special: \(row)")
            #expect(tokenizer.ids(text, .ids) == special, "\(name), special, cold cache: \(row)")
            let whole = row["whole"]?.ids ?? special
            if !special.starts(with: tokenizer.prefixTokens) || tokenizer.prefixTokens.isEmpty {
                if special.last != tokenizer.suffixTokens.last || special.isEmpty || tokenizer.suffixTokens.isEmpty {
                    #expect(try tokenizer.encodeWhole(text.bytes, special: .ids) == whole, "\(name), whole: \(row)")
                }
            }
            #expect(try Text(tokenizer.decodeText(special)) == row["decoded"]?.text ?? text, "\(name), decoded: \(row)")
        }
        #expect(texts > 100 && decodings == 40, "\(name)")
    }

    @Test(.enabled(if: SharedFolder.has("tokenizers"), "needs the shared folder's tokenizers"), arguments: shared)
    func publishedVectors(_ name: String) throws {
        let folder = try #require(SharedFolder.path("tokenizers/\(name)"))
        let tokenizer = try TokenizerFiles.tokenizer(folder + "/tokenizer.json.gz")
        // StarCoder has llama.cpp's texts only.
        if SharedFolder.has("tokenizers/\(name)/vectors.json") { try compareVectors(tokenizer, folder + "/vectors.json", least: 110) }
        if SharedFolder.has("tokenizers/\(name)/llama.cpp.inp") {
            let input = String(decoding: try TokenizerFiles.bytes(folder + "/llama.cpp.inp"), as: UTF8.self)
            let output = String(decoding: try TokenizerFiles.bytes(folder + "/llama.cpp.out"), as: UTF8.self)
            let texts = split(input, at: "\n__ggml_vocab_test__\n")
            let lines = output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            #expect(texts.count == lines.count && lines.count == 46, "\(name): \(texts.count) texts, \(lines.count) lines")
            for (text, line) in zip(texts, lines) {
                #expect(tokenizer.ids(Text(text), .ids) == line.split(separator: " ").compactMap { UInt32($0) }, "\(name), llama.cpp: \(text.debugDescription)")
            }
        }
    }

    private func compareVectors(_ tokenizer: Tokenizer, _ path: String, least: Int = 5) throws {
        let rows = try TokenizerFiles.rows(path)
        #expect(rows.count >= least)
        let scratch = EncodingScratch()
        for row in rows {
            let text = try #require(row["text"]?.text), ids = try #require(row["ids"]?.ids)
            #expect(tokenizer.ids(text, .ids, scratch: scratch) == ids, "\(path): \(text)")
            #expect(try Text(tokenizer.decodeText(ids)) == row["decoded"]?.text ?? text, "\(path): decoding of \(text)")
        }
    }

    /// Texts between separators; the last separator ends the last text.
    private func split(_ input: String, at separator: String) -> [String] {
        var texts: [String] = [], rest = Array(input.utf8)[...]
        let mark = Array(separator.utf8)
        var current: [UInt8] = []
        while let byte = rest.first {
            if byte == mark[0], rest.starts(with: mark) {
                texts.append(String(decoding: current, as: UTF8.self))
                current = []
                rest = rest.dropFirst(mark.count)
            } else {
                current.append(byte)
                rest = rest.dropFirst()
            }
        }
        return texts
    }
}
