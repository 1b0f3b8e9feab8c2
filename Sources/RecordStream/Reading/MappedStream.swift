import Checksums
import Glibc
import SystemIO

/// Random access to a record stream in a file: from the end mark to the index to the block that holds a record, without reading the rest (guarantee G4).
///
/// Opening checks that the file ends with an end mark and that head, index and end mark belong together and account for every byte of the file. A block is checked
/// when it is read: header against index, payload against its checksum, then its structure. What is not read is not checked, and the SHA-256 digests, which are taken over
/// the whole stream, are not either: `RecordStreamReader` does that. Uncompressed blocks are used where they lie in the mapped file, which must not be changed meanwhile.
public final class MappedStream: @unchecked Sendable {
    public let name: String
    public let head: StreamHead
    /// Records and blocks of the whole stream.
    public let recordCount: Int
    public let index: [IndexEntry]
    /// Bytes of the whole stream.
    public var byteCount: Int { file.bytes.count }
    private let file: MappedFile
    private let tag: UInt32
    private let tailOffset: Int
    private let done: DonePayload

    /// Whether `path` is a regular file; anything else (a pipe, a device, none at all) is for `RecordStreamReader`.
    public static func canMap(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    public convenience init(path: String) throws { try self.init(MappedFile(path: path)) }

    init(_ file: MappedFile) throws {
        self.file = file
        name = file.path
        let frames = FrameMap(file)
        let head = try frames.frame(at: 0, .head)
        guard head.header.frame == 0, head.header.firstRecord == 0, head.header.tag == 0 else { throw InputError("\(file.path): the head is not the stream's first frame") }
        tag = head.header.encoded().checksum
        self.head = try StreamHead(payload: head.payload, name: file.path)

        let doneOffset = file.bytes.count - FrameHeader.size - DonePayload.size
        guard doneOffset >= 0, file.bytes.count % StreamLimits.alignment == 0 else { throw MappedStream.noEnd(file.path) }
        let last: FrameMap.Frame
        do { last = try frames.frame(at: doneOffset, .done) } catch is InputError { throw MappedStream.noEnd(file.path) }
        guard last.payload.count == DonePayload.size else { throw MappedStream.noEnd(file.path) }
        done = DonePayload(last.payload)

        // Every number below is held to the file's size before it is used as an offset.
        guard let indexOffset = Int(exactly: done.indexOffset), indexOffset < doneOffset, indexOffset % StreamLimits.alignment == 0 else {
            throw InputError("\(file.path): the end mark says that the index is at byte \(done.indexOffset), beyond the file's \(file.bytes.count) bytes")
        }
        let indexFrame = try frames.frame(at: indexOffset, .index)
        guard indexOffset + indexFrame.header.frameBytes == doneOffset, indexFrame.payload.count % IndexEntry.size == 0 else {
            throw InputError("\(file.path): frame at byte \(indexOffset): the index does not end where the end mark starts")
        }
        index = IndexEntry.parse(indexFrame.payload)
        (recordCount, tailOffset) = try MappedStream.account(for: index, from: head.header.frameBytes, to: indexOffset, name: file.path)
        let tail = try frames.frame(at: tailOffset, .tail)
        guard tailOffset + tail.header.frameBytes == indexOffset, tail.header.tag == tag, tail.header.frame == UInt64(index.count + 1) else {
            throw InputError("\(file.path): frame at byte \(tailOffset): the tail does not belong between the last block and the index")
        }
        guard IndexEntry.encoded(index).elementsEqual(indexFrame.payload), done.records == UInt64(recordCount), done.dataFrames == UInt64(index.count),
            last.header.tag == tag, indexFrame.header.tag == tag, last.header.frame == UInt64(index.count + 3), indexFrame.header.frame == UInt64(index.count + 2),
            last.header.firstRecord == UInt64(recordCount), indexFrame.header.firstRecord == UInt64(recordCount)
        else { throw InputError("\(file.path): head, index and end mark do not belong together") }
    }

    /// The blocks must stand one after the other from the head to the tail, and their records too. Returns the number of records and where the last block ends.
    private static func account(for index: [IndexEntry], from start: Int, to end: Int, name: String) throws -> (Int, Int) {
        var offset = UInt64(start), record: UInt64 = 0
        for (block, entry) in index.enumerated() {
            guard entry.offset == offset, entry.firstRecord == record, entry.storedBytes <= UInt64(end), offset + entry.storedBytes <= UInt64(end),
                entry.storedBytes % UInt64(StreamLimits.alignment) == 0, entry.records > 0
            else { throw InputError("\(name): entry \(block) of the index does not follow the one before it") }
            offset += entry.storedBytes
            record += UInt64(entry.records)
        }
        return (Int(record), Int(offset))
    }

    private static func noEnd(_ name: String) -> InputError {
        InputError("\(name): the file does not end with an end mark: it was cut, is still being written, or is no record stream")
    }

    /// Identity of the content, as the end mark states it.
    public var contentDigest: String { hexadecimal(done.contentDigest) }
    /// Identity of the whole stream, as the end mark states it.
    public var streamDigest: String { hexadecimal(done.streamDigest) }

    /// The stage's summary.
    public func tail() throws -> StreamTail {
        try StreamTail(payload: FrameMap(file).frame(at: tailOffset, .tail).payload, name: name)
    }

    /// What the stream is beside its records. Throws for a stream whose blocks are stored in different ways, which no writer makes.
    public func label() throws -> StreamLabel {
        let codecs = try Set(index.map { try FrameMap(file).header(at: Int($0.offset)).codec })
        guard codecs.count <= 1 else {
            throw InputError("\(name): its blocks are stored with different codecs, which one label cannot say; uf-records cat writes them with one")
        }
        return StreamLabel(head: head, tail: try tail(), content: contentDigest, codec: codecs.first ?? .none, blocks: index.map { Int($0.records) })
    }

    /// Block `number`, checked.
    public func block(_ number: Int) throws -> Block {
        let entry = index[number], offset = Int(entry.offset)
        let frame = try FrameMap(file).frame(at: offset, .data)
        let header = frame.header
        guard header.tag == tag else { throw InputError("\(name): frame \(number + 1) at byte \(offset): the frame belongs to another stream") }
        guard header.frame == UInt64(number + 1), header.firstRecord == entry.firstRecord, header.records == Int(entry.records), header.frameBytes == Int(entry.storedBytes) else {
            throw InputError("\(name): frame \(number + 1) at byte \(offset): it is not the block that the index says")
        }
        do {
            if header.codec == .none {
                return try Block(schema: head.schema, name: name, firstRecord: Int(header.firstRecord), count: header.records, payload: frame.payload, owner: file)
            }
            let raw = try header.unpacked(frame.payload)
            return try Block(schema: head.schema, name: name, firstRecord: Int(header.firstRecord), count: header.records, payload: raw.bytes, owner: raw)
        } catch let error as InputError { throw error.at("\(name): the block at byte \(offset)") }
    }

    /// The number of the block that holds record `record`, which must be one of the stream's.
    public func blockNumber(holding record: Int) -> Int {
        // The last block that starts at or before the record.
        var low = 0, high = index.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if index[middle].firstRecord <= UInt64(record) { low = middle } else { high = middle - 1 }
        }
        return low
    }
}

