import CTokenization

/// The merges of a vocabulary: pair of ids -> (rank, id of the joined piece), in one open-addressed table behind a filter of bits.
final class MergeTable: Sendable {
    /// No piece has this id and no merge this rank.
    static let none = UInt32.max

    private let entries: FixedBuffer<uf_merge>
    private let filter: FixedBuffer<UInt64>
    private let frequent: FixedBuffer<uf_joining>
    private let shift: UInt32, filterShift: UInt32
    /// Whether all ranks are small enough for the scan of short pieces.
    let isScannable: Bool

    /// Merges in the order of their ranks. A pair that is given twice keeps the later rank, as in the reference.
    init(_ merges: [(left: UInt32, right: UInt32, joined: UInt32)]) {
        var bits: UInt32 = 4
        while 1 << bits < merges.count + merges.count / 2 { bits += 1 }
        entries = FixedBuffer(repeating: uf_merge(pair: .max, rank: Self.none, joined: Self.none), count: 1 << bits)
        shift = 64 - bits
        // Some 4 to 8 bits a merge, at least one word.
        let filterBits = max(bits + 2, 6)
        filter = FixedBuffer(repeating: 0, count: 1 << (filterBits - 6))
        filterShift = 64 - filterBits
        frequent = FixedBuffer(repeating: uf_joining(rank: Self.none, joined: Self.none), count: Int(UF_FREQUENT * UF_FREQUENT))
        isScannable = merges.count <= Int(UF_RANK_LIMIT)
        let mask = entries.count - 1
        for (rank, merge) in merges.enumerated() {
            let pair = UInt64(merge.left) << 32 | UInt64(merge.right), hash = pair &* UF_PAIR_MULTIPLIER
            var slot = Int(truncatingIfNeeded: hash >> UInt64(shift))
            while entries.base[slot].pair != .max, entries.base[slot].pair != pair { slot = (slot + 1) & mask }
            entries.base[slot] = uf_merge(pair: pair, rank: UInt32(truncatingIfNeeded: rank), joined: merge.joined)
            let bit = Int(truncatingIfNeeded: hash >> UInt64(filterShift))
            filter.base[bit >> 6] |= 1 << UInt64(bit & 63)
            if merge.left | merge.right < UF_FREQUENT {
                frequent.base[Int(merge.left * UInt32(UF_FREQUENT) + merge.right)] = uf_joining(rank: UInt32(truncatingIfNeeded: rank), joined: merge.joined)
            }
        }
    }

    /// What a loop holds instead of the table itself: plain pointers.
    struct View {
        let merges: uf_merges
        let isScannable: Bool

        /// The rank of the pair and what it becomes; `none` twice where it does not merge.
        func merge(_ left: UInt32, _ right: UInt32) -> (rank: UInt32, joined: UInt32) {
            var joined = MergeTable.none
            let rank = withUnsafePointer(to: merges) { uf_merge_rank($0, left, right, &joined) }
            return (rank, joined)
        }

        /// `BytePairMerging.scanning`
        func scan(_ symbols: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
            withUnsafePointer(to: merges) { uf_merge_symbols($0, symbols, count) }
        }
    }

    var view: View {
        View(merges: uf_merges(entries: entries.base, mask: entries.count - 1, shift: shift, filter_shift: filterShift, filter: filter.base, frequent: frequent.base),
             isScannable: isScannable)
    }
}
