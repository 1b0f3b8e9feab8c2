import InputFiles
import JSON
import RecordStream
import SystemIO
import Testing
import TestSupport
@testable import PreferenceData

@Suite struct ConversionTests {
    private func convert(_ files: [String], threads: Int = 1, chunkSize: Int = 1 << 20, _ change: (inout ConversionOptions) throws -> Void = { _ in })
        throws -> (records: [RatedRecord], counts: ConversionCounts, tail: StreamTail) {
        var options = ConversionOptions()
        try change(&options)
        let inputs = DecodedInputs(files)
        let conversion = Conversion(options)
        var records: [RatedRecord] = []
        try conversion.run(ChunkReader(inputs, chunkSize: chunkSize), threads: threads) { record, _ in records.append(record) }
        return (records, conversion.counts, conversion.tails(inputs)[0])
    }

    private let odd = Fixtures.path("ultrafeedback/odd.jsonl"), bad = Fixtures.path("ultrafeedback/bad.jsonl")
    private let pairs = Fixtures.path("ultrafeedback/binarized.jsonl.gz"), vicuna = Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz")
    private let one = Fixtures.path("ultrafeedback/evol_instruct-one.jsonl")

    private func failure(_ files: [String], _ change: (inout ConversionOptions) throws -> Void = { _ in }) -> String? {
        let error = #expect(throws: InputError.self) { _ = try convert(files, change) }
        #expect(error?.status == .invalidData)
        return error?.message.replacing(Fixtures.path("ultrafeedback/"), with: "")
    }

