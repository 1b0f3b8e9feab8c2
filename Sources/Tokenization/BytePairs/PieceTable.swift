import CTokenization
import Glibc

/// The pieces of a vocabulary by id, and the id of a piece by its bytes (open addressing over one arena).
final class PieceTable: @unchecked Sendable {
    /// Ids run from 0 to count - 1; every one has a piece.
    let count: Int
    private let arena: FixedBuffer<UInt8>
    /// Piece `id` lies at offsets[id] ..< offsets[id + 1] of the arena.
    private let offsets: FixedBuffer<Int>
    private let slots: FixedBuffer<UInt64>
    /// The same for C, which looks pieces up. Not changed once it is made.
    let entries: UnsafeMutablePointer<uf_entries>

    /// Pieces in the order of their ids, gathered before the table is made.
    struct Builder {
        fileprivate var bytes: [UInt8] = []
        fileprivate var offsets = [0]
        fileprivate var longest = 0

        /// For so many pieces of so many bytes.
        init(count: Int = 0, bytes: Int = 0) {
            offsets.reserveCapacity(count + 1)
            self.bytes.reserveCapacity(bytes)
        }

        mutating func append(_ piece: some Sequence<UInt8>) {
            bytes.append(contentsOf: piece)
            longest = max(longest, bytes.count - (offsets.last ?? 0))
            offsets.append(bytes.count)
        }
    }

    /// The first piece that equals one before it.
    let repeated: Int?

    /// - Parameter findable: for each id a byte that is not 0 where the piece can be found by its bytes; nil where all can. Where two such pieces are equal, the first id is found.
    init(_ builder: Builder, findable: [UInt8]? = nil) {
        count = builder.offsets.count - 1
        arena = FixedBuffer(builder.bytes)
        offsets = FixedBuffer(builder.offsets)
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        slots = FixedBuffer(repeating: 0, count: capacity)
        entries = .allocate(capacity: 1)
        entries.initialize(to: uf_entries(slots: slots.base, mask: capacity - 1, offsets: offsets.base, bytes: arena.base, longest: builder.longest))
        let first: Int
        if let findable { first = uf_entries_fill(entries, slots.base, count, findable) } else { first = uf_entries_fill(entries, slots.base, count, nil) }
        repeated = first == count ? nil : first
    }

    deinit { entries.deallocate() }

    /// The bytes of piece `id`, which must lie in 0 ..< count.
    subscript(id: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: arena.base + offsets.base[id], count: offsets.base[id + 1] - offsets.base[id])
    }

    func id(of bytes: UnsafePointer<UInt8>?, count: Int) -> UInt32? {
        let id = uf_entry_find(entries, bytes, count)
        return id == UF_NO_ENTRY ? nil : id
    }

    /// The ids of many pieces, `UF_NO_ENTRY` for those that are not here, in less time than one after the other.
    func find(_ pieces: [uf_text], into ids: inout [UInt32]) {
        ids.withUnsafeMutableBufferPointer { uf_entries_find(entries, pieces, pieces.count, $0.baseAddress) }
    }

    func id(of piece: [UInt8]) -> UInt32? { piece.withUnsafeBufferPointer { id(of: $0.baseAddress, count: $0.count) } }
}
