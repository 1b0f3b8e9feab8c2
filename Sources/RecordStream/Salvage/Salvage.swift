import Checksums
import Glibc
import SystemIO

/// Takes what is intact out of a damaged stream in a file: every frame whose checksums, tag and place in the order are right, wherever it lies.
///
/// The head must be intact, since nothing else says what the blocks hold. What cannot be noticed frame by frame (blocks exchanged by somebody who made all
/// checksums right) cannot be noticed here either; `SalvageAccount.diagnosis` then says that the digests do not match.
public struct Salvage {
    public let head: StreamHead
    /// Of the input's bytes as they are, for provenance.
    public let sha256: String
    public let byteCount: Int
    /// Licences that the tail names, where it is intact.
    public private(set) var licences: [String: String] = [:]
    public private(set) var account = SalvageAccount()
    private let file: MappedFile
    private let tag: UInt32
    private let dataStart: Int

    /// Throws for a file without an intact head.
    public init(path: String) throws {
        file = try MappedFile(path: path)
        let frames = FrameMap(file)
        do {
            let frame = try frames.frame(at: 0, .head)
            tag = frame.header.encoded().checksum
            dataStart = frame.header.frameBytes
            head = try StreamHead(payload: frame.payload, name: path)
        } catch let error as InputError {
            throw InputError("\(error.message) (without its head, nothing says what the blocks hold: it cannot be salvaged)")
        }
        var sha = SHA256()
        sha.update(file.bytes)
        (sha256, byteCount) = (sha.hexDigest(), file.bytes.count)
    }

    /// Hands out the bytes (`Block.append(record:to:)`) of every record that can be kept, in order, and takes account of the others.
    public mutating func run(write: ([UInt8]) throws -> Void) throws {
        account = SalvageAccount()
        account.diagnosis = Salvage.diagnosis(file.path)
        var state = Progress()
        var at = dataStart
        while at < file.bytes.count {
            switch frame(at: at) {
            case .broken(let reason, let header):
                // A header that is right tells how many records went with its payload, even where nothing follows.
                if let header, header.kind == .data, let first = Int(exactly: header.firstRecord), first < .max - StreamLimits.blockRecords {
                    state.promised = max(state.promised, first + header.records)
                }
                let next = nextSync(after: at) ?? file.bytes.count
                lose(bytes: at ..< next, reason, &state)
                at = next
            case .intact(let frame):
                try take(frame, at: at, &state, write)
                at += frame.header.frameBytes
            }
        }
        lose(recordsTo: state.total ?? state.promised, &state)
        account.totalRecords = state.total
    }

    private struct Frame {
        var header: FrameHeader
        var stored: RawBuffer
    }

    private enum Found {
        case intact(Frame)
        /// Why, with the header where that is right and of this stream.
        case broken(String, FrameHeader?)
    }

    private struct Progress {
        /// One more than the last frame and record that were accounted for.
        var nextFrame: UInt64 = 1
        var nextRecord = 0
        /// Why something is missing since then.
        var reason: String?
        /// What frames after the blocks say.
        var total: Int?
        /// What the headers of lost blocks say.
        var promised = 0
        var isDone = false
    }

    /// What the reader of whole streams finds wrong.
    private static func diagnosis(_ path: String) -> String? {
        do {
            let reader = try RecordStreamReader(FileSource(path: path))
            while let block = try reader.nextBlock() { try block.validateRecords() }
            return nil
        } catch { return "\(error)" }
    }

    private func frame(at offset: Int) -> Found {
        var known: FrameHeader?
        do {
            guard file.bytes.count - offset >= FrameHeader.size else { throw InputError("the file ends inside a frame's header") }
            // Lost or added bytes move what follows off its boundary: a copy is on one.
            let copy = aligned(offset ..< offset + FrameHeader.size)
            let header = try withExtendedLifetime(copy) { try FrameHeader(copy.bytes) }
            guard header.tag == tag else { throw InputError("the frame belongs to another stream") }
            known = header
            guard header.paddedBytes <= file.bytes.count - offset - FrameHeader.size else { throw InputError("the file ends inside a \(header.kind.name) frame") }
            let stored = aligned(offset + FrameHeader.size ..< offset + header.frameBytes)
            try withExtendedLifetime(stored) { try header.check(stored: stored.bytes) }
            return .intact(Frame(header: header, stored: stored))
        } catch { return .broken("\(error)", known) }
    }

