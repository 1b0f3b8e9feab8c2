import Checksums
import InputFiles
import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing
@testable import PreferenceData

/// Which records are kept: by conditions, and by a sample that seed and records alone decide.
@Suite struct SelectionTests {
    private let odd = Fixtures.path("ultrafeedback/odd.jsonl"), pairs = Fixtures.path("ultrafeedback/binarized.jsonl.gz"), vicuna = Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz")

    private func convert(_ files: [String], threads: Int = 1, _ change: (inout ConversionOptions) throws -> Void = { _ in }) throws -> (records: [[RatedRecord]], conversion: Conversion) {
        var options = ConversionOptions()
        try change(&options)
        let conversion = Conversion(options)
        var records: [[RatedRecord]] = try options.heads.map { _ in [] }
        try conversion.run(ChunkReader(DecodedInputs(files), chunkSize: 20_000), threads: threads) { record, output in records[output].append(record) }
        return (records, conversion)
    }

    /// A record without its place.
    private func placeless(_ records: [RatedRecord]) -> Set<String> {
        Set(records.map { "\($0.id) \($0.source) \($0.ratings.ratings)" })
    }

    private func filters(_ conditions: [String]) throws -> [RecordFilter] { try conditions.map { try RecordFilter($0, schema: RatedRecord.schema) } }

    @Test(arguments: [1, 3]) func conditionsKeepWhatAStreamWouldShow(threads: Int) throws {
        let conditions = ["gap >= 1 or source = prometheus/vicuna_bench", "not (ties > 1)", "length < 9000 and missing = 0"]
        let all = try convert([pairs, vicuna, odd]).records[0]
        let (records, conversion) = try convert([pairs, vicuna, odd], threads: threads) { $0.conditions = try filters(conditions) }
        let sink = MemorySink(), writer = try RecordStreamWriter<RatedRecord>(to: sink, head: ConversionOptions().head)
        for record in all { try writer.append(record) }
        try writer.finish(StreamTail())
        // As uf-records view --where would tell of the whole stream: block by block, all conditions.
        let reader = try RecordStreamReader(MemorySource(sink.bytes)), asked = try filters(conditions)
        var expected: [Text] = [], unmet: [String: Int] = [:]
        while let block = try reader.nextBlock() {
            for index in 0 ..< block.count {
                if let first = try asked.first(where: { try !$0.matches(block, index) }) { unmet[first.text, default: 0] += 1 } else { expected.append(Text(block.text(0, index))) }
            }
        }
        #expect(records[0].map(\.id) == expected && expected.count > 40 && unmet.count == 3 && unmet.values.allSatisfy { $0 > 3 }, "\(unmet)")
        let counts = conversion.counts
        #expect(counts.unmet == unmet && counts.dropped[.unmetCondition] == unmet.values.reduce(0, +) && counts.kept + counts.droppedTotal == counts.read)
        let json = try #require(conversion.counts.json["records"])
        #expect(json["unmet"]?["not (ties > 1)"]?.int == unmet["not (ties > 1)"] && json["dropped"]?["unmet_condition"]?.int == counts.dropped[.unmetCondition])
        #expect(counts.summaryLine?.contains(", \(unmet["not (ties > 1)"] ?? 0) not meeting not (ties > 1)") == true, "\(counts.summaryLine ?? "")")
    }

    /// Conditions ask about ratings as the stream has them: on the scale, and after a missing one was filled in.
    @Test func conditionsSeeScaledAndFilledRatings() throws {
        func kept(_ condition: String, _ change: (inout ConversionOptions) -> Void = { _ in }) throws -> Int {
            try convert([odd]) {
                change(&$0)
                $0.conditions = try filters([condition])
            }.records[0].count
        }
        let scale = ByDimension<RatingRange?>(RatingRange(low: 0, high: 100))
        #expect(try kept("gap > 5") == 0 && kept("gap > 5", { $0.scale = scale }) > 5)
        #expect(try kept("missing > 0") > 3 && kept("missing > 0", { $0.targets.missing = .floor }) == 0)
    }

