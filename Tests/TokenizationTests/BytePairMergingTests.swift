import CTokenization
import TestSupport
import Testing
@testable import Tokenization

/// The scanning and the heap give what the definition gives.
@Suite struct BytePairMergingTests {
    /// A random table over a few symbols from `first` on, with products that merge further.
    private func table(_ generator: inout SeededGenerator, first: UInt32, symbols: UInt32, merges: Int) -> MergeTable {
        var list: [(left: UInt32, right: UInt32, joined: UInt32)] = []
        var next = first + symbols
        var seen = Set<UInt64>()
        while list.count < merges {
            let left = UInt32.random(in: first ..< next, using: &generator), right = UInt32.random(in: first ..< next, using: &generator)
            guard seen.insert(UInt64(left) << 32 | UInt64(right)).inserted else { continue }
            list.append((left, right, next))
            next += 1
        }
        return MergeTable(list)
    }

    private func merged(_ symbols: [UInt32], _ body: (UnsafeMutablePointer<UInt32>, Int) -> Int) -> [UInt32] {
        guard !symbols.isEmpty else { return [] }
        var copy = symbols
        let count = copy.withUnsafeMutableBufferPointer { buffer in buffer.baseAddress.map { body($0, buffer.count) } ?? 0 }
        return Array(copy.prefix(count))
    }

    @Test func threeWaysAgreeOnRandomTables() {
        let workspace = MergeWorkspace()
        for seed in 0 ..< 1_500 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let symbols = UInt32.random(in: 1 ... 6, using: &generator)
            // Merges of low ids have a table of their own; some tables lie on both sides of its end.
            let first = [0, UInt32(UF_FREQUENT) - symbols, 100_000][Int(seed) % 3]
            let table = table(&generator, first: first, symbols: symbols, merges: Int.random(in: 1 ... 40, using: &generator))
            let text = (0 ..< Int.random(in: 0 ... (seed % 10 == 0 ? BytePairMerging.scanLimit : 90), using: &generator)).map { _ in UInt32.random(in: first ..< first + symbols, using: &generator) }
            let plain = BytePairMerging.plain(text, table.view)
            #expect(merged(text) { BytePairMerging.scanning($0, $1, table.view) } == plain, "seed \(seed), scanning")
            #expect(merged(text) { BytePairMerging.long($0, $1, table.view, workspace) } == plain, "seed \(seed), heap")
            #expect(merged(text) { BytePairMerging.merge($0, $1, table.view, workspace) } == plain, "seed \(seed)")
        }
    }

    /// Whole encodings with the cache and the fast merging, against merging by the definition piece by piece.
    @Test(arguments: ["gpt2", "smollm2", "stories260K", "made/llama3-style"])
    func encodingAgreesWithTheDefinition(_ name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name)
        let scratch = EncodingScratch()
        let words = ["the", " quick", "brown", "  ", "\n", "12", "é", "漢字", "!?", "'s", " internationalization", "\t", "😀", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
        for seed in 0 ..< 300 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let text = (0 ..< Int.random(in: 1 ... 20, using: &generator)).map { _ in words[Int.random(in: 0 ..< words.count, using: &generator)] }.joined()
            let fast = try tokenizer.encode(Array(text.utf8), scratch: scratch)
            #expect(fast == tokenizer.plainEncode(Array(text.utf8)), "\(name), seed \(seed): \(text.debugDescription)")
        }
    }

    /// A million equal letters is one piece: n log n, where scanning would take hours.
    @Test(.timeLimit(.minutes(1)), arguments: ["x", " ", "漢", "!", "\u{301}"]) func longRunsAreNotQuadratic(_ letter: String) throws {
        let text = Array(repeatElement(Array(letter.utf8), count: 1_000_000).joined())
        for name in ["gpt2", "stories260K"] {
            let tokenizer = try TokenizerFiles.fixture(name)
            let ids = try tokenizer.encode(text)
            // Strips the space that stories260K's vocabulary puts in front.
            #expect(try tokenizer.decodeText(ids) == text, "\(name): \(letter.debugDescription)")
        }
    }

    /// A shared scratch must not carry one vocabulary's ids into another's.
    @Test func scratchServesSeveralTokenizers() throws {
        let gpt2 = try TokenizerFiles.fixture("gpt2"), smollm2 = try TokenizerFiles.fixture("smollm2")
        let scratch = EncodingScratch(), text = Array("Hello world, hello again".utf8)
        let first = try gpt2.encode(text), second = try smollm2.encode(text)
        #expect(first != second)
        for _ in 0 ..< 3 {
            #expect(try gpt2.encode(text, scratch: scratch) == first)
            #expect(try smollm2.encode(text, scratch: scratch) == second)
        }
    }
}

extension Tokenizer {
    /// Merging by the definition, without cache: normalised text, cut by the same scanners (they are held to the reference's ids by other tests).
    fileprivate func plainEncode(_ text: [UInt8]) -> [UInt32] {
        var normal: [UInt8] = []
        let changed = text.withUnsafeBufferPointer { normalizer.apply($0, leadingMark: true, into: &normal) }
        let bytes = changed ? normal : text
        var ids: [UInt32] = [], position = 0
        while position < bytes.count {
            let end = bytes.withUnsafeBufferPointer { buffer -> Int in
                guard let base = buffer.baseAddress else { return bytes.count }
                return switch pattern {
                case .gpt2(let isolates): GPT2Scanner(isolatesDigits: isolates).pieceEnd(base, position, bytes.count)
                case .llama3(let most): Llama3Scanner(mostDigits: most).pieceEnd(base, position, bytes.count)
                // Not cut before space marks: that the cut changes nothing is what is tested.
                case .none: bytes.count
                }
            }
            let piece = Array(bytes[position ..< end])
            position = end
            if symbols.takesWholeEntries, let id = pieces.id(of: piece) {
                ids.append(id)
                continue
            }
            var start: [UInt32] = []
            switch symbols.alphabet {
            case .bytes: start = piece.map { symbols.byteIDs.base[Int($0)] }.filter { $0 != MergeTable.none }
            case .characters:
                for character in String(decoding: piece, as: UTF8.self).unicodeScalars {
                    let spelled = Array(String(character).utf8)
                    if let id = pieces.id(of: spelled) { start.append(id) } else { start += spelled.map { symbols.byteIDs.base[Int($0)] } }
                }
            }
            ids += BytePairMerging.plain(start, merges.view)
        }
        return ids
    }
}
