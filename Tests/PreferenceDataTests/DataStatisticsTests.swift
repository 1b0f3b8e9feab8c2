import Glibc
import InputFiles
import JSON
import RecordStream
import SystemIO
import Testing
import TestSupport
@testable import PreferenceData

@Suite struct DataStatisticsTests {
    private let folder = TemporaryFolder()

    private func convert(_ files: [String], threads: Int = 1, chunkSize: Int = 1 << 20, _ change: (inout ConversionOptions) throws -> Void = { _ in }) throws -> (Conversion, DecodedInputs) {
        var options = ConversionOptions()
        options.gathersStatistics = true
        options.onBadRecord = .skip
        try change(&options)
        let inputs = DecodedInputs(files), conversion = Conversion(options)
        try conversion.run(ChunkReader(inputs, chunkSize: chunkSize), threads: threads) { _, _ in }
        return (conversion, inputs)
    }

    /// Writes records of UltraFeedback's layout: by response the ratings of a, b and c, nil for none.
    private func file(_ name: String, source: String = "s", _ records: [[[String?]]]) throws -> String {
        let text = records.enumerated().map { number, responses in
            let completions = responses.enumerated().map { i, ratings in
                let annotations = zip(["a", "b", "c"], ratings).compactMap { name, rating in rating.map { #""\#(name)":{"Rating":"\#($0)"}"# } }
                return #"{"response":"\#(String(repeating: "x", count: i))","annotations":{\#(annotations.joined(separator: ","))}}"#
            }
            return #"{"source":"\#(source)","instruction":"\#(number)","completions":[\#(completions.joined(separator: ","))]}"#
        }
        let file = try AtomicFile(path: folder.file(name))
        try file.write(text.map { $0 + "\n" }.joined())
        try file.finish()
        return folder.file(name)
    }

    @Test(arguments: [(2, 700), (5, 700), (3, 1 << 20)])
    func threadsAndChunksChangeNoBitOfTheReport(threads: Int, chunkSize: Int) throws {
        let files = ["odd.jsonl", "bad.jsonl", "vicuna_bench.jsonl.gz", "binarized.jsonl.gz"].map { Fixtures.path("ultrafeedback/" + $0) }
            + [Fixtures.path("sources/helpsteer.jsonl")]
        let (plain, inputs) = try convert(files) { $0.deduplication = .exact }
        let (other, otherInputs) = try convert(files, threads: threads, chunkSize: chunkSize) { $0.deduplication = .exact }
        #expect(try plain.report(inputs, release: "0").serialized() == other.report(otherInputs, release: "0").serialized())
        #expect(plain.counts.firstPlaces.count > 8)
    }

    /// Against the definitions, computed the plain way.
    @Test func numbersAreThoseOfTheirDefinitions() throws {
        var generator = SeededGenerator(seed: 5)
        let records: [[[String?]]] = (0 ..< 300).map { _ in
            (0 ..< Int.random(in: 2 ... 5, using: &generator)).map { _ in
                let a = Int.random(in: 1 ... 5, using: &generator), b = max(1, min(5, a + Int.random(in: -1 ... 1, using: &generator)))
                return ["\(a)", Bool.random(using: &generator) ? "\(b)" : nil, "3"]
            }
        }
        let (conversion, _) = try convert([file("raw", records)])
        let source = try #require(conversion.statistics?.bySource.first)
        #expect(source.name == "s" && source.statistics.records == 300 && conversion.statistics?.bySource.count == 1)
        #expect(source.statistics.dimensions.map(\.name) == ["a", "b", "c"])
        let responses = records.flatMap { $0 }
        func values(_ k: Int) -> [Double] { responses.compactMap { $0[k].flatMap(Double.init) } }
        for (k, dimension) in source.statistics.dimensions.enumerated() {
            let all = values(k), mean = all.reduce(0, +) / Double(all.count)
            let bars = dimension.histogram.bars
            #expect(bars.map(\.low) == Set(all).sorted() && bars.map(\.count) == bars.map { bar in all.count { $0 == bar.low } })
            #expect(dimension.rated == all.count && abs((dimension.mean ?? 0) - mean) < 1e-12)
            let deviation = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)).squareRoot()
            #expect(abs((dimension.standardDeviation ?? -1) - deviation) < 1e-12)
            var pairs = 0, tied = 0
            for record in records {
                let ratings = record.compactMap { $0[k] }
                for i in ratings.indices { for j in ratings.indices where i < j { (pairs, tied) = (pairs + 1, tied + (ratings[i] == ratings[j] ? 1 : 0)) } }
            }
            #expect(dimension.pairs == pairs && dimension.tiedPairs == tied && dimension.tiedShare == Double(tied) / Double(pairs))
            // Targets: softmax over the rated responses of a record that has two or more of them.
            let targets = records.map { $0.compactMap { $0[k].flatMap(Double.init) } }.filter { $0.count >= 2 }.map { ratings in
                let sum = ratings.reduce(0) { $0 + exp($1) }
                return ratings.map { exp($0) / sum }
            }
            let entropies = targets.map { $0.reduce(0) { $0 - $1 * log($1) } }.sorted()
            #expect(dimension.targets == targets.count)
            #expect(abs((dimension.meanEntropy ?? 0) - entropies.reduce(0, +) / Double(targets.count)) < 1e-9)
            #expect(abs((dimension.meanEvenEntropy ?? 0) - targets.reduce(0) { $0 + log(Double($1.count)) } / Double(targets.count)) < 1e-9)
            for q in [0.05, 0.5, 0.95] {
                let truth = entropies[max(0, Int((q * Double(entropies.count)).rounded(.up)) - 1)]
                #expect(abs(Double(dimension.milliNats.quantile(q)) / 1000 - truth) <= max(0.0006, truth * 0.016), "\(q)")
            }
        }
        let both = responses.compactMap { response in response[1].map { (Double(response[0] ?? "") ?? .nan, Double($0) ?? .nan) } }
        let n = Double(both.count), meanA = both.reduce(0) { $0 + $1.0 } / n, meanB = both.reduce(0) { $0 + $1.1 } / n
        func product(_ f: ((Double, Double)) -> Double) -> Double { both.reduce(0) { $0 + f(($1.0 - meanA, $1.1 - meanB)) } }
        let r = product { $0.0 * $0.1 } / (product { $0.0 * $0.0 } * product { $0.1 * $0.1 }).squareRoot()
        let found = source.statistics.correlation(0, 1)
        #expect(found.responses == both.count && r > 0.5 && abs((found.r ?? 0) - r) < 1e-12)
        // A dimension that never changes correlates with nothing.
        #expect(source.statistics.correlation(0, 2).r == nil && source.statistics.correlation(0, 2).responses == responses.count)
        #expect(source.statistics.responseBytes.count == responses.count && source.statistics.responseBytes.maximum == 4)
    }

