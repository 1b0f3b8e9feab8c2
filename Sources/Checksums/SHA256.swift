import CChecksums
import CNettle

/// SHA-256 (FIPS 180-4), fed piece by piece. nettle's, but for the processor's own instructions, which it uses less well: whole blocks go to them directly.
public struct SHA256: Sendable {
    private var context = sha256_ctx()
    private let usesInstructions: Bool
    /// How many bytes were fed so far.
    public private(set) var count = 0

    static let hasInstructions = uf_sha256_has_instructions() != 0

    public init() { self.init(usesInstructions: SHA256.hasInstructions) }

    init(usesInstructions: Bool) {
        self.usesInstructions = usesInstructions
        nettle_sha256_init(&context)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        count += bytes.count
        var rest = bytes
        if usesInstructions, bytes.count >= 128 {
            if context.index > 0 { feed(&rest, 64 - Int(context.index)) }
            let blocks = rest.count / 64
            withUnsafeMutableBytes(of: &context.state) { uf_sha256_feed($0.bindMemory(to: UInt32.self).baseAddress, rest.bindMemory(to: UInt8.self).baseAddress, blocks) }
            context.count += UInt64(blocks)
            rest = UnsafeRawBufferPointer(rebasing: rest[(64 * blocks)...])
        }
        feed(&rest, rest.count)
    }

    private mutating func feed(_ rest: inout UnsafeRawBufferPointer, _ count: Int) {
        nettle_sha256_update(&context, count, rest.baseAddress?.assumingMemoryBound(to: UInt8.self))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest, 32 bytes, of all that was fed. The value itself can be fed further.
    public func digest() -> [UInt8] {
        var copy = context
        return [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            nettle_sha256_digest(&copy, 32, buffer.baseAddress)
            count = 32
        }
    }

    /// The digest as 64 lowercase hexadecimal digits, as sha256sum prints it.
    public func hexDigest() -> String { hexadecimal(digest()) }

    /// How many messages go best in step: sixteen where the processor has the registers for it, two where it has instructions that wait for each other, else one.
    public static let lanes = uf_sha256_has_wide_registers() != 0 ? 16 : hasInstructions ? 2 : 1

    /// The digests of several texts, as many in step as go: with sixteen in less than half of the time that they take one after the other.
    ///
    /// - Parameter lanes: the most at a time: 1, 2, or where they are `SHA256.lanes` 16. Tests ask for fewer.
    public static func digests(of texts: [UnsafeRawBufferPointer], lanes: Int = SHA256.lanes) -> [[UInt8]] { DigestsInStep(of: texts, lanes: lanes).finish() }

    /// Feeds the whole blocks of each text to a hash, many at once.
    static func feed(_ texts: [UnsafeRawBufferPointer], to hashes: inout [SHA256], lanes: Int) {
        let offset = MemoryLayout<SHA256>.offset(of: \.context.state)!
        hashes.withUnsafeMutableBytes { bytes in
            var messages = texts.indices.map { number in
                let state = bytes.baseAddress! + number * MemoryLayout<SHA256>.stride + offset
                return uf_sha256_message(state: state.assumingMemoryBound(to: UInt32.self), bytes: texts[number].baseAddress?.assumingMemoryBound(to: UInt8.self), blocks: texts[number].count / 64)
            }
            uf_sha256_feed_all(&messages, messages.count, lanes)
        }
        for number in hashes.indices { hashes[number].skip(texts[number].count / 64) }
    }

    /// Counts blocks that went into the state.
    private mutating func skip(_ blocks: Int) {
        context.count += UInt64(blocks)
        count += 64 * blocks
    }

    public static func digest(of bytes: [UInt8]) -> [UInt8] {
        var sha = SHA256()
        sha.update(bytes)
        return sha.digest()
    }

    public static func hexDigest(of bytes: [UInt8]) -> String { hexadecimal(digest(of: bytes)) }
}

/// Two lowercase digits a byte.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String { String(decoding: hexadecimalDigits(bytes), as: UTF8.self) }

/// The same as ASCII.
public func hexadecimalDigits(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.underestimatedCount)
    for byte in bytes {
        text.append(digit(byte >> 4))
        text.append(digit(byte & 15))
    }
    return text
}
