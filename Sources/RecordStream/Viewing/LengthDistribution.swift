/// How long things are, in constant memory: exact up to 1023, beyond in steps of 1/64 of a power of two (a quantile is then at most 1.6 % below the truth).
public struct LengthDistribution: Sendable {
    private static let exact = 1024
    private static let steps = 64
    private var counts = [Int](repeating: 0, count: exact)
    public private(set) var count = 0
    public private(set) var sum = 0
    public private(set) var minimum = Int.max
    public private(set) var maximum = 0

    public init() {}

    public mutating func add(_ length: Int) {
        let slot = LengthDistribution.slot(length)
        if slot >= counts.count { counts += [Int](repeating: 0, count: slot + 1 - counts.count) }
        counts[slot] += 1
        count += 1
        sum += length
        minimum = min(minimum, length)
        maximum = max(maximum, length)
    }

    public mutating func add(_ other: LengthDistribution) {
        if other.counts.count > counts.count { counts += [Int](repeating: 0, count: other.counts.count - counts.count) }
        for (slot, number) in other.counts.enumerated() { counts[slot] += number }
        count += other.count
        sum += other.sum
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
    }

    private static func slot(_ length: Int) -> Int {
        guard length >= exact else { return length }
        let power = Int.bitWidth - 1 - length.leadingZeroBitCount
        return exact + (power - 10) * steps + (length >> (power - 6)) - steps
    }

    /// The shortest length of a slot.
    private static func start(_ slot: Int) -> Int {
        guard slot >= exact else { return slot }
        let (power, step) = ((slot - exact) / steps + 10, (slot - exact) % steps)
        return (steps + step) << (power - 6)
    }

    public var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

    /// The length that a share `q` of all does not exceed (nearest rank); 0 where there are none.
    public func quantile(_ q: Double) -> Int {
        guard count > 0 else { return 0 }
        let rank = max(1, Int((q * Double(count)).rounded(.up)))
        if rank >= count { return maximum }
        var seen = 0
        for (slot, number) in counts.enumerated() {
            seen += number
            if seen >= rank { return max(minimum, LengthDistribution.start(slot)) }
        }
        return maximum
    }

    /// How many lengths are 0, 1, 2 to 3, 4 to 7 ...: from the shortest that occurs to the longest.
    public var octaves: [(from: Int, to: Int, count: Int)] {
        guard count > 0 else { return [] }
        func octave(_ length: Int) -> Int { length == 0 ? 0 : Int.bitWidth - length.leadingZeroBitCount }
        var totals = [Int](repeating: 0, count: octave(maximum) + 1)
        for (slot, number) in counts.enumerated() where number > 0 { totals[octave(LengthDistribution.start(slot))] += number }
        return (octave(minimum) ... octave(maximum)).map { ($0 == 0 ? 0 : 1 << ($0 - 1), $0 == 0 ? 0 : (1 << $0) - 1, totals[$0]) }
    }
}
