import Checksums
import JSON
import SystemIO

/// Reads frame after frame from a source and holds each to everything that can be known about it so far.
final class FrameReader {
    struct Frame {
        var header: FrameHeader
        var headerBytes: [UInt8]
        /// The raw (unpacked) payload.
        var payload: RawBuffer
        var offset: UInt64
    }

    private let source: any ByteSource
    private(set) var offset: UInt64 = 0
    private var nextFrame: UInt64 = 0
    private var nextRecord: UInt64 = 0
    private var tag: UInt32 = 0
    private var digest: StreamDigest?
    private var index: [IndexEntry] = []
    private var indexOffset: UInt64 = 0
    private(set) var done: DonePayload?

    init(_ source: any ByteSource) { self.source = source }

    var name: String { source.name }
    var records: UInt64 { nextRecord }
    var dataFrames: Int { index.count }

    /// From here on the digests are taken; called once, when HEAD has told the schema.
    func start(schema: Schema, head: Frame) throws {
        var digest = try StreamDigest(schema: schema)
        digest.add(.head, header: head.headerBytes, payload: head.payload.bytes)
        self.digest = digest
    }

    /// The next frame; its kind must be one of `kinds`.
    func next(_ kinds: [FrameKind]) throws -> Frame {
        let at = offset
        do { return try read(kinds) } catch let error as InputError where error.status == .invalidData {
            throw error.at("\(source.name): frame \(nextFrame) at byte \(at)")
        }
    }

    private func read(_ kinds: [FrameKind]) throws -> Frame {
        let start = offset
        let headerBuffer = RawBuffer(capacity: FrameHeader.size)
        headerBuffer.resize(to: FrameHeader.size)
        let got = try source.readFully(into: headerBuffer.mutableBytes)
        guard got > 0 || nextFrame > 0 else { throw InputError("empty: not a record stream (an empty data set still has a head and an end mark)") }
        guard got == FrameHeader.size else {
            throw InputError("the stream ends early, after \(offset + UInt64(got)) bytes, without its end mark: it was cut, or the command that wrote it failed")
        }
        let header = try FrameHeader(headerBuffer.bytes)
        guard kinds.contains(header.kind) else {
            throw InputError("a \(header.kind.name) frame where \(kinds.map(\.name).joined(separator: " or ")) was expected")
        }
        guard header.frame == nextFrame else { throw InputError("this is frame \(header.frame): frames are missing, doubled or out of order") }
        guard header.tag == tag else { throw InputError("the frame belongs to another stream") }
        guard header.firstRecord == nextRecord else { throw InputError("it starts at record \(header.firstRecord), expected record \(nextRecord)") }
        if header.kind == .index, header.rawBytes != index.count * IndexEntry.size {
            throw InputError("an index of \(header.rawBytes) bytes for \(index.count) blocks")
        }
        if header.kind == .done, header.rawBytes != DonePayload.size { throw InputError("an end mark of \(header.rawBytes) bytes") }

        let payload = try readPayload(header)
        offset = start + UInt64(header.frameBytes)
        let headerBytes = Array(headerBuffer.bytes)
        let frame = Frame(header: header, headerBytes: headerBytes, payload: payload, offset: start)
        try accept(frame)
        return frame
    }

    private func readPayload(_ header: FrameHeader) throws -> RawBuffer {
        let stored = RawBuffer(capacity: header.paddedBytes)
        stored.resize(to: header.paddedBytes)
        guard try source.readFully(into: stored.mutableBytes) == stored.count else {
            throw InputError("the stream ends early, inside a \(header.kind.name) frame: it was cut, or the command that wrote it failed")
        }
        try header.check(stored: stored.bytes)
        guard header.codec == .none else { return try withExtendedLifetime(stored) { try header.unpacked(stored.bytes) } }
        stored.truncate(to: header.storedBytes)
        return stored
    }

    /// Books an intact frame and checks what it says about the frames before it.
    private func accept(_ frame: Frame) throws {
        let header = frame.header
        switch header.kind {
        case .head:
            tag = frame.headerBytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 60, as: UInt32.self).littleEndian }
        case .data:
            index.append(IndexEntry(
                offset: frame.offset, firstRecord: header.firstRecord, records: UInt32(header.records),
                storedBytes: UInt64(header.frameBytes)))
            nextRecord += UInt64(header.records)
        case .tail:
            break
        case .index:
            indexOffset = frame.offset
            guard IndexEntry.encoded(index).elementsEqual(frame.payload.bytes) else { throw InputError("the index does not match the blocks before it") }
        case .done:
            guard let digest else { throw InputError("an end mark before a head") }
            let expected = DonePayload(indexOffset: indexOffset, records: nextRecord, dataFrames: UInt64(index.count), digest: digest)
            guard expected.encoded.elementsEqual(frame.payload.bytes) else {
                throw InputError(DonePayload(frame.payload.bytes).difference(from: expected))
            }
            done = expected
        }
        if header.kind != .head, header.kind != .done { digest?.add(header.kind, header: frame.headerBytes, payload: frame.payload.bytes) }
        nextFrame += 1
    }

    /// Refuses anything after the end mark.
    func expectEnd() throws {
        let probe = RawBuffer(capacity: 64)
        probe.resize(to: 1)
        guard try source.read(into: probe.mutableBytes) == 0 else {
            throw InputError("\(source.name): at byte \(offset): there is more after the end mark (streams joined with cat are not one stream; name them all as inputs instead)")
        }
    }
}

extension DonePayload {
    /// In words, why the end mark does not fit what was read.
    func difference(from expected: DonePayload) -> String {
        if records != expected.records { return "the end mark counts \(records) records, but \(expected.records) were read" }
        if dataFrames != expected.dataFrames { return "the end mark counts \(dataFrames) blocks, but \(expected.dataFrames) were read" }
        if contentDigest != expected.contentDigest { return "the digest of the content does not match: blocks were exchanged or altered" }
        return "the end mark does not match the stream before it: frames were exchanged or altered"
    }
}
