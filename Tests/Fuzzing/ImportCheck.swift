import InputFiles
import JSON
import RecordStream
import SystemIO
import TestSupport

/// Lines to a stream, as uf-records import does it; what was taken shows lines that are taken again and show the same.
struct ImportCheck {
    let head: StreamHead

    func run(_ text: [UInt8]) throws -> Outcome {
        guard case .content(let records) = try reading({ try imported(text) }) else { return .refused }
        let sink = MemorySink(), writer = try StreamWriter(to: sink, head: head)
        for record in records { try writer.append(record: record) }
        try writer.finish(StreamTail())
        let content = try StreamContent(sink.bytes)
        try expectSame(content.records, records, "records imported and records written")
        try expectSame(try reading { try imported(Array(content.lines.joined())) }, .content(records), "records and what their view is imported as")
        return .accepted
    }

    /// Records in the form of `Block.append(record:to:)`.
    func imported(_ text: [UInt8]) throws -> [[UInt8]] {
        let file = try MutantFile(text), lines = ChunkReader(DecodedInputs([file.path]), readsArrays: false)
        let importer = LineImporter(head.schema)
        var records: [[UInt8]] = []
        while let chunk = try lines.next() {
            records += try importer.records { take in
                try chunk.forEachRecord { line, _, place in
                    _ = try StreamLabel(line: line, name: place.description)
                    try take(line, place.description)
                }
            }
        }
        return records
    }
}
