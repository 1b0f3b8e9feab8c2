import Glibc

/// Characters of several bytes that merging may start from as one symbol: their bytes join before anything joins them to a neighbour, whatever else the text holds.
///
/// Let r be the highest rank among the merges that make the character's token of its bytes alone. Until it is made, a merge across its left edge has one of the tokens
/// on the way to it (its first byte, its first two bytes ...) as right part, and as left part some token that ends in the byte before the character. Where all such merges
/// rank above r, and those across its right edge do too, the merges inside come first, in their own order. So three or four symbols become one before the work begins,
/// which is most of the work for Chinese.
final class CharacterUnits: Sendable {
    /// A row for each token that can be at such an edge: for each byte of a neighbour the lowest rank of a merge with it, `MergeTable.none` where there is none.
    private let leftRows: FixedBuffer<UInt32>, rightRows: FixedBuffer<UInt32>
    private let leftRow: [UInt32: Int], rightRow: [UInt32: Int]

    /// - Parameters:
    ///   - merges: in the order of their ranks.
    ///   - pieces: the bytes of each id.
    init(_ merges: [(left: UInt32, right: UInt32, joined: UInt32)], _ pieces: PieceTable) {
        func isPart(_ bytes: UnsafeBufferPointer<UInt8>, _ belongs: (UInt8) -> Bool) -> Bool { (1 ... 3).contains(bytes.count) && bytes.allSatisfy { $0 >= 0x80 } && belongs(bytes[0]) }
        func rows(_ edge: (Int) -> UInt32, _ neighbour: (Int) -> UInt32, isPart: (UnsafeBufferPointer<UInt8>) -> Bool, byte: (UnsafeBufferPointer<UInt8>) -> UInt8?)
            -> (FixedBuffer<UInt32>, [UInt32: Int]) {
            var row: [UInt32: Int] = [:], lowest: [UInt32] = []
            for rank in merges.indices {
                let id = edge(rank)
                guard isPart(pieces[Int(id)]), let byte = byte(pieces[Int(neighbour(rank))]) else { continue }
                let start = row[id] ?? lowest.count
                if start == lowest.count {
                    row[id] = start
                    lowest += repeatElement(MergeTable.none, count: 256)
                }
                lowest[start + Int(byte)] = min(lowest[start + Int(byte)], UInt32(truncatingIfNeeded: rank))
            }
            return (FixedBuffer(lowest), row)
        }
        // A character begins with a lead byte and ends in continuation bytes.
        (leftRows, leftRow) = rows({ merges[$0].right }, { merges[$0].left }, isPart: { isPart($0) { $0 >= 0xC0 } }, byte: \.last)
        (rightRows, rightRow) = rows({ merges[$0].left }, { merges[$0].right }, isPart: { isPart($0) { $0 < 0xC0 } }, byte: \.first)
    }

    struct Unit: BitwiseCopyable {
        var id: UInt32
        /// r
        var rank: UInt32
        /// Rows of the tokens at its edges, -1 for those with which nothing merges; there are at most three at each.
        fileprivate var left: (Int32, Int32, Int32) = (-1, -1, -1), right: (Int32, Int32, Int32) = (-1, -1, -1)
    }

    /// The token of a character by its bytes alone, where they become one.
    func unit(_ bytes: UnsafeBufferPointer<UInt8>, _ byteIDs: UnsafePointer<UInt32>, _ table: MergeTable.View) -> Unit? {
        var symbols = bytes.map { byteIDs[Int($0)] }
        guard !symbols.contains(MergeTable.none) else { return nil }
        var unit = Unit(id: 0, rank: 0), lefts: [Int32] = [], rights: [Int32] = []
        while symbols.count > 1 {
            if let row = leftRow[symbols[0]] { lefts.append(Int32(row)) }
            if let row = rightRow[symbols[symbols.count - 1]] { rights.append(Int32(row)) }
            let ranks = symbols.indices.dropLast().map { table.merge(symbols[$0], symbols[$0 + 1]) }
            guard let at = ranks.indices.min(by: { ranks[$0].rank < ranks[$1].rank }), ranks[at].rank != MergeTable.none else { return nil }
            unit.rank = max(unit.rank, ranks[at].rank)
            symbols[at] = ranks[at].joined
            symbols.remove(at: at + 1)
        }
        unit.id = symbols[0]
        func three(_ rows: [Int32]) -> (Int32, Int32, Int32) { (rows.first ?? -1, rows.count > 1 ? rows[1] : -1, rows.count > 2 ? rows[2] : -1) }
        (unit.left, unit.right) = (three(lefts), three(rights))
        return unit
    }

    /// Whether nothing joins the unit's first bytes to what ends in `byte` before the unit is whole.
    @inline(__always)
    func holds(_ unit: Unit, after byte: UInt8) -> Bool {
        let rows = leftRows.base, byte = Int(byte)
        return (unit.left.0 < 0 || rows[Int(unit.left.0) &+ byte] > unit.rank) && (unit.left.1 < 0 || rows[Int(unit.left.1) &+ byte] > unit.rank)
            && (unit.left.2 < 0 || rows[Int(unit.left.2) &+ byte] > unit.rank)
    }

    @inline(__always)
    func holds(_ unit: Unit, before byte: UInt8) -> Bool {
        let rows = rightRows.base, byte = Int(byte)
        return (unit.right.0 < 0 || rows[Int(unit.right.0) &+ byte] > unit.rank) && (unit.right.1 < 0 || rows[Int(unit.right.1) &+ byte] > unit.rank)
            && (unit.right.2 < 0 || rows[Int(unit.right.2) &+ byte] > unit.rank)
    }
}

/// The units met so far, one memory a thread: at most one entry a code point.
final class UnitMemory {
    private static let unknown: UInt32 = 0, noUnit: UInt32 = 1
    /// By code point: unknown, no unit, or 2 + its place in `units`. Untouched pages take no memory.
    private let places: UnsafeMutablePointer<UInt32>
    private var units: [CharacterUnits.Unit] = []

    init() {
        guard let memory = calloc(0x110000, MemoryLayout<UInt32>.stride) else { outOfMemory(4 * 0x110000) }
        places = memory.bindMemory(to: UInt32.self, capacity: 0x110000)
    }

    deinit { free(places) }

    func empty() {
        guard !units.isEmpty else { return }
        places.update(repeating: UnitMemory.unknown, count: 0x110000)
        units.removeAll()
    }

    @inline(__always)
    func unit(_ point: UInt32, make: () -> CharacterUnits.Unit?) -> CharacterUnits.Unit? {
        let place = places[Int(point)]
        if place > UnitMemory.noUnit { return units[Int(place) &- 2] }
        return place == UnitMemory.noUnit ? nil : remember(point, make())
    }

    @inline(never)
    private func remember(_ point: UInt32, _ unit: CharacterUnits.Unit?) -> CharacterUnits.Unit? {
        places[Int(point)] = unit == nil ? UnitMemory.noUnit : UInt32(truncatingIfNeeded: units.count) + 2
        if let unit { units.append(unit) }
        return unit
    }
}
