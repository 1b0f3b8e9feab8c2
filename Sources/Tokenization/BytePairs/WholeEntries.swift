import CTokenization

/// The short pieces of a vocabulary by their bytes, in the form in which pieces that were met before are kept: for vocabularies of which an entry that is a piece as a whole is not merged.
final class WholeEntries: @unchecked Sendable {
    private let table: FixedBuffer<uf_bucket>
    let state: UnsafeMutablePointer<uf_cache>

    init(_ pieces: PieceTable) {
        var count = 1 << 4
        while Int(UF_PLACES) * count < 2 * pieces.count { count *= 2 }
        while true {
            let table = FixedBuffer(repeating: uf_bucket(), count: count)
            var cache = uf_cache(buckets: table.base, mask: count - 1, used: 0, lists: nil, listed: 0, list_limit: 0)
            var entered = 0
            for id in 0 ..< pieces.count {
                let piece = pieces[id]
                guard let base = piece.baseAddress, (1 ... Int(UF_LONGEST_CACHED_PIECE)).contains(piece.count), pieces.id(of: base, count: piece.count) == UInt32(id) else { continue }
                var id = UInt32(truncatingIfNeeded: id)
                uf_cache_remember(&cache, base, piece.count, piece.count, &id, 1)
                entered += 1
            }
            // A cache gives away places where there is no room, which a vocabulary must not.
            if cache.used == entered {
                self.table = table
                state = .allocate(capacity: 1)
                state.initialize(to: cache)
                return
            }
            count *= 2
        }
    }

    deinit { state.deallocate() }
}
