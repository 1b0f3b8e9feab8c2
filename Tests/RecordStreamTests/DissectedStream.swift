import Checksums
import JSON
import Testing

@testable import RecordStream

/// A stream taken apart into frames. `assembled` joins them again with every plain checksum, number, tag, index and total made right, so that only
/// what a test changed on purpose can be what a reader finds.
struct DissectedStream {
    struct Frame {
        var kind: FrameKind
        var codec: Codec
        /// The raw payload.
        var payload: [UInt8]
        var records: Int
        /// Overrides what the header says about the raw length.
        var claimedBytes: Int?
    }

    /// HEAD, DATA ..., TAIL. INDX and DONE are made anew.
    var frames: [Frame] = []
    /// INDX as it stood.
    var index: [UInt8] = []
    var done: DonePayload

    init(_ bytes: [UInt8]) throws {
        let aligned = RawBuffer()
        bytes.withUnsafeBytes { aligned.append($0) }
        var at = 0, done: DonePayload?
        while at < bytes.count {
            let header = try FrameHeader(UnsafeRawBufferPointer(rebasing: aligned.bytes[at ..< at + FrameHeader.size]))
            let stored = UnsafeRawBufferPointer(rebasing: aligned.bytes[at + FrameHeader.size ..< at + header.frameBytes])
            let raw = try header.unpacked(stored)
            let payload = withExtendedLifetime((raw, aligned)) { Array(raw.bytes) }
            switch header.kind {
            case .index: index = payload
            case .done: done = payload.withUnsafeBytes { DonePayload($0) }
            default: frames.append(Frame(kind: header.kind, codec: header.codec, payload: payload, records: header.records))
            }
            at += header.frameBytes
        }
        self.done = try #require(done)
    }

    var dataFrames: Range<Int> { 1 ..< frames.count - 1 }

    /// Where each frame lies.
    static func frameRanges(_ bytes: [UInt8]) throws -> [Range<Int>] {
        var ranges: [Range<Int>] = [], at = 0
        while at < bytes.count {
            let header = try bytes[at ..< at + 64].withUnsafeBytes { bytes in
                let aligned = RawBuffer()
                aligned.append(bytes)
                return try FrameHeader(aligned.bytes)
            }
            ranges.append(at ..< at + header.frameBytes)
            at += header.frameBytes
        }
        return ranges
    }

    enum Digests { case kept, remade }

    /// - Parameters:
    ///   - digests: whether the SHA-256 digests of DONE stay as they were (an accident, however unlikely) or are made right too (a hostile writer).
    ///   - index: INDX to use instead of a right one.
    func assembled(_ digests: Digests, index foreign: [UInt8]? = nil, change: (inout DonePayload) -> Void = { _ in }) throws -> [UInt8] {
        let schema = (try? frames[0].payload.withUnsafeBytes { try StreamHead(payload: $0, name: "") })?.schema ?? RatedRecord.schema
        var out: [UInt8] = [], digest = try StreamDigest(schema: schema), tag: UInt32 = 0, record = 0, entries: [IndexEntry] = []
        var number: UInt64 = 0
        func write(_ frame: Frame) throws {
            let start = out.count
            let stored = try frame.codec == .none ? frame.payload : frame.payload.withUnsafeBytes(frame.codec.compressed)
            let padded = stored + [UInt8](repeating: 0, count: stored.count.aligned - stored.count)
            let header = FrameHeader(
                kind: frame.kind, codec: frame.codec, frame: number, firstRecord: UInt64(record), storedBytes: frame.claimedBytes ?? stored.count,
                rawBytes: frame.claimedBytes ?? frame.payload.count, records: frame.records, tag: tag, payloadChecksum: crc32c(padded))
            let (bytes, checksum) = header.encoded()
            if frame.kind == .head { tag = checksum }
            if frame.kind != .done { digest.add(frame.kind, header: bytes, sha256: SHA256.digest(of: frame.payload)) }
            out += bytes + padded
            if frame.kind == .data {
                entries.append(IndexEntry(offset: UInt64(start), firstRecord: UInt64(record), records: UInt32(frame.records), storedBytes: UInt64(out.count - start)))
            }
            record += frame.records
            number += 1
        }
        for frame in frames { try write(frame) }
        let indexOffset = out.count
        try write(Frame(kind: .index, codec: .none, payload: foreign ?? IndexEntry.encoded(entries), records: 0))
        var done = DonePayload(indexOffset: UInt64(indexOffset), records: UInt64(record), dataFrames: UInt64(entries.count), digest: digest)
        if digests == .kept { (done.contentDigest, done.streamDigest) = (self.done.contentDigest, self.done.streamDigest) }
        change(&done)
        try write(Frame(kind: .done, codec: .none, payload: done.encoded, records: 0))
        return out
    }
}

/// A DATA payload taken apart into its arrays.
struct DissectedBlock {
    var arrays: [[UInt8]]

    init(_ payload: [UInt8], schema: Schema) {
        var at = (8 * schema.arrayCount).aligned
        arrays = (0 ..< schema.arrayCount).map { array in
            let length = payload.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 8 * array, as: UInt64.self)) }
            defer { at += length.aligned }
            return Array(payload[at ..< at + length])
        }
    }

    /// - Parameter lengths: what the directory says instead of the truth.
    func payload(lengths: [Int: UInt64] = [:]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (number, array) in arrays.enumerated() { bytes.append(littleEndian: lengths[number] ?? UInt64(array.count)) }
        bytes += [UInt8](repeating: 0, count: bytes.count.aligned - bytes.count)
        for array in arrays { bytes += array + [UInt8](repeating: 0, count: array.count.aligned - array.count) }
        return bytes
    }

    /// Array `number` as 32-bit words.
    subscript(words number: Int) -> [UInt32] {
        get { arrays[number].withUnsafeBytes { bytes in stride(from: 0, to: bytes.count - 3, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) } } }
        set {
            arrays[number] = []
            for word in newValue { arrays[number].append(littleEndian: word) }
        }
    }
}

extension Schema {
    /// The number of a column's first array.
    func firstArray(_ name: String) -> Int {
        var next = 0
        for column in columns {
            if column.name == name { return next }
            next += column.arrayCount
        }
        preconditionFailure("no column \(name)")
    }
}
