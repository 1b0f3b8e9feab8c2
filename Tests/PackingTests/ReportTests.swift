import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

@Suite struct ReportTests {
    @Test func percentilesAreNearestRanks() {
        var generator = SeededGenerator(seed: 5)
        for count in [1, 2, 3, 10, 99, 100, 101, 1000] {
            var histogram = LengthHistogram()
            let lengths = (0 ..< count).map { _ in Int.random(in: 0 ... 50, using: &generator) }
            lengths.forEach { histogram.add($0) }
            let sorted = lengths.sorted()
            for percent in [0, 1, 25, 50, 75, 95, 99, 100] {
                // The definition: the smallest value with at least that share at or below it.
                let definition = sorted.first { value in 100 * sorted.filter { $0 <= value }.count >= percent * count }
                #expect(histogram.percentiles([percent]) == [definition], "\(count) values, \(percent) %")
            }
            #expect(histogram.percentiles([0, 25, 50, 75, 95, 99, 100]) == [0, 25, 50, 75, 95, 99, 100].flatMap { histogram.percentiles([$0]) })
            #expect(histogram.sum == lengths.reduce(0, +) && histogram.total == count)
        }
        #expect(LengthHistogram().percentiles([50, 100]) == [0, 0])
    }

    @Test func costsOfTheLayouts() throws {
        func options(_ layout: PackedLayout) -> PackingOptions {
            var options = PackingOptions(layout: layout, maxLength: 64)
            options.answers = .all
            return options
        }
        // Prompt 5, responses 4 and 6 in 3 dimensions: rows of 9 and 11, padded to 16.
        let records = [TokenRecords.make(0, prompt: 5, responses: [4, 6], dimensions: ["a", "b", "c"])]
        // All responses are tied, so that pairs would have none.
        for layout in PackedLayout.allCases where layout != .pairs {
            let report = try TokenRecords.pack(records, options(layout)).report
            #expect([report.paddedRepeatedTokens, report.paddedTokens, report.rowTokens, report.counts.tokensOut] == [96, 32, 20, 15])
            #expect(report.counts.binTokens == (layout == .rows16 ? 20 : 15))
            #expect(report.json["tokens"]?["padded_rows_of_all_dimensions"] == 96)
            #expect(report.json["lengths"]?["longest_sequence"]?["max"] == 11)
        }
    }

    @Test func contextLengths() throws {
        let folder = TemporaryFolder()
        func config(_ text: String) throws -> Result<Int, InputError> {
            let file = try AtomicFile(path: folder.file("config.json"))
            try file.write(text)
            try file.finish()
            do { return .success(try ContextLength.ofModel(folder.path)) } catch let error as InputError { return .failure(error) }
        }
        let path = folder.file("config.json")
        #expect(throws: InputError("\(path): cannot be opened for reading: No such file or directory", status: .missingInput)) { try ContextLength.ofModel(folder.path) }
        #expect(try config("{\"max_position_embeddings\": 512}") == .success(512))
        #expect(try config("{}") == .failure(InputError("\(path): no max_position_embeddings, so the model's context is unknown; give --max-length")))
        #expect(try config("{\"max_position_embeddings\": -1}") == .failure(InputError("\(path): max_position_embeddings is -1, expected a number from 2 to 1048576; give --max-length")))
        #expect(try config("{\"max_position_embeddings\": \"5\"}") == .failure(InputError("\(path): max_position_embeddings is a string, expected a number from 2 to 1048576; give --max-length")))
        guard case .failure(let error) = try config("{") else { return #expect(Bool(false), "broken JSON was read") }
        #expect(error.message.hasPrefix(path + ": "))
        #expect(try ContextLength.ofStream([:]) == nil)
        #expect(try ContextLength.ofStream(["context_length": 77]) == 77)
        #expect(throws: InputError("the tokens stream's context_length is null, expected a number from 2 to 1048576; give --max-length")) { try ContextLength.ofStream(["context_length": nil]) }
    }
}
