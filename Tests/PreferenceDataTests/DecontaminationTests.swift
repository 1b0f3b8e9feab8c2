import BenchmarkData
import InputFiles
import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import PreferenceData

@Suite struct DecontaminationTests {
    private let folder = TemporaryFolder()

    private func write(_ name: String, _ text: String) throws -> String {
        let path = folder.file(name)
        let file = try AtomicFile(path: path)
        try file.write(text)
        try file.finish()
        return path
    }

    private static let place = RecordPlace(input: 1, name: "t.jsonl", unit: .line, number: 7, offset: 0)

    private func record(_ turns: [String], _ responses: [String]) -> RawPreference {
        RawPreference(source: "t", turns: turns.map { Turn(role: "user", content: Text($0)) }, responses: responses.map { Text($0) })
    }

    private func gsm8k(_ question: String, _ answer: String) throws -> String {
        try String(decoding: JSONValue.object([("question", .string(question)), ("answer", .string(answer))]).serialized(), as: UTF8.self) + "\n"
    }

    static let question = "A farmer in the valley keeps 12 geese, 7 ducks and a heron; how many birds has she got in all?"
    static let answer = "She keeps geese and ducks and one heron, so add 12 and 7 and 1 to get the number of birds.\n#### 20"
    /// Words 3 to 15 of the question.
    static let run = "in the valley keeps 12 geese 7 ducks and a heron how many"

    // MARK: What matches

    @Test func plantedText() throws {
        let path = try write("g.jsonl", gsm8k(Self.question, Self.answer))
        let decontamination = try Decontamination([path])
        func found(_ turns: [String], _ responses: [String] = ["Fine.", "Good."]) -> String? {
            decontamination.contamination(of: record(turns, responses), at: Self.place).map { "\($0.part): \($0.words)" }
        }
        #expect(found(["Hello there", "nothing of the kind is in here, whatever one looks for in all of these words"]) == nil)
        let run = Self.run
        #expect(found([run + " and more behind it"]) == "turn 0: " + run, "at the start")
        #expect(found(["Something before it, " + run + " and more behind it"]) == "turn 0: " + run, "in the middle")
        #expect(found(["Hello", "Something before it, " + run]) == "turn 1: " + run, "at the end of a later turn")
        #expect(found(["Hello"], ["Fine.", "I think: " + run]) == "response 1: " + run, "in a response")
        #expect(found([Self.question]) == "turn 0: a farmer in the valley keeps 12 geese 7 ducks and a heron", "the first run of several")
        // Case, punctuation at the ends of words and white space are no difference; punctuation inside a word is one.
        #expect(found(["IN THE VALLEY,\n\n(keeps) 12 *geese*, \"7\" ducks -- and a heron... how\tmany"]) == "turn 0: " + run)
        #expect(found([run.replacing("heron", with: "her-on")]) == nil)
        // 12 words in a row, 13 with another among them, 13 over two texts.
        let words = run.split(separator: " ").map(String.init)
        #expect(found([words.dropFirst().joined(separator: " ")]) == nil)
        #expect(found([words.dropLast().joined(separator: " ")]) == nil)
        #expect(found([(words[..<6] + ["grey"] + words[6...]).joined(separator: " ")]) == nil)
        #expect(found([words[..<7].joined(separator: " "), words[7...].joined(separator: " ")]) == nil, "over two turns")
        #expect(found([words[..<7].joined(separator: " ")], [words[7...].joined(separator: " "), "x"]) == nil, "over prompt and response")
        #expect(found(["she got in all? She keeps geese and ducks and one heron, so add 12 and 7"]) == "turn 0: she keeps geese and ducks and one heron so add 12 and 7", "of the answer alone")
        #expect(found(["how many birds has she got in all? She keeps geese and ducks and"]) == nil, "over question and answer")
        #expect(found([""], ["", "..."]) == nil)
    }

    /// Short questions count from 8 words and as a whole, short answers do not.
    @Test func shortTexts() throws {
        let path = try write("a.csv",
            "What do five grey geese eat by night?,\"a, b, c, d, e, f, g, h, i\",2,3,4,A\nDo five grey geese eat by night?,1,2,3,4,B\n"
            + "one two three four five six seven eight nine ten eleven twelve,1,2,3,4,B\n")
        let decontamination = try Decontamination([path])
        func found(_ text: String) -> String? { decontamination.contamination(of: record([text], []), at: Self.place).map { "\($0.document.number): \($0.words)" } }
        #expect(found("Tell me: what do five grey geese eat by night, and where?") == "1: what do five grey geese eat by night")
        #expect(found("What do five grey geese eat by") == nil)
        #expect(found("Do five grey geese eat by night?") == nil, "7 words")
        #expect(found("a b c d e f g h i") == nil)
        #expect(found("zero one two three four five six seven eight nine ten eleven twelve thirteen") == "3: one two three four five six seven eight nine ten eleven twelve")
        #expect(found("one two three four five six seven eight nine ten eleven") == nil)
    }

