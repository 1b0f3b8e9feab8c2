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
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
