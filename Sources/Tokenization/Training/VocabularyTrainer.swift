import SystemIO

/// Learns a byte-level BPE vocabulary: the tokens and merges that the `BpeTrainer` of Hugging Face's tokenizers 0.23.3 gives for the same texts.
///
/// Ids go to the special tokens, then to the alphabet in the order of its characters, then to what is merged. The pair merged next is the most frequent, of equals that of
/// the smaller ids. Two habits of the reference are part of its result and kept here: a merged pair's own count is not set back, so that a pair which comes to stand
/// again (its token was made of other parts meanwhile) starts from it; and a pair that comes to stand in several rounds is merged in each round's words by itself.
/// Counts here do not overflow, where the reference's do at 2^31.
public struct VocabularyTrainer: Sendable {
    public enum InitialAlphabet: String, Sendable, CaseIterable {
        /// All 256 bytes, so that any text has tokens.
        case bytes
        /// The bytes that the texts have.
        case seen
    }

    /// Tokens of the vocabulary in all.
    public var size: Int
    public var pattern: TrainingPattern
    /// Tokens that stand beside the text, in the order of their ids.
    public var special: [String] = []
    /// A pair that stands less often is not merged.
    public var minimumFrequency = 0
    public var initialAlphabet = InitialAlphabet.bytes
    /// Of the bytes seen, keep so many: the most frequent, of equals those of the smaller characters. The others are left out of all words.
    public var mostSymbols: Int?
    /// Bytes of the longest token that merging makes; at least 2. (The reference's `max_token_length` is what none reaches: one more.)
    public var longestToken: Int?

    public init(size: Int, pattern: TrainingPattern) {
        self.size = size
        self.pattern = pattern
    }

    /// What merging starts from at least: the special tokens, and the alphabet where it is known beforehand.
    public var leastSize: Int { Set(special).union(initialAlphabet == .bytes ? ByteAlphabet.characters.compactMap { Unicode.Scalar($0).map { String($0) } } : []).count }

    /// - Parameter progress: called with the number of tokens as it grows.
    /// - Throws: `InputError` where the texts are empty, or `size` does not hold what merging starts from.
    public func train(_ texts: CountedTexts, progress: (Int) -> Void = { _ in }) throws(InputError) -> TrainedVocabulary {
        guard texts.distinct > 0 else { throw InputError("the inputs hold no text to learn from: \(counted(texts.counts.texts, "text")), all of them empty") }
        var tokens = TokenList()
        for content in special { tokens.add(Array(content.utf8)) }
        let symbols = alphabet(texts.pieces, &tokens)
        guard tokens.count <= size else {
            throw InputError("a vocabulary of \(size) tokens cannot hold the \(tokens.count) that it starts from: \(special.count) special ones and the alphabet; raise --size")
        }
        let merges = merge(TrainingWords(texts.pieces, symbols: symbols), &tokens, progress)
        return TrainedVocabulary(pattern: pattern, special: special, tokens: tokens.spellings, merges: merges)
    }

    /// Gives every byte of the alphabet its token.
    private func alphabet(_ pieces: PieceCounts, _ tokens: inout TokenList) -> [UInt32?] {
        var occurrences = [UInt64](repeating: 0, count: 256)
        pieces.forEach { piece, times in
            for byte in piece { occurrences[Int(byte)] += times }
        }
        func character(_ byte: Int) -> UInt32 { ByteAlphabet.characters[byte] }
        var bytes = (0 ..< 256).filter { initialAlphabet == .bytes || occurrences[$0] > 0 }
        if initialAlphabet == .seen, let mostSymbols {
            bytes.sort { occurrences[$0] != occurrences[$1] ? occurrences[$0] > occurrences[$1] : character($0) < character($1) }
            bytes.removeLast(max(0, bytes.count - mostSymbols))
        }
        var symbols = [UInt32?](repeating: nil, count: 256)
        for byte in bytes.sorted(by: { character($0) < character($1) }) {
            var spelling: [UInt8] = []
            UTF8Text.append(character(byte), to: &spelling)
            symbols[byte] = tokens.add(spelling)
        }
        return symbols
    }

    private func merge(_ words: TrainingWords, _ tokens: inout TokenList, _ progress: (Int) -> Void) -> [TrainedVocabulary.Merge] {
        var pairs = PairTable(), queue = PairQueue(), merges: [TrainedVocabulary.Merge] = []
        let longest = longestToken ?? .max
        words.countPairs(&pairs)
        enqueue(&pairs, &queue)
        while tokens.count < size, var top = queue.pop() {
            let count = pairs.count(of: top.pair)
            if top.count != count {
                top.count = count
                queue.push(top)
                continue
            }
            if count < max(1, minimumFrequency) { break }
            let left = UInt32(truncatingIfNeeded: top.pair >> 32), right = UInt32(truncatingIfNeeded: top.pair)
            let joined = tokens.add(tokens.spellings[Int(left)] + tokens.spellings[Int(right)])
            merges.append(TrainedVocabulary.Merge(left: left, right: right))
            let room = longest - tokens.lengths[Int(joined)]
            tokens.lengths.withUnsafeBufferPointer { lengths in
                for word in top.words { words.merge(word, left, right, into: joined, &pairs, mayJoin: { lengths[Int($0)] <= room }) }
            }
            enqueue(&pairs, &queue)
            progress(tokens.count)
        }
        return lastOfEach(merges)
    }

    /// What the last round brought.
    private func enqueue(_ pairs: inout PairTable, _ queue: inout PairQueue) {
        pairs.takeFresh { pair, count, words in
            if count > 0 { queue.push(PairQueue.Entry(count: count, pair: pair, words: words)) }
        }
    }

    /// A pair that was merged in several rounds has the rank of the last.
    private func lastOfEach(_ merges: [TrainedVocabulary.Merge]) -> [TrainedVocabulary.Merge] {
        var seen: Set<TrainedVocabulary.Merge> = []
        return merges.reversed().filter { seen.insert($0).inserted }.reversed()
    }
}

/// Tokens as a vocabulary file spells them, by id and by spelling.
private struct TokenList {
    private(set) var spellings: [[UInt8]] = []
    /// Characters of each spelling: of what merging makes, the bytes that it stands for.
    private(set) var lengths: [Int] = []
    private var ids: [[UInt8]: UInt32] = [:]

    var count: Int { spellings.count }

    /// The id of a token, which is entered where it is new.
    @discardableResult
    mutating func add(_ spelling: [UInt8]) -> UInt32 {
        if let id = ids[spelling] { return id }
        let id = UInt32(truncatingIfNeeded: count)
        ids[spelling] = id
        spellings.append(spelling)
        lengths.append(spelling.count { $0 & 0xC0 != 0x80 })
        return id
    }
}
