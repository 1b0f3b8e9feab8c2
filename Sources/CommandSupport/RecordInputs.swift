import JSON
import RecordStream
import SystemIO

/// The input streams of a filter, one after the other: the operands, or standard input when there are none.
///
/// All are opened and their heads read at once, so that their provenance can go into the output's head before the first record.
public final class RecordInputs<Record: StreamRecord> {
    private var readers: [RecordReader<Record>]
    private var current = 0
    /// Total size of the inputs where all are regular files: for progress.
    public let totalBytes: Int?

    public init(_ operands: [String]) throws {
        let names = operands.isEmpty ? ["-"] : operands
        guard names.filter({ $0 == "-" }).count <= 1 else { throw InputError("standard input (-) is named twice", status: .usage) }
        readers = try names.map { try RecordReader<Record>(openInput($0)) }
        let sizes = names.map(fileSize)
        totalBytes = sizes.contains { $0 == nil } ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
    }

    public var heads: [StreamHead] { readers.map(\.stream.head) }
    public var names: [String] { readers.map(\.stream.name) }
    public var bytesRead: Int { readers.reduce(0) { $0 + $1.stream.bytesRead } }
    public var recordsRead: Int { readers.reduce(0) { $0 + $1.stream.recordsRead } }

    /// The next record of the inputs in order; nil after the end mark of the last.
    public func next() throws -> Record? {
        while current < readers.count {
            if let record = try readers[current].next() { return record }
            current += 1
        }
        return nil
    }

    /// The next records, at most `most` of them, for a thread to take out; nil after the end mark of the last input.
    public func nextBatch(_ most: Int) throws -> RecordBatch<Record>? {
        while current < readers.count {
            if let batch = try readers[current].nextBatch(most) { return batch }
            current += 1
        }
        return nil
    }

    /// One setting that all inputs must agree on; an error names the two that do not.
    public func setting(_ name: String) throws -> JSONValue? {
        let first = readers[0].stream.head.settings[name]
        for reader in readers.dropFirst() where reader.stream.head.settings[name] != first {
            throw InputError("\(reader.stream.name): its \(name) differs from that of \(readers[0].stream.name); streams made with different options cannot be joined")
        }
        return first
    }

    /// For the output's head: how the inputs were made.
    public var provenance: [Provenance] { heads.map(\.provenance) }

    /// For the output's tail: digests of the inputs. Only after all were read.
    public func asInputs() throws -> [StreamTail.Input] { try readers.map { try $0.stream.asInput() } }

    /// Licences that the inputs carry, joined.
    public var licences: [String: String] {
        StreamTail.licences(of: readers.compactMap(\.stream.tail))
    }
}

/// Where a command's records go: one stream, or the shards of a set.
public protocol ShardOutput<Record>: AnyObject {
    associatedtype Record: StreamRecord
    /// In all shards.
    var records: Int { get }
    func append(_ record: Record, to shard: Int) throws
    /// As `RecordStreamWriter.appendUnchecked`.
    func appendUnchecked(to shard: Int, _ fill: (BlockBuilder) throws -> Void) throws
    /// One tail for each shard. Writes the end marks and makes the files appear.
    func finish(_ tails: [StreamTail]) throws
}

/// The output stream of a command: written as records come, final only with `finish`.
public final class RecordOutput<Record: StreamRecord>: ShardOutput {
    private let sink: any ByteSink
    private let writer: RecordStreamWriter<Record>

    public init(_ options: OutputOptions, head: StreamHead) throws {
        sink = try options.open()
        writer = try RecordStreamWriter(to: sink, head: head, codec: options.codec)
    }

    public var records: Int { writer.records }

    public func append(_ record: Record) throws { try writer.append(record) }

    /// Adds all records of a builder.
    public func append(records: BlockBuilder) throws { try writer.append(records: records) }

    public func append(_ record: Record, to shard: Int) throws { try writer.append(record) }

    public func appendUnchecked(to shard: Int, _ fill: (BlockBuilder) throws -> Void) throws { try writer.appendUnchecked(fill) }

    public func finish(_ tails: [StreamTail]) throws {
        for tail in tails { try finish(tail) }
    }

    /// Writes the end mark and makes the file appear under its name.
    public func finish(_ tail: StreamTail) throws {
        try writer.finish(tail)
        try sink.finish()
    }
}
