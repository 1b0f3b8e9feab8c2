/// Pairs in the order in which they are merged: the one that stands most often, of equals that of the smaller ids. A binary heap.
struct PairQueue {
    struct Entry {
        /// As it was when the entry was made: the pair may have become rarer, or more frequent.
        var count: Int
        /// left << 32 | right.
        var pair: UInt64
        /// Words that may have the pair.
        var words: [UInt32]

        fileprivate func comes(before other: Entry) -> Bool { count != other.count ? count > other.count : pair < other.pair }
    }

    private var heap: [Entry] = []

    mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].comes(before: heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Entry? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var parent = 0
        while true {
            var best = 2 * parent + 1
            guard best < heap.count else { return first }
            if best + 1 < heap.count, heap[best + 1].comes(before: heap[best]) { best += 1 }
            guard heap[best].comes(before: heap[parent]) else { return first }
            heap.swapAt(parent, best)
            parent = best
        }
    }
}
