import RecordStream
import SystemIO

/// Streams that are written side by side, each whole by itself: no list holds them together. All are safe on disk before the first appears.
public final class PartedRecordOutput<Record: StreamRecord>: ShardOutput {
    private let files: [AtomicFile]
    private let writers: [RecordStreamWriter<Record>]

    /// - Parameter names: of the files, one for each head.
    public init(_ names: [String], _ options: OutputOptions, heads: [StreamHead]) throws {
        let files = try names.map { try AtomicFile(path: $0, keepsEqual: options.ifChanged) }
        self.files = files
        writers = try heads.indices.map { try RecordStreamWriter(to: files[$0], head: heads[$0], codec: options.codec, together: .each(of: heads.count)) }
    }

    /// Of all parts.
    public var records: Int { writers.reduce(0) { $0 + $1.records } }

    public func append(_ record: Record, to part: Int) throws { try writers[part].append(record) }

    public func appendUnchecked(to part: Int, _ fill: (BlockBuilder) throws -> Void) throws { try writers[part].appendUnchecked(fill) }

    public func finish(_ tails: [StreamTail]) throws {
        for (part, writer) in writers.enumerated() {
            try writer.finish(tails[part])
            try files[part].prepare()
        }
        for file in files { try file.publish() }
    }
}
