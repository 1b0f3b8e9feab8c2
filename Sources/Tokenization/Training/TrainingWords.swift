/// The distinct pieces as rows of tokens in one stretch of memory; a row shrinks in its place as its tokens merge.
final class TrainingWords {
    private struct Word: BitwiseCopyable {
        var start: Int
        var count: Int
        /// How often the texts have it.
        var occurrences: Int
    }

    private let tokens: FixedBuffer<UInt32>
    private let words: FixedBuffer<Word>

    /// - Parameter symbols: the token of each byte; nil for one that is left out: its neighbours stand side by side then.
    init(_ pieces: PieceCounts, symbols: [UInt32?]) {
        var words: [Word] = []
        words.reserveCapacity(pieces.count)
        tokens = FixedBuffer(repeating: 0, count: pieces.bytes)
        var end = 0
        pieces.forEach { [tokens] piece, occurrences in
            let start = end
            for byte in piece {
                guard let symbol = symbols[Int(byte)] else { continue }
                tokens.base[end] = symbol
                end += 1
            }
            // Nothing can merge in a word of one token: it needs no room.
            if end - start > 1 { words.append(Word(start: start, count: end - start, occurrences: Int(occurrences))) } else { end = start }
        }
        self.words = FixedBuffer(words)
        count = words.count
    }

    let count: Int

    /// Enters every pair of neighbours.
    func countPairs(_ pairs: inout PairTable) {
        for number in 0 ..< count {
            let word = words.base[number], row = tokens.base + word.start
            for index in 1 ..< word.count {
                pairs.add(word.occurrences, PairTable.pair(row[index - 1], row[index]), gainedBy: UInt32(truncatingIfNeeded: number))
            }
        }
    }

    /// Joins the pair wherever the word has it, from the left, and enters what that does to the pairs with its neighbours. The joined pair's own count stays as it was.
    ///
    /// - Parameter mayJoin: whether a token and the joined one may merge later, by their length.
    func merge(_ number: UInt32, _ left: UInt32, _ right: UInt32, into joined: UInt32, _ pairs: inout PairTable, mayJoin: (UInt32) -> Bool) {
        let word = words.base[Int(number)], row = tokens.base + word.start, occurrences = word.occurrences
        var read = 0, written = 0
        while read < word.count {
            guard row[read] == left, read + 1 < word.count, row[read + 1] == right else {
                row[written] = row[read]
                written += 1
                read += 1
                continue
            }
            if written > 0 {
                let before = row[written - 1]
                pairs.add(-occurrences, PairTable.pair(before, left))
                if mayJoin(before) { pairs.add(occurrences, PairTable.pair(before, joined), gainedBy: number) }
            }
            row[written] = joined
            written += 1
            read += 2
            if read < word.count {
                let after = row[read]
                pairs.add(-occurrences, PairTable.pair(right, after))
                if mayJoin(after) { pairs.add(occurrences, PairTable.pair(joined, after), gainedBy: number) }
            }
        }
        words.base[Int(number)].count = written
    }
}
