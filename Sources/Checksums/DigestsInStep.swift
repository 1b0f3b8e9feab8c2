/// SHA-256 of several texts, as many in step as go, and a part of each at a time where others are to have their turn between.
public final class DigestsInStep: @unchecked Sendable {
    private var rest: [UnsafeRawBufferPointer]
    private var hashes: [SHA256]
    private let lanes: Int

    /// - Parameters:
    ///   - texts: there until `finish` returns.
    ///   - lanes: as for `SHA256.digests`.
    public init(of texts: [UnsafeRawBufferPointer], lanes: Int = SHA256.lanes) {
        rest = texts
        hashes = [SHA256](repeating: SHA256(), count: texts.count)
        self.lanes = lanes
    }

    /// Takes up to so many bytes of each, a multiple of 64; false when there is nothing more to gain by it.
    public func feed(_ most: Int) -> Bool {
        guard SHA256.hasInstructions else { return false }
        let parts = rest.map { UnsafeRawBufferPointer(rebasing: $0.prefix(min(most, $0.count / 64 * 64))) }
        SHA256.feed(parts, to: &hashes, lanes: lanes)
        for number in rest.indices { rest[number] = UnsafeRawBufferPointer(rebasing: rest[number].dropFirst(parts[number].count)) }
        return rest.contains { $0.count >= 64 }
    }

    /// Takes what is left; the digests, 32 bytes each.
    public func finish() -> [[UInt8]] {
        while feed(.max) {}
        return rest.indices.map { number in
            hashes[number].update(rest[number])
            return hashes[number].digest()
        }
    }
}
