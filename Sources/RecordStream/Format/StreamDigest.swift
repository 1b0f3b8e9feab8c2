import Checksums

/// The two digests of the DONE frame, built frame by frame by writer and reader alike.
///
/// Each payload is hashed once (SHA-256 of its raw bytes); the digests are taken over those hashes.
struct StreamDigest {
    /// Kind, columns and the raw bytes of every DATA frame in order: the same for the same records, whatever codec or provenance.
    private var content = SHA256()
    /// Kind, record count and raw payload of HEAD, DATA and TAIL: nothing in the stream can be exchanged without changing it, not even its
    /// provenance. The codec (and with it the index, which every reader computes itself) has no part in it, so that what a later stage says about its
    /// input does not depend on how that input was compressed.
    private var stream = SHA256()
    /// CRC-32C over the checksums of all headers so far.
    private(set) var headerChain: UInt32 = 0

    init(schema: Schema) throws { content.update(try StreamDigest.knownSchemas.first { $0.0 == schema }?.1 ?? schema.json.canonical) }

    private static let knownSchemas: [(Schema, [UInt8])] = StreamHead.knownSchemas.compactMap { schema in (try? schema.json.canonical).map { (schema, $0) } }

    /// - Parameters:
    ///   - header: the frame's header as encoded.
    ///   - digest: SHA-256 of its raw payload.
    mutating func add(_ kind: FrameKind, header: [UInt8], sha256 digest: [UInt8]) {
        if kind == .data { content.update(digest) }
        if kind != .index {
            stream.update(Array(header[8 ..< 12] + header[48 ..< 52]))
            stream.update(digest)
        }
        headerChain = crc32c(Array(header[60 ..< 64]), continuing: headerChain)
    }

    var contentDigest: [UInt8] { Array(content.digest()[..<16]) }
    var streamDigest: [UInt8] { Array(stream.digest()[..<16]) }
}

/// The payload of DONE: 64 bytes.
struct DonePayload: Equatable {
    static let size = 64
    var indexOffset: UInt64
    var records: UInt64
    var dataFrames: UInt64
    var headerChain: UInt32
    var contentDigest: [UInt8]
    var streamDigest: [UInt8]

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: indexOffset)
        bytes.append(littleEndian: records)
        bytes.append(littleEndian: dataFrames)
        bytes.append(littleEndian: headerChain)
        bytes.append(littleEndian: UInt32(0))
        return bytes + contentDigest + streamDigest
    }

    init(indexOffset: UInt64, records: UInt64, dataFrames: UInt64, digest: StreamDigest) {
        self.indexOffset = indexOffset
        self.records = records
        self.dataFrames = dataFrames
        headerChain = digest.headerChain
        contentDigest = digest.contentDigest
        streamDigest = digest.streamDigest
    }

    /// `bytes` holds 64 bytes.
    init(_ bytes: UnsafeRawBufferPointer) {
        indexOffset = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self).littleEndian
        records = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
        dataFrames = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian
        headerChain = bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self).littleEndian
        contentDigest = Array(bytes[32 ..< 48])
        streamDigest = Array(bytes[48 ..< 64])
    }
}

/// One line of INDX: where a DATA frame lies and which records it holds. 32 bytes.
public struct IndexEntry: Equatable, Sendable {
    static let size = 32
    /// Of the frame's header, from the start of the stream.
    public var offset: UInt64
    public var firstRecord: UInt64
    public var records: UInt32
    /// Of the whole frame: header, payload and padding.
    public var storedBytes: UInt64

    /// The payload of INDX.
    static func encoded(_ entries: [IndexEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count * size)
        for entry in entries {
            bytes.append(littleEndian: entry.offset)
            bytes.append(littleEndian: entry.firstRecord)
            bytes.append(littleEndian: entry.storedBytes)
            bytes.append(littleEndian: entry.records)
            bytes.append(littleEndian: UInt32(0))
        }
        return bytes
    }

    /// `bytes` holds whole entries.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> [IndexEntry] {
        stride(from: 0, to: bytes.count - size + 1, by: size).map { at in
            IndexEntry(
                offset: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian,
                firstRecord: bytes.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self).littleEndian,
                records: bytes.loadUnaligned(fromByteOffset: at + 24, as: UInt32.self).littleEndian,
                storedBytes: bytes.loadUnaligned(fromByteOffset: at + 16, as: UInt64.self).littleEndian)
        }
    }
}
