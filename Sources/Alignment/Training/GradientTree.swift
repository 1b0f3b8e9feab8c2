import LanguageModel
import Numerics

/// The sum of a step's gradients in an order that depends on the step alone: its bins form a fixed number of groups, each is summed from its first
/// bin to its last, and the groups' sums meet in a fixed binary tree. Whoever computes the groups, on however many threads, gets the same bits.
///
/// The groups are computed one after the other here, so log2(groups) + 1 arenas are enough.
public struct GradientTree {
    public let groups: Int
    private let layout: ParameterLayout
    private let pool: WorkerPool
    private var arenas: [Gradients] = []

    public init(layout: ParameterLayout, groups: Int, pool: WorkerPool) {
        self.layout = layout
        self.groups = max(1, groups)
        self.pool = pool
    }

    /// Group `number` of `groups`: neighbours in the step.
    public static func group(_ number: Int, of groups: Int, bins: Int) -> Range<Int> {
        number * bins / groups ..< (number + 1) * bins / groups
    }

    /// - Parameter add: adds the gradient of bin `index` (0 ..< bins) to what it is given.
    /// - Returns: the sum, valid until the next call.
    public mutating func sum(bins: Int, add: (_ index: Int, _ gradients: Gradients) throws -> Void) throws -> Gradients {
        try sum(0 ..< groups, bins, slot: 0, add)
        return arenas[0]
    }

    private mutating func sum(_ range: Range<Int>, _ bins: Int, slot: Int, _ add: (Int, Gradients) throws -> Void) throws {
        if range.count == 1 {
            if arenas.count == slot { arenas.append(try Gradients(layout)) }
            arenas[slot].clear(pool)
            for bin in GradientTree.group(range.lowerBound, of: groups, bins: bins) { try add(bin, arenas[slot]) }
            return
        }
        let middle = (range.lowerBound + range.upperBound) / 2
        try sum(range.lowerBound ..< middle, bins, slot: slot, add)
        // A half without bins adds nothing: neither time nor memory for it.
        guard middle * bins / groups < range.upperBound * bins / groups else { return }
        try sum(middle ..< range.upperBound, bins, slot: slot + 1, add)
        arenas[slot].add(arenas[slot + 1], pool)
    }
}
