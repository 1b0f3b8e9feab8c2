import Glibc

/// Distinct pieces of text in the order in which they were met, and how often each was: a table by the pieces' bytes, which grows. One a thread; at the end they are added together.
final class PieceCounts {
    private(set) var occurrences: [UInt64] = []
    private var arena: [UInt8] = []
    /// Piece i lies at ends[i - 1] ..< ends[i] of the arena, the first at 0.
    private var ends: [Int] = []
    /// Number of the piece + 1; 0 in an empty slot.
    private var slots = [UInt32](repeating: 0, count: 1 << 12)

    /// Of distinct pieces.
    var count: Int { ends.count }
    /// Of all distinct pieces together.
    var bytes: Int { arena.count }

    /// What learning from these pieces may take, which nearly all goes to the pairs of neighbours: a byte starts one, and that pair is counted, waits to be merged and
    /// lists its words. English texts took 60 bytes a byte of their distinct pieces, random words of nine letters 28.
    var memory: Int { 64 * bytes + 64 * count }

    /// The number of a piece, which is entered where it is new.
    func number(of piece: UnsafePointer<UInt8>, _ length: Int) -> UInt32 {
        var slot = place(of: piece, length)
        if slots[slot] != 0 { return slots[slot] - 1 }
        if 2 * (count + 1) > slots.count {
            grow()
            slot = place(of: piece, length)
        }
        let number = UInt32(truncatingIfNeeded: count)
        arena.append(contentsOf: UnsafeBufferPointer(start: piece, count: length))
        ends.append(arena.count)
        occurrences.append(0)
        slots[slot] = number + 1
        return number
    }

    /// Counts pieces by their numbers.
    func note(_ numbers: [UInt32]) {
        occurrences.withUnsafeMutableBufferPointer { occurrences in
            for number in numbers { occurrences[Int(number)] &+= 1 }
        }
    }

    /// Adds what another has counted.
    func add(_ other: PieceCounts) {
        other.forEach { piece, occurrences in
            guard let base = piece.baseAddress else { return }
            self.occurrences[Int(number(of: base, piece.count))] += occurrences
        }
    }

    func forEach(_ body: (UnsafeBufferPointer<UInt8>, UInt64) -> Void) {
        arena.withUnsafeBufferPointer { arena in
            var start = 0
            for (index, end) in ends.enumerated() {
                body(UnsafeBufferPointer(rebasing: arena[start ..< end]), occurrences[index])
                start = end
            }
        }
    }

    /// The slot of a piece, or the empty one where it belongs.
    private func place(of piece: UnsafePointer<UInt8>, _ length: Int) -> Int {
        let mask = slots.count - 1
        return slots.withUnsafeBufferPointer { slots in
            ends.withUnsafeBufferPointer { ends in
                arena.withUnsafeBufferPointer { arena in
                    var slot = Int(truncatingIfNeeded: LongPieceCache.hash(piece, length) >> 1) & mask
                    while slots[slot] != 0 {
                        let number = Int(slots[slot]) - 1, start = number == 0 ? 0 : ends[number - 1]
                        if ends[number] - start == length, let base = arena.baseAddress, memcmp(base + start, piece, length) == 0 { break }
                        slot = (slot &+ 1) & mask
                    }
                    return slot
                }
            }
        }
    }

    private func grow() {
        var larger = [UInt32](repeating: 0, count: 2 * slots.count), number: UInt32 = 0
        let mask = larger.count - 1
        forEach { piece, _ in
            number += 1
            guard let base = piece.baseAddress else { return }
            var slot = Int(truncatingIfNeeded: LongPieceCache.hash(base, piece.count) >> 1) & mask
            while larger[slot] != 0 { slot = (slot &+ 1) & mask }
            larger[slot] = number
        }
        slots = larger
    }
}
