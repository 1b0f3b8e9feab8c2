import InputFiles
import JSON
import RecordStream
import SystemIO
import Testing
import TestSupport
@testable import PreferenceData

/// How inputs are taken as sources, how rows become records, and what the options make of their ratings.
@Suite struct SourceDetectionTests {
    private let folder = TemporaryFolder()

    private func file(_ name: String, _ text: String) throws -> String {
        let file = try AtomicFile(path: folder.file(name))
        try file.write(text)
        try file.finish()
        return folder.file(name)
    }

    private func fixture(_ name: String) -> String { Fixtures.path("sources/\(name)") }

    private func convert(_ files: [String], threads: Int = 1, chunkSize: Int = 1 << 20, _ change: (inout ConversionOptions) throws -> Void = { _ in })
        throws -> (records: [RatedRecord], conversion: Conversion) {
        var options = ConversionOptions()
        try change(&options)
        let conversion = Conversion(options)
        var records: [RatedRecord] = []
        try conversion.run(ChunkReader(DecodedInputs(files), chunkSize: chunkSize), threads: threads) { record, _ in records.append(record) }
        return (records, conversion)
    }

    private func failure(_ files: [String], _ change: (inout ConversionOptions) throws -> Void = { _ in }) -> String? {
        let error = #expect(throws: InputError.self) { _ = try convert(files, change) }
        #expect(error?.status == .invalidData)
        return error?.message.replacing(folder.path + "/", with: "").replacing(Fixtures.path("sources/"), with: "")
    }

