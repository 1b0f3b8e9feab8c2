import CTokenization

/// The ids of short pieces met before, one cache a thread: a table of 32-byte entries, each in one of four places, of which the last is given away when all are taken. `PieceCutter` looks pieces up in it.
///
/// It holds results of merging only, so it changes no id. It grows with what it holds, up to a size that is fixed.
final class PieceCache {
    private var table: ZeroedTable<uf_piece>
    private(set) var mask: Int
    private let most: Int
    private var used = 0

    var entries: UnsafeMutablePointer<uf_piece> { table.base }

    /// - Parameters:
    ///   - bits: of the number of entries to begin with: 16 are 2 MiB.
    ///   - most: of the greatest number: 20 are 32 MiB, room for the words of 30 MB of source code.
    init(bits: Int = 16, most: Int = 20) {
        (table, mask, self.most) = (ZeroedTable(count: 1 << bits), 1 << bits - 1, 1 << most)
    }

    func empty() {
        entries.update(repeating: uf_piece(), count: mask + 1)
        used = 0
    }

    /// Where a quarter of the places is taken: eight times as many. Smaller steps would cost more than they save. Not while a window is cut, which keeps the numbers of places.
    func grow() {
        guard used > (mask + 1) / 4, mask + 1 < most else { return }
        let old = table, count = min(8 * table.count, most)
        (table, mask, used) = (ZeroedTable(count: count), count - 1, 0)
        for index in 0 ..< old.count where old.base[index].high != 0 { insert(old.base[index]) }
    }

    /// The entry of a piece of 1 to 15 bytes, of which `readable` bytes can be read.
    func entry(of piece: UnsafePointer<UInt8>, _ length: Int, readable: Int) -> UnsafePointer<uf_piece>? {
        uf_piece_find(entries, mask, piece, length, readable)
    }

    /// Remembers a piece of 1 to 15 bytes with 1 to 4 ids; false for any other, which is not for this cache. Of a short piece with more ids it remembers that: its entry has none.
    func remember(_ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ ids: UnsafeBufferPointer<UInt32>) -> Bool {
        guard (1 ... Int(UF_LONGEST_CACHED_PIECE)).contains(length), !ids.isEmpty else { return false }
        let fits = ids.count <= Int(UF_MOST_CACHED_IDS)
        // It may be here already, and its ids forgotten elsewhere.
        if !fits, self.entry(of: piece, length, readable: readable) != nil { return false }
        insert(uf_piece_make(piece, length, readable, ids.baseAddress, fits ? ids.count : 0))
        return fits
    }

    /// Into the first place that is free: what comes early comes often, and is found first. Where none is, the last one goes.
    private func insert(_ piece: uf_piece) {
        var piece = piece
        let slot = uf_piece_slot(&piece, mask)
        guard let free = (0 ..< Int(UF_PLACES)).first(where: { entries[slot ^ $0].high == 0 }) else {
            entries[slot ^ (Int(UF_PLACES) - 1)] = piece
            return
        }
        entries[slot ^ free] = piece
        used += 1
    }
}