    static let sentence = "The old harbour master told the young captain that he had lost the lantern"

    /// Each form of each benchmark, with `SENTENCE` where its question stands.
    @Test(arguments: [
        (Benchmark.mmlu, "anatomy_test.csv", "SENTENCE,1,2,3,4,A\n"),
        (.mmlu, "m.jsonl", #"{"question":"SENTENCE","subject":"s","choices":["a","b","c","d"],"answer":0}"#),
        (.arc, "a.jsonl", #"{"id":"q","question":{"stem":"SENTENCE","choices":[{"text":"w","label":"A"},{"text":"x","label":"B"}]},"answerKey":"B"}"#),
        (.arc, "a.jsonl", #"{"id":"r","question":"T?","choices":{"text":["w","SENTENCE"],"label":["A","B"]},"answerKey":"A"}"#),
        (.hellaswag, "h.jsonl",
            #"{"ind":1,"source_id":"s","activity_label":"l","ctx_a":"[header] The old harbour master told the young captain [title]","ctx_b":"that he had lost the lantern","endings":["a","b"],"label":0}"#),
        (.hellaswag, "h.jsonl", #"{"ind":1,"source_id":"s","activity_label":"l","ctx_a":"a","ctx_b":"","endings":["a","SENTENCE"],"label":0}"#),
        (.truthfulqa, "mc_task.json", #"[{"question": "SENTENCE", "mc1_targets": {"Yes": 1, "No": 0}, "mc2_targets": {"Yes": 1, "No": 0}}]"#),
        (.truthfulqa, "t.jsonl",
            #"{"question":"q","mc1_targets":{"choices":["a","b"],"labels":[1,0]},"mc2_targets":{"choices":["a","SENTENCE"],"labels":[1,0]}}"#),
        (.truthfulqa, "t.csv", "Question,Best Answer,Correct Answers,Incorrect Answers\nq,a,a; SENTENCE,c\n"),
        (.wsc273, "w.jsonl", #"{"text":"SENTENCE.","pronoun":"he","pronoun_loc":51,"options":["the master","the captain"],"label":0}"#),
        (.wsc273, "w.jsonl", #"{"context_options":["The old harbour master told the young captain that he","The old harbour master told the young captain that she"],"continuation":"had lost the lantern.","gold":1}"#),
        (.wsc273, "w.txt", "The old harbour master told the young captain that [MASK] had lost the lantern.\n[MASK]\nhe,she\nhe\n"),
        (.wsc273, "w.xml", """
            <collection><schema><text><txt1>The old harbour master told the young captain that</txt1><pron>he</pron><txt2>had lost the lantern.</txt2></text>
            <answers><answer>a</answer><answer>b</answer></answers><correctAnswer>A</correctAnswer></schema></collection>
            """),
        (.gsm8k, "g.jsonl", #####"{"question":"SENTENCE","answer":"#### 1"}"#####),
        (.gsm8k, "g.jsonl", #"{"question":"q","answer":"The old harbour master told the young captain <<2+2=4>> that he had lost the lantern\n#### 1"}"#),
    ])
    func everyForm(benchmark: Benchmark, name: String, text: String) throws {
        let path = try write(name, text.replacing("SENTENCE", with: Self.sentence))
        let decontamination = try Decontamination([path])
        let asked = record(["Is it so?"], ["No.", "Well, " + Self.sentence.lowercased() + "!"])
        let found = try #require(decontamination.contamination(of: asked, at: Self.place))
        #expect(found.part == .response(1) && found.benchmark == benchmark && found.document.name == path && found.place == Self.place)
        #expect(found.words == Text(Self.sentence.lowercased().split(separator: " ").prefix(13).joined(separator: " ")))
        #expect(decontamination.contamination(of: record(["The old harbour master told the captain that he had lost the lantern"], []), at: Self.place) == nil)
    }

    // MARK: Against a plain version

    /// The definition, word for word, with sets of texts.
    private struct Plain {
        var runs: Set<[String]> = [], short: Set<[String]> = []

        static func words(_ text: Text) -> [String] {
            text.bytes.split { [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D].contains($0) }.compactMap { word in
                func isMark(_ byte: UInt8) -> Bool { byte < 0x80 && !"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8.contains(byte) }
                let inner = word.drop(while: isMark).reversed().drop(while: isMark).reversed().map { (0x41 ... 0x5A).contains($0) ? $0 + 32 : $0 }
                // Bytes as hexadecimal: Swift holds characters equal that are written in different ways.
                return inner.isEmpty ? nil : inner.map { String($0, radix: 16) }.joined()
            }
        }

        mutating func add(_ document: any BenchmarkDocument) {
            for (texts, isQuestion) in [(document.questionTexts, true), (document.answerTexts, false)] {
                for words in texts.map(Plain.words) {
                    if isQuestion, (8 ... 12).contains(words.count) { short.insert(words) }
                    for start in words.indices.dropLast(12) { runs.insert(Array(words[start ..< start + 13])) }
                }
            }
        }

        func isContaminated(_ record: RawPreference) -> Bool {
            (record.turns.map(\.content) + record.responses).map(Plain.words).contains { words in
                words.indices.contains { start in
                    (8 ... 13).contains { length in start + length <= words.count && (length == 13 ? runs : short).contains(Array(words[start ..< start + length])) }
                }
            }
        }
    }

    private func records(_ name: String) throws -> [RawPreference] {
        var records: [RawPreference] = []
        let parser = JSONParser(), chunks = ChunkReader(DecodedInputs([Fixtures.path("ultrafeedback/" + name)]))
        while let chunk = try chunks.next() {
            try chunk.forEachRecord { bytes, _, _ in records.append(try parser.read(bytes) { try #require(SourceTable().detect($0)).read($0, range: nil) }) }
        }
        return records
    }

    /// Benchmarks made of pieces of the records themselves, some with a word changed, and hashes of 64, 6 and no bits.
    @Test(arguments: [UInt64.max, 0x3F, 0, 0x3F << 32])
    func equalsThePlainVersion(hashMask: UInt64) throws {
        var generator = SeededGenerator(seed: 11)
        let records = try Array(records("binarized.jsonl.gz").prefix(hashMask == .max ? 300 : 120)) + records("odd.jsonl")
        var lines = ""
        for number in 0 ..< (hashMask == .max ? 200 : 12) {
            func piece(_ count: Int) -> String {
                let record = records.randomElement(using: &generator) ?? records[0]
                let words = (Bool.random(using: &generator) ? record.responses[0] : record.turns[0].content).description.split(whereSeparator: \.isWhitespace).map(String.init)
                let start = Int.random(in: 0 ... max(0, words.count - count), using: &generator)
                var chosen = Array(words[start ..< min(words.count, start + count)])
                if Bool.random(using: &generator), !chosen.isEmpty { chosen[Int.random(in: 0 ..< chosen.count, using: &generator)] = "changed\(number)" }
                return chosen.joined(separator: Bool.random(using: &generator) ? " " : "\n").uppercased()
            }
            lines += try gsm8k(piece(Int.random(in: 6 ... 16, using: &generator)), piece(Int.random(in: 6 ... 30, using: &generator)) + " #### 1")
        }
        let path = try write("made.jsonl", lines)
        let decontamination = try Decontamination([path], index: OverlapIndex(hashMask: hashMask))
        var plain = Plain()
        _ = try BenchmarkFiles.read([path]) { plain.add($0) }
        var removed = 0
        for (number, record) in records.enumerated() {
            let expected = plain.isContaminated(record)
            #expect((decontamination.contamination(of: record, at: Self.place) != nil) == expected, "record \(number)")
            if expected { removed += 1 }
        }
        #expect(removed > 5 && removed < records.count / 2, "\(removed) of \(records.count)")
    }

    private static let published = ["mmlu/mmlu.tar.gz", "arc", "hellaswag", "truthfulqa", "wsc", "gsm8k"]

    /// The six benchmarks against the shipped records, and by the plain version.
    @Test(.enabled(if: published.allSatisfy { SharedFolder.has("data/" + $0) }, "needs ../shared/data with the six benchmarks"))
    func publishedBenchmarks() throws {
        let paths = try Self.published.map { try #require(SharedFolder.path("data/" + $0)) }
        let decontamination = try Decontamination(paths)
        let counts = Benchmark.allCases.map { benchmark in decontamination.files.files.filter { $0.benchmark == benchmark }.reduce(0) { $0 + $1.documents } }
        #expect(counts == [15858, 1471, 10042, 817 + 817 + 790, 3 * 273, 8792])
        var plain = Plain()
        _ = try BenchmarkFiles.read(paths) { plain.add($0) }
        var found: [String] = []
        for name in ["binarized.jsonl.gz", "vicuna_bench.jsonl.gz", "binarized-longer.jsonl.gz", "evol_instruct-one.jsonl", "odd.jsonl"] {
            for (number, record) in try records(name).enumerated() {
                let contamination = decontamination.contamination(of: record, at: Self.place)
                #expect((contamination != nil) == plain.isContaminated(record), "\(name), record \(number)")
                if let contamination { found.append("\(name) \(number + 1): \(contamination.benchmark.rawValue): \(contamination.words)") }
            }
        }
        #expect(found == [
            "binarized.jsonl.gz 116: wsc273: there is a gap in the wall you can see the garden through",
            "binarized.jsonl.gz 231: wsc273: look there is a shark swimming right below that duck it had better",
            "binarized.jsonl.gz 259: gsm8k: at mrs dawson's rose garden there are 10 rows of roses in each",
        ])
    }

    // MARK: In a conversion

    private func convert(_ files: [String], _ benchmarks: [String], threads: Int = 1, chunkSize: Int = 1 << 20) throws -> (conversion: Conversion, stream: [UInt8]) {
        var options = ConversionOptions()
        options.decontamination = try Decontamination(benchmarks)
        let inputs = DecodedInputs(files), conversion = Conversion(options), sink = MemorySink()
        let writer = try RecordStreamWriter<RatedRecord>(to: sink, head: options.head)
        try conversion.run(ChunkReader(inputs, chunkSize: chunkSize), threads: threads) { record, _ in try writer.append(record) }
        try writer.finish(conversion.tails(inputs)[0])
        return (conversion, sink.bytes)
    }

    private let pairs = Fixtures.path("ultrafeedback/binarized.jsonl.gz"), odd = Fixtures.path("ultrafeedback/odd.jsonl")

    @Test func removalsAreCountedAndListed() throws {
        let texts = try records("binarized.jsonl.gz")
        let lines = try [98, 198, 298].map { try gsm8k("Short question.",
            texts[$0].responses[0].description + " and then some more words so that there are thirteen of them #### 1") }
        let path = try write("made.jsonl", lines.joined())
        let (conversion, stream) = try convert([pairs, odd], [path])
        #expect(conversion.contaminations.map(\.place.number) == [99, 199, 299] && conversion.contaminations.map(\.document.number) == [1, 2, 3])
        #expect(conversion.counts.dropped[.contaminated] == 3 && conversion.counts.kept == 300 - 3 + 13)
        let summary = try #require(conversion.summaryLine)
        #expect(summary.hasPrefix("dropped 6 of 316 records: 2 with fewer than two responses, 1 without a dimension that has two ratings, 3 with text of a benchmark; "))
        #expect(summary.hasSuffix("; found \(pairs): line 99 in \(path): line 1, \(pairs): line 199 in \(path): line 2, \(pairs): line 299 in \(path): line 3"))
        #expect(conversion.decontaminationRows == [["gsm8k", "3", "3"]])
        let json = try #require(conversion.decontaminationJSON)
        #expect(json["removed"]?.array?.count == 3 && json["files"]?[0]?["documents"] == 3)
        let first = try #require(json["removed"]?[0])
        #expect(first["benchmark"] == "gsm8k" && first["document"] == .string("\(path): line 1") && first["in"] == "response 0" && first["line"] == 99
            && first["input"] == 1)
        #expect(first["words"]?.string?.split(separator: " ").count == 13)
        let reader = try RecordReader<RatedRecord>(MemorySource(stream))
        while try reader.next() != nil {}
        #expect(reader.stream.tail?.counts["records"]?["dropped"]?["contaminated"] == 3)
        let digest = try BenchmarkFiles.read([path]) { _ in }.sha256
        #expect(reader.stream.head.provenance.arguments.suffix(2) == [.text("--decontaminate"), .file(role: "benchmarks", sha256: digest)])
    }

    @Test(arguments: [1, 2, 5], [700, 1 << 20])
    func threadsAndChunksChangeNothing(threads: Int, chunkSize: Int) throws {
        let texts = try records("binarized.jsonl.gz")
        let path = try write("made.jsonl", (0 ..< 40).map { try gsm8k("q", texts[$0 * 7].responses[1].description + " #### 1") }.joined())
        let expected = try convert([pairs, odd], [path]), got = try convert([pairs, odd], [path], threads: threads, chunkSize: chunkSize)
        #expect(got.stream == expected.stream)
        #expect(got.conversion.contaminations.map(\.place) == expected.conversion.contaminations.map(\.place) && expected.conversion.contaminations.count > 10)
        #expect(got.conversion.contaminations.map(\.words) == expected.conversion.contaminations.map(\.words))
    }

    /// The made-up benchmarks share no text with real records.
    @Test func nothingIsRemovedWithoutCause() throws {
        let names = ["arc_train.jsonl", "arc_test.jsonl", "mmlu_dev.jsonl", "mmlu_test.jsonl", "hellaswag_train.jsonl", "hellaswag_val.jsonl",
            "truthfulqa_validation.jsonl", "wsc273_test.jsonl",
                     "gsm8k_train.jsonl.gz", "gsm8k_test.jsonl"]
        let (conversion, _) = try convert([pairs, odd, Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz")], names.map { Fixtures.path("benchmarks/" + $0) })
        #expect(conversion.contaminations.isEmpty && conversion.counts.kept == 300 + 13 + 59)
    }
}
