import CTokenization

/// Characters of several bytes that merging may start from as one symbol: their bytes join before anything joins them to a neighbour, whatever else the text holds.
///
/// Let r be the highest rank among the merges that make the character's token of its bytes alone. Until it is made, a merge across its left edge has one of the tokens
/// on the way to it (its first byte, its first two bytes ...) as right part, and as left part some token that ends in the byte before the character. Where all such merges
/// rank above r, and those across its right edge do too, the merges inside come first, in their own order. So three or four symbols become one before the work begins,
/// which is most of the work for Chinese.
final class CharacterUnits: Sendable {
    /// A row for each token that can be at such an edge: for each byte of a neighbour the lowest rank of a merge with it, `MergeTable.none` where there is none.
    private let left: Rows, right: Rows

    private struct Rows: Sendable {
        let ranks: FixedBuffer<UInt32>
        /// Where the row of a token begins, -1 for those with which nothing merges.
        let places: FixedBuffer<Int32>
    }

    /// - Parameters:
    ///   - merges: in the order of their ranks.
    ///   - pieces: the bytes of each id.
    init(_ merges: [(left: UInt32, right: UInt32, joined: UInt32)], _ pieces: PieceTable) {
        func isPart(_ bytes: UnsafeBufferPointer<UInt8>, _ belongs: (UInt8) -> Bool) -> Bool { (1 ... 3).contains(bytes.count) && bytes.allSatisfy { $0 >= 0x80 } && belongs(bytes[0]) }
        func rows(_ edge: (Int) -> UInt32, _ neighbour: (Int) -> UInt32, isPart: (UnsafeBufferPointer<UInt8>) -> Bool, byte: (UnsafeBufferPointer<UInt8>) -> UInt8?) -> Rows {
            var lowest: [UInt32] = []
            let places = FixedBuffer<Int32>(repeating: -1, count: pieces.count)
            for rank in merges.indices {
                let id = Int(edge(rank))
                guard isPart(pieces[id]), let byte = byte(pieces[Int(neighbour(rank))]) else { continue }
                if places.base[id] < 0 {
                    places.base[id] = Int32(truncatingIfNeeded: lowest.count)
                    lowest += repeatElement(MergeTable.none, count: 256)
                }
                let place = Int(places.base[id]) + Int(byte)
                lowest[place] = min(lowest[place], UInt32(truncatingIfNeeded: rank))
            }
            return Rows(ranks: FixedBuffer(lowest), places: places)
        }
        // A character begins with a lead byte and ends in continuation bytes.
        left = rows({ merges[$0].right }, { merges[$0].left }, isPart: { isPart($0) { $0 >= 0xC0 } }, byte: \.last)
        right = rows({ merges[$0].left }, { merges[$0].right }, isPart: { isPart($0) { $0 < 0xC0 } }, byte: \.first)
    }

    var edges: uf_unit_edges {
        uf_unit_edges(left_rows: left.places.base, right_rows: right.places.base, left_ranks: left.ranks.base, right_ranks: right.ranks.base)
    }
}
