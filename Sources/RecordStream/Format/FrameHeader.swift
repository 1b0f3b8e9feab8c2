import Checksums
import SystemIO

/// The five kinds of frame, in the order in which they may stand: HEAD DATA* TAIL INDX DONE.
enum FrameKind: UInt32, Sendable {
    case head = 0x4441_4548  // "HEAD" in little-endian order
    case data = 0x4154_4144
    case tail = 0x4C49_4154
    case index = 0x5844_4E49
    case done = 0x454E_4F44

    var name: String {
        switch self {
        case .head: "HEAD"
        case .data: "DATA"
        case .tail: "TAIL"
        case .index: "INDX"
        case .done: "DONE"
        }
    }
}

/// The 64 bytes in front of every payload. FORMAT.md has the byte table.
struct FrameHeader: Equatable, Sendable {
    static let size = 64
    static let sync: UInt64 = 0x0A1A_0A0D_5246_55F5  // F5 55 46 52 0D 0A 1A 0A
    static let version: UInt8 = 1

    var kind: FrameKind
    var codec: Codec
    var frame: UInt64
    var firstRecord: UInt64
    var storedBytes: Int
    var rawBytes: Int
    var records: Int
    /// The header checksum of this stream's HEAD: a block of another stream cannot stand in its place. 0 in HEAD itself.
    var tag: UInt32
    var payloadChecksum: UInt32

    /// The header's bytes and their own checksum, which is their last field.
    func encoded() -> (bytes: [UInt8], checksum: UInt32) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(FrameHeader.size)
        bytes.append(littleEndian: FrameHeader.sync)
        bytes.append(littleEndian: kind.rawValue)
        bytes += [FrameHeader.version, codec.rawValue, 0, 0]
        bytes.append(littleEndian: frame)
        bytes.append(littleEndian: firstRecord)
        bytes.append(littleEndian: UInt64(storedBytes))
        bytes.append(littleEndian: UInt64(rawBytes))
        bytes.append(littleEndian: UInt32(records))
        bytes.append(littleEndian: tag)
        bytes.append(littleEndian: payloadChecksum)
        let checksum = crc32c(bytes)
        bytes.append(littleEndian: checksum)
        return (bytes, checksum)
    }

    /// Reads 64 bytes. No field is believed before the header's own checksum is right; lengths are then held to the limits.
    init(_ bytes: UnsafeRawBufferPointer) throws {
        guard bytes.load(as: UInt64.self).littleEndian == FrameHeader.sync else {
            throw InputError("no frame starts here (the sync bytes F5 55 46 52 0D 0A 1A 0A are missing)")
        }
        let checksum = bytes.loadUnaligned(fromByteOffset: 60, as: UInt32.self).littleEndian
        guard crc32c(UnsafeRawBufferPointer(rebasing: bytes[..<60])) == checksum else {
            throw InputError("the frame header's checksum does not match")
        }
        guard bytes[12] == FrameHeader.version else {
            throw InputError("format version \(bytes[12])\(bytes[12] == 0 ? " (a draft)" : ""); this release reads version \(FrameHeader.version): "
                + (bytes[12] < FrameHeader.version ? "make the stream again" : "a later release wrote it"))
        }
        guard let kind = FrameKind(rawValue: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self).littleEndian) else {
            throw InputError("a frame of unknown kind")
        }
        guard let codec = Codec(rawValue: bytes[13]) else { throw InputError("unknown codec \(bytes[13])") }
        guard bytes[14] == 0, bytes[15] == 0 else { throw InputError("unknown flags") }
        func word(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian }
        let limit = kind == .data ? StreamLimits.blockBytes : kind == .index ? Int.max >> 2 : StreamLimits.headBytes
        guard word(40) <= UInt64(limit), word(32) <= UInt64(StreamLimits.storedBytes(forRaw: limit)) else {
            throw InputError("a \(kind.name) frame of \(word(40)) bytes, more than the format allows (\(limit))")
        }
        guard codec != .none || word(32) == word(40) else { throw InputError("an uncompressed frame whose two lengths differ") }
        let count = bytes.loadUnaligned(fromByteOffset: 48, as: UInt32.self).littleEndian
        guard kind == .data ? (1 ... UInt32(StreamLimits.blockRecords)).contains(count) : (count == 0 && codec == .none) else {
            throw InputError("a \(kind.name) frame with \(count) records and codec \(codec.name)")
        }
        self.kind = kind
        self.codec = codec
        frame = word(16)
        firstRecord = word(24)
        storedBytes = Int(word(32))
        rawBytes = Int(word(40))
        records = Int(count)
        tag = bytes.loadUnaligned(fromByteOffset: 52, as: UInt32.self).littleEndian
        payloadChecksum = bytes.loadUnaligned(fromByteOffset: 56, as: UInt32.self).littleEndian
    }

    init(kind: FrameKind, codec: Codec, frame: UInt64, firstRecord: UInt64, storedBytes: Int, rawBytes: Int, records: Int, tag: UInt32, payloadChecksum: UInt32) {
        self.kind = kind
        self.codec = codec
        self.frame = frame
        self.firstRecord = firstRecord
        self.storedBytes = storedBytes
        self.rawBytes = rawBytes
        self.records = records
        self.tag = tag
        self.payloadChecksum = payloadChecksum
    }
}

extension Array where Element == UInt8 {
    mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
