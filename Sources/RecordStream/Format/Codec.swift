import CZlib
import CZstd
import SystemIO

/// How the payload of a DATA frame is stored. HEAD, TAIL, INDX and DONE are always stored plain.
public enum Codec: UInt8, Sendable, CaseIterable {
    case none = 0
    case zlib = 1
    case zstd = 2

    public var name: String {
        switch self {
        case .none: "none"
        case .zlib: "zlib"
        case .zstd: "zstd"
        }
    }

    public init?(name: String) {
        guard let codec = Codec.allCases.first(where: { $0.name == name }) else { return nil }
        self = codec
    }

    // Fixed, because they decide bytes.
    private static let zlibLevel: Int32 = 6
    private static let zstdLevel: Int32 = 3

    /// The bytes to store for `raw`.
    func compressed(_ raw: UnsafeRawBufferPointer) throws -> [UInt8] {
        switch self {
        case .none:
            return Array(raw)
        case .zlib:
            return try [UInt8](unsafeUninitializedCapacity: Int(compressBound(uLong(raw.count)))) { buffer, count in
                var length = uLongf(buffer.count)
                let source = raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
                guard compress2(buffer.baseAddress, &length, source, uLong(raw.count), Codec.zlibLevel) == Z_OK else {
                    throw InputError("zlib could not compress a block", status: .internalError)
                }
                count = Int(length)
            }
        case .zstd:
            return try [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(raw.count)) { buffer, count in
                let length = ZSTD_compress(buffer.baseAddress, buffer.count, raw.baseAddress, raw.count, Codec.zstdLevel)
                guard ZSTD_isError(length) == 0 else { throw InputError("zstd could not compress a block", status: .internalError) }
                count = length
            }
        }
    }

    /// Fills `raw` exactly from `stored`; anything shorter, longer or malformed is refused.
    func decompress(_ stored: UnsafeRawBufferPointer, into raw: UnsafeMutableRawBufferPointer) throws {
        let malformed = InputError("the compressed payload cannot be unpacked (\(name))")
        switch self {
        case .none:
            guard stored.count == raw.count else { throw malformed }
            raw.copyMemory(from: stored)
        case .zlib:
            var length = uLongf(raw.count)
            var used = uLong(stored.count)
            let source = stored.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let target = raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard uncompress2(target, &length, source, &used) == Z_OK, Int(length) == raw.count, Int(used) == stored.count else { throw malformed }
        case .zstd:
            guard ZSTD_decompress(raw.baseAddress, raw.count, stored.baseAddress, stored.count) == raw.count else { throw malformed }
        }
    }
}