    private func bytes(_ records: [RatedRecord]) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = try RecordStreamWriter<RatedRecord>(to: sink, head: ConversionOptions().head)
        for record in records { try writer.append(record) }
        try writer.finish(StreamTail())
        return sink.bytes
    }

    private static let all = [
        "helpsteer.jsonl", "hh-rlhf.jsonl", "helpsteer.jsonl", "nectar.jsonl", "helpsteer3.jsonl", "trl.jsonl", "llamafactory-dpo.json", "llamafactory-kto.json", "argilla.jsonl", "pku-saferlhf.jsonl",
        "messages.jsonl", "sharegpt.jsonl", "alpaca.jsonl", "ultrachat.jsonl", "ultrafeedback-2023-08.jsonl",
    ]

    @Test func eachInputShowsItsSource() throws {
        let (records, conversion) = try convert(Self.all.map(fixture))
        #expect(conversion.detected.map(\.source) == [
            "helpsteer", "hh-rlhf", "helpsteer", "nectar", "helpsteer", "trl", "llamafactory", "llamafactory", "argilla", "pku-saferlhf", "messages", "sharegpt", "alpaca", "ultrachat", "ultrafeedback",
        ])
        #expect(conversion.detected.map(\.input) == Self.all.map(fixture))
        let counts = conversion.counts
        #expect(counts.read == 42 && counts.joined == 6 && counts.dropped == [.fewerThanTwoResponses: 2, .differentPrompts: 1])
        #expect(records.count == counts.kept && counts.kept == 33 && counts.single == 12)
    }

    @Test(arguments: [1, 2, 3], [1, 60, 500, 1 << 20])
    func threadsAndChunksChangeNothing(threads: Int, chunkSize: Int) throws {
        let plain = try convert(Self.all.map(fixture)), other = try convert(Self.all.map(fixture), threads: threads, chunkSize: chunkSize)
        #expect(try bytes(plain.records) == bytes(other.records))
        #expect(plain.conversion.counts == other.conversion.counts)
        #expect(plain.conversion.detected.map(\.source) == other.conversion.detected.map(\.source))
    }

    @Test func aLaterRecordOfAnotherFormIsAnError() throws {
        let mixed = try file("mixed", #"""
            {"prompt":"p","chosen":"c","rejected":"r"}
            {"prompt":"p","chosen":"d","rejected":"r","score_chosen":9,"score_rejected":1}
            {"instruction":"i","completions":[]}
            """#)
        #expect(failure([mixed]) == "mixed: line 3: no trl record, as the first of its input is; its keys are instruction, completions (--on-bad-record skip to continue)")
        let (records, conversion) = try convert([mixed]) { $0.onBadRecord = .skip }
        #expect(records.map(\.origin.line) == [1, 2] && conversion.counts.skipped == ["wrong_schema": 1])
        #expect(failure([mixed]) { $0.format = SourceFormat("trl")! } == "mixed: line 3: chosen is missing, expected a string or messages (--on-bad-record skip to continue)")
    }

    @Test(arguments: [1, 30, 1 << 20]) func recordsBeforeTheFirstThatIsKnownAreNone(chunkSize: Int) throws {
        let path = try file("late", #"""
            {"text":"t"}
            {"prompt":
            {"messages":[{"role":"user","content":"p"},{"role":"assistant","content":"r"}]}
            {"text":"t"}
            """#)
        #expect(failure([path]) == "late: line 1: its keys show no source that is known: text; name one with --from, or describe the records with --map (--on-bad-record skip to continue)")
        let (records, conversion) = try convert([path], chunkSize: chunkSize) { $0.onBadRecord = .skip }
        #expect(records.map(\.origin.line) == [3] && conversion.counts.skipped == ["wrong_schema": 2, "invalid_json": 1])
        let none = try file("none", "[1]\n{}\n")
        #expect(failure([none]) == "none: element 1, byte 1: expected the end of the input after the array" || failure([none])?.hasPrefix("none: element 1: the record is a number") == true)
    }

    @Test func rowsOfAPromptBecomeOneRecordWhileTheyFollowEachOther() throws {
        func row(_ prompt: String, _ response: String, _ mark: Int) -> String {
            #"{"prompt":"\#(prompt)","response":"\#(response)","helpfulness":\#(mark),"correctness":1,"coherence":1,"complexity":1,"verbosity":1}"#
        }
        let first = try file("1", [row("p", "a", 1), row("p", "b", 2), row("q", "c", 3), row("p", "d", 4), row("q", "e", 0)].joined(separator: "\n"))
        let second = try file("2", [row("q", "f", 1), "{}", row("q", "g", 2), row("q", "h", 3)].joined(separator: "\n"))
        let (records, conversion) = try convert([first, second], threads: 3, chunkSize: 1) { $0.onBadRecord = .skip }
        #expect(records.map { $0.responses.map(\.description).joined() } == ["ab", "fgh"], "rows of other inputs and rows after another prompt are records of their own")
        #expect(Array(records[1].ratings.ratings[0..<3]) == [1, 2, 3] && records[1].origin == Origin(input: 2, line: 1))
        let counts = conversion.counts
        #expect(counts.read == 9 && counts.joined == 3 && counts.kept == 2 && counts.dropped == [.fewerThanTwoResponses: 3] && counts.skippedTotal == 1)
        #expect(failure([first]) { $0.strict = true } == "1: line 3: 1 response, expected two or more (--strict stops at the first oddity)")
    }

    @Test(arguments: [1000, 1 << 20]) func rowsOfAPromptHaveABound(chunkSize: Int) throws {
        let row = #"{"prompt":"p","response":"r","helpfulness":1,"verbosity":1}"#
        let most = try file("most", String(repeating: row + "\n", count: 4096)), more = try file("more", row.replacing("\"p\"", with: "\"q\"") + "\n" + String(repeating: row + "\n", count: 4097))
        #expect(try convert([most], threads: 2, chunkSize: chunkSize).records.map(\.responses.count) == [4096])
        let error = #expect(throws: InputError.self) { _ = try convert([more], threads: 2, chunkSize: chunkSize) }
        #expect(error?.message == "\(more): line 2: more than 4096 rows of its prompt follow each other; are these responses to compare?")
    }

    @Test func strictRefusesWhatIsDroppedOrRepaired() throws {
        #expect(failure([fixture("hh-rlhf.jsonl")]) { $0.strict = true } == "hh-rlhf.jsonl: line 4: response 0 is empty (--strict stops at the first oddity)")
        let lines = try String(decoding: readWholeFile(fixture("hh-rlhf.jsonl")), as: UTF8.self).split(separator: "\n")
        #expect(failure([try file("last", String(lines[4]))]) { $0.strict = true }
                == "last: line 1: chosen and rejected answer different prompts: their conversations differ before the last answer (--strict stops at the first oddity)")
        #expect(failure([fixture("ultrafeedback-scores.jsonl")]) { $0.strict = true; $0.score = .overall }
                == "ultrafeedback-scores.jsonl: line 1: an overall_score of 10 with poor ratings, which stands for 1 (--strict stops at the first oddity)")
        #expect(try convert([fixture("messages.jsonl"), fixture("llamafactory-kto.json")]) { $0.strict = true }.records.count == 4, "one response is no oddity where it is all there is")
    }

    @Test func oneResponseIsARecordOfItsOwn() throws {
        let (records, conversion) = try convert([fixture("messages.jsonl"), fixture("llamafactory-kto.json")])
        #expect(records.map(\.ratings.dimensions) == [[], [], ["label"], ["label"]])
        #expect(records.map(\.ratings.ratings) == [[], [], [1], [0]] && records.map(\.ratings.rated) == [[], [], [0], [0]])
        for record in records { try record.validate() }
        #expect(conversion.counts.single == 4 && conversion.counts.summaryLine == nil)
        #expect(conversion.counts.json["records"]?["single"] == 4)
    }

    // MARK: Dimensions, scale, temperature

    /// Of two faults the first is told, wherever chunks are cut: a group of rows that was complete before the second.
    @Test(arguments: [1, 250, 1 << 20]) func theFirstFaultIsTold(chunkSize: Int) throws {
        func row(_ prompt: String, _ helpfulness: String) -> String {
            "{\"prompt\": \"\(prompt)\", \"response\": \"r\", \"helpfulness\": \(helpfulness), \"correctness\": 1, \"coherence\": 1, \"complexity\": 1, \"verbosity\": 1}\n"
        }
        let path = try file("rows.jsonl", row("a", "1") + row("b", "2") + row("b", "3") + row("c", "{}") + row("d", "1"))
        #expect(throws: InputError("\(path): line 1: 1 response, expected two or more (--strict stops at the first oddity)")) {
            try convert([path], chunkSize: chunkSize) { $0.strict = true }
        }
    }

    private func dimensions(_ text: String) throws -> DimensionChoice { try DimensionChoice(text) }

    @Test func dimensionsAreChosenRenamedAndOrdered() throws {
        let record = try convert([fixture("helpsteer.jsonl")]) { $0.dimensions = try dimensions("verbosity,helpfulness=help") }.records[0]
        #expect(record.ratings.dimensions == ["verbosity", "help"] && record.ratings.ratings == [1, 0, 3, 1])
        #expect(try convert([fixture("helpsteer.jsonl")]).records[0].id == record.id, "the text is the same")
        let (records, conversion) = try convert([fixture("nectar.jsonl"), fixture("helpsteer.jsonl"), fixture("messages.jsonl")]) { $0.dimensions = try dimensions("rank") }
        #expect(records.map(\.source) == ["nectar", "messages", "messages"] && conversion.counts.dropped == [.noTargets: 2, .fewerThanTwoResponses: 1])
    }

    @Test func ratingsAreBroughtToOneScale() throws {
        let scale = try ByDimension<RatingRange?>("1:5,helpfulness=0:1", others: nil) { text throws(OptionFault) in try RatingRange(text, separator: ":") }
        let records = try convert([fixture("helpsteer.jsonl"), fixture("nectar.jsonl"), fixture("helpsteer3.jsonl")]) { $0.scale = scale }.records
        #expect(records[0].ratings.ratings == [0.75, 0.25, 5, 1, 5, 5, 3, 1, 2, 1])
        #expect(records[2].ratings.ratings == [5, 1, 3] && records[3].ratings.ratings == [5, 1])
        let ends: [Double] = [1 + 1.0 / 3 * 4, 1 + 2.0 / 3 * 4]
        #expect(records[4].ratings.ratings == ends)
        let floor = try convert([fixture("helpsteer.jsonl")]) { $0.scale = scale; $0.targets.missing = .floor }.records[1]
        let lowest: [Double] = [2, 1, 1, 3, 1, 3]
        #expect(Array(floor.ratings.ratings[9...]) == lowest, "what is missing gets the lowest of the scale")
        #expect(try convert([fixture("helpsteer.jsonl")]) { $0.targets.missing = .floor }.records[1].ratings.ratings[11] == 0, "and without one the lowest of the source")
    }

    @Test func everyDimensionMayHaveItsTemperature() throws {
        let plain = try convert([fixture("helpsteer.jsonl")]).records[0].ratings.targets
        let cold = try convert([fixture("helpsteer.jsonl")]) { $0.targets.temperature = ByDimension(1, named: [("correctness", 2)]) }.records[0].ratings.targets
        let all = try convert([fixture("helpsteer.jsonl")]) { $0.targets.temperature = ByDimension(2) }.records[0].ratings.targets
        #expect(Array(cold[0..<2]) == Array(plain[0..<2]) && Array(cold[2..<4]) == Array(all[2..<4]) && Array(cold[4...]) == Array(plain[4...]) && cold != plain)
    }

    @Test func namesThatNoRecordHasAreTold() throws {
        let steer = fixture("helpsteer.jsonl"), known = "the dimensions are coherence, complexity, correctness, helpfulness, verbosity"
        #expect(failure([steer]) { $0.dimensions = try dimensions("helpfulness,helpfullness=x") } == "--dimensions: no record has a dimension \"helpfullness\"; \(known)")
        #expect(failure([steer]) { $0.scale = ByDimension(nil, named: [("help", RatingRange(low: 0, high: 1))]) } == "--scale: no record has a dimension \"help\"; \(known)")
        #expect(failure([steer]) { $0.targets.temperature = ByDimension(1, named: [("help", 2)]) } == "--temperature: no record has a dimension \"help\"; \(known)")
        #expect(failure([steer]) { $0.dimensions = try dimensions("helpfulness=help"); $0.targets.temperature = ByDimension(1, named: [("helpfulness", 2)]) }
                == "--temperature: no record has a dimension \"helpfulness\"; the dimensions are help")
        #expect(failure([fixture("messages.jsonl")]) { $0.dimensions = try dimensions("score") } == "--dimensions: no record has a dimension \"score\"; the dimensions are none")
        #expect(failure([steer]) { $0.score = .overall } == "--score-from: no input is of ultrafeedback, which alone has such scores")
    }

    @Test func scoresOfUltraFeedbackTakeThePlaceOfItsDimensions() throws {
        let (records, conversion) = try convert([fixture("ultrafeedback-scores.jsonl")]) { $0.score = .overall }
        #expect(records[0].ratings.dimensions == ["score"] && records[0].ratings.ratings == [10, 1, 10, 3.5])
        #expect(conversion.counts.repaired == 1 && conversion.counts.summaryLine == "repaired 1 overall_score: 10 that stood for 1")
        #expect(conversion.counts.json["odd"]?["repaired_scores"] == 1)
    }

    @Test func valuesByDimensionAreReadAndWritten() throws {
        func read(_ text: String) throws(OptionFault) -> ByDimension<Double> {
            try ByDimension(text, others: 1) { field throws(OptionFault) in
                guard let value = Double(field) else { throw OptionFault("\(field) is no number") }
                return value
            }
        }
        #expect(try read("2") == ByDimension(2) && read("a=0.5") == ByDimension(1, named: [("a", 0.5)]) && read("3,a=b=0.5,c=1") == ByDimension(3, named: [("a=b", 0.5), ("c", 1)]))
        for (text, reason) in [
            ("", " is no number"), ("x", "x is no number"), ("a=", " is no number"), ("=1", "\"=1\" has no name before its ="), ("1,2", "two values without a name, 1.0 and 2.0"),
            ("a=1,a=2", "a stands twice"), ("a=1,", " is no number"), (",1", " is no number"),
        ] { #expect(throws: OptionFault(reason), "\(text)") { try read(text) } }
        #expect(try read("a=0.5,2").words { "\($0)" } == "2.0,a=0.5")
        #expect(try DimensionChoice("a,b=c").description == "a,b=c")
        for (text, reason) in [
            ("", "\"\" is no dimension, expected NAME or NAME=NEW"), ("a,", "\"\" is no dimension, expected NAME or NAME=NEW"), ("a=", "\"a=\" is no dimension, expected NAME or NAME=NEW"),
            ("=b", "\"=b\" is no dimension, expected NAME or NAME=NEW"), ("a,a", "the dimension a stands twice"), ("a=b,a=c", "the dimension a stands twice"),
            ("a,b=a", "two dimensions would be called a"),
        ] { #expect(throws: OptionFault(reason), "\(text)") { try DimensionChoice(text) } }
    }
}
