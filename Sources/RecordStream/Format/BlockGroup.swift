import Checksums
import SystemIO

/// How many blocks are digested together: the more, up to what the processor takes in step, the less time each takes; and all of them stay in memory until then.
public struct BlockGroup: Sendable {
    private let most: Int
    /// The first groups are smaller, so that other threads need not wait long for work.
    private var size: Int

    init(most: Int) {
        self.most = most
        size = min(2, most)
    }

    /// As many as the processor takes in step.
    public static let most = BlockGroup(most: max(2, SHA256.lanes))
    /// Where memory counts more.
    public static let two = BlockGroup(most: 2)
    /// Each by itself.
    public static let one = BlockGroup(most: 1)

    /// For each of so many readers or writers that are at work side by side.
    public static func each(of streams: Int) -> BlockGroup { streams <= 1 ? most : streams <= 16 ? two : one }

    /// Blocks that are larger than most, up to 128 MiB, do not wait for others.
    private static let mostBytes = 24 * StreamLimits.blockTarget

    var isOne: Bool { most == 1 }

    /// Whether blocks of these sizes wait for no other. Then the next group begins, which may be larger.
    mutating func endsGroup(of sizes: [Int]) -> Bool {
        guard sizes.count >= size || sizes.reduce(0, +) >= BlockGroup.mostBytes else { return false }
        size = min(2 * size, most)
        return true
    }
}

extension RawBuffer {
    static func digests(of payloads: [RawBuffer]) -> [[UInt8]] {
        withExtendedLifetime(payloads) { SHA256.digests(of: payloads.map(\.bytes)) }
    }

    /// Begins the digests of payloads that nobody changes any more.
    static func promisedDigests(of payloads: [RawBuffer]) -> Promise<[[UInt8]]> {
        let payloads = Handed(payloads), digests = DigestsInStep(of: payloads.value.map(\.bytes))
        return WorkPool.shared.promise(inSteps: { withExtendedLifetime(payloads.value) { digests.feed(digestStep) ? nil : digests.finish() } })
    }

    /// Bytes of each, about a millisecond's work of sixteen: while a longer piece runs on the thread that hands out work, the others run out of it.
    private static let digestStep = 1 << 18
}
