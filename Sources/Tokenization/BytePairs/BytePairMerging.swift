import CTokenization

/// Byte-pair merging of one piece: of all neighbours that merge, the pair of lowest rank joins first, the leftmost of equals; until none merges.
///
/// Three ways to the same result: `plain` is the definition, `scanning` keeps the ranks of all neighbours and looks for the least, many at a time, `long` keeps them in
/// a heap, so that a piece of a million equal letters costs n log n. `merge` chooses.
enum BytePairMerging {
    /// Symbols up to which scanning beats the heap, and can be done.
    static let scanLimit = Int(UF_MOST_SCANNED)

    /// Merges `symbols[0 ..< count]` in place and returns how many are left. `workspace` grows as needed.
    static func merge(_ symbols: UnsafeMutablePointer<UInt32>, _ count: Int, _ table: MergeTable.View, _ workspace: MergeWorkspace) -> Int {
        guard count > 1 else { return count }
        return count <= scanLimit && table.isScannable ? scanning(symbols, count, table) : long(symbols, count, table, workspace)
    }

    /// The definition, quadratic and without any state between steps.
    static func plain(_ symbols: [UInt32], _ table: MergeTable.View) -> [UInt32] {
        var symbols = symbols
        while true {
            var best = (rank: MergeTable.none, joined: MergeTable.none, at: 0)
            for index in symbols.indices.dropLast() {
                let (rank, joined) = table.merge(symbols[index], symbols[index + 1])
                if rank < best.rank { best = (rank, joined, index) }
            }
            guard best.rank != MergeTable.none else { return symbols }
            symbols[best.at] = best.joined
            symbols.remove(at: best.at + 1)
        }
    }

    /// At most `scanLimit` symbols.
    static func scanning(_ symbols: UnsafeMutablePointer<UInt32>, _ count: Int, _ table: MergeTable.View) -> Int { table.scan(symbols, count) }

    static func long(_ symbols: UnsafeMutablePointer<UInt32>, _ count: Int, _ table: MergeTable.View, _ workspace: MergeWorkspace) -> Int {
        workspace.reserve(count)
        let links = workspace.links
        workspace.emptyHeap()
        for index in 0 ..< count {
            var link = MergeWorkspace.Link(previous: Int32(truncatingIfNeeded: index &- 1), next: Int32(truncatingIfNeeded: index &+ 1),
                                           rank: MergeTable.none, joined: MergeTable.none)
            if index &+ 1 < count {
                (link.rank, link.joined) = table.merge(symbols[index], symbols[index &+ 1])
                if link.rank != MergeTable.none { workspace.append(rank: link.rank, position: index) }
            }
            links[index] = link
        }
        workspace.makeHeap()
        while let (rank, position) = workspace.popLowest() {
            // Stale when the symbol is gone or its pair has changed since: a pair has one rank.
            guard links[position].rank == rank else { continue }
            let right = Int(links[position].next)
            symbols[position] = links[position].joined
            links[right].rank = MergeTable.none
            let after = Int(links[right].next)
            links[position].next = Int32(truncatingIfNeeded: after)
            if after < count {
                links[after].previous = Int32(truncatingIfNeeded: position)
                refresh(position, after)
            } else {
                links[position].rank = MergeTable.none
            }
            let before = Int(links[position].previous)
            if before >= 0 { refresh(before, position) }
        }
        var kept = 0, position = 0
        while position < count {
            symbols[kept] = symbols[position]
            kept &+= 1
            position = Int(links[position].next)
        }
        return kept

        func refresh(_ left: Int, _ right: Int) {
            let (rank, joined) = table.merge(symbols[left], symbols[right])
            (links[left].rank, links[left].joined) = (rank, joined)
            if rank != MergeTable.none { workspace.push(rank: rank, position: left) }
        }
    }
}
