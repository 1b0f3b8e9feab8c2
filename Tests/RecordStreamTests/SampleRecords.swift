import JSON
import SystemIO

@testable import RecordStream

/// Small records of every kind, with the oddities that data has: empty texts, lone surrogates, missing ratings, no dimensions at all.
enum Sample {
    static let provenance = Provenance(command: "uf-sample", recipe: 1, arguments: [.text("--seed"), .text("1"), .file(role: "tokenizer", sha256: "00ff")])
    static let tail = StreamTail(inputs: [.raw(sha256: "ab", bytes: 12)], counts: .object([("records", 3)]), licences: ["made-up": "Apache-2.0"])

    static let ratings = Ratings(
        dimensions: ["helpfulness", "honesty"], ratings: [4, 2, 5, .nan], rated: [1, 1, 1, 0], targets: [0.75, 0.25, 0, 0])

    static let rated: [RatedRecord] = (0 ..< 3).map { (i: Int) -> RatedRecord in
        let halfEmoji = Text([0x68, 0xC3, 0xA9, 0xED, 0xA0, 0xBD])
        let none = Ratings(dimensions: [], ratings: [], rated: [], targets: [])
        return RatedRecord(
            id: Text("id-\(i)"), origin: Origin(input: 1, line: UInt64(i + 1)), source: i == 2 ? Text("other") : Text("made-up"),
            turns: [Turn(role: Text("system"), content: Text("")), Turn(role: Text("user"), content: halfEmoji)],
            responses: [Text("yes \(i)"), Text("")], responseSystems: i == 2 ? ["Be brief.", ""] : [], models: [Text("a"), Text("")],
            ratings: i == 1 ? none : ratings, ratingStates: i == 1 ? [] : [0, 0, 0, 1])
    }

    /// The last one with a prompt for each response.
    static let tokens: [TokensRecord] = (0 ..< 3).map { i in
        let one = TokensRecord.Prompt(ids: [1, 7, 9, UInt32(i)], turnStarts: [0, 3], roles: ["user"])
        let other = TokensRecord.Prompt(ids: [1, 8, 8, 7, 9, UInt32(i)], turnStarts: [0, 3, 5], roles: ["system", "user"])
        return TokensRecord(
            id: Text("id-\(i)"), origin: Origin(input: 1, line: UInt64(i + 1)), source: "made-up", ratings: ratings, prompts: i == 2 ? [one, other] : [one],
            responses: [[5, 6, 2], [2]])
    }

    static let packed: [PackedBin] = (0 ..< 2).map { i in
        let member = PackedBin.Member(
            id: Text("id-\(i)"), origin: Origin(input: 1, line: UInt64(i + 1)), source: "made-up", ratings: ratings, promptCuts: [0], responseCuts: [0, 3])
        return PackedBin(
            tokens: [1, 7, 5, 6, 2, 4], positions: [0, 1, 2, 3, 4, 2],
            segments: [
                .init(start: 0, end: 2, parent: -1, record: 0, response: -1, labelStart: 2),
                .init(start: 2, end: 5, parent: 0, record: 0, response: 0, labelStart: 2),
                .init(start: 5, end: 6, parent: 0, record: 0, response: 1, labelStart: 5),
            ],
            members: [member])
    }

    static let logProbs: [LogProbRecord] = (0 ..< 3).map { LogProbRecord(id: Text("id-\($0)"), logProbs: [-1.5, -Double($0)], tokenCounts: [3, 1]) }

    /// - Parameters:
    ///   - schema: nil takes the record's first.
    ///   - blockTarget: bytes at which a block closes; 1 gives every record a block of its own.
    static func stream<Record: StreamRecord>(
        _ records: [Record], schema: Schema? = nil, layout: PackedLayout = .sharedPrefix, codec: Codec = .none, provenance: Provenance = provenance,
        blockTarget: Int = StreamLimits.blockTarget
    ) throws -> [UInt8] {
        let sink = MemorySink(), settings: [String: JSONValue] = ["layout": .string(layout.rawValue)]
        let writer = try RecordStreamWriter<Record>(to: sink, head: StreamHead(schema: schema ?? Record.schema, settings: settings, provenance: provenance), codec: codec)
        writer.builder.target = blockTarget
        for record in records { try writer.append(record) }
        try writer.finish(tail)
        return sink.bytes
    }

    static func read<Record: StreamRecord>(_ bytes: [UInt8], as type: Record.Type = Record.self, readSize: Int = .max) throws -> [Record] {
        let reader = try RecordReader<Record>(MemorySource(bytes, readSize: readSize))
        var records: [Record] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }
}
