/// Damage that knows nothing of what it hits.
public enum ByteMutator {
    /// One to three pieces of damage. The result may by chance be what it was.
    public static func damaged(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0 ... generator.below(3) { damage(&bytes, &generator) }
        return bytes
    }

    public static func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: 0 ... 255, using: &generator)) }
        let at = generator.below(bytes.count), length = min(1 + generator.below(64), bytes.count - at)
        switch generator.below(9) {
        case 0: bytes[at] ^= 1 << generator.below(8)
        case 1: bytes[at] = UInt8.random(in: 0 ... 255, using: &generator)
        case 2: bytes.replaceSubrange(at ..< at + length, with: (0 ..< length).map { _ in UInt8.random(in: 0 ... 255, using: &generator) })
        case 3: bytes.replaceSubrange(at ..< at + length, with: repeatElement(generator.pick([0, 0xFF, 0x20]), count: length))
        case 4: bytes.removeSubrange(at ..< at + length)
        case 5: bytes.insert(contentsOf: (0 ..< length).map { _ in UInt8.random(in: 0 ... 255, using: &generator) }, at: at)
        case 6: bytes.insert(contentsOf: Array(bytes[at ..< at + length]), at: generator.below(bytes.count + 1))
        case 7:
            let piece = Array(bytes[at ..< at + length]), other = generator.below(bytes.count - length + 1)
            bytes.replaceSubrange(other ..< other + length, with: piece)
        default: bytes.removeSubrange(at...)
        }
    }
}
