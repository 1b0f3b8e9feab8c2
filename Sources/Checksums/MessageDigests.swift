import CChecksums

/// SHA-256 of many messages, of which several are digested in step.
public struct MessageDigests {
    /// The messages, each with its padding to whole blocks of 64 bytes.
    private var bytes: [UInt8] = []
    private var blocks: [Int] = []
    private var start = 0
    private let lanes: Int

    public init() { self.init(lanes: SHA256.hasInstructions ? SHA256.lanes : nil) }

    /// - Parameter lanes: as for `SHA256.digests`; nil: nettle's way.
    init(lanes: Int?) { self.lanes = lanes ?? 0 }

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
        guard lanes > 0 else { return plainDigests() }
        var states = [UInt32](repeating: 0, count: 8 * blocks.count)
        bytes.withUnsafeBufferPointer { bytes in
            states.withUnsafeMutableBufferPointer { states in
                var at = 0
                var messages = blocks.indices.map { number in
                    defer { at += 64 * blocks[number] }
                    for word in 0 ..< 8 { states[8 * number + word] = MessageDigests.start[word] }
                    return uf_sha256_message(state: states.baseAddress! + 8 * number, bytes: bytes.baseAddress! + at, blocks: blocks[number])
                }
                uf_sha256_feed_all(&messages, messages.count, lanes)
            }
        }
        return states
    }

    /// FIPS 180-4, 5.3.3: the fractional parts of the square roots of the first 8 primes.
    private static let start: [UInt32] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19]

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
