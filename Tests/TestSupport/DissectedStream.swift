import Checksums
import CZlib
import CZstd
import JSON

/// A record stream taken apart into frames. `assembled` joins them again with every plain checksum, number, tag, index and total made right, so that only what
/// a test changed on purpose can be what a reader finds.
///
/// Written after FORMAT.md and without the library that it is to test; that both make the same bytes is a test of its own (StructuralAttackTests).
public struct DissectedStream: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case head = "HEAD", data = "DATA", tail = "TAIL", index = "INDX", done = "DONE"
        public var name: String { rawValue }
    }

    public struct Frame: Sendable {
        public var kind: Kind
        /// 0 none, 1 zlib, 2 zstd.
        public var codec: UInt8
        /// Raw, as it is before compression.
        public var payload: [UInt8]
        public var records: Int
        /// What is stored in place of the compressed payload.
        public var stored: [UInt8]?
        /// Header bytes that say something else than the truth, by position; the header's checksum is taken over them.
        public var lies: [Int: [UInt8]] = [:]

        /// The payload as it would be stored.
        public var compressed: [UInt8] { packed(payload, codec: codec) }

        /// Lets the header say that the payload, stored and raw, has so many bytes.
        public mutating func claim(bytes: Int) { for at in [32, 40] { lies[at] = littleEndian(UInt64(bytes)) } }
    }

    /// What DONE holds.
    public struct EndMark: Sendable {
        public var indexOffset: UInt64
        public var records: UInt64
        public var dataFrames: UInt64
        public var headerChain: UInt32
        /// 16 bytes each.
        public var contentDigest: [UInt8]
        public var streamDigest: [UInt8]

        var payload: [UInt8] {
            littleEndian(indexOffset) + littleEndian(records) + littleEndian(dataFrames) + littleEndian(headerChain) + littleEndian(UInt32(0))
                + contentDigest + streamDigest
        }
    }

    private static let sync: [UInt8] = [0xF5, 0x55, 0x46, 0x52, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let headerSize = 64

    /// HEAD, DATA ..., TAIL. INDX and DONE are made anew.
    public var frames: [Frame] = []
    /// INDX as it stood.
    public private(set) var index: [UInt8] = []
    /// Of the headers of INDX and DONE, as `Frame.lies`.
    public var indexLies: [Int: [UInt8]] = [:], doneLies: [Int: [UInt8]] = [:]
    private let version: UInt8
    private var digests: (content: [UInt8], stream: [UInt8]) = ([], [])

    /// - Parameter bytes: a whole stream; nothing of it is checked.
    public init(_ bytes: [UInt8]) throws {
        version = bytes[12]
        for range in DissectedStream.frameRanges(bytes) {
            let header = Array(bytes[range.prefix(64)])
            func word(_ at: Int) -> Int { Int(littleEndian: header[at ..< at + 8]) }
            guard let kind = Kind(rawValue: String(decoding: header[8 ..< 12], as: UTF8.self)) else {
                preconditionFailure("no kind of frame: \(header[8 ..< 12])")
            }
            let payload = unpacked(Array(bytes[range.dropFirst(64).prefix(word(32))]), codec: header[13], count: word(40))
            switch kind {
            case .index: index = payload
            case .done: digests = (Array(payload[32 ..< 48]), Array(payload[48 ..< 64]))
            default: frames.append(Frame(kind: kind, codec: header[13], payload: payload, records: Int(littleEndian: header[48 ..< 52])))
            }
        }
    }

    public var dataFrames: Range<Int> { 1 ..< frames.count - 1 }

    /// How many arrays a block of the stream has, by its head.
    public var arrayCount: Int {
        let columns = (try? JSON.parse(frames[0].payload))?["columns"]?.array ?? []
        return columns.prefix(1000).reduce(0) { $0 + min(max($1["depth"]?.int ?? 0, 0), 2) + ($1["as"] == "dictionary" ? 3 : 1) }
    }

    /// Where each frame of a whole stream lies.
    public static func frameRanges(_ bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = [], at = 0
        while at < bytes.count {
            let end = at + headerSize + padded(Int(littleEndian: bytes[at + 32 ..< at + 40]))
            ranges.append(at ..< end)
            at = end
        }
        return ranges
    }

    public enum Digests: Sendable { case kept, remade }

    /// - Parameters:
    ///   - digests: whether the SHA-256 digests of DONE stay as they were (an accident, however unlikely) or are made right too (a hostile writer).
    ///   - index: INDX to use instead of a right one.
    public func assembled(_ digests: Digests, index foreign: [UInt8]? = nil, change: (inout EndMark) -> Void = { _ in }) throws -> [UInt8] {
        var out: [UInt8] = [], tag = littleEndian(UInt32(0)), record = 0, entries: [UInt8] = [], blocks: UInt64 = 0, number: UInt64 = 0
        var content = SHA256(), stream = SHA256(), chain: UInt32 = 0
        content.update(schemaText)
        func write(_ frame: Frame) {
            let start = out.count, stored = frame.stored ?? frame.compressed
            let lying = stored + [UInt8](repeating: 0, count: padded(stored.count) - stored.count)
            var header = DissectedStream.sync + Array(frame.kind.rawValue.utf8) + [version, frame.codec, 0, 0]
            header += littleEndian(number) + littleEndian(UInt64(record))
            header += littleEndian(UInt64(stored.count)) + littleEndian(UInt64(frame.payload.count))
            header += littleEndian(UInt32(truncatingIfNeeded: frame.records)) + tag + littleEndian(crc32c(lying))
            for (at, bytes) in frame.lies { header.replaceSubrange(at ..< at + bytes.count, with: bytes) }
            let checksum = littleEndian(crc32c(header))
            out += header + checksum + lying
            if frame.kind == .head { tag = checksum }
            if frame.kind == .data {
                content.update(SHA256.digest(of: frame.payload))
                entries += littleEndian(UInt64(start)) + littleEndian(UInt64(record)) + littleEndian(UInt64(out.count - start))
                entries += littleEndian(UInt32(truncatingIfNeeded: frame.records)) + littleEndian(UInt32(0))
                blocks += 1
            }
            if frame.kind != .index { stream.update(Array(header[8 ..< 12] + header[48 ..< 52]) + SHA256.digest(of: frame.payload)) }
            chain = crc32c(checksum, continuing: chain)
            record += frame.records
            number += 1
        }
        for frame in frames { write(frame) }
        let indexOffset = UInt64(out.count)
        write(Frame(kind: .index, codec: 0, payload: foreign ?? entries, records: 0, lies: indexLies))
        var mark = EndMark(
            indexOffset: indexOffset, records: UInt64(record), dataFrames: blocks, headerChain: chain,
            contentDigest: Array(content.digest()[..<16]), streamDigest: Array(stream.digest()[..<16]))
        if digests == .kept { (mark.contentDigest, mark.streamDigest) = self.digests }
        change(&mark)
        write(Frame(kind: .done, codec: 0, payload: mark.payload, records: 0, lies: doneLies))
        return out
    }

    /// Columns and kind, over which the content digest is taken; of a head that is none, something.
    private var schemaText: [UInt8] {
        guard let head = frames.first.flatMap({ try? JSON.parse($0.payload) }) else { return [] }
        return (try? JSONValue.object([("columns", head["columns"] ?? .null), ("kind", head["kind"] ?? .null)]).canonical) ?? []
    }
}

