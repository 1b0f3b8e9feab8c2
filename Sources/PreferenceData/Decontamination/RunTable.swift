/// Where runs of one length begin in a sequence of words, by hash. Each different run stands once, at its first place.
struct RunTable: Sendable {
    let length: Int
    private let power: UInt64
    private let hashMask: UInt64
    /// Open addressing: the upper half of the hash over 1 + the number of the run's first word; 0 is free.
    private var slots: [UInt64]
    /// One bit for every eighth of a slot: most runs that are looked for are not there, and this much fits a processor's cache.
    private var filter: [UInt64]

    /// - Parameters:
    ///   - capacity: the most runs that will be inserted.
    ///   - hashMask: bits of hashes that are used: all, but for tests.
    init(length: Int, capacity: Int, hashMask: UInt64) {
        var count = 64
        while count * 3 < capacity * 4 { count *= 2 }
        self.length = length
        self.hashMask = hashMask
        power = RunHashes.power(length)
        slots = Array(repeating: 0, count: count)
        filter = Array(repeating: 0, count: count / 8)
    }

    mutating func insert(_ word: Int, _ hashes: RunHashes, _ words: WordSequence) {
        let hash = hashes.hash(at: word, length: length, power: power) & hashMask
        let (slot, known) = search(hash, words, word, in: words)
        guard known == nil else { return }
        slots[slot] = hash & ~0xFFFF_FFFF | UInt64(word + 1)
        filter[filterWord(hash)] |= filterBit(hash)
    }

    /// The first run in `sequence` that is here and begins before the word `end`, and where it begins in `words`.
    func first(_ sequence: WordSequence, _ hashes: RunHashes, before end: Int, in words: WordSequence) -> (start: Int, known: Int)? {
        for start in 0 ..< max(0, min(end, sequence.count - length + 1)) {
            let hash = hashes.hash(at: start, length: length, power: power) & hashMask
            if filter[filterWord(hash)] & filterBit(hash) != 0, let known = search(hash, sequence, start, in: words).known { return (start, known) }
        }
        return nil
    }

    // Of the upper bits: the lower ones choose the slot.
    private func filterWord(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 38) & (filter.count - 1) }
    private func filterBit(_ hash: UInt64) -> UInt64 { 1 << (hash >> 32 & 63) }

    /// The slot where the run is, with its first word in `words`, or the free one where it would be.
    private func search(_ hash: UInt64, _ sequence: WordSequence, _ word: Int, in words: WordSequence) -> (slot: Int, known: Int?) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if (slots[slot] ^ hash) >> 32 == 0 {
                let known = Int(slots[slot] & 0xFFFF_FFFF) - 1
                let run = words.bytes[words.bytes(of: known ..< known + length)]
                if run.elementsEqual(sequence.bytes[sequence.bytes(of: word ..< word + length)]) { return (slot, known) }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return (slot, nil)
    }
}
