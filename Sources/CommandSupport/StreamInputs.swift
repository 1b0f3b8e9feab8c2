import JSON
import RecordStream
import SystemIO

/// Input streams of one kind, whichever it is: the operands, or standard input when there are none. All are opened and their heads read at once.
public final class StreamInputs {
    public let readers: [AnyRecordReader]

    /// Throws for streams whose columns or settings differ, naming the two. Which shard of a set each is may differ.
    ///
    /// - Parameter together: as of `RecordStreamReader`; nil: as goes with their number, since all are read side by side where they are merged.
    public init(_ operands: [String], together: BlockGroup? = nil) throws {
        let names = operands.isEmpty ? ["-"] : operands
        guard names.filter({ $0 == "-" }).count <= 1 else { throw InputError("standard input (-) is named twice", status: .usage) }
        readers = try names.map { AnyRecordReader(try RecordStreamReader(openInput($0), together: together ?? .each(of: names.count))) }
        let first = readers[0].stream
        for stream in readers.dropFirst().map(\.stream) {
            guard stream.head.schema.kind == first.head.schema.kind else {
                throw InputError("\(stream.name): a stream of \(stream.head.schema.kind) records, but \(first.name) has \(first.head.schema.kind) records; streams of one kind can be joined")
            }
            guard stream.head.schema == first.head.schema else {
                throw InputError(
                    "\(stream.name): its \(stream.head.schema.kind) records are laid out otherwise than those of \(first.name) "
                        + "(\(stream.head.difference(from: first.head.schema))); make both with one release and the same options")
            }
            let names = Set(stream.head.settings.keys).union(first.head.settings.keys).subtracting([ShardIdentity.setting])
            for name in names.sorted() where stream.head.settings[name] != first.head.settings[name] {
                throw InputError("\(stream.name): its \(name) differs from that of \(first.name); streams made with different options cannot be joined")
            }
        }
    }

    /// That of the first; several shards together are none.
    public var head: StreamHead {
        var head = readers[0].stream.head
        if readers.count > 1 { head.settings[ShardIdentity.setting] = nil }
        return head
    }
    public var recordsRead: Int { readers.reduce(0) { $0 + $1.stream.recordsRead } }

    /// The head of a stream that a stage makes of these, whose records are of the same kind.
    public func head(_ command: String, _ arguments: [String]) -> StreamHead {
        let provenance = Provenance(command: command, recipe: 1, arguments: arguments.map { .text($0) }, inputs: readers.map(\.stream.head.provenance))
        return StreamHead(schema: head.schema, settings: head.settings, provenance: provenance)
    }

    /// The tail of such a stream. Only after all inputs were read to their ends.
    public func tail(written: Int) throws -> StreamTail {
        StreamTail(
            inputs: try readers.map { try $0.stream.asInput() }, counts: .object([("records", .object([("read", JSONValue(recordsRead)), ("written", JSONValue(written))]))]),
            licences: StreamTail.licences(of: readers.compactMap(\.stream.tail)))
    }
}

/// An output stream of any kind: written as records come, final only with `finish`.
public final class StreamOutput {
    private let sink: any ByteSink
    /// The same, where it is a file that appears whole.
    private let file: AtomicFile?
    private let writer: StreamWriter

    /// - Parameter label: of a stream that is to be made again: how its blocks are divided, and stored where `options` do not say it.
    /// - Parameter together: as of `StreamWriter`.
    public init(_ options: OutputOptions, head: StreamHead, as label: StreamLabel? = nil, together: BlockGroup = .most) throws {
        sink = try options.open()
        file = sink as? AtomicFile
        writer = try StreamWriter(to: sink, head: head, codec: options.codecName?.codec ?? label?.codec ?? .none, blocks: label?.blocks ?? [], together: together)
    }

    public var records: Int { writer.records }

    /// - Parameter bytes: as `Block.append(record:to:)` makes them.
    public func append(record bytes: [UInt8]) throws { try writer.append(record: bytes) }

    /// Writes the last block. Returns the content digest of all records.
    public func closeBlocks() throws -> String { try writer.closeBlocks() }

    /// Writes the end mark and makes the file appear under its name.
    public func finish(_ tail: StreamTail) throws {
        try prepare(tail)
        try publish()
    }

    /// The first half of `finish`, for outputs that appear together: after it a file lacks nothing but its name.
    public func prepare(_ tail: StreamTail) throws {
        try writer.finish(tail)
        try file?.prepare()
    }

    /// The second half.
    public func publish() throws {
        if let file { try file.publish() } else { try sink.finish() }
    }
}
