import SystemIO

/// Makes blocks ready on other threads while the next ones fill: each is checked and compressed by itself, and several are digested together. They come out in order.
final class BlockSealer {
    /// Gets each block with the SHA-256 of its raw payload.
    typealias Output = (SealedBlock, [UInt8]) throws -> Void

    private typealias Sealing = (payload: RawBuffer, block: Promise<Result<SealedBlock, any Error>>)

    private var together: BlockGroup
    /// Blocks that wait for as many as are digested together, and those before, whose digests are under way.
    private var waiting: [Sealing] = [], pending: [Sealing] = []
    private var digests: Promise<[[UInt8]]>?

    init(together: BlockGroup) { self.together = together }

    /// Takes a block; others may come out. Throws for one that no reader would take, when it comes out.
    func add(_ block: SealedBlock.Filled, _ output: Output) throws {
        guard !together.isOne else { return try output(SealedBlock(block), RawBuffer.digests(of: [block.payload])[0]) }
        waiting.append((block.payload, WorkPool.shared.promise { try SealedBlock(block) }))
        guard together.endsGroup(of: waiting.map(\.payload.count)) else { return }
        try beginDigests(output)
        // Without other threads nobody makes them meanwhile.
        if WorkPool.shared.threads == 1 { try takePending(output) }
    }

    /// Hands out all.
    func finish(_ output: Output) throws {
        try beginDigests(output)
        try takePending(output)
    }

    private func beginDigests(_ output: Output) throws {
        try takePending(output)
        guard !waiting.isEmpty else { return }
        digests = RawBuffer.promisedDigests(of: waiting.map(\.payload))
        (pending, waiting) = (waiting, [])
    }

    private func takePending(_ output: Output) throws {
        guard let digests else { return }
        let blocks = pending
        (self.digests, pending) = (nil, [])
        for (number, sealing) in blocks.enumerated() { try output(sealing.block.value.get(), digests.value[number]) }
    }
}
