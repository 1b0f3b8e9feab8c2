import Checksums
import JSON
import SystemIO

/// Reads a record stream from its start to its end mark, block by block.
///
/// Every frame is checked before its content is handed out, and `nextBlock` returns nil only after the end mark was found right and nothing
/// follows it: whoever has seen nil has seen the whole stream. All errors are `InputError` with the source's name, frame and byte.
public final class RecordStreamReader {
    private let frames: FrameReader
    public let head: StreamHead
    /// The stage's summary; there once the stream was read to its end.
    public private(set) var tail: StreamTail?
    private var ended = false

    /// Reads HEAD. `kind` nil accepts any.
    public init(_ source: any ByteSource, expecting kind: String? = nil) throws {
        frames = FrameReader(source)
        let frame = try frames.next([.head])
        do {
            head = try StreamHead(json: JSON.parse(frame.payload.bytes.bindMemory(to: UInt8.self)))
        } catch let error as any CustomStringConvertible & Error {
            throw InputError("\(source.name): the stream's head is malformed: \(error)")
        }
        if let kind, head.schema.kind != kind {
            throw InputError("\(source.name): a stream of \(head.schema.kind) records, expected \(kind) (\(StreamHead.maker(of: kind)))")
        }
        try frames.start(schema: head.schema, head: frame)
    }

    public var name: String { frames.name }
    public var recordsRead: Int { Int(frames.records) }
    public var blocksRead: Int { frames.dataFrames }
    /// Bytes of the stream that were read and found right.
    public var bytesRead: Int { Int(frames.offset) }

    /// Identity of the content (kind, columns, records in order), 32 hex digits; there once the stream was read to its end.
    public var contentDigest: String? { frames.done.map { hex($0.contentDigest) } }
    /// Identity of the whole stream with its provenance, 32 hex digits; there once the stream was read to its end.
    public var streamDigest: String? { frames.done.map { hex($0.streamDigest) } }

    public func nextBlock() throws -> Block? {
        guard !ended else { return nil }
        let frame = try frames.next(tail == nil ? [.data, .tail] : [.index])
        if frame.header.kind == .data {
            do {
                return try Block(schema: head.schema, firstRecord: Int(frame.header.firstRecord), count: frame.header.records, payload: frame.payload)
            } catch let error as InputError {
                throw error.at("\(name): the block at byte \(frame.offset)")
            }
        }
        do {
            tail = try StreamTail(json: JSON.parse(frame.payload.bytes.bindMemory(to: UInt8.self)))
        } catch let error as any CustomStringConvertible & Error {
            throw InputError("\(name): the stream's tail is malformed: \(error)")
        }
        _ = try frames.next([.index])
        _ = try frames.next([.done])
        try frames.expectEnd()
        ended = true
        return nil
    }

    private func hex(_ bytes: [UInt8]) -> String { hexadecimal(bytes) }
}

/// Reads one kind of record, one at a time.
public final class RecordReader<Record: StreamRecord> {
    public let stream: RecordStreamReader
    private var block: Block?
    private var position = 0

    public init(_ source: any ByteSource) throws {
        stream = try RecordStreamReader(source, expecting: Record.schema.kind)
        try stream.head.expect(Record.schema, in: source.name)
    }

    /// The next record, or nil after the end mark.
    public func next() throws -> Record? {
        while true {
            if let block, position < block.count {
                defer { position += 1 }
                return try block.record(position)
            }
            guard let more = try stream.nextBlock() else { return nil }
            block = more
            position = 0
        }
    }
}

extension Block {
    /// Record `index` of the block as a value; an inconsistency between its columns is an error that names it.
    public func record<Record: StreamRecord>(_ index: Int, as type: Record.Type = Record.self) throws -> Record {
        do { return try Record(self, index) } catch let error as InputError { throw error.at("record \(firstRecord + index)") }
    }
}