    /// By hand: the lowest hashes of seed and id, where no id stands twice.
    private func expected(_ records: [RatedRecord], _ count: Int, seed: UInt64) -> Set<Text> {
        func key(_ id: Text) -> [UInt8] { SHA256.digest(of: (0 ..< 8).map { UInt8(truncatingIfNeeded: seed >> (8 * UInt64($0))) } + id.bytes) }
        return Set(records.map(\.id).sorted { key($0).lexicographicallyPrecedes(key($1)) }.prefix(count))
    }

    @Test func theSampleIsTheLowestHashes() throws {
        let all = try convert([pairs, vicuna, odd]).records[0]
        #expect(Set(all.map(\.id)).count == all.count)
        for (count, seed) in [(1, 0), (40, 0), (40, 7), (40, UInt64.max), (371, 3)] {
            for (files, threads) in [([pairs, vicuna, odd], 1), ([odd, vicuna, pairs], 3)] {
                let (records, conversion) = try convert(files, threads: threads) { $0.sample = Sample(count: count, seed: seed) }
                let origins = records[0].map { ($0.origin.input, $0.origin.line) }
                #expect(Set(records[0].map(\.id)) == expected(all, count, seed: seed) && records[0].count == count, "\(count) of seed \(seed)")
                #expect(zip(origins, origins.dropFirst()).allSatisfy { $0 < $1 }, "in the order of the input")
                #expect(conversion.counts.kept == count && conversion.counts.dropped[.notSampled] == all.count - count)
                #expect(conversion.counts.kept + conversion.counts.droppedTotal == conversion.counts.read)
            }
        }
        let small = try convert([odd]) { $0.sample = Sample(count: 14) }
        #expect(small.records[0].map(\.id) == (try convert([odd]).records[0].map(\.id)))
        #expect(small.conversion.summaryLine?.hasSuffix("; only 13 records to take a sample of 14 from") == true, "\(small.conversion.summaryLine ?? "")")
        #expect(try convert([odd]) { $0.sample = Sample(count: 13) }.conversion.summaryLine?.contains("sample") == false)
    }

    @Test func strataHaveTheirShares() throws {
        let all = try convert([pairs, vicuna, odd]).records[0]
        for files in [[pairs, vicuna, odd], [odd, pairs, vicuna]] {
            let records = try convert(files, threads: 2) { $0.sample = Sample(count: 50, seed: 5, strata: .source) }.records[0]
            // 372 records: 300, 59, 12 and 1 are 40.32, 7.93, 1.61 and 0.13 of 50.
            for (source, share) in [("ultrafeedback-binarized", 40), ("prometheus/vicuna_bench", 8), ("odd", 2), ("odd/other", 0)] {
                let own = all.filter { $0.source == Text(source) }
                #expect(Set(records.filter { $0.source == Text(source) }.map(\.id)) == expected(own, share, seed: 5), "\(source)")
            }
            #expect(records.count == 50)
        }
    }

    @Test(arguments: [
        (10, [1, 1, 1], [1, 1, 1]), (2, [1, 1, 1], [1, 1, 0]), (3, [5, 5, 0], [2, 1, 0]), (7, [50, 30, 20], [4, 2, 1]), (1, [1, 3, 2], [0, 1, 0]), (5, [], []),
        (Int.max / 2, [Int.max / 2, 1, Int.max / 4], [Int.max / 3, 1, Int.max / 6]),
    ]) func sharesByLargestRemainder(count: Int, sizes: [Int], expected: [Int]) {
        let shares = Sample(count: count).shares(sizes)
        #expect(shares.reduce(0, +) == min(count, sizes.reduce(0, +)))
        #expect(zip(shares, sizes).allSatisfy { (0 ... $1).contains($0) })
        // Beyond 64 bits in between: each within one of its share.
        #expect(count > 1 << 60 ? zip(shares, expected).allSatisfy { abs($0 - $1) <= 1 } : shares == expected, "\(shares)")
    }

