import SystemIO
import Testing

@testable import RecordStream

/// A small stream of one kind and codec, and how its kind is read: for tests that treat all kinds alike.
struct SampleStream: Sendable, CustomTestStringConvertible {
    var kind: String { schema.kind }
    let schema: Schema
    let codec: Codec
    let bytes: [UInt8]
    /// Reads everything as records; returns how many there were.
    let read: @Sendable ([UInt8]) throws -> Int

    var testDescription: String { "\(kind) of \(schema.columns.count) columns, \(codec.name)" }

    private init<Record: StreamRecord>(_: Record.Type, schema: Schema? = nil, _ codec: Codec, _ bytes: () throws -> [UInt8]) {
        self.schema = schema ?? Record.schema
        self.codec = codec
        do { self.bytes = try bytes() } catch { preconditionFailure("\(error)") }
        read = { bytes in
            let reader = try RecordReader<Record>(MemorySource(bytes))
            var count = 0
            while try reader.next() != nil { count += 1 }
            return count
        }
    }

    init<Record: StreamRecord>(_ records: [Record], schema: Schema? = nil, _ codec: Codec) {
        self.init(Record.self, schema: schema, codec) { try Sample.stream(records, schema: schema, codec: codec, blockTarget: codec == .none ? 1 << 20 : 1) }
    }

    private init<Record: StreamRecord>(golden: Record.Type, _ codec: Codec) {
        self.init(Record.self, codec) { try readWholeFile(GoldenStreams.path("\(Record.schema.kind)-\(codec.name).uf")) }
    }

    /// The committed files of every kind and codec, three records each.
    static let golden: [SampleStream] = Codec.allCases.flatMap { codec in
        [
            SampleStream(golden: RatedRecord.self, codec), SampleStream(golden: TokensRecord.self, codec), SampleStream(golden: PackedBin.self, codec),
            SampleStream(golden: LogProbRecord.self, codec),
        ]
    }

    /// Two records of every kind with every codec, in one block where nothing is compressed, else in two.
    static let all: [SampleStream] = Codec.allCases.flatMap { codec in
        [
            SampleStream(Array(Sample.rated.prefix(2)), codec), SampleStream(Array(Sample.tokens.prefix(2)), codec),
            SampleStream(Array(Sample.packed.prefix(2)), codec), SampleStream(Array(Sample.logProbs.prefix(2)), codec),
        ]
    }

    /// Why the bytes are refused; nil when they are not. Anything but an `InputError` fails the test.
    func refusal(of bytes: [UInt8]) throws -> InputError? {
        do {
            _ = try read(bytes)
            return nil
        } catch let error as InputError { return error }
    }
}
