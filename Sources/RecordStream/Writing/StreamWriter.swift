import Checksums
import JSON
import SystemIO

/// Writes a record stream: HEAD at once, a DATA frame whenever a block is full, and TAIL, INDX, DONE at the end.
///
/// Without `finish` the stream has no end mark and every reader refuses it: a command that fails simply does not call it. After an error the
/// writer cannot go on or finish: every further call throws the same error. What readers would refuse is refused here, before it is written.
public final class StreamWriter {
    private let sink: any ByteSink
    private let codec: Codec
    let builder: BlockBuilder
    private var digest: StreamDigest
    private var index: [IndexEntry] = []
    private var offset: UInt64 = 0
    private var frame: UInt64 = 0
    private var tag: UInt32 = 0
    private var blockStart = 0
    private var failure: (any Error)?
    /// Records written so far.
    public private(set) var records = 0

    public init(to sink: any ByteSink, head: StreamHead, codec: Codec = .none) throws {
        self.sink = sink
        self.codec = codec
        builder = BlockBuilder(schema: head.schema)
        digest = try StreamDigest(schema: head.schema)
        try head.payload().withUnsafeBytes { tag = try writeFrame(.head, $0, codec: .none, records: 0) }
    }

    /// Adds a record of another stream of the same columns, in the form of `Block.append(record:to:)`; the reader has held it to the rules of its kind.
    public func append(record bytes: [UInt8]) throws {
        try append { builder in bytes.withUnsafeBytes { builder.add(record: $0) } }
    }

    /// Adds the record that `fill` puts into the builder, one call for each column; a full block goes out. Throws for a record that is too large.
    func append(_ fill: (BlockBuilder) throws -> Void) throws {
        try failing {
            do {
                try fill(builder)
                try builder.endRecord()
            } catch let error as InputError { throw error.at("\(sink.name): record \(records)") }
            records += 1
            if builder.isFull { try flush() }
        }
    }

    /// Writes the last block. Returns the content digest of the whole stream, whose records are all there now.
    public func closeBlocks() throws -> String {
        try failing { try flush() }
        return hexadecimal(digest.contentDigest)
    }

    /// Writes the last block and the end of the stream. The sink is not finished: that is its owner's to do.
    public func finish(_ tail: StreamTail) throws {
        try failing {
            try flush()
            try tail.payload().withUnsafeBytes { _ = try writeFrame(.tail, $0, codec: .none, records: 0) }
            let indexOffset = offset
            try IndexEntry.encoded(index).withUnsafeBytes { _ = try writeFrame(.index, $0, codec: .none, records: 0) }
            let done = DonePayload(indexOffset: indexOffset, records: UInt64(records), dataFrames: UInt64(index.count), digest: digest)
            try done.encoded.withUnsafeBytes { _ = try writeFrame(.done, $0, codec: .none, records: 0) }
        }
    }

    private func failing(_ body: () throws -> Void) throws {
        if let failure { throw failure }
        do { try body() } catch {
            failure = error
            throw error
        }
    }

    private func flush() throws {
        guard builder.count > 0 else { return }
        let payload = builder.payload()
        do {
            // The reader's own check: text that is not UTF-8 stops here, with its place, and not in whoever reads the file.
            _ = try Block(schema: builder.schema, name: sink.name, firstRecord: blockStart, count: builder.count, payload: payload.bytes, owner: payload)
        } catch let error as InputError { throw error.at("\(sink.name): records \(blockStart) to \(records - 1)") }
        let start = offset
        _ = try withExtendedLifetime(payload) { try writeFrame(.data, payload.bytes, codec: codec, records: builder.count) }
        index.append(IndexEntry(offset: start, firstRecord: UInt64(blockStart), records: UInt32(builder.count), storedBytes: offset - start))
        blockStart = records
        builder.removeAll()
    }

    /// Header, payload and padding to 64 bytes. Returns the header's checksum.
    private func writeFrame(_ kind: FrameKind, _ raw: UnsafeRawBufferPointer, codec: Codec, records: Int) throws -> UInt32 {
        let packed = codec == .none ? nil : try codec.compressed(raw)
        let padding = [UInt8](repeating: 0, count: (packed?.count ?? raw.count).aligned - (packed?.count ?? raw.count))
        func withStored(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
            if let packed { try packed.withUnsafeBytes(body) } else { try body(raw) }
        }
        var checksum: UInt32 = 0
        withStored { checksum = crc32c($0) }
        let header = FrameHeader(
            kind: kind, codec: codec, frame: frame, firstRecord: UInt64(blockStart), storedBytes: packed?.count ?? raw.count, rawBytes: raw.count,
            records: records, tag: tag, payloadChecksum: crc32c(padding, continuing: checksum))
        let (bytes, headerChecksum) = header.encoded()
        if kind != .done {
            var sha = SHA256()
            sha.update(raw)
            digest.add(kind, header: bytes, sha256: sha.digest())
        }
        try sink.write(bytes)
        try withStored { try sink.write($0) }
        try sink.write(padding)
        offset += UInt64(header.frameBytes)
        frame += 1
        return headerChecksum
    }
}

/// Writes one kind of record.
public final class RecordStreamWriter<Record: StreamRecord> {
    private let stream: StreamWriter

    public init(to sink: any ByteSink, head: StreamHead, codec: Codec = .none) throws {
        precondition(head.schema == Record.schema, "a head for another kind of record")
        stream = try StreamWriter(to: sink, head: head, codec: codec)
    }

    var builder: BlockBuilder { stream.builder }
    /// Records written so far.
    public var records: Int { stream.records }

    /// Adds a record; a full block goes out. Throws for a record that contradicts itself or is too large.
    public func append(_ record: Record) throws {
        try stream.append {
            try record.validate()
            record.append(to: $0)
        }
    }

    /// As `StreamWriter.finish`.
    public func finish(_ tail: StreamTail) throws { try stream.finish(tail) }
}