    /// The same text with other ratings has the same id: where only one fits, its content decides and not the order.
    @Test func recordsWithTheSameIDDoNotDependOnTheirOrder() throws {
        let folder = TemporaryFolder()
        func line(_ text: String, _ rating: Int) -> String {
            #"{"instruction":"\#(text)","completions":[{"response":"a","annotations":{"d":{"Rating":\#(rating)}}},{"response":"b","annotations":{"d":{"Rating":3}}}]}"# + "\n"
        }
        let lines = (0 ..< 12).flatMap { text in [1, 2, 4].map { line("t\(text)", $0) } }
        func sample(_ lines: [String], _ count: Int) throws -> [RatedRecord] {
            let file = try AtomicFile(path: folder.file("x.jsonl"))
            try file.write(lines.joined())
            try file.finish()
            return try convert([file.name]) { $0.sample = Sample(count: count, seed: 2) }.records[0]
        }
        var generator = SeededGenerator(seed: 4)
        for count in [1, 2, 3, 4, 17, 35] {
            let first = placeless(try sample(lines, count))
            for _ in 0 ..< 5 { #expect(try placeless(sample(lines.shuffled(using: &generator), count)) == first, "\(count)") }
            #expect(first.count == count)
        }
        // Records that differ in nothing but their place: so many as were asked for.
        #expect(try sample(Array(repeating: lines[0], count: 9), 4).map(\.origin.line) == [1, 2, 3, 4])
    }

    /// A set of shards is one sample; each shard is made alone as well, with the counts that it has in the set.
    @Test func shardsDivideOneSample() throws {
        let one = try convert([pairs, vicuna, odd]) { $0.sample = Sample(count: 60, seed: 1) }.records[0]
        let set = try convert([pairs, vicuna, odd], threads: 2) { ($0.sample, $0.shards) = (Sample(count: 60, seed: 1), 4) }
        #expect(Set(set.records.joined().map(\.id)) == Set(one.map(\.id)) && set.records.reduce(0) { $0 + $1.count } == 60)
        let inputs = DecodedInputs([])
        for shard in 0 ..< 4 {
            let alone = try convert([pairs, vicuna, odd]) { ($0.sample, $0.shards, $0.shard) = (Sample(count: 60, seed: 1), 4, shard) }
            #expect(alone.records[0].map(\.id) == set.records[shard].map(\.id))
            #expect(alone.conversion.tails(inputs)[0] == set.conversion.tails(inputs)[shard])
            #expect(alone.conversion.counts.kept == alone.records[0].count)
        }
    }

    /// All parts in one pass are what each is alone, with its counts; duplicates and samples are each part's own.
    @Test(arguments: [1, 3]) func partsAreWhatEachIsAlone(threads: Int) throws {
        let split = "train=0.6,rest=0.2,test=0.1"
        for change in [{ _ in }, { $0.deduplication = .near }, { $0.sample = Sample(count: 25, seed: 8, strata: .source) }] as [(inout ConversionOptions) -> Void] {
            let together = try convert([pairs, vicuna, odd], threads: threads) {
                $0.split = try Split(split, part: nil)
                change(&$0)
            }
            let inputs = DecodedInputs([])
            for (part, name) in ["train", "rest", "test"].enumerated() {
                let alone = try convert([pairs, vicuna, odd]) {
                    $0.split = try Split(split, part: name)
                    change(&$0)
                }
                #expect(alone.records[0] == together.records[part] || alone.records[0].map(\.id) == together.records[part].map(\.id))
                #expect(alone.conversion.tails(inputs)[0] == together.conversion.tails(inputs)[part])
                #expect(try alone.conversion.options.heads == [together.conversion.options.heads[part]])
            }
            let ids = together.records.map { Set($0.map { $0.turns[0].content }) }
            #expect(ids[0].isDisjoint(with: ids[1]) && ids[0].isDisjoint(with: ids[2]) && ids[1].isDisjoint(with: ids[2]) && ids.allSatisfy { $0.count > 10 })
        }
    }
}
