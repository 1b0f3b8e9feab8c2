import Checksums
import JSON
import SystemIO

/// Writes a record stream: HEAD at once, a DATA frame whenever a block is full, and TAIL, INDX, DONE at the end.
///
/// Without `finish` the stream has no end mark and every reader refuses it: a command that fails simply does not call it.
public final class RecordStreamWriter<Record: StreamRecord> {
    private let sink: any ByteSink
    private let codec: Codec
    private let builder: BlockBuilder
    private var digest: StreamDigest
    private var index: [IndexEntry] = []
    private var offset: UInt64 = 0
    private var frame: UInt64 = 0
    private var tag: UInt32 = 0
    /// Records written so far.
    public private(set) var records = 0
    /// Bytes written so far.
    public var bytesWritten: Int { Int(offset) }
    private var blockStart = 0

    public init(to sink: any ByteSink, head: StreamHead, codec: Codec = .none) throws {
        precondition(head.schema == Record.schema, "a head for another kind of record")
        self.sink = sink
        self.codec = codec
        builder = BlockBuilder(schema: head.schema)
        digest = try StreamDigest(schema: head.schema)
        let payload = try head.json.canonical
        guard payload.count <= StreamLimits.headBytes else {
            throw InputError("the stream's head would have \(payload.count) bytes, at most \(StreamLimits.headBytes) are allowed")
        }
        try payload.withUnsafeBytes { tag = try writeFrame(.head, $0, codec: .none, firstRecord: 0, records: 0) }
    }

    /// Adds a record; a full block goes out.
    public func append(_ record: Record) throws {
        record.append(to: builder)
        do { try builder.endRecord() } catch let error as InputError { throw error.at("record \(records)") }
        records += 1
        if builder.isFull { try flush() }
    }

    private func flush() throws {
        guard builder.count > 0 else { return }
        let payload = builder.payload()
        index.append(IndexEntry(offset: offset, firstRecord: UInt64(blockStart), records: UInt32(builder.count), storedBytes: 0))
        let stored = offset
        _ = try writeFrame(.data, payload.bytes, codec: codec, firstRecord: UInt64(blockStart), records: builder.count)
        index[index.count - 1].storedBytes = offset - stored
        blockStart = records
        builder.removeAll()
    }

    /// Writes the last block and the end of the stream. The sink is not finished: that is its owner's to do.
    public func finish(_ tail: StreamTail) throws {
        try flush()
        let payload = try tail.json.canonical
        guard payload.count <= StreamLimits.headBytes else {
            throw InputError("the stream's tail would have \(payload.count) bytes, at most \(StreamLimits.headBytes) are allowed")
        }
        try payload.withUnsafeBytes { _ = try writeFrame(.tail, $0, codec: .none, firstRecord: UInt64(records), records: 0) }
        var entries: [UInt8] = []
        for entry in index { entry.append(to: &entries) }
        let indexOffset = offset
        try entries.withUnsafeBytes { _ = try writeFrame(.index, $0, codec: .none, firstRecord: UInt64(records), records: 0) }
        let done = DonePayload(indexOffset: indexOffset, records: UInt64(records), dataFrames: UInt64(index.count), digest: digest)
        try done.encoded.withUnsafeBytes { _ = try writeFrame(.done, $0, codec: .none, firstRecord: UInt64(records), records: 0) }
    }

    /// Header, payload and padding to 64 bytes. Returns the header's checksum.
    private func writeFrame(_ kind: FrameKind, _ raw: UnsafeRawBufferPointer, codec: Codec, firstRecord: UInt64, records: Int) throws -> UInt32 {
        let packed = codec == .none ? nil : try codec.compressed(raw)
        let padding = [UInt8](repeating: 0, count: (packed?.count ?? raw.count).aligned - (packed?.count ?? raw.count))
        func withStored(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
            if let packed { try packed.withUnsafeBytes(body) } else { try body(raw) }
        }
        var checksum: UInt32 = 0
        withStored { checksum = crc32c($0) }
        let header = FrameHeader(
            kind: kind, codec: codec, frame: frame, firstRecord: firstRecord, storedBytes: packed?.count ?? raw.count, rawBytes: raw.count,
            records: records, tag: tag, payloadChecksum: crc32c(padding, continuing: checksum))
        let (bytes, headerChecksum) = header.encoded()
        if kind != .done { digest.add(kind, header: bytes, payload: raw) }
        try sink.write(bytes)
        try withStored { try sink.write($0) }
        try sink.write(padding)
        offset += UInt64(bytes.count + header.storedBytes + padding.count)
        frame += 1
        return headerChecksum
    }
}
