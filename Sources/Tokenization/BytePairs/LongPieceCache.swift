import Glibc

/// The ids of longer pieces met before, in memory of a fixed size: text whose words no spaces part (Chinese) has few others. When the
/// memory is full, all of it is forgotten.
///
/// It holds results of merging only, so it changes no id.
final class LongPieceCache {
    /// Longer pieces seldom come again.
    static let longestPiece = 256

    private struct Entry: BitwiseCopyable {
        /// 0 in an empty slot.
        var hash: UInt64
        /// Where the ids stand in the arena, and behind them the bytes.
        var start: UInt32
        var ids: UInt16
        var length: UInt16
    }

    /// Words of 4 bytes.
    private static let arenaWords = 1 << 22
    private static let slots = 1 << 18
    private static let most = slots / 2

    private let arenaTable = ZeroedTable<UInt32>(count: LongPieceCache.arenaWords), entryTable = ZeroedTable<Entry>(count: LongPieceCache.slots)
    private let arena: UnsafeMutablePointer<UInt32>
    private let entries: UnsafeMutablePointer<Entry>
    private var used = 0, count = 0
    /// Bits of the hashes of pieces met once; forgotten when a quarter is set.
    private let met = FixedBuffer<UInt64>(repeating: 0, count: 1 << 14)
    private var metCount = 0

    init() {
        (arena, entries) = (arenaTable.base, entryTable.base)
    }

    func empty() {
        guard count > 0 else { return }
        entries.update(repeating: Entry(hash: 0, start: 0, ids: 0, length: 0), count: LongPieceCache.slots)
        (used, count) = (0, 0)
    }

    /// Whether a piece was met before, more or less, and so may come again. Most lines of Chinese never do: to remember each of them costs more than to encode it.
    func isMetAgain(hash: UInt64) -> Bool {
        let word = Int(hash >> 40) & (met.count - 1), bit: UInt64 = 1 << (hash >> 34 & 63)
        if met.base[word] & bit != 0 { return true }
        if metCount == 16 * met.count {
            met.base.update(repeating: 0, count: met.count)
            metCount = 0
        }
        met.base[word] |= bit
        metCount += 1
        return false
    }

    /// The ids of a piece, where they are known; they hold until the next `remember`.
    func ids(of piece: UnsafePointer<UInt8>, _ length: Int, hash: UInt64) -> UnsafeBufferPointer<UInt32>? {
        var slot = Int(truncatingIfNeeded: hash >> 40) & (LongPieceCache.slots - 1)
        while entries[slot].hash != 0 {
            let entry = entries[slot]
            if entry.hash == hash, Int(entry.length) == length {
                let ids = arena + Int(entry.start)
                if memcmp(ids + Int(entry.ids), piece, length) == 0 { return UnsafeBufferPointer(start: ids, count: Int(entry.ids)) }
            }
            slot = (slot &+ 1) & (LongPieceCache.slots - 1)
        }
        return nil
    }

    /// Remembers a piece; one that is known already takes its room once more, until all is forgotten.
    func remember(_ piece: UnsafePointer<UInt8>, _ length: Int, hash: UInt64, _ ids: UnsafeBufferPointer<UInt32>) {
        guard length <= LongPieceCache.longestPiece, let first = ids.baseAddress else { return }
        let words = ids.count + (length + 3) / 4
        if count == LongPieceCache.most || used + words > LongPieceCache.arenaWords { empty() }
        let start = arena + used
        start.update(from: first, count: ids.count)
        memcpy(start + ids.count, piece, length)
        var slot = Int(truncatingIfNeeded: hash >> 40) & (LongPieceCache.slots - 1)
        while entries[slot].hash != 0 { slot = (slot &+ 1) & (LongPieceCache.slots - 1) }
        entries[slot] = Entry(hash: hash, start: UInt32(truncatingIfNeeded: used), ids: UInt16(truncatingIfNeeded: ids.count), length: UInt16(truncatingIfNeeded: length))
        used += words
        count += 1
    }

    /// Never 0.
    static func hash(_ piece: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
        let raw = UnsafeRawPointer(piece)
        var hash = UInt64(truncatingIfNeeded: length), position = 0
        while position &+ 8 <= length {
            hash = (hash ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
            position &+= 8
        }
        if length >= 8 {
            // The last eight bytes again, in place of a loop over those that are left.
            hash = (hash ^ raw.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
        } else {
            while position < length {
                hash = (hash ^ UInt64(piece[position])) &* 0xFF51_AFD7_ED55_8CCD
                position &+= 1
            }
        }
        return (hash ^ hash >> 32) | 1
    }
}
