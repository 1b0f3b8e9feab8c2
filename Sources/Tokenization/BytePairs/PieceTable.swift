import Glibc

/// The pieces of a vocabulary by id, and the id of a piece by its bytes (open addressing over one arena).
final class PieceTable: Sendable {
    /// Ids run from 0 to count - 1; every one has a piece.
    let count: Int
    /// Bytes of the longest piece.
    let longest: Int
    private let arena: FixedBuffer<UInt8>
    /// Piece `id` lies at offsets[id] ..< offsets[id + 1] of the arena.
    private let offsets: FixedBuffer<Int>
    /// Half of the hash above the id + 1, 0 for an empty slot: most other pieces are told apart without a look at their bytes.
    private let slots: FixedBuffer<UInt64>
    private let mask: Int

    /// Pieces in the order of their ids, gathered before the table is made.
    struct Builder {
        fileprivate var bytes: [UInt8] = []
        fileprivate var offsets = [0]

        mutating func append(_ piece: some Sequence<UInt8>) {
            bytes.append(contentsOf: piece)
            offsets.append(bytes.count)
        }
    }

    /// `findable(id)` says whether the piece can be found by its bytes; where two findable pieces are equal, the first id is found.
    init(_ builder: Builder, findable: (Int) -> Bool = { _ in true }) {
        count = builder.offsets.count - 1
        longest = zip(builder.offsets, builder.offsets.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) }
        arena = FixedBuffer(builder.bytes)
        offsets = FixedBuffer(builder.offsets)
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        slots = FixedBuffer(repeating: 0, count: capacity)
        mask = capacity - 1
        for id in 0 ..< count where findable(id) {
            let bytes = self[id]
            let hash = PieceTable.hash(bytes.baseAddress, bytes.count)
            if let slot = place(of: bytes.baseAddress, bytes.count, hash).empty { slots.base[slot] = hash & PieceTable.tagBits | UInt64(id + 1) }
        }
    }

    /// The bytes of piece `id`, which must lie in 0 ..< count.
    subscript(id: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: arena.base + offsets.base[id], count: offsets.base[id + 1] - offsets.base[id])
    }

    func id(of bytes: UnsafePointer<UInt8>?, count: Int) -> UInt32? {
        guard count <= longest else { return nil }
        return place(of: bytes, count, PieceTable.hash(bytes, count)).id
    }

    func id(of piece: [UInt8]) -> UInt32? { piece.withUnsafeBufferPointer { id(of: $0.baseAddress, count: $0.count) } }

    /// The id of a piece, or the slot where it would stand.
    @inline(__always)
    private func place(of bytes: UnsafePointer<UInt8>?, _ count: Int, _ hash: UInt64) -> (id: UInt32?, empty: Int?) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots.base[slot] != 0 {
            let found = slots.base[slot]
            if (found ^ hash) & PieceTable.tagBits == 0 {
                let id = UInt32(truncatingIfNeeded: found) - 1
                if equals(Int(id), bytes, count) { return (id, nil) }
            }
            slot = (slot &+ 1) & mask
        }
        return (nil, slot)
    }

    private static let tagBits: UInt64 = 0xFFFF_FFFF_0000_0000

    private func equals(_ id: Int, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
        let start = offsets.base[id]
        guard offsets.base[id + 1] - start == count else { return false }
        guard let bytes, count > 0 else { return count == 0 }
        return memcmp(arena.base + start, bytes, count) == 0
    }

    private static func hash(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
        guard let bytes else { return 0 }
        let raw = UnsafeRawPointer(bytes)
        var position = 0
        while position &+ 8 <= count {
            hash = (hash ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            position &+= 8
        }
        var rest: UInt64 = 0
        while position < count {
            rest = rest << 8 | UInt64(bytes[position])
            position &+= 1
        }
        hash = (hash ^ rest) &* 0xFF51_AFD7_ED55_8CCD
        return hash ^ hash >> 29
    }
}