    /// All sources together are what one source with all records is.
    @Test func sourcesAddUp() throws {
        var generator = SeededGenerator(seed: 6)
        let records: [[[String?]]] = (0 ..< 200).map { _ in (0 ..< 3).map { _ in (0 ..< 3).map { _ in Bool.random(using: &generator) ? "\(Int.random(in: 2 ... 10, using: &generator)).5" : nil } } }
        let parts = try (0 ..< 4).map { try file("\($0)", source: "s\($0)", Array(records[$0 * 50 ..< $0 * 50 + 50])) }
        let range = RatingRange(low: 1, high: 11)
        let several = try #require(try convert(parts) { $0.range = range }.0.statistics), one = try #require(try convert([file("all", records)]) { $0.range = range }.0.statistics)
        #expect(several.bySource.count == 4 && one.bySource.count == 1)
        for (a, b) in zip(several.all.dimensions.sorted { $0.name < $1.name }, one.all.dimensions.sorted { $0.name < $1.name }) {
            #expect(a.name == b.name && a.histogram.bars == b.histogram.bars && a.pairs == b.pairs && a.tiedPairs == b.tiedPairs && a.targets == b.targets)
            #expect(abs((a.mean ?? 0) - (b.mean ?? 1)) < 1e-12 && abs((a.standardDeviation ?? 0) - (b.standardDeviation ?? 1)) < 1e-12)
            #expect(abs((a.relativeEntropy ?? 0) - (b.relativeEntropy ?? 1)) < 1e-12)
        }
        func correlations(_ statistics: SourceStatistics) -> [String: Double] {
            var found: [String: Double] = [:]
            for b in 0 ..< 3 { for a in 0 ..< b { found[[a, b].map { statistics.dimensions[$0].name.description }.sorted().joined()] = statistics.correlation(a, b).r } }
            return found
        }
        let pooled = correlations(several.all), direct = correlations(one.all)
        #expect(pooled.count == 3 && Set(pooled.keys) == Set(direct.keys))
        for (pair, r) in direct { #expect(abs((pooled[pair] ?? 2) - r) < 1e-12, "\(pair)") }
        #expect(several.all.promptBytes.count == 200)
    }

    @Test func manyValuesGoIntoTwentyBins() {
        var histogram = RatingHistogram(RatingRange(low: 0, high: 10))
        for i in 0 ..< 64 { histogram.add(Double(i) / 10) }
        #expect(histogram.bars.count == 64 && histogram.bars.allSatisfy { $0.low == $0.high && $0.count == 1 })
        for i in 64 ... 100 { histogram.add(Double(i) / 10) }
        #expect(histogram.bars.count == 20 && histogram.bars.first == .init(low: 0, high: 0.5, count: 5) && histogram.bars.last == .init(low: 9.5, high: 10, count: 6))
        #expect(histogram.bars.reduce(0) { $0 + $1.count } == 101)
        var other = RatingHistogram(RatingRange(low: 0, high: 10))
        other.add(3)
        other.add(histogram)
        #expect(other.bars.count == 20 && other.bars[6].count == 6 && other.bars.reduce(0) { $0 + $1.count } == 102)
    }

    @Test func theFirstThreePlacesAreThoseOfTheInput() throws {
        let one: [[String?]] = [["1", "1", "1"]], pair: [[String?]] = [["1", "1", "1"], ["9", "1", "1"]], good: [[String?]] = [["1", "1", "1"], ["2", "1", "1"]]
        let first = try file("first", [one, good, pair, one]), second = try file("second", [pair, one, one, good, one, pair])
        let (conversion, inputs) = try convert([first, second], threads: 3, chunkSize: 100)
        let report = conversion.report(inputs, release: "0")
        func places(_ group: String, _ name: String) -> [[Int]]? { report["places"]?[group]?[name]?.array?.map { [$0["input"]?.int ?? 0, $0["line"]?.int ?? 0] } }
        #expect(places("dropped", "fewer_than_two_responses") == [[1, 1], [1, 4], [2, 2]])
        #expect(places("ratings", "out_of_range") == [[1, 3], [2, 1], [2, 6]])
        #expect(places("odd", "duplicate_prompts") == [[2, 1], [2, 2], [2, 3]])
        #expect(places("dropped", "contaminated") == [])
        #expect(report["places"]?["dropped"]?["fewer_than_two_responses"]?[2]?["name"]?.string == second)
        #expect(report["inputs"]?.array?.map { $0["records"] } == [4, 6])
        #expect(report["counts"]?["records"]?["dropped"]?["fewer_than_two_responses"] == 5)
    }

    /// What a sample and the shares of a split leave out is found as every other reason is.
    @Test func whatIsChosenAgainstHasItsPlacesToo() throws {
        let pair: [[String?]] = [["1", "1", "1"], ["2", "1", "1"]]
        let files = try ["a", "b", "c"].map { try file($0, Array(repeating: pair, count: 4)) }
        for threads in [1, 3] {
            let (conversion, inputs) = try convert(files, threads: threads) { $0.sample = Sample(count: 1) }
            let places = conversion.report(inputs, release: "0")["places"]?["dropped"]?["not_sampled"]?.array
            #expect(conversion.counts.dropped[.notSampled] == 11 && places?.count == 3 && places?.allSatisfy { $0["name"]?.string == files[0] } == true, "\(String(describing: places))")
            let (split, read) = try convert(files, threads: threads) { $0.split = try Split("a=0.000001", part: "a") }
            let left = split.report(read, release: "0")["places"]?["records"]?["no_part"]?.array
            #expect(split.counts.noPart == 12 && left?.map { [$0["input"], $0["line"]] } == [[1, 1], [1, 2], [1, 3]], "\(String(describing: left))")
        }
    }

    /// A source with very many dimensions, and very many sources, take bounded memory and are counted all the same.
    @Test func whatIsPassedOverIsCounted() {
        var statistics = SourceStatistics()
        var record = RawPreference(source: "s", turns: [], responses: ["", ""])
        for k in 0 ..< 40 { record.rate(Text("d\(k)"), in: RatingRange(low: 1, high: 5), [(1, .rated), (2, .rated)]) }
        statistics.add(record)
        #expect(statistics.dimensions.count == 32 && statistics.passedOver == 8)
        var data = DataStatistics()
        for k in 0 ..< 250 {
            record.source = Text("source \(k)")
            data.add(record)
        }
        #expect(data.bySource.count == 201 && data.bySource[0].name == "(other sources)" && data.bySource[0].statistics.records == 50)
        #expect(data.all.records == 250)
    }
}