/// Frames of a mapped file by their offset.
struct FrameMap {
    struct Frame {
        var header: FrameHeader
        /// As it is stored, without padding.
        var payload: UnsafeRawBufferPointer
    }

    let file: MappedFile

    init(_ file: MappedFile) { self.file = file }

    /// The header that starts at `offset`, which is within the file, checked.
    func header(at offset: Int) throws -> FrameHeader {
        guard file.bytes.count - offset >= FrameHeader.size else { throw InputError("the file is too short for a frame") }
        return try FrameHeader(UnsafeRawBufferPointer(rebasing: file.bytes[offset ..< offset + FrameHeader.size]))
    }

    /// The frame that starts at `offset`, which is within the file; header and payload are checked.
    func frame(at offset: Int, _ kind: FrameKind) throws -> Frame {
        do {
            let header = try header(at: offset)
            guard header.kind == kind else { throw InputError("a \(header.kind.name) frame where \(kind.name) was expected") }
            let start = offset + FrameHeader.size
            guard header.paddedBytes <= file.bytes.count - start else { throw InputError("the file ends inside a \(kind.name) frame") }
            try header.check(stored: UnsafeRawBufferPointer(rebasing: file.bytes[start ..< start + header.paddedBytes]))
            return Frame(header: header, payload: UnsafeRawBufferPointer(rebasing: file.bytes[start ..< start + header.storedBytes]))
        } catch let error as InputError { throw error.at("\(file.path): frame at byte \(offset)") }
    }
}