private func padded(_ count: Int) -> Int { (count + 63) / 64 * 64 }

public func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }

extension Int {
    init(littleEndian bytes: ArraySlice<UInt8>) { self = bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }
}

/// As the stream's writer compresses: zlib at level 6, zstd at level 3.
private func packed(_ payload: [UInt8], codec: UInt8) -> [UInt8] {
    switch codec {
    case 1:
        return [UInt8](unsafeUninitializedCapacity: Int(compressBound(uLong(payload.count)))) { space, count in
            var length = uLongf(space.count)
            precondition(compress2(space.baseAddress, &length, payload, uLong(payload.count), 6) == Z_OK)
            count = Int(length)
        }
    case 2:
        return [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(payload.count)) { space, count in
            count = ZSTD_compress(space.baseAddress, space.count, payload, payload.count, 3)
        }
    default: return payload
    }
}

private func unpacked(_ stored: [UInt8], codec: UInt8, count: Int) -> [UInt8] {
    guard codec != 0 else { return stored }
    return [UInt8](unsafeUninitializedCapacity: count) { space, filled in
        filled = count
        if codec == 2 { return precondition(ZSTD_decompress(space.baseAddress, count, stored, stored.count) == count) }
        var length = uLongf(count)
        precondition(uncompress(space.baseAddress, &length, stored, uLong(stored.count)) == Z_OK)
    }
}
