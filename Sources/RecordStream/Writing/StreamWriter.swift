import Checksums
import JSON
import SystemIO

/// Writes a record stream: HEAD at once, a DATA frame whenever a block is full, and TAIL, INDX, DONE at the end.
///
/// Without `finish` the stream has no end mark and every reader refuses it: a command that fails simply does not call it. After an error the
/// writer cannot go on or finish: every further call throws the same error. What readers would refuse is refused here, before it is written. Of a stream that breaks off the last
/// full blocks, twice as many as are digested together, are not yet written.
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
    /// Has the full blocks that are not yet written.
    private let sealer: BlockSealer
    /// Whether the open block has records that nobody has held to the rules of their kind.
    private var checksRecords = false
    /// Records of the blocks to come, the last one first; while there are any they say where blocks close.
    private var planned: [Int]
    /// Records written so far.
    public private(set) var records = 0

    /// - Parameter together: how many blocks are digested at a time, with those before under way on other threads: an error of a block is then thrown when a later one is full,
    ///   or at the end. `.one` does all at once and on the caller's thread.
    /// - Parameter blocks: records of each of the first blocks, to make a stream again that was divided otherwise; after them blocks close as the format says.
    public init(to sink: any ByteSink, head: StreamHead, codec: Codec = .none, blocks: [Int] = [], together: BlockGroup = .most) throws {
        sealer = BlockSealer(together: together)
        planned = blocks.reversed()
        self.sink = sink
        self.codec = codec
        builder = BlockBuilder(schema: head.schema)
        digest = try StreamDigest(schema: head.schema)
        try head.payload().withUnsafeBytes { tag = try writeFrame(.head, $0) }
    }

    /// Adds a record of another stream of the same columns, in the form of `Block.append(record:to:)`; the reader has held it to the rules of its kind.
    public func append(record bytes: [UInt8]) throws {
        try append { builder in bytes.withUnsafeBytes { builder.add(record: $0) } }
    }

    /// Adds all records of a builder of the same columns. They are held to the rules of their kind when their block is made ready.
    public func append(records: BlockBuilder) throws {
        precondition(records.schema == builder.schema, "records of other columns")
        try withExtendedLifetime(records) {
            let arrays = records.current
            var next = 0
            while next < records.count {
                checksRecords = true
                let run = planned.isEmpty ? builder.mostThatFit(of: records, from: next, arrays) : next ..< next
                if run.isEmpty {
                    try append { $0.add(next ..< next + 1, of: arrays) }
                    next += 1
                } else {
                    try failing {
                        builder.add(run, of: arrays)
                        builder.end(records: run.count)
                        self.records += run.count
                        next = run.upperBound
                    }
                }
            }
        }
    }

    /// Adds the record that `fill` puts into the builder, which is held to the rules of its kind when its block is made ready.
    public func appendUnchecked(_ fill: (BlockBuilder) throws -> Void) throws {
        checksRecords = true
        try append(fill)
    }

    /// Adds the record that `fill` puts into the builder, one call for each column; a full block goes out. Throws for a record that is too large.
    func append(_ fill: (BlockBuilder) throws -> Void) throws {
        try failing {
            do {
                try fill(builder)
                try builder.endRecord()
            } catch let error as InputError { throw error.at("\(sink.name): record \(records)") }
            records += 1
            if planned.last.map({ $0 == builder.count }) ?? builder.isFull {
                try flush()
                _ = planned.popLast()
            }
        }
    }

    /// Writes the last block. Returns the content digest of the whole stream, whose records are all there now.
    public func closeBlocks() throws -> String {
        try failing { try flushAll() }
        return hexadecimal(digest.contentDigest)
    }

    /// Writes the last block and the end of the stream. The sink is not finished: that is its owner's to do.
    public func finish(_ tail: StreamTail) throws {
        try failing {
            try flushAll()
            try tail.payload().withUnsafeBytes { _ = try writeFrame(.tail, $0) }
            let indexOffset = offset
            try IndexEntry.encoded(index).withUnsafeBytes { _ = try writeFrame(.index, $0) }
            let done = DonePayload(indexOffset: indexOffset, records: UInt64(records), dataFrames: UInt64(index.count), digest: digest)
            try done.encoded.withUnsafeBytes { _ = try writeFrame(.done, $0) }
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
        let block = SealedBlock.Filled(
            payload: builder.payload(), schema: builder.schema, firstRecord: blockStart, records: builder.count, codec: codec, name: sink.name,
            checksRecords: checksRecords)
        checksRecords = false
        builder.removeAll()
        blockStart = records
        try sealer.add(block, write)
    }

    private func flushAll() throws {
        try flush()
        try sealer.finish(write)
    }

    private func write(_ block: SealedBlock, sha256: [UInt8]) throws {
        let header = FrameHeader(
            kind: .data, codec: codec, frame: frame, firstRecord: UInt64(block.firstRecord), storedBytes: block.storedBytes, rawBytes: block.rawBytes,
            records: block.records, tag: tag, payloadChecksum: block.checksum)
        index.append(IndexEntry(offset: offset, firstRecord: header.firstRecord, records: UInt32(block.records), storedBytes: UInt64(header.frameBytes)))
        _ = try write(header, sha256: sha256) { write in try block.withStored(write) }
    }

    /// A frame of no records. Returns the header's checksum.
    private func writeFrame(_ kind: FrameKind, _ payload: UnsafeRawBufferPointer) throws -> UInt32 {
        let header = FrameHeader(
            kind: kind, codec: .none, frame: frame, firstRecord: UInt64(records), storedBytes: payload.count, rawBytes: payload.count, records: 0, tag: tag,
            payloadChecksum: crc32c(paddingTo64(payload.count), continuing: crc32c(payload)))
        var sha = SHA256()
        sha.update(payload)
        return try write(header, sha256: sha.digest()) { write in try write(payload) }
    }

    /// Header, payload and padding to 64 bytes. Returns the header's checksum.
    private func write(_ header: FrameHeader, sha256: [UInt8], stored: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws -> UInt32 {
        let (bytes, checksum) = header.encoded()
        if header.kind != .done { digest.add(header.kind, header: bytes, sha256: sha256) }
        try sink.write(bytes)
        try stored { try sink.write($0) }
        try sink.write(paddingTo64(header.storedBytes))
        offset += UInt64(header.frameBytes)
        frame += 1
        return checksum
    }
}

/// Writes one kind of record.
public final class RecordStreamWriter<Record: StreamRecord> {
    private let stream: StreamWriter

    /// As `StreamWriter`.
    public init(to sink: any ByteSink, head: StreamHead, codec: Codec = .none, together: BlockGroup = .most) throws {
        precondition(Record.schemas.contains(head.schema), "a head for another kind of record")
        stream = try StreamWriter(to: sink, head: head, codec: codec, together: together)
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

    /// As `StreamWriter.append(records:)`.
    public func append(records: BlockBuilder) throws { try stream.append(records: records) }

    /// As `StreamWriter.appendUnchecked`.
    public func appendUnchecked(_ fill: (BlockBuilder) throws -> Void) throws { try stream.appendUnchecked(fill) }

    /// As `StreamWriter.finish`.
    public func finish(_ tail: StreamTail) throws { try stream.finish(tail) }
}
