import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

/// The paper's padded tensors, built from rows16 bins as a reader would, against those that NumPy made.
@Suite struct PaperTensorTests {
    struct Tensors: Equatable {
        var inputIDs: [[Int]] = []
        var attentionMask: [[Int]] = []
        var labels: [[Int]] = []
        var target: [UInt32] = []

        /// Rows of all records in order, right-padded to a multiple of 8.
        init(_ bins: [PackedBin]) {
            var rows: [(tokens: [UInt32], labelsFrom: Int)] = []
            for bin in bins {
                for member in bin.members {
                    for number in member.rowMap {
                        let segment = bin.segments[Int(number)]
                        rows.append((Array(bin.tokens[Int(segment.start) ..< Int(segment.end)]), Int(segment.labelStart - segment.start)))
                    }
                    target += member.piTarget.map(\.bitPattern)
                }
            }
            let length = ((rows.map(\.tokens.count).max() ?? 0) + 7) / 8 * 8
            for (tokens, labelsFrom) in rows {
                let padding = length - tokens.count, ids = tokens.map { Int($0) }
                inputIDs.append(ids + [Int](repeating: 0, count: padding))
                attentionMask.append([Int](repeating: 1, count: ids.count) + [Int](repeating: 0, count: padding))
                labels.append([Int](repeating: -100, count: labelsFrom) + ids[labelsFrom...] + [Int](repeating: -100, count: padding))
            }
        }

        init(_ json: JSONValue, target name: String) throws {
            func matrix(_ name: String) throws -> [[Int]] { try #require(json[name]?.array).map { $0.array?.compactMap(\.int) ?? [] } }
            inputIDs = try matrix("input_ids")
            attentionMask = try matrix("attention_mask")
            labels = try matrix("labels")
            target = try #require(json[name]?.array).compactMap { $0.int.flatMap { UInt32(exactly: $0) } }
        }
    }

    static func record(_ json: JSONValue, line: Int) throws -> TokensRecord {
        func ids(_ value: JSONValue?) -> [UInt32] { value?.array?.compactMap { $0.int.flatMap { UInt32(exactly: $0) } } ?? [] }
        func matrix(_ name: String) -> [Double] { json[name]?.array?.flatMap { $0.array?.compactMap(\.double) ?? [] } ?? [] }
        let targets = matrix("targets"), prompt = ids(json["prompt"])
        let ratings = Ratings(
            dimensions: json["dimensions"]?.array?.compactMap(\.text) ?? [], ratings: matrix("ratings"), rated: targets.map { _ in 1 }, targets: targets)
        return TokensRecord(
            id: try #require(json["id"]?.text), origin: Origin(input: 1, line: UInt64(line)), source: "made-up", ratings: ratings,
            prompts: [TokenRecords.prompt(prompt, [0, UInt32(prompt.count)])], responses: (json["responses"]?.array ?? []).map { ids($0) })
    }

    @Test(arguments: [1, 3], [false, true]) func equalNumPyElementByElement(recordsPerBin: Int, epsilon: Bool) throws {
        let cases = try #require(JSON.parse(readWholeFile(Fixtures.path("packing/paper_tensors.json")))["cases"]?.array)
        #expect(cases.count == 4)
        for entry in cases {
            let name = entry["name"]?.string ?? "?"
            let records = try #require(entry["records"]?.array).enumerated().map { try Self.record($1, line: $0 + 1) }
            var options = PackingOptions(layout: .rows16, maxLength: try #require(entry["max_length"]?.int))
            options.truncation = .paper
            options.recordsPerBin = recordsPerBin
            options.paperEpsilon = epsilon
            let bins = try TokenRecords.pack(records, options).bins
            let expected = try Tensors(#require(entry["tensors"]), target: epsilon ? "pi_target_epsilon_bits" : "pi_target_bits")
            #expect(bins.count == (records.count + recordsPerBin - 1) / recordsPerBin, "\(name)")
            #expect(!expected.inputIDs.isEmpty && expected.target.count == expected.inputIDs.count, "\(name)")
            #expect(Tensors(bins) == expected, "\(name)")
        }
    }
}
