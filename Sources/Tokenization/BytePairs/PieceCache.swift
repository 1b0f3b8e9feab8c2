import CTokenization

/// The ids of short pieces met before, one cache a thread: a fixed table of 32-byte entries, two a line, the newer kept. `PieceCutter` looks pieces up in it.
///
/// It holds results of merging only, so it changes no id.
final class PieceCache {
    let entries: UnsafeMutablePointer<uf_piece>
    let mask: Int

    init(bits: Int = 18) {
        let count = 1 << bits
        mask = count - 1
        // A line of the processor's cache holds an entry and the one whose slot differs in the lowest bit.
        entries = allocateTable(count)
        entries.initialize(repeating: uf_piece(), count: count)
    }

    deinit { entries.deallocate() }

    func empty() { entries.update(repeating: uf_piece(), count: mask + 1) }

    /// The entry of a piece of 1 to 15 bytes, of which `readable` bytes can be read.
    func entry(of piece: UnsafePointer<UInt8>, _ length: Int, readable: Int) -> UnsafePointer<uf_piece>? {
        uf_piece_find(entries, mask, piece, length, readable)
    }

    /// Remembers a piece of 1 to 15 bytes with 1 to 4 ids; false for any other, which is not for this cache. Of a short piece with more ids it remembers that: its entry has none.
    func remember(_ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ ids: UnsafeBufferPointer<UInt32>) -> Bool {
        guard (1 ... Int(UF_LONGEST_CACHED_PIECE)).contains(length), !ids.isEmpty else { return false }
        let fits = ids.count <= Int(UF_MOST_CACHED_IDS)
        var entry = uf_piece_make(piece, length, readable, ids.baseAddress, fits ? ids.count : 0)
        let slot = uf_piece_slot(&entry, mask)
        if entries[slot].high != 0 { entries[slot ^ 1] = entries[slot] }
        entries[slot] = entry
        return fits
    }
}