    private func aligned(_ range: Range<Int>) -> RawBuffer {
        let buffer = RawBuffer(capacity: range.count)
        buffer.append(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
        return buffer
    }

    /// Where the next frame may start, at any byte.
    private func nextSync(after offset: Int) -> Int? {
        let first = Int32(FrameHeader.sync & 0xFF)
        var at = offset + 1
        while let base = file.bytes.baseAddress, at + 8 <= file.bytes.count, let found = memchr(base + at, first, file.bytes.count - at) {
            at = UnsafeRawPointer(found) - base
            if at + 8 <= file.bytes.count, file.bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian == FrameHeader.sync { return at }
            at += 1
        }
        return nil
    }

    private mutating func lose(bytes range: Range<Int>, _ reason: String, _ state: inout Progress) {
        state.reason = state.reason ?? reason
        if let last = account.lostBytes.last, last.range.upperBound == range.lowerBound {
            account.lostBytes[account.lostBytes.count - 1].range = last.range.lowerBound ..< range.upperBound
        } else {
            account.lostBytes.append(.init(range: range, reason: reason))
        }
    }

    /// Records from the last one accounted for up to `end` are gone.
    private mutating func lose(recordsTo end: Int, reason: String? = nil, _ state: inout Progress) {
        guard end > state.nextRecord else { return }
        account.lostRecords.append(.init(range: state.nextRecord ..< end, reason: reason ?? state.reason ?? "the frames that held them are missing"))
        state.nextRecord = end
    }

    private mutating func take(_ frame: Frame, at offset: Int, _ state: inout Progress, _ write: ([UInt8]) throws -> Void) throws {
        let header = frame.header, first = Int(clamping: header.firstRecord)
        guard !state.isDone, header.frame >= state.nextFrame, header.frame < .max, first >= state.nextRecord, first < .max - StreamLimits.blockRecords else {
            return lose(bytes: offset ..< offset + header.frameBytes, "\(header.kind.name) frame \(header.frame) stands here once more, or out of order", &state)
        }
        state.nextFrame = header.frame + 1
        lose(recordsTo: first, &state)
        state.reason = nil
        switch header.kind {
        case .data: try take(block: frame, &state, write)
        case .head: lose(bytes: offset ..< offset + header.frameBytes, "a second head", &state)
        case .tail:
            state.total = first
            let payload = UnsafeRawBufferPointer(rebasing: frame.stored.bytes[..<header.storedBytes])
            licences = (try? withExtendedLifetime(frame.stored) { try StreamTail(payload: payload, name: file.path) })?.licences ?? [:]
        case .index: state.total = first
        case .done:
            state.total = first
            state.isDone = true
        }
    }

    private mutating func take(block frame: Frame, _ state: inout Progress, _ write: ([UInt8]) throws -> Void) throws {
        let header = frame.header, end = Int(header.firstRecord) + header.records
        let block: Block
        do {
            let raw = try withExtendedLifetime(frame.stored) { try header.unpacked(frame.stored.bytes) }
            block = try Block(schema: head.schema, name: "the stream", firstRecord: Int(header.firstRecord), count: header.records, payload: raw.bytes, owner: raw)
        } catch let error as InputError { return lose(recordsTo: end, reason: error.message, &state) }
        account.keptBlocks += 1
        for index in 0 ..< block.count {
            let bytes: [UInt8]
            do {
                try block.checkRules(index)
                bytes = try block.recordBytes(index)
            } catch let error as InputError {
                lose(recordsTo: block.firstRecord + index + 1, reason: error.message, &state)
                continue
            }
            try write(bytes)
            account.keptRecords += 1
            state.nextRecord = block.firstRecord + index + 1
        }
    }
}
