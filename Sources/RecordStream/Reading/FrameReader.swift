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
        /// Its digest; of a frame that was opened without, from when it is begun.
        var sha256: PayloadDigest?
        var offset: UInt64
    }

    /// A frame as it lies in the stream: its header is believed, its payload not yet.
    struct StoredFrame: @unchecked Sendable {
        var header: FrameHeader
        var headerBytes: [UInt8]
        /// Payload and padding.
        fileprivate var stored: RawBuffer
        var offset: UInt64
        fileprivate var name: String

        /// Checks and unpacks the payload: what takes time, and needs nothing but the frame.
        /// - Parameter digests: whether the digest is taken here, and not later, when the caller uses the payload, which its checksum has found right.
        func opened(digests: Bool = true) throws -> Frame {
            do {
                try header.check(stored: stored.bytes)
                let payload: RawBuffer
                if header.codec == .none {
                    stored.truncate(to: header.storedBytes)
                    payload = stored
                } else { payload = try withExtendedLifetime(stored) { try header.unpacked(stored.bytes) } }
                return Frame(header: header, headerBytes: headerBytes, payload: payload, sha256: digests ? .made(RawBuffer.digests(of: [payload])[0]) : nil, offset: offset)
            } catch let error as InputError where error.status == .invalidData { throw error.at("\(name): frame \(header.frame) at byte \(offset)") }
        }
    }

    private let source: any ByteSource
    private(set) var offset: UInt64 = 0
    private var nextFrame: UInt64 = 0
    private var nextRecord: UInt64 = 0
    private var tag: UInt32 = 0
    private var digest: StreamDigest?
    /// DATA frames whose digests were begun, and those that wait for as many as are digested together.
    private var undigested: [Frame] = [], waiting: [Frame] = []
    private var together: BlockGroup
    private var index: [IndexEntry] = []
    private var indexOffset: UInt64 = 0
    private(set) var done: DonePayload?

    /// - Parameter together: how many blocks are digested at a time; so many wait for it, and others for those that are under way.
    init(_ source: any ByteSource, together: BlockGroup = .most) {
        self.source = source
        self.together = together
    }

    var name: String { source.name }
    var records: UInt64 { nextRecord }
    var dataFrames: Int { index.count }

    /// From here on the digests are taken; called once, when HEAD has told the schema.
    func start(schema: Schema, head: Frame) throws {
        var digest = try StreamDigest(schema: schema)
        digest.add(.head, header: head.headerBytes, sha256: head.digest)
        self.digest = digest
    }

    /// The next frame; its kind must be one of `kinds`. The digests of DATA frames are made while these are used.
    func next(_ kinds: [FrameKind]) throws -> Frame {
        let stored = try nextStored(kinds)
        guard stored.header.kind == .data else {
            let frame = try stored.opened()
            try accept(frame)
            return frame
        }
        let frame = try stored.opened(digests: false)
        waiting.append(frame)
        if together.endsGroup(of: waiting.map(\.payload.count)) { beginDigests() }
        return frame
    }

    /// On another thread, while the caller uses the payloads.
    private func beginDigests() {
        takeDigests()
        undigested = waiting
        waiting = []
        guard !undigested.isEmpty else { return }
        let digests = RawBuffer.promisedDigests(of: undigested.map(\.payload))
        for index in undigested.indices { undigested[index].sha256 = .promised(digests, index) }
        // Without other threads nobody makes them meanwhile.
        if WorkPool.shared.threads == 1 { takeDigests() }
    }

    /// What was begun; keeps frames waiting.
    private func takeDigests() {
        for frame in undigested { digest?.add(.data, header: frame.headerBytes, sha256: frame.digest) }
        undigested = []
    }

    /// The next frame before its payload is looked at; `accept` takes them in order once they are opened.
    func nextStored(_ kinds: [FrameKind]) throws -> StoredFrame {
        let at = offset
        do { return try read(kinds) } catch let error as InputError where error.status == .invalidData {
            throw error.at("\(source.name): frame \(nextFrame) at byte \(at)")
        }
    }

    private func read(_ kinds: [FrameKind]) throws -> StoredFrame {
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

        let stored = RawBuffer(capacity: header.paddedBytes)
        stored.resize(to: header.paddedBytes)
        guard try source.readFully(into: stored.mutableBytes) == stored.count else {
            throw InputError("the stream ends early, inside a \(header.kind.name) frame: it was cut, or the command that wrote it failed")
        }
        let headerBytes = Array(headerBuffer.bytes)
        switch header.kind {
        case .head: tag = headerBytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 60, as: UInt32.self).littleEndian }
        case .data:
            index.append(IndexEntry(offset: start, firstRecord: header.firstRecord, records: UInt32(header.records), storedBytes: UInt64(header.frameBytes)))
            nextRecord += UInt64(header.records)
        case .index: indexOffset = start
        case .tail, .done: break
        }
        nextFrame += 1
        offset = start + UInt64(header.frameBytes)
        return StoredFrame(header: header, headerBytes: headerBytes, stored: stored, offset: start, name: source.name)
    }

    /// Takes an opened frame into the digests and holds it to what was read before it. Each frame once, in order.
    func accept(_ frame: Frame) throws {
        beginDigests()
        takeDigests()
        do { try check(frame) } catch let error as InputError { throw error.at("\(source.name): frame \(frame.header.frame) at byte \(frame.offset)") }
        if frame.header.kind != .head, frame.header.kind != .done { digest?.add(frame.header.kind, header: frame.headerBytes, sha256: frame.digest) }
    }

    private func check(_ frame: Frame) throws {
        switch frame.header.kind {
        case .head, .data, .tail: break
        case .index:
            guard IndexEntry.encoded(index).elementsEqual(frame.payload.bytes) else { throw InputError("the index does not match the blocks before it") }
        case .done:
            guard let digest else { throw InputError("an end mark before a head") }
            let expected = DonePayload(indexOffset: indexOffset, records: nextRecord, dataFrames: UInt64(index.count), digest: digest)
            guard expected.encoded.elementsEqual(frame.payload.bytes) else {
                throw InputError(DonePayload(frame.payload.bytes).difference(from: expected))
            }
            done = expected
        }
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

/// SHA-256 of a payload, made at once or by another thread, with others.
enum PayloadDigest {
    case made([UInt8])
    case promised(Promise<[[UInt8]]>, Int)
}

extension FrameReader.Frame {
    /// Waits until it is made.
    fileprivate var digest: [UInt8] {
        switch sha256 {
        case .made(let digest): digest
        case .promised(let digests, let index): digests.value[index]
        case nil: RawBuffer.digests(of: [payload])[0]
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
