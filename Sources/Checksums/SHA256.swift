import CNettle

/// SHA-256 (FIPS 180-4), fed piece by piece.
public struct SHA256: Sendable {
    private var context = sha256_ctx()
    /// How many bytes were fed so far.
    public private(set) var count = 0

    public init() { nettle_sha256_init(&context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        nettle_sha256_update(&context, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        count += bytes.count
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