    /// NaN is no obstacle to comparing records.
    private func bytes(_ records: [RatedRecord]) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = try RecordStreamWriter<RatedRecord>(to: sink, head: ConversionOptions().head)
        for record in records { try writer.append(record) }
        try writer.finish(StreamTail())
        return sink.bytes
    }

    @Test func oddRecordsAreCountedOneByOne() throws {
        let (records, counts, _) = try convert([odd])
        #expect(records.map(\.origin.line) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 18])
        #expect(counts.read == 16 && counts.kept == 13 && counts.otherParts == 0)
        #expect(counts.dropped == [.fewerThanTwoResponses: 2, .noTargets: 1])
        #expect(counts.skipped.isEmpty)
        #expect(counts.completions == [0: 1, 1: 1, 2: 7, 3: 1, 4: 5, 5: 1])
        #expect(counts.emptyResponses == 1 && counts.duplicatePrompts == 1 && counts.duplicateRecords == 0 && counts.identicalResponses == 1)
        let honesty = try #require(counts.sources["odd"]?["honesty"])
        #expect(honesty.states == [31, 5, 2, 1, 0, 0])
        #expect(honesty.leftOut == 2 && honesty.allTied == 2)
        let truthfulness = try #require(counts.sources["odd"]?["truthfulness"])
        #expect(truthfulness.states == [35, 1, 2, 0, 1, 0])
        #expect(counts.summaryLine == "dropped 3 of 16 records: 2 with fewer than two responses, 1 without a dimension that has two ratings; "
                + "ratings not there: 6 N/A, 11 missing, 2 null, 5 out of range; kept 1 empty response, 1 repeated prompt")
    }

    @Test func oddRecordsKeepTheirTextAndTargets() throws {
        let records = try convert([odd]).records
        #expect(records[0].ratings.dimensions == ["helpfulness", "honesty", "instruction_following", "truthfulness"])
        #expect(Array(records[0].ratingStates[4..<8]) == [1, 1, 0, 1])
        #expect(Array(records[0].ratings.rated[4..<8]) == [0, 0, 0, 0], "one rating makes no distribution")
        #expect(Array(records[0].ratings.rated[12..<16]) == [1, 0, 1, 1])
        #expect(records[5].responses.count == 5 && records[4].responses.count == 3)
        #expect(Array(records[6].ratings.ratings) == [5, 1, 4.5, 2.5, 4.333333333333333, 3.25, 1, 2])
        #expect(records[7].turns[0].content.bytes == Array("Emoji 😀 and half of one: ".utf8) + [0xED, 0xA0, 0xBD] + Array(".".utf8))
        #expect(records[7].responses[0].bytes.starts(with: [0xED, 0xB8, 0x80]))
        #expect(records[8].turns[0].content == "Line\r\nends." as Text && records[8].responses[0] == "CR\rLF\n" as Text)
        #expect(records[12].ratings.dimensions == ["honesty", "style", "accuracy", "fluency"] && records[12].source == "odd/other" as Text)
        #expect(Set(records.map(\.id)).count == records.count)
        #expect(records.allSatisfy { $0.id.count == 32 })
    }

    @Test func badRecordsStopWithTheirPlace() throws {
        #expect(failure([bad]) == "bad.jsonl: line 2, column 19: expected a key in double quotes, found 'i' (--on-bad-record skip to continue)")
        let lines = try String(decoding: readWholeFile(bad), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let folder = TemporaryFolder()
        let expected = [
            3: "line 1: completions[1].annotations.honesty.Rating is \"six\", expected 1..5 or N/A",
            4: "line 1: completions[1].response is null, expected a string",
            5: "line 1: its keys show no source that is known: prompt, text; name one with --from, or describe the records with --map",
            6: "line 1: chosen is a number, expected a string or messages",
        ]
        for (number, message) in expected {
            let path = folder.file("x\(number).jsonl")
            let file = try AtomicFile(path: path)
            try file.write(String(lines[number - 1]))
            try file.finish()
            #expect(failure([path]) == "\(path): \(message) (--on-bad-record skip to continue)")
        }
        let file = try AtomicFile(path: folder.file("x8.jsonl"))
        try file.write(String(lines[7]) + "\n")
        try file.finish()
        #expect(failure([file.name]) == "\(file.name): line 1, column 97: the string has no end (--on-bad-record skip to continue)")
        let (records, counts, _) = try convert([bad]) { $0.onBadRecord = .skip }
        #expect(records.map(\.origin.line) == [1, 9])
        #expect(counts.skipped == ["invalid_json": 3, "unreadable_rating": 1, "wrong_schema": 3])
        #expect(counts.summaryLine == "dropped 7 of 9 records: 3 with invalid JSON, 1 with an unreadable rating, 3 with another schema")
    }

    @Test func strictStopsAtTheFirstOddity() throws {
        #expect(failure([odd]) { $0.strict = true } == "odd.jsonl: line 2: the helpfulness rating of response 3 is null (--strict stops at the first oddity)")
        #expect(failure([one, one]) { $0.strict = true } == "evol_instruct-one.jsonl: line 1: the prompt of an earlier record stands here again (--strict stops at the first oddity)")
        #expect(failure([bad]) { $0.strict = true; $0.onBadRecord = .skip }?.contains("line 2, column 19") == true)
        #expect(try convert([one]) { $0.strict = true }.records.count == 1)
        let folder = TemporaryFolder()
        let file = try AtomicFile(path: folder.file("twice"))
        try file.write(#"{"instruction":"a","instruction":"b","completions":[]}"#)
        try file.finish()
        #expect(failure([folder.file("twice")]) { $0.strict = true } == "\(folder.file("twice")): line 1: the key \"instruction\" stands twice in one object (--strict stops at the first oddity)")
    }

    @Test func anInputWithoutRecordsIsSaid() throws {
        let folder = TemporaryFolder()
        let file = try AtomicFile(path: folder.file("empty"))
        try file.write("\n \n")
        try file.finish()
        let (records, counts, tail) = try convert([folder.file("empty")])
        #expect(records.isEmpty && counts.summaryLine == "no records in the input")
        #expect(tail.inputs.count == 1)
    }

    @Test(arguments: [1, 2, 3, 8], [700, 1 << 20])
    func threadsAndChunksChangeNothing(threads: Int, chunkSize: Int) throws {
        let plain = try convert([odd, pairs, vicuna, one])
        let other = try convert([odd, pairs, vicuna, one], threads: threads, chunkSize: chunkSize)
        #expect(try bytes(plain.records) == bytes(other.records), "\(threads) threads, chunks of \(chunkSize)")
        #expect(plain.counts == other.counts)
        #expect(plain.tail == other.tail)
    }

    @Test(arguments: [1, 2])
    func anErrorComesAfterTheRecordsBeforeIt(threads: Int) throws {
        var records = 0
        let conversion = Conversion(ConversionOptions())
        #expect(throws: InputError.self) {
            try conversion.run(ChunkReader(DecodedInputs([one, odd, bad]), chunkSize: 100), threads: threads) { _, _ in records += 1 }
        }
        #expect(records == 15)
    }

    @Test func splitsDivideThePromptsWhateverTheOrder() throws {
        let all = try convert([pairs, odd])
        var byPart: [[RatedRecord]] = []
        for part in ["train", "test"] {
            byPart.append(try convert([odd, pairs]) { $0.split = try Split("train=0.8,test=0.2", part: part) }.records)
        }
        #expect(byPart[0].count + byPart[1].count == all.records.count)
        #expect((30...90).contains(byPart[1].count), "\(byPart[1].count) of \(all.records.count) in a fifth")
        let prompts = byPart.map { Set($0.map { $0.turns[0].content.description.split { $0.isWhitespace }.joined(separator: " ") }) }
        #expect(prompts[0].isDisjoint(with: prompts[1]), "a prompt stands in both parts")
        let counts = try convert([pairs]) { $0.split = try Split("train=0.8,test=0.2", part: "test") }.counts
        #expect(counts.kept + counts.otherParts == 300 && counts.responses == 2 * counts.kept)
        #expect(counts.summaryLine == nil, "what belongs to another part is not lost")
    }

    @Test(arguments: [
        ("train", "train", "\"train\" is no part of a split; expected NAME=SHARE,NAME=SHARE with shares above 0, as in train=0.9,test=0.1"),
        ("a=1,b=0", "a", "\"b=0\" is no part of a split; expected NAME=SHARE,NAME=SHARE with shares above 0, as in train=0.9,test=0.1"),
        ("a=1,", "a", "\"\" is no part of a split; expected NAME=SHARE,NAME=SHARE with shares above 0, as in train=0.9,test=0.1"),
        ("a=0.1,a=0.2", "a", "the part \"a\" stands twice in the split"), ("a=0.1,b=0.2", "c", "no part \"c\" in the split; its parts are a, b"),
        ("a=0.9,b=0.2", "a", "the shares of the split sum to 1.1, expected a sum of 1, or less to leave prompts out, as in train=0.9,test=0.1"),
        ("train=8,test=2", "test", "the shares of the split sum to 10, expected a sum of 1, or less to leave prompts out, as in train=0.9,test=0.1"),
    ])
    func splitsThatAreNone(description: String, part: String, message: String) {
        #expect(throws: OptionFault.self) { try Split(description, part: part) }
        #expect((#expect(throws: OptionFault.self) { try Split(description, part: part) })?.description == message)
    }

    /// What the parts leave out is in none of them and is told by every one of them; a part takes the same prompts as in a split that leaves nothing out.
    @Test func sharesBelowOneLeaveTheRestOut() throws {
        func ids(_ split: String, _ part: String) throws -> (Set<Text>, ConversionCounts) {
            let (records, counts, _) = try convert([pairs]) { $0.split = try Split(split, part: part) }
            return (Set(records.map(\.id)), counts)
        }
        let (train, counts) = try ids("train=0.3,test=0.2", "train"), (test, others) = try ids("train=0.3,test=0.2", "test")
        #expect(counts.noPart == others.noPart && counts.otherParts == others.kept && counts.kept + others.kept + counts.noPart == 300)
        #expect((100 ... 200).contains(counts.noPart) && train.isDisjoint(with: test) && (60 ... 120).contains(train.count))
        #expect(try ids("train=0.3,test=0.2,rest=0.5", "train").0 == train && ids("train=0.3,test=0.2,rest=0.5", "test").0 == test)
        #expect(try ids("train=0.3,test=0.2,rest=0.5", "rest").0.count == counts.noPart)
        #expect(counts.summaryLine == "left out \(counts.noPart) of 300 records: in no part of the split, whose shares sum to less than 1")
        // Their sum is 0.9999999999999999 in double precision.
        #expect(try ids("a=0.6,b=0.3,c=0.1", "a").1.noPart == 0)
    }

    @Test func realRecordsOfEveryFixture() throws {
        let (records, counts, tail) = try convert([one, vicuna, pairs])
        #expect(counts.read == 360 && counts.kept == 360 && counts.droppedTotal == 0)
        #expect(records[0].models == ["alpaca-7b", "starchat", "vicuna-33b", "pythia-12b"])
        #expect(records[1].ratings.dimensions == ["gpt4_score_1", "gpt4_score_2", "gpt4_score_3"])
        #expect(records[1].source == "prometheus/vicuna_bench" as Text && records[1].responses.count == 4)
        #expect(records[359].origin == Origin(input: 3, line: 300))
        #expect(tail.inputs.count == 3)
        #expect(tail.counts["records"]?["kept"] == 360)
        #expect(tail.counts["ratings"]?["evol_instruct"]?["honesty"]?["rated"] == 4)
    }

    @Test func identityIsTheTextAlone() throws {
        let plain = try convert([one]).records[0], other = try convert([odd, one]) { $0.targets = Targets(missing: .floor, temperature: 3) }.records.last
        #expect(plain.id == other?.id)
        // The same digest made with Python's hashlib from the fixture.
        #expect(plain.id == "52e0d72290d84de3be762b6ea871b1d1" as Text)
    }

    @Test(.enabled(if: SharedFolder.has("data/rated/rated-ultrafeedback.jsonl.gz"), "needs the shared folder's data"))
    func largerRealFiles() throws {
        let path = try #require(SharedFolder.path("data/rated/rated-ultrafeedback.jsonl.gz"))
        let counts = try convert([path], threads: 2).counts
        #expect(counts.read == 741 && counts.kept == 741)
        #expect(counts.completions == [4: 59, 6: 2, 8: 680])
        let states = counts.sources.values.flatMap(\.values).map(\.states).reduce([0, 0, 0, 0, 0, 0]) { zip($0, $1).map(+) }
        #expect(states[4] == 4 && states[1] == 0, "two pairs of zeros below the scale: \(states)")
    }

    /// Ties of a record with very many responses are counted without comparing every pair.
    @Test func tiedPairsOfManyResponses() throws {
        let folder = TemporaryFolder(), path = folder.file("many.jsonl"), count = 20000
        let completions = (0 ..< count).map { #"{"response":"r\#($0)","annotations":{"d":{"Rating":"\#(1 + $0 % 5)"}}}"# }.joined(separator: ",")
        let file = try AtomicFile(path: path)
        try file.write(#"{"instruction":"i","completions":[\#(completions)]}"# + "\n")
        try file.finish()
        let dimension = try #require(convert([path]).counts.sources["ultrafeedback"]?["d"])
        #expect(dimension.tiedPairs == 5 * (4000 * 3999 / 2) && dimension.allTied == 0)
    }
}
