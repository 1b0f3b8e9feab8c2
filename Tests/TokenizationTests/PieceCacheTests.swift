import TestSupport
import Testing
@testable import Tokenization

/// What is remembered, and pieces that are encoded part by part, change no id: neither in caches so small that pieces push each other out and lists run full, nor where characters of many
/// scripts stand beside each other.
@Suite struct PieceCacheTests {
    /// First code points and numbers of those that follow: letters that vocabularies have whole and letters of which they have some bytes.
    private static let scripts: [ClosedRange<UInt32>] = [
        0x20 ... 0x7E, 0xC0 ... 0x17F, 0x370 ... 0x3FF, 0x400 ... 0x45F, 0x5D0 ... 0x5EA, 0x621 ... 0x64A, 0x904 ... 0x939, 0xE01 ... 0xE3A, 0x300 ... 0x340, 0x3041 ... 0x3096, 0x30A1 ... 0x30FA,
        0x4E00 ... 0x4E80, 0x4E00 ... 0x9FA5, 0xAC00 ... 0xD7A3, 0x1F600 ... 0x1F64F, 0x20000 ... 0x20400, 0xFF01 ... 0xFF5E,
    ]
    /// The commonest of Chinese, neighbours of which many merge.
    private static let common = Array("的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提感金何更反合放做系计或司利受光王果亲界及今京务制解各任至清物台象记边共风战干接它许八特觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青管夫连远资队跟带花快条院变联言权往展该领传近留红治决周保达办运武半候七必城父强步完革深区即求品士转量空甚众技轻程告江语英基派满式李息写呢识极令黄德收脸钱党倒未持取设始版双历越史商千片容研像找友孩站广改议形委早房音火际则首单据导影失拿网香似斯专石若兵弟谁校读志飞观争究包组造落视济喜离虽坐集编宝谈府拉黑且随格尽剑讲布杀微怕母调局根曾准团段终乐切级克精哪官示冲竟乎男举客证苦照注费足尔招群热推晚响称兴待约阳哥惊吗整支古汉突号绝选吧参刊亚复伤类备欢另港势刻星断陈掌农夜一般同时因为所以但是没有我们他们自己什么可以")

