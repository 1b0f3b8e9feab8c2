/// The merges of a vocabulary: pair of ids -> (rank, id of the joined piece), in one open-addressed table.
final class MergeTable: Sendable {
    struct Entry: BitwiseCopyable {
        /// left << 32 | right; `MergeTable.none` in an empty slot.
        var pair: UInt64
        var rank: UInt32
        var joined: UInt32
    }

    /// No piece has this id and no merge this rank.
    static let none = UInt32.max

    private let entries: FixedBuffer<Entry>
    private let shift: UInt64

    /// Merges in the order of their ranks. A pair that is given twice keeps the later rank, as in the reference.
    init(_ merges: [(left: UInt32, right: UInt32, joined: UInt32)]) {
        var bits: UInt64 = 4
        while 1 << bits < 2 * merges.count { bits += 1 }
        entries = FixedBuffer(repeating: Entry(pair: .max, rank: Self.none, joined: Self.none), count: 1 << bits)
        shift = 64 - bits
        let mask = entries.count - 1
        for (rank, merge) in merges.enumerated() {
            let pair = UInt64(merge.left) << 32 | UInt64(merge.right)
            var slot = Int(truncatingIfNeeded: (pair &* Self.multiplier) >> shift)
            while entries.base[slot].pair != .max, entries.base[slot].pair != pair { slot = (slot + 1) & mask }
            entries.base[slot] = Entry(pair: pair, rank: UInt32(truncatingIfNeeded: rank), joined: merge.joined)
        }
    }

    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// What a loop holds instead of the table itself: plain pointers.
    struct View {
        fileprivate let entries: UnsafePointer<Entry>
        fileprivate let shift: UInt64
        fileprivate let mask: Int

        /// The rank of the pair and what it becomes; `none` twice where it does not merge.
        @inline(__always)
        func merge(_ left: UInt32, _ right: UInt32) -> (rank: UInt32, joined: UInt32) {
            let pair = UInt64(left) << 32 | UInt64(right)
            var slot = Int(truncatingIfNeeded: (pair &* MergeTable.multiplier) >> shift)
            while true {
                let entry = entries[slot]
                if entry.pair == pair { return (entry.rank, entry.joined) }
                if entry.pair == .max { return (MergeTable.none, MergeTable.none) }
                slot = (slot &+ 1) & mask
            }
        }
    }

    var view: View { View(entries: entries.base, shift: shift, mask: entries.count - 1) }
}
