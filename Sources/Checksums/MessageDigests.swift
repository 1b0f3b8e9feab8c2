import CChecksums

/// SHA-256 of many messages. Two are digested in step, which takes a third less time than one after the other.
public struct MessageDigests {
    /// The messages, each with its padding to whole blocks of 64 bytes.
    private var bytes: [UInt8] = []
    private var blocks: [Int] = []
    private var start = 0
    private let usesInstructions: Bool

    public init() { self.init(usesInstructions: SHA256.hasInstructions) }

    init(usesInstructions: Bool) { self.usesInstructions = usesInstructions }

    /// Adds to the message that is open.
    public mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    /// Ends the message that is open, and opens the next.
    public mutating func endMessage() {
        let count = bytes.count - start
        bytes.append(0x80)
        bytes.append(contentsOf: repeatElement(0, count: (119 - count % 64) % 64))
        withUnsafeBytes(of: UInt64(8 * count).bigEndian) { bytes.append(contentsOf: $0) }
        blocks.append((bytes.count - start) / 64)
        start = bytes.count
    }

    /// The digests of the messages that were ended, eight words each, the first word the one with the digest's first bytes. Forgets the messages.
    public mutating func finish() -> [UInt32] {
        precondition(start == bytes.count, "a message was not ended")
        defer {
            // What an uncommonly long message took is given back.
            bytes.removeAll(keepingCapacity: bytes.count < 1 << 22)
            blocks.removeAll(keepingCapacity: true)
            start = 0
        }
        guard usesInstructions else { return plainDigests() }
        return [UInt32](unsafeUninitializedCapacity: 8 * blocks.count) { states, filled in
            uf_sha256_messages(bytes, blocks, blocks.count, states.baseAddress)
            filled = states.count
        }
    }

    private func plainDigests() -> [UInt32] {
        var start = 0
        return blocks.flatMap { blocks -> [UInt32] in
            let end = start + 64 * blocks
            let count = bytes[(end - 8) ..< end].reduce(0) { $0 << 8 | Int($1) } / 8
            let digest = SHA256.digest(of: Array(bytes[start ..< start + count]))
            start = end
            return (0 ..< 8).map { word in digest[(4 * word) ..< (4 * word + 4)].reduce(0) { $0 << 8 | UInt32($1) } }
        }
    }
}