    private func text(_ generator: inout SeededGenerator) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        for _ in 0 ..< Int.random(in: 1 ... 12, using: &generator) {
            let script = Self.scripts[Int.random(in: 0 ..< Self.scripts.count, using: &generator)], isCommon = Int.random(in: 0 ..< 3, using: &generator) == 0
            for _ in 0 ..< Int.random(in: 1 ... (Int.random(in: 0 ..< 40, using: &generator) == 0 ? 400 : 9), using: &generator) {
                if isCommon {
                    scalars.append(contentsOf: Self.common[Int.random(in: 0 ..< Self.common.count, using: &generator)].unicodeScalars)
                } else if let scalar = Unicode.Scalar(UInt32.random(in: script, using: &generator)) {
                    scalars.append(scalar)
                }
            }
        }
        return Array(String(scalars).utf8)
    }

    private func compare(_ tokenizer: Tokenizer, _ name: String, texts: Int) throws {
        let plain = EncodingScratch(isPlain: true), usual = EncodingScratch()
        let small = EncodingScratch(isPlain: false, window: 256, cache: PieceCache(bits: 1, most: 2, listWords: 1100))
        var generator = SeededGenerator(seed: 77)
        var earlier: [[UInt8]] = []
        for number in 0 ..< texts {
            // Some come again.
            let text = number % 4 == 3 ? earlier[Int.random(in: 0 ..< earlier.count, using: &generator)] : text(&generator)
            earlier.append(text)
            let expected = try tokenizer.encode(text, scratch: plain)
            for (scratch, cache) in [(usual, "the usual cache"), (small, "a small cache")] where try tokenizer.encode(text, scratch: scratch) != expected {
                Issue.record("\(name), text \(number), \(cache): other ids than plainly for \(String(decoding: text, as: UTF8.self).debugDescription)")
            }
        }
        #expect(usual.counts == plain.counts && small.counts == plain.counts)
    }

    @Test(arguments: ["gpt2", "smollm2", "stories260K", "made/llama3-style", "made/qwen2-style", "made/few-bytes", "made/unknown-style"]) func cachesAndPartsChangeNoID(_ name: String) throws {
        try compare(TokenizerFiles.fixture(name), name, texts: 1500)
    }

    @Test(.enabled(if: SharedFolder.has("tokenizers"), "needs the shared folder's tokenizers"), arguments: ["llama3", "qwen2", "qwen2.5", "starcoder"])
    func cachesAndPartsChangeNoIDOfLargeVocabularies(_ name: String) throws {
        try compare(TokenizerFiles.tokenizer(#require(SharedFolder.path("tokenizers/\(name)/tokenizer.json.gz"))), name, texts: 1500)
    }

    /// A cache that grows keeps nearly all, as few pieces share a place with too many others; one that may not gives away places. What is there is right.
    @Test func whatIsRememberedIsRight() throws {
        let cache = PieceCache(bits: 6, most: 12), fixed = PieceCache(bits: 1, most: 1)
        var generator = SeededGenerator(seed: 5)
        let pieces = (0 ..< 5000).map { number in Array("\(String(UInt32.random(in: 0 ... .max, using: &generator), radix: 36))-\(number)".utf8) }
        func ids(_ number: Int) -> [UInt32] { (0 ... number % 6).map { UInt32(number + $0) } }
        for number in 0 ..< 5000 {
            for cache in [cache, fixed] {
                cache.makeRoom()
                pieces[number].withUnsafeBufferPointer { bytes in
                    ids(number).withUnsafeBufferPointer { cache.remember(bytes.baseAddress!, bytes.count, readable: bytes.count, $0) }
                }
            }
        }
        var kept = 0, lost = 0
        for number in 0 ..< 5000 {
            let (found, left) = pieces[number].withUnsafeBufferPointer { bytes in
                (cache.ids(of: bytes.baseAddress!, bytes.count, readable: bytes.count).map(Array.init), fixed.ids(of: bytes.baseAddress!, bytes.count, readable: bytes.count).map(Array.init))
            }
            if let found { #expect(found == ids(number), "piece \(number)") } else { lost += 1 }
            if let left {
                #expect(left == ids(number), "piece \(number) of the fixed cache")
                kept += 1
            }
        }
        #expect(lost < 100)
        // Two buckets of three.
        #expect((1 ... 6).contains(kept))
    }

    private func cached(_ scratch: EncodingScratch, _ piece: String) -> [UInt32]? {
        Array(piece.utf8).withUnsafeBufferPointer { scratch.cache.ids(of: $0.baseAddress!, $0.count, readable: $0.count).map(Array.init) }
    }

    /// What one thread learns the others have from then on, with one id or several; nobody hears his own again, and no more is told than the bound says.
    @Test func threadsTellEachOther() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2"), shared = LearntPieces(most: 3)
        let scratches = (0 ..< 3).map { _ in EncodingScratch(shared: shared) }
        for scratch in scratches { scratch.exchange() }
        let one = try tokenizer.encode(Array(" the".utf8), scratch: scratches[0]), several = try tokenizer.encode(Array(" qzxqj".utf8), scratch: scratches[0])
        #expect(one.count == 1 && several.count > 1)
        #expect(cached(scratches[1], " the") == nil)
        scratches[1].exchange()
        #expect(cached(scratches[1], " the") == nil, "not told yet")
        for scratch in scratches { scratch.exchange() }
        for scratch in scratches[1...] { #expect(cached(scratch, " the") == one && cached(scratch, " qzxqj") == several) }
        #expect(scratches.map(\.cache.used) == [2, 2, 2])

        // A third, and a fourth that nobody hears of.
        _ = try tokenizer.encode(Array(" one two".utf8), scratch: scratches[1])
        for scratch in scratches + scratches { scratch.exchange() }
        #expect(scratches.map { cached($0, " one") != nil } == [true, true, true] && scratches.map { cached($0, " two") != nil } == [false, true, false])
        #expect(try tokenizer.encode(Array(" the qzxqj one two".utf8), scratch: scratches[2]) == one + several + tokenizer.encode(Array(" one two".utf8)))
    }

    /// Whatever is told, and however small the caches are: the ids of the plain way.
    @Test(arguments: ["gpt2", "smollm2", "made/llama3-style", "made/few-bytes"]) func whatIsToldChangesNoID(_ name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name), plain = EncodingScratch(isPlain: true), shared = LearntPieces()
        let small = EncodingScratch(window: 256, cache: PieceCache(bits: 1, most: 2, listWords: 1100), shared: shared)
        let scratches = [EncodingScratch(shared: shared), small, EncodingScratch(shared: shared)]
        var generator = SeededGenerator(seed: 78)
        for number in 0 ..< 900 {
            let text = text(&generator), scratch = scratches[Int.random(in: 0 ..< 3, using: &generator)]
            if number % 5 == 0 { scratch.exchange() }
            try #expect(tokenizer.encode(text, scratch: scratch) == tokenizer.encode(text, scratch: plain), "text \(number)")
        }
        // Of a vocabulary that lacks most bytes few pieces are remembered.
        #expect(scratches[0].cache.used > (name == "made/few-bytes" ? 20 : 500))
    }
}

extension PieceCache {
    /// How many pieces are here.
    fileprivate var used: Int { withExtendedLifetime(self) { state.pointee.used } }
}
