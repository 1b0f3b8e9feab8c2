/// The ids of short pieces met before, one cache a thread: a fixed table of 32-byte entries, two a line, the newer kept.
///
/// It holds results of merging only, so it changes no id.
final class PieceCache {
    /// Pieces up to this many bytes fit an entry's key.
    static let longestPiece = 15
    static let mostIDs = 4

    private struct Entry: BitwiseCopyable {
        var low: UInt64
        /// Bytes 8 to 14; in the top byte 16 * number of ids + length.
        var high: UInt64
        var ids: (UInt32, UInt32, UInt32, UInt32)
    }

    private static let keyMask: UInt64 = 0x0FFF_FFFF_FFFF_FFFF
    private let entries: UnsafeMutablePointer<Entry>
    private let count: Int

    init(bits: Int = 16) {
        count = 1 << bits
        entries = .allocate(capacity: count)
        entries.initialize(repeating: Entry(low: 0, high: 0, ids: (0, 0, 0, 0)), count: count)
    }

    deinit { entries.deallocate() }

    func empty() { entries.update(repeating: Entry(low: 0, high: 0, ids: (0, 0, 0, 0)), count: count) }

    struct Key {
        fileprivate let low: UInt64
        fileprivate let high: UInt64

        /// The key of a piece of 1 to 15 bytes; `available` bytes may be read from its start.
        @inline(__always)
        init(_ bytes: UnsafePointer<UInt8>, _ length: Int, available: Int) {
            var low: UInt64 = 0, high: UInt64 = 0
            if available >= 16 {
                let raw = UnsafeRawPointer(bytes)
                low = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
                high = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                if length < 8 {
                    low &= (1 &<< UInt64(truncatingIfNeeded: 8 &* length)) &- 1
                    high = 0
                } else {
                    high &= (1 &<< UInt64(truncatingIfNeeded: 8 &* (length &- 8))) &- 1
                }
            } else {
                for index in 0 ..< length {
                    if index < 8 { low |= UInt64(bytes[index]) << UInt64(8 * index) } else { high |= UInt64(bytes[index]) << UInt64(8 * (index - 8)) }
                }
            }
            self.low = low
            self.high = high | UInt64(truncatingIfNeeded: length) << 56
        }

        @inline(__always)
        func slot(_ count: Int) -> Int {
            let hash = (low ^ (high &* 0x9E37_79B9_7F4A_7C15)) &* 0xFF51_AFD7_ED55_8CCD
            return Int(truncatingIfNeeded: (hash ^ hash >> 32) & UInt64(truncatingIfNeeded: count &- 1))
        }
    }

    /// Appends the ids of the piece if they are known.
    @inline(__always)
    func append(_ key: Key, to ids: inout [UInt32]) -> Bool {
        let slot = key.slot(count)
        var entry = entries + slot
        if entry.pointee.low != key.low || entry.pointee.high & Self.keyMask != key.high {
            entry = entries + (slot ^ 1)
            if entry.pointee.low != key.low || entry.pointee.high & Self.keyMask != key.high { return false }
        }
        let found = entry.pointee
        let number = found.high >> 60
        if number >= 1 { ids.append(found.ids.0) }
        if number >= 2 { ids.append(found.ids.1) }
        if number >= 3 { ids.append(found.ids.2) }
        if number >= 4 { ids.append(found.ids.3) }
        return true
    }

    /// Remembers up to four ids.
    func remember(_ key: Key, _ symbols: UnsafePointer<UInt32>, _ number: Int) {
        guard number <= Self.mostIDs else { return }
        func id(_ index: Int) -> UInt32 { index < number ? symbols[index] : 0 }
        let slot = key.slot(count)
        if entries[slot].high != 0 { entries[slot ^ 1] = entries[slot] }
        entries[slot] = Entry(low: key.low, high: key.high | UInt64(truncatingIfNeeded: number) << 60, ids: (id(0), id(1), id(2), id(3)))
    }
}
