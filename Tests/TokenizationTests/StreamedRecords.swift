import JSON
import RecordStream
import SystemIO
@testable import Tokenization

/// Records through a `RecordTokenizer` as the command sends them: out of a rated stream, into a tokens stream.
enum StreamedRecords {
    static func tokens(_ records: [RatedRecord], _ encoder: TemplateEncoder, workers: Int = 1) throws -> (records: [TokensRecord], counts: RecordTokenizer.Counts, bytes: [UInt8]) {
        let tokenizer = RecordTokenizer(encoder), provenance = Provenance(command: "uf-test", recipe: 1, arguments: [])
        let rated = MemorySink(), output = MemorySink()
        let source = try RecordStreamWriter<RatedRecord>(to: rated, head: StreamHead(schema: RatedRecord.schema, provenance: provenance))
        for record in records { try source.append(record) }
        try source.finish(StreamTail())

        let input = try RecordReader<RatedRecord>(MemorySource(rated.bytes))
        let writer = try RecordStreamWriter<TokensRecord>(to: output, head: StreamHead(schema: tokenizer.schema, settings: tokenizer.settings, provenance: provenance))
        let counts = try tokenizer.run(workers: workers, next: { try input.nextBatch(RecordTokenizer.batchSize)?.columns }, append: { try writer.append(records: $0) })
        try writer.finish(StreamTail(counts: counts.json))

        let reader = try RecordReader<TokensRecord>(MemorySource(output.bytes))
        var made: [TokensRecord] = []
        while let record = try reader.next() { made.append(record) }
        return (made, counts, output.bytes)
    }
}
