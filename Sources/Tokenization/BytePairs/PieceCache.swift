import CTokenization

/// The ids of short pieces met before, one cache a thread. `PieceCutter` looks pieces up in it.
///
/// It holds results of merging only, so it changes no id. It grows with what it holds, up to a size that is fixed: then the place of a piece is given to the next.
final class PieceCache {
    private var table: ZeroedTable<uf_bucket>
    /// The ids of pieces that have several. Untouched pages take no memory.
    private let lists: ZeroedTable<UInt32>
    private let most: Int
    /// Behind a pointer, whose fields can be reached without a check for other uses at every step.
    let state: UnsafeMutablePointer<uf_cache>

    /// Pieces that were learnt since `eachLearnt` was called; of more, nobody is told.
    private var learnt: FixedBuffer<uf_learnt>?
    private static let mostLearnt = 1 << 13

    /// Words of lists: where fewer are left, all is forgotten before the next window, as pieces of several ids are no longer remembered when there are none.
    private static let listRoom = 1 << 10

    /// - Parameters:
    ///   - bits: of the number of buckets to begin with: 15 are 2 MiB, a large page.
    ///   - most: of the greatest number: 18 are 16 MiB, room for the words of 60 MB of source code.
    ///   - listWords: room for ids of pieces that have several, 4 bytes each.
    init(bits: Int = 15, most: Int = 18, listWords: Int = 1 << 21) {
        (table, self.most) = (ZeroedTable(count: 1 << bits), 1 << most)
        lists = ZeroedTable(count: listWords + Int(UF_COPIED_IDS))
        state = .allocate(capacity: 1)
        state.initialize(to: uf_cache(buckets: table.base, mask: 1 << bits - 1, used: 0, lists: lists.base, listed: 0, list_limit: listWords, learnt: nil, learnt_count: 0, learnt_limit: 0))
    }

    deinit { state.deallocate() }

    func empty() {
        table.base.update(repeating: uf_bucket(), count: table.count)
        (state.pointee.used, state.pointee.listed, state.pointee.learnt_count) = (0, 0, 0)
    }

    /// Twice as many buckets where three of eight places are taken, of which few have pushed a piece out by then; forgets all where the lists are nearly full. Not while a window is cut, which keeps the numbers of buckets and places of lists.
    func makeRoom() {
        if state.pointee.listed + PieceCache.listRoom > state.pointee.list_limit { empty() }
        guard 8 * state.pointee.used > 3 * Int(UF_PLACES) * table.count, table.count < most else { return }
        let larger = ZeroedTable<uf_bucket>(count: 2 * table.count)
        var grown = state.pointee
        (grown.buckets, grown.mask, grown.used) = (larger.base, larger.count - 1, 0)
        uf_cache_move(state, &grown)
        state.pointee = grown
        table = larger
    }

    /// The ids of a piece of 1 to 15 bytes, of which `readable` bytes can be read; they hold until the next `remember`.
    func ids(of piece: UnsafePointer<UInt8>, _ length: Int, readable: Int) -> UnsafeBufferPointer<UInt32>? {
        var count = 0
        guard let ids = uf_cache_find(state, piece, length, readable, &count) else { return nil }
        return UnsafeBufferPointer(start: ids, count: count)
    }

    /// Remembers a piece of 1 to 15 bytes that is not here.
    func remember(_ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ ids: UnsafeBufferPointer<UInt32>) {
        uf_cache_remember(state, piece, length, readable, ids.baseAddress, ids.count)
    }

    /// The pieces that were remembered since this was last called, oldest first; from the first call on.
    func eachLearnt(_ body: (_ low: UInt64, _ high: UInt64, _ ids: UnsafeBufferPointer<UInt32>) -> Void) {
        guard let learnt else {
            let room = FixedBuffer<uf_learnt>(uninitializedCount: PieceCache.mostLearnt)
            (learnt, state.pointee.learnt, state.pointee.learnt_limit) = (room, room.base, room.count)
            return
        }
        for number in 0 ..< state.pointee.learnt_count {
            let piece = learnt.base + number
            if piece.pointee.id & UF_IS_LIST == 0 {
                withUnsafePointer(to: &piece.pointee.id) { body(piece.pointee.low, piece.pointee.high, UnsafeBufferPointer(start: $0, count: 1)) }
            } else {
                let list = lists.base + Int(piece.pointee.id & ~UF_IS_LIST)
                body(piece.pointee.low, piece.pointee.high, UnsafeBufferPointer(start: list + 1, count: Int(list.pointee)))
            }
        }
        state.pointee.learnt_count = 0
    }

    /// Enters a piece that another cache has learnt, where this one does not have it.
    func take(_ low: UInt64, _ high: UInt64, _ ids: UnsafeBufferPointer<UInt32>) { uf_cache_take(state, low, high, ids.baseAddress, ids.count) }
}
