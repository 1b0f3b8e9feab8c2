import SystemIO

/// Records put aside until it is known which are wanted: a stream in a file without a name, with all its checksums, read back once and in order.
public final class TemporaryStream<Record: StreamRecord> {
    private let file: UnnamedFile
    private let writer: RecordStreamWriter<Record>

    /// - Parameter head: of any stream of these records.
    public init(_ head: StreamHead) throws {
        file = try UnnamedFile()
        writer = try RecordStreamWriter(to: file.sink, head: head)
    }

    public var records: Int { writer.records }

    public func append(_ record: Record) throws { try writer.append(record) }

    /// Hands out all records with their numbers, from 0; nothing can be added afterwards.
    public func finish(_ body: (Record, Int) throws -> Void) throws {
        try writer.finish(StreamTail())
        let reader = try RecordReader<Record>(file.rewind())
        var number = 0
        while let record = try reader.next() {
            try body(record, number)
            number += 1
        }
    }
}
