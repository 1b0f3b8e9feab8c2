import Checksums
import JSON
import SystemIO

/// Reads a record stream from its start to its end mark, block by block.
///
/// Every frame is checked before its content is handed out, and `nextBlock` returns nil only after the end mark was found right and nothing
/// follows it: whoever has seen nil has seen the whole stream. All errors are `InputError` with the source's name, frame and byte; after one,
/// every further call throws it again.
public final class RecordStreamReader {
    /// What every stream starts with, and no text: the first byte stands nowhere in UTF-8.
    public static var firstBytes: [UInt8] { withUnsafeBytes(of: FrameHeader.sync.littleEndian) { Array($0) } }

    private let frames: FrameReader
    public let head: StreamHead
    /// The stage's summary; there once the stream was read to its end.
    public private(set) var tail: StreamTail?
    private var failure: (any Error)?

    /// Reads HEAD. `kind` nil accepts any.
    ///
    /// - Parameter together: how many blocks are digested at a time; twice as many stay in memory.
    public init(_ source: any ByteSource, expecting kind: String? = nil, together: BlockGroup = .most) throws {
        frames = FrameReader(source, together: together)
        let frame = try frames.next([.head])
        head = try StreamHead(payload: frame.payload.bytes, name: source.name)
        if let kind { try head.expect(kind: kind, in: source.name) }
        try frames.start(schema: head.schema, head: frame)
    }

    public var name: String { frames.name }
    public var recordsRead: Int { Int(frames.records) }
    public var blocksRead: Int { frames.dataFrames }
    /// How the blocks read so far are stored; none where there are none.
    public private(set) var codec = Codec.none
    /// Bytes of the stream that were read and found right.
    public var bytesRead: Int { Int(frames.offset) }

    /// Identity of the content (kind, columns, records in order), 32 hex digits; there once the stream was read to its end.
    public var contentDigest: String? { frames.done.map { hexadecimal($0.contentDigest) } }
    /// Identity of the whole stream with its provenance, 32 hex digits; there once the stream was read to its end.
    public var streamDigest: String? { frames.done.map { hexadecimal($0.streamDigest) } }

    public func nextBlock() throws -> Block? {
        if let failure { throw failure }
        guard tail == nil else { return nil }
        do { return try readBlock() } catch {
            failure = error
            throw error
        }
    }

    /// Reads the rest of the stream to its end mark: what `transform` makes of each block, on `threads` threads, goes to `consume` in order. The plain version is a loop
    /// over `nextBlock`, with the same results and the same first error.
    public func mapBlocks<Result: Sendable>(
        threads: Int, _ transform: @escaping @Sendable (Block) throws -> Result, consume: (Result) throws -> Void
    ) throws {
        if let failure { throw failure }
        guard tail == nil else { return }
        do {
            let (schema, name) = (head.schema, name)
            var last: FrameReader.StoredFrame?
            try orderedMap(
                workers: threads,
                produce: { () -> FrameReader.StoredFrame? in
                    guard last == nil else { return nil }
                    let stored = try frames.nextStored([.data, .tail])
                    guard stored.header.kind == .tail else { return stored }
                    last = stored
                    return nil
                },
                makeState: {},
                transform: { (_: inout Void, stored: FrameReader.StoredFrame) -> (FrameReader.Frame, Swift.Result<Result, any Error>) in
                    let frame = try stored.opened()
                    return (frame, Swift.Result { try transform(frame.block(schema, in: name)) })
                },
                consume: { (opened: (FrameReader.Frame, Swift.Result<Result, any Error>)) in
                    try frames.accept(opened.0)
                    codec = opened.0.header.codec
                    try consume(opened.1.get())
                })
            guard let frame = try last?.opened() else { return }
            try frames.accept(frame)
            try finish(frame)
        } catch {
            failure = error
            throw error
        }
    }

    private func readBlock() throws -> Block? {
        let frame = try frames.next([.data, .tail])
        guard frame.header.kind == .data else {
            try finish(frame)
            return nil
        }
        codec = frame.header.codec
        return try frame.block(head.schema, in: name)
    }

    private func finish(_ frame: FrameReader.Frame) throws {
        let tail = try withExtendedLifetime(frame.payload) { try StreamTail(payload: frame.payload.bytes, name: name) }
        _ = try frames.next([.index])
        _ = try frames.next([.done])
        try frames.expectEnd()
        self.tail = tail
    }
}

extension FrameReader.Frame {
    /// The records of a DATA frame.
    fileprivate func block(_ schema: Schema, in name: String) throws -> Block {
        do {
            return try Block(schema: schema, name: name, firstRecord: Int(header.firstRecord), count: header.records, payload: payload.bytes, owner: payload)
        } catch let error as InputError { throw error.at("\(name): the block at byte \(offset)") }
    }
}

/// Reads one kind of record, one at a time. After an error, every further call throws it again: no record is skipped.
public final class RecordReader<Record: StreamRecord> {
    public let stream: RecordStreamReader
    private var block: Block?
    private var position = 0

    public init(_ source: any ByteSource) throws {
        stream = try RecordStreamReader(source, expecting: Record.schema.kind)
        if !Record.schemas.contains(stream.head.schema) { try stream.head.expect(Record.schema, in: source.name) }
    }

    /// The next record, or nil after the end mark.
    public func next() throws -> Record? {
        while true {
            if let block, position < block.count {
                let record: Record = try block.record(position)
                position += 1
                return record
            }
            guard try openBlock() else { return nil }
        }
    }

    /// The old block's memory goes before the next is read, and after the end none is kept: a command may hold hundreds of readers.
    private func openBlock() throws -> Bool {
        block = nil
        position = 0
        block = try stream.nextBlock()
        return block != nil
    }
}

/// Some records of a block that nobody has taken out yet: for a thread that will, and that then owns what it makes.
public struct RecordBatch<Record: StreamRecord>: Sendable {
    let block: Block
    let range: Range<Int>

    public func records() throws -> [Record] {
        var records: [Record] = []
        records.reserveCapacity(range.count)
        for index in range { try records.append(block.record(index)) }
        return records
    }
}

extension RecordReader {
    /// The next records, at most `most` of them, or nil after the end mark.
    public func nextBatch(_ most: Int) throws -> RecordBatch<Record>? {
        while true {
            if let block, position < block.count {
                let range = position ..< min(position + most, block.count)
                position = range.upperBound
                return RecordBatch(block: block, range: range)
            }
            guard try openBlock() else { return nil }
        }
    }
}

extension Block {
    /// Record `index` of the block as a value; a block of another kind, or a record whose columns contradict each other, is an error that names it.
    public func record<Record: StreamRecord>(_ index: Int, as type: Record.Type = Record.self) throws -> Record {
        guard Record.schemas.contains(schema) else { throw InputError("\(name): a block of \(schema.kind) records, expected \(Record.schema.kind)") }
        do {
            let record = try Record(self, index)
            try record.validate()
            return record
        } catch let error as InputError { throw error.at("\(name): record \(firstRecord + index)") }
    }
}
