import RecordStream
import SystemIO

/// All that a stream holds, read from its start to its end mark as the commands read it.
struct StreamContent: Equatable {
    let head: StreamHead
    let tail: StreamTail
    /// In the form of `Block.append(record:to:)`.
    let records: [[UInt8]]
    /// As `uf-records view` shows them.
    let lines: [[UInt8]]

    init(_ bytes: [UInt8], readSize: Int = .max) throws {
        let reader = try RecordStreamReader(MemorySource(bytes, readSize: readSize))
        var view = try RecordView(reader.head.schema), statistics = StreamStatistics(reader.head.schema)
        let filters = StreamContent.conditions.compactMap { try? RecordFilter($0, schema: reader.head.schema) }
        var records: [[UInt8]] = [], lines: [[UInt8]] = []
        while let block = try reader.nextBlock() {
            try statistics.add(block)
            for record in 0 ..< block.count {
                records.append(try block.recordBytes(record))
                lines.append(try view.line(block, record))
                for filter in filters { _ = try filter.matches(block, record) }
            }
        }
        for column in statistics.columns where column.lengths.count > 0 { _ = (column.lengths.quantile(0.5), column.lengths.octaves) }
        guard let tail = reader.tail else { throw Failure("a stream was read to its end and has no tail") }
        (head, self.tail, self.records, self.lines) = (reader.head, tail, records, lines)
        _ = Explanation.script(head, tail, codec: reader.codec)
        _ = StageCounts.all(head, tail)
    }

    private static let conditions = [
        "id = id-1 or source != made-up", "length > 3 and not (ties = 0)", "missing >= 1", "responses < 3", "dimensions = 2",
        "origin_input = 1 and origin_line > 1", "gap >= 1",
    ]
}
