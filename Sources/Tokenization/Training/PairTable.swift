/// How often each pair of neighbouring tokens stands in the texts, and of the current round the words that have it anew: a hash table that grows.
struct PairTable {
    private struct Slot: BitwiseCopyable {
        /// left << 32 | right; all ones in an empty slot.
        var pair = UInt64.max
        var count = 0
        /// Place in `fresh` of a pair that is new in this round, or -1.
        var fresh: Int32 = -1
    }

    private var slots = [Slot](repeating: Slot(), count: 1 << 12)
    private var used = 0
    /// Pairs that are new in this round, each with the words that have it.
    private var fresh: [(pair: UInt64, words: [UInt32])] = []

    static func pair(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) << 32 | UInt64(right) }

    func count(of pair: UInt64) -> Int { slots[place(of: pair)].count }

    /// Counts `change` more of a pair; the word that gains it is listed. Words come in order, each with all its changes at once.
    mutating func add(_ change: Int, _ pair: UInt64, gainedBy word: UInt32? = nil) {
        var place = place(of: pair)
        if slots[place].pair != pair {
            if 2 * (used + 1) > slots.count {
                grow()
                place = self.place(of: pair)
            }
            slots[place].pair = pair
            used += 1
        }
        slots[place].count += change
        guard let word else { return }
        let list = Int(slots[place].fresh)
        if list < 0 {
            slots[place].fresh = Int32(truncatingIfNeeded: fresh.count)
            fresh.append((pair, [word]))
        } else if fresh[list].words.last != word {
            fresh[list].words.append(word)
        }
    }

    /// Ends a round: every pair that was new in it, with its count and its words.
    mutating func takeFresh(_ body: (_ pair: UInt64, _ count: Int, _ words: [UInt32]) -> Void) {
        for (pair, words) in fresh {
            let place = place(of: pair)
            slots[place].fresh = -1
            body(pair, slots[place].count, words)
        }
        fresh.removeAll(keepingCapacity: true)
    }

    /// The slot of a pair, or the empty one where it belongs.
    private func place(of pair: UInt64) -> Int {
        let mask = slots.count - 1
        return slots.withUnsafeBufferPointer { slots in
            let hash = pair &* 0x9E37_79B9_7F4A_7C15
            var place = Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF_FFFF_FFFF) & mask
            while slots[place].pair != pair, slots[place].pair != UInt64.max { place = (place &+ 1) & mask }
            return place
        }
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: 2 * old.count)
        for slot in old where slot.pair != UInt64.max { slots[place(of: slot.pair)] = slot }
    }
}
