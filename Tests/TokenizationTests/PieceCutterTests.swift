import TestSupport
import Testing
@testable import Tokenization

/// The fast cutter, the caches and the characters taken whole give the ids of the plain way: cut character by character, merged from bytes, nothing remembered.
@Suite struct PieceCutterTests {
    private static let names = ["gpt2", "smollm2", "made/llama3-style", "made/qwen2-style", "made/few-bytes", "made/unknown-style"]

    /// Characters of every class and length, and what patterns look for.
    private static let parts = [
        "a", "B", "don't", "WE'LL", "'s", "'ſ", "'", "'re", "É", "é", "ß", "漢", "字的是", "中国", "ไทย", "😀", "👩‍👩‍👧", "\u{301}", "1", "23", "4567", "٣", "Ⅷ", "\u{16D70}", "²", "½",
        " ", "  ", "\t", "\n", "\r\n", "\u{A0}", "\u{2003}", "\u{3000}", "\u{85}", ".", ",", "...", "!?", "(", "—", "、", "。", "\0", "\u{1C}", "_", "<|im_end|>", "\u{FFFD}", "\u{10FFFF}", "ÿ",
    ]

    private func text(_ generator: inout SeededGenerator, parts count: Int) -> [UInt8] {
        (0 ..< count).flatMap { _ in Array(Self.parts[Int.random(in: 0 ..< Self.parts.count, using: &generator)].utf8) }
    }

    private func compare(_ tokenizer: Tokenizer, _ text: [UInt8], _ scratch: EncodingScratch, _ plain: EncodingScratch, _ what: @autoclosure () -> String) throws {
        let fast = try tokenizer.encode(text, scratch: scratch), slow = try tokenizer.encode(text, scratch: plain)
        if fast != slow { Issue.record("\(what()): \(String(decoding: text, as: UTF8.self).debugDescription) gives \(fast), plainly \(slow)") }
    }

