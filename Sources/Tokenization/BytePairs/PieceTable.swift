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

        /// For so many pieces of so many bytes.
        init(count: Int = 0, bytes: Int = 0) {
            offsets.reserveCapacity(count + 1)
            self.bytes.reserveCapacity(bytes)
        }

        mutating func append(_ piece: some Sequence<UInt8>) {
            bytes.append(contentsOf: piece)
            offsets.append(bytes.count)
        }
    }

    /// `findable(id)` says whether the piece can be found by its bytes; where two findable pieces are equal, the first id is found.
    init(_ builder: Builder, findable: (Int) -> Bool = { _ in true }) {
        count = builder.offsets.count - 1
        arena = FixedBuffer(builder.bytes)
        offsets = FixedBuffer(builder.offsets)
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        slots = FixedBuffer(repeating: 0, count: capacity)
        entries = .allocate(capacity: 1)
        entries.initialize(to: uf_entries(slots: slots.base, mask: capacity - 1, offsets: offsets.base, bytes: arena.base, longest: zip(builder.offsets, builder.offsets.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) }))
        for id in 0 ..< count where findable(id) {
            let bytes = self[id]
            let hash = uf_entry_hash(bytes.baseAddress, bytes.count)
            guard self.id(of: bytes.baseAddress, count: bytes.count) == nil else { continue }
            var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while slots.base[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            slots.base[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id + 1)
        }
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

    func id(of piece: [UInt8]) -> UInt32? { piece.withUnsafeBufferPointer { id(of: $0.baseAddress, count: $0.count) } }
}
