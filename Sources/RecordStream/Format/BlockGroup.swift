import Checksums

/// How many blocks are digested together: the more, up to what the processor takes in step, the less time each takes; and all of them stay in memory until then.
public struct BlockGroup: Sendable {
    private let most: Int
    /// The first groups are smaller, so that other threads need not wait long for work.
    private var size: Int

    private init(most: Int) {
        self.most = most
        size = min(2, most)
    }

    /// As many as the processor takes in step.
    public static let most = BlockGroup(most: max(2, SHA256.lanes))
    /// Where there are several readers or writers at once, or tables beside them that so many blocks would drive out of the processor's cache.
    public static let two = BlockGroup(most: 2)
    /// Each by itself.
    public static let one = BlockGroup(most: 1)

    /// Blocks that are larger than most, up to 128 MiB, do not wait for others.
    private static let mostBytes = 24 * StreamLimits.blockTarget

    var isOne: Bool { most == 1 }

    /// Whether blocks of these sizes are to wait for no other; then the next group begins.
    mutating func isComplete(_ sizes: [Int]) -> Bool {
        guard sizes.count >= size || sizes.reduce(0, +) >= BlockGroup.mostBytes else { return false }
        size = min(2 * size, most)
        return true
    }
}

extension RawBuffer {
    static func digests(of payloads: [RawBuffer]) -> [[UInt8]] {
        withExtendedLifetime(payloads) { SHA256.digests(of: payloads.map(\.bytes)) }
    }
}