    /// Every alignment to the 64 bytes that are classified at once, and to windows of any size.
    @Test(arguments: names) func everyAlignment(_ name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name), plain = EncodingScratch(isPlain: true)
        for window in [64, 65, 100, 128, 1 << 14] {
            let scratch = EncodingScratch(isPlain: false, window: window)
            for seed in 0 ..< 20 as Range<UInt64> {
                var generator = SeededGenerator(seed: seed)
                let body = text(&generator, parts: Int.random(in: 1 ... 120, using: &generator))
                for shift in 0 ..< 64 {
                    let padding = Array(repeating: UInt8(ascii: shift % 2 == 0 ? "x" : " "), count: shift)
                    try compare(tokenizer, padding + body, scratch, plain, "\(name), window \(window), seed \(seed), shift \(shift)")
                }
            }
        }
        #expect(plain.counts.droppedSymbols % 5 == 0)
    }

    /// Pieces as long as windows, of one character and of many, in front of others and behind them.
    @Test(arguments: names) func piecesLongerThanWindows(_ name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name), plain = EncodingScratch(isPlain: true), scratch = EncodingScratch(isPlain: false, window: 64)
        for part in Self.parts {
            for count in [15, 16, 17, 60, 63, 64, 65, 200, 300] {
                let run = Array(repeatElement(Array(part.utf8), count: count).joined())
                for text in [run, run + Array(" end".utf8), Array("start".utf8) + run, Array("  ".utf8) + run + Array("\n1".utf8)] {
                    try compare(tokenizer, text, scratch, plain, "\(name), \(count) times \(part.debugDescription)")
                }
            }
        }
    }

    /// White space, signs and numbers that reach over the ends of windows: what ends a piece may come long after it begins.
    @Test(arguments: names) func runsOverTheEndsOfWindows(_ name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name), plain = EncodingScratch(isPlain: true), scratch = EncodingScratch(isPlain: false, window: 64)
        let pieces = ["\n", " ", "\r\n", "\t", "\u{3000}", "!", "。", "7", "x", "'s"]
        var generator = SeededGenerator(seed: 21)
        for _ in 0 ..< 3000 {
            let text = (0 ..< 5).flatMap { _ in
                Array(repeatElement(Array(pieces[Int.random(in: 0 ..< pieces.count, using: &generator)].utf8), count: [1, 1, 2, 3, 30, 61, 62, 63, 64, 65, 130].randomElement(using: &generator) ?? 1).joined())
            }
            try compare(tokenizer, text, scratch, plain, name)
        }
    }

    /// A vocabulary of a few bytes in which every two neighbours merge: wherever a piece ends otherwise, other pairs come about.
    private func pairs(_ numbers: String) throws -> Tokenizer {
        let pattern = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}\#(numbers)| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#.replacing("\\", with: #"\\"#)
        // a, x, !, a space, a line feed, and the bytes of U+3000, as byte-level vocabularies spell them.
        let bytes = ["a", "x", "!", "Ġ", "Ċ", "ã", "Ģ"], pairs = bytes.flatMap { left in bytes.map { (left, $0) } }
        let entries = (bytes + pairs.map { $0.0 + $0.1 }).enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ","), merges = pairs.map { "[\"\($0.0)\",\"\($0.1)\"]" }.joined(separator: ",")
        return try Tokenizer(json: Array("""
            {"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\(pattern)"},"behavior":"Isolated","invert":false},
            {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{\(entries)},"merges":[\(merges)]}}
            """.utf8), name: "made")
    }

    /// Every arrangement of six characters about white space and line ends: within a window, over its end, and at the end of a text.
    @Test(arguments: ["{1,3}", ""]) func everyRunOfWhiteSpace(_ numbers: String) throws {
        let tokenizer = try pairs(numbers), plain = EncodingScratch(isPlain: true), scratch = EncodingScratch(isPlain: false, window: 64)
        let characters = ["x", "!", " ", "\n", "\u{3000}"].map { Array($0.utf8) }
        var count = 0, first: [UInt8]?
        for number in 0 ..< 15_625 {
            var rest = number, run: [UInt8] = []
            for _ in 0 ..< 6 {
                run += characters[rest % 5]
                rest /= 5
            }
            for (before, behind) in [(0, ""), (50 + number % 14, ""), (46 + number % 16, "       \n  x"), (46 + number % 16, "             x")] {
                let text = [UInt8](repeating: UInt8(ascii: "a"), count: before) + run + Array(behind.utf8)
                if try tokenizer.encode(text, scratch: scratch) != tokenizer.encode(text, scratch: plain) { (count, first) = (count + 1, first ?? text) }
            }
        }
        #expect(count == 0, "such as \(String(decoding: first ?? [], as: UTF8.self).debugDescription)")
    }

    /// Every code point beside a letter of its own script's neighbours: that characters taken whole change nothing shows where merges cross their edges.
    @Test(arguments: names) func everyCharacterTakenWhole(_ name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name), plain = EncodingScratch(isPlain: true), scratch = EncodingScratch()
        var generator = SeededGenerator(seed: 11)
        let scalars = [0x80 ... 0x24F, 0x370 ... 0x5FF, 0x900 ... 0xE7F, 0x2000 ... 0x27BF, 0x3000 ... 0x30FF, 0x4E00 ... 0x9FFF, 0xAC00 ... 0xD7A3, 0x1F300 ... 0x1FAFF].map { range in
            range.compactMap { Unicode.Scalar(UInt32($0)) }
        }
        for block in scalars {
            for _ in 0 ..< 400 {
                var word = String.UnicodeScalarView()
                for _ in 0 ..< Int.random(in: 1 ... 30, using: &generator) { word.append(block[Int.random(in: 0 ..< block.count, using: &generator)]) }
                try compare(tokenizer, Array(String(word).utf8), scratch, plain, name)
            }
        }
    }

    /// The same with published vocabularies of 128,000 and more, whose merges cross characters in every way, on text as it is written.
    @Test(.enabled(if: SharedFolder.has("tokenizers"), "needs the shared folder's tokenizers"), arguments: ["llama3", "qwen2", "gpt2", "smollm2"])
    func publishedVocabularies(_ name: String) throws {
        let tokenizer = try TokenizerFiles.tokenizer(#require(SharedFolder.path("tokenizers/\(name)")) + "/tokenizer.json.gz")
        let plain = EncodingScratch(isPlain: true), scratch = EncodingScratch()
        var generator = SeededGenerator(seed: 12), bytes = 0
        for row in try TokenizerFiles.rows(#require(SharedFolder.path("tokenizers/\(name)/vectors.json"))) {
            guard let text = row["text"]?.text, text.count < 5000 else { continue }
            try compare(tokenizer, text.bytes, scratch, plain, name)
        }
        // Characters that are written often, in any order.
        for _ in 0 ..< 3000 {
            var word = String.UnicodeScalarView()
            for _ in 0 ..< Int.random(in: 1 ... 40, using: &generator) {
                let low = [0x4E00, 0x4E00, 0x4E00, 0x3040, 0x400, 0xAC00, 0xE00, 0x1F600, 0x60][Int.random(in: 0 ..< 9, using: &generator)]
                word.append(Unicode.Scalar(UInt32(low + Int.random(in: 0 ..< (low == 0x4E00 ? 0x5000 : 0x50), using: &generator))) ?? "x")
            }
            let text = Array(String(word).utf8)
            bytes += text.count
            try compare(tokenizer, text, scratch, plain, name)
        }
        #expect(bytes > 100_000)
    }
}
