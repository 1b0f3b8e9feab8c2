import Checksums
import JSON
import RecordStream
import SystemIO
import TestSupport

@testable import Alignment

/// A record as a test writes it down.
struct TestRecord {
    var id: String
    var prompt: [UInt32]
    var responses: [[UInt32]]
    var ratings: Ratings

    /// - Parameter targets: m rows of N; nil where there is no rating.
    init(id: String, prompt: [UInt32], responses: [[UInt32]], dimensions: [String], targets: [[Double?]]) {
        self.id = id
        self.prompt = prompt
        self.responses = responses
        let flat = targets.flatMap { $0 }
        ratings = Ratings(
            dimensions: dimensions.map { Text($0) }, ratings: flat.map { $0 ?? .nan }, rated: flat.map { $0 == nil ? 0 : 1 },
            // A row with fewer than two ratings is left out: zeros.
            targets: targets.flatMap { row in row.map { row.count { $0 != nil } >= 2 ? $0 ?? 0 : 0 } })
    }
}

enum TestShards {
    /// Bytes of a tokenizer.json that nothing parses: only its digest counts here.
    static let tokenizer = Array("{\"made\": \"up\"}".utf8)

    static func bin(_ records: [TestRecord], _ layout: PackedLayout) -> PackedBin {
        var bin = PackedBin(tokens: [], positions: [], segments: [], members: [])
        func add(_ tokens: [UInt32], from position: Int, parent: Int, record: Int, response: Int, labels: Int) -> Int {
            let start = bin.tokens.count
            bin.tokens += tokens
            bin.positions += tokens.indices.map { UInt32(position + $0) }
            bin.segments.append(.init(start: UInt32(start), end: UInt32(start + tokens.count), parent: Int32(parent), record: UInt32(record), response: Int32(response),
                                      labelStart: UInt32(start + labels)))
            return bin.segments.count - 1
        }
        for (number, record) in records.enumerated() {
            let n = record.responses.count, m = record.ratings.dimensions.count
            var rows: [UInt32] = []
            switch layout {
            case .sharedPrefix, .pairs, .sft:
                let prompt = add(record.prompt, from: 0, parent: -1, record: number, response: -1, labels: record.prompt.count)
                for (i, response) in record.responses.enumerated() {
                    _ = add(response, from: record.prompt.count, parent: prompt, record: number, response: i, labels: 0)
                }
            case .rows16:
                for (i, response) in record.responses.enumerated() {
                    rows.append(UInt32(add(record.prompt + response, from: 0, parent: -1, record: number, response: i, labels: record.prompt.count)))
                }
            }
            bin.members.append(.init(
                id: Text(record.id), origin: Origin(input: 1, line: UInt64(number + 1)), source: "made-up", ratings: record.ratings, promptCuts: [0],
                responseCuts: [UInt32](repeating: 0, count: n), rowMap: rows.isEmpty ? [] : (0 ..< m * n).map { rows[$0 % n] },
                piTarget: rows.isEmpty ? [] : record.ratings.targets.map { Float($0) }))
        }
        return bin
    }

    /// A packed stream of bins.
    static func stream(_ bins: [PackedBin], layout: PackedLayout = .sharedPrefix, tokenizer: [UInt8]? = tokenizer) throws -> [UInt8] {
        var settings: [String: JSONValue] = ["layout": .string(layout.rawValue)]
        if let tokenizer { settings["tokenizer"] = .string(SHA256.hexDigest(of: tokenizer)) }
        let sink = MemorySink()
        let head = StreamHead(schema: PackedBin.schema, settings: settings, provenance: Provenance(command: "uf-pack", recipe: 1, arguments: []))
        let writer = try RecordStreamWriter<PackedBin>(to: sink, head: head)
        for bin in bins { try writer.append(bin) }
        try writer.finish(StreamTail())
        return sink.bytes
    }

    static func shard(_ bins: [PackedBin], layout: PackedLayout = .sharedPrefix, name: String = "packed.uf") throws -> PackedShard {
        try PackedShard(MemorySource(try stream(bins, layout: layout), name: name))
    }

    /// Random records whose ids, lengths and targets come from a seed: 2 to 4 responses, 1 to 3 dimensions, some ratings missing.
    static func random(_ count: Int, vocabulary: UInt32, seed: UInt64, promptLength: Int = 12) -> [TestRecord] {
        var generator = SeededGenerator(seed: seed)
        func tokens(_ count: Int) -> [UInt32] { (0 ..< count).map { _ in UInt32.random(in: 3 ..< vocabulary, using: &generator) } }
        return (0 ..< count).map { number in
            let n = Int.random(in: 2 ... 4, using: &generator)
            let targets: [[Double?]] = (0 ..< Int.random(in: 1 ... 3, using: &generator)).map { k in
                var row: [Double?] = (0 ..< n).map { _ in Double.random(in: 0.1 ... 1, using: &generator) }
                if n > 2, k > 0, Bool.random(using: &generator) { row[Int.random(in: 0 ..< n, using: &generator)] = nil }
                let sum = row.reduce(0) { $0 + ($1 ?? 0) }
                return row.map { $0.map { $0 / sum } }
            }
            let digits = String(UInt64.random(in: 1 ... .max, using: &generator), radix: 16)
            return TestRecord(
                id: String(repeating: "0", count: 32 - digits.count) + digits, prompt: [1] + tokens(Int.random(in: 1 ... promptLength, using: &generator)),
                responses: (0 ..< n).map { _ in tokens(Int.random(in: 0 ... 9, using: &generator)) + [2] },
                dimensions: Array(["helpfulness", "honesty", "truthfulness"].prefix(targets.count)), targets: targets)
        }
    }

    /// Bins of `perBin` records each.
    static func bins(_ records: [TestRecord], perBin: Int, _ layout: PackedLayout = .sharedPrefix) -> [PackedBin] {
        stride(from: 0, to: records.count, by: perBin).map { bin(Array(records[$0 ..< min(records.count, $0 + perBin)]), layout) }
    }
}

/// The message of the error that `body` throws.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "accepted"
    } catch { return "\(error)" }
}
