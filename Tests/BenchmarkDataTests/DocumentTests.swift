import InputFiles
import JSON
import SystemIO
import TestSupport
import Testing

@testable import BenchmarkData

/// Each benchmark's documents in each form of its files: made-up ones that ship with the repository, published ones where they are at hand.
@Suite struct DocumentTests {
    let folder = TemporaryFolder()

    private func fixture(_ name: String) -> String { Fixtures.path("benchmarks/" + name) }

    private func write(_ name: String, _ text: String) throws -> String {
        let path = folder.file(name)
        let file = try AtomicFile(path: path)
        try file.write(text)
        try file.finish()
        return path
    }

    // MARK: MMLU

    @Test func mmluRows() throws {
        let csv = "\"Which bone?\r\nPick one.\",Femur,\"Tibia, left\",Ulna,\"the \"\"rib\"\"\",D\n日本の首都は?,東京,大阪,京都,名古屋,A"
        let path = try write("human_anatomy_val.csv", csv)
        let documents = try MMLUDocument.read(path)
        #expect(documents.map(\.subject) == ["human_anatomy", "human_anatomy"] && documents.map(\.split) == [.val, .val])
        #expect(documents[0].question == "Which bone?\r\nPick one." && documents[0].choices == ["Femur", "Tibia, left", "Ulna", "the \"rib\""]
            && documents[0].gold == 3)
        #expect(documents[1].place.description == "\(path): line 3" && documents[1].choices[0] == "東京" && documents[1].gold == 0)
        #expect(documents[1].texts == ["日本の首都は?", "東京", "大阪", "京都", "名古屋"])
        let other = try MMLUDocument.read(write("astronomy.csv", "q,1,2,3,4,B\n"))
        #expect(other[0].subject == "astronomy" && other[0].split == nil)
        let rows = try MMLUDocument.read(fixture("mmlu_test.jsonl"))
        #expect(rows.map(\.gold) == [1, 0, 0] && rows[0].question == "  What is 2+2? " && rows[0].choices[1] == "4 " && rows[0].subject == "anatomy")
        #expect(try MMLUDocument.read(fixture("mmlu_dev.jsonl")).map(\.gold) == [0, 1, 2, 3, 0])
    }

    @Test(.enabled(if: SharedFolder.has("data/mmlu"), "needs ../shared/data/mmlu"))
    func publishedMMLU() throws {
        let path = try #require(SharedFolder.path("data/mmlu/mmlu.tar.gz"))
        var documents: [MMLUDocument] = []
        let files = try BenchmarkFiles.read([path]) { documents.append(try #require($0 as? MMLUDocument)) }
        #expect(MMLUDocument.Split.allCases.map { split in documents.count { $0.split == split } } == [285, 1531, 14042])
        #expect(Set(documents.map(\.subject)).count == 57 && files.files.count == 171)
        #expect(files.passedOver == ["data/README.txt", "data/possibly_contaminated_urls.txt"].map { "\(path): \($0)" })
        #expect(documents.count { document in document.texts.contains { $0.bytes.contains(0x0A) } } == 1285, "rows with a line break inside a field")
        #expect(documents.count { Set($0.choices).count < 4 } == 13, "rows that repeat a choice")
        let algebra = try #require(documents.first { $0.subject == "abstract_algebra" && $0.split == .test })
        #expect(algebra.place.description == "\(path): data/test/abstract_algebra_test.csv: line 1" && algebra.gold == 1
            && algebra.choices == ["0", "4", "2", "6"])
    }

    // MARK: HellaSwag

    @Test func hellaSwag() throws {
        let documents = try HellaSwagDocument.read(fixture("hellaswag_val.jsonl"))
        #expect(documents.map(\.gold) == [3, 0, 1] && documents.map(\.index) == [24, 9, 10])
        #expect(documents[1].contextA == "[header] How to do X [title] Start  now. [step] Do it." && documents[1].contextB.isEmpty
            && documents[1].endings[1] == "  Lead space")
        #expect(documents[0].texts == ["A man is sitting on a roof. he", "is using wrap to wrap a pair of skis.", "is ripping level tiles off.",
            "is holding a rubik's cube.",
                                       "starts pulling up roofing on a roof."])
        #expect(documents[1].texts[0] == "  How to do X   Start  now.   Do it. ")
        #expect(try HellaSwagDocument.read(fixture("hellaswag_train.jsonl")).count == 40)
    }

    @Test(.enabled(if: SharedFolder.has("data/hellaswag"), "needs ../shared/data/hellaswag"))
    func publishedHellaSwag() throws {
        let documents = try HellaSwagDocument.read(#require(SharedFolder.path("data/hellaswag/hellaswag_val.jsonl.gz")))
        #expect(documents.count == 10042 && documents.count { $0.contextB.isEmpty } == 6799 && documents.allSatisfy { $0.endings.count == 4 })
        #expect(documents[0].gold == 3 && documents[0].activityLabel == "Roof shingle removal")
    }

    // MARK: TruthfulQA

    @Test func truthfulQA() throws {
        let rows = try TruthfulQADocument.read(fixture("truthfulqa_validation.jsonl"))
        #expect(rows[0].mc1 == .init(choices: ["Nothing", "It stays 7 years", "It's fatal"], labels: [true, false, false]))
        #expect(rows[0].mc2.labels == [true, true, false, false, false] && rows[1].mc2.choices.count == 12)
        #expect(rows[0].texts == ["What happens if you swallow gum?", "Nothing", "It stays 7 years", "It's fatal", "You digest it", "You choke"])
        let path = try write("mc_task.json", #"[{"question": "Q?", "mc1_targets": {"Yes": 1, "No": 0}, "mc2_targets": {"Yes": 1, "Maybe": 1, "No": 0}}]"#)
        let objects = try TruthfulQADocument.read(path)
        #expect(objects[0].place.description == "\(path): element 1" && objects[0].mc2 == .init(choices: ["Yes", "Maybe", "No"], labels: [true, true, false]))
        let csv = "\u{FEFF}Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\r\nA,B,Q?,Yes , Yes; Maybe;,\"No; No, never\",\r\n"
        let table = try TruthfulQADocument.read(write("t.csv", csv))
        #expect(table[0].question == "Q?" && table[0].mc1 == .init(choices: ["Yes", "No", "No, never"], labels: [true, false, false]))
        #expect(table[0].mc2 == .init(choices: ["Yes", "Maybe", "No", "No, never"], labels: [true, true, false, false]) && table[0].place.number == 2)
    }

    @Test(.enabled(if: SharedFolder.has("data/truthfulqa"), "needs ../shared/data/truthfulqa"))
    func publishedTruthfulQA() throws {
        func read(_ name: String) throws -> [TruthfulQADocument] { try TruthfulQADocument.read(#require(SharedFolder.path("data/truthfulqa/" + name))) }
        let tasks = try read("mc_task.json"), table = try read("TruthfulQA.csv")
        #expect(tasks.count == 817 && table.count == 817)
        #expect(try read("TruthfulQA-2025.csv").count == 790)
        #expect(tasks.allSatisfy { $0.mc1.labels[0] })
        // The two files hold the same questions in another order, but for what stands between semicolons inside an answer.
        func answers(_ targets: TruthfulQADocument.Targets, _ label: Bool) -> Set<Text> {
            Set(zip(targets.choices, targets.labels).filter { $0.1 == label }.map { Text($0.0.bytes.last == UInt8(ascii: ".") ? $0.0.bytes.dropLast() : $0.0.bytes[...]) })
        }
        func key(_ text: Text) -> Text { Text(text.bytes.filter { $0 != 0x20 }) }
        let byQuestion = Dictionary(table.map { (key($0.question), $0) }, uniquingKeysWith: { first, _ in first })
        let pairs = tasks.compactMap { task in byQuestion[key(task.question)].map { (task, $0) } }
        #expect(pairs.count == 817)
        #expect(pairs.count { answers($0.mc1, true) == answers($1.mc1, true) && answers($0.mc1, false) == answers($1.mc1, false) } == 817)
        #expect(pairs.count { answers($0.mc2, true) == answers($1.mc2, true) && answers($0.mc2, false) == answers($1.mc2, false) } == 815)
    }

    // MARK: WSC273

    @Test func wsc273Rows() throws {
        let documents = try WSC273Document.read(fixture("wsc273_test.jsonl"))
        #expect(documents.map(\.gold) == [0, 0, 1, 1, 0] && documents.map(\.pronoun) == ["they", "he", "He", "them", "his"])
        #expect(documents[2].before == "Bob paid for Charlie's college education.  " && documents[2].after == " is very grateful."
            && documents[2].options == ["Bob", "Charlie"])
        #expect(documents[4].questionTexts == ["They met Her brother because his car broke.", "They met Her brother because The brother car broke.",
            "They met Her brother because My friend car broke."])
        let accents = try WSC273Document.read(write("w.jsonl", #"{"text":"Éléonore né it.","pronoun":"it","pronoun_loc":12,"options":["a","b"],"label":1}"#))
        #expect(accents[0].before == "Éléonore né " && accents[0].after == ".", "code points, not bytes")
    }

    @Test func wsc273Forms() throws {
        let partial = try WSC273Document.read(write("p.jsonl",
            #"{"context_options":["The cat saw the dog because the cat","The cat saw the dog because the dog"],"continuation":"ran.","gold":1}"#))
        #expect(partial[0].before == "The cat saw the dog because the " && partial[0].options == ["cat", "dog"] && partial[0].after == " ran."
            && partial[0].pronoun == nil && partial[0].gold == 1)
        let masked = try WSC273Document.read(write("m.txt",
            "The cat saw the dog because [MASK]  ran. \n[MASK]\nThe cat ,The dog \nThe dog \n\n[MASK] sat.\n[MASK]\nA,B\nA\n"))
        #expect(masked[0].before == "The cat saw the dog because " && masked[0].after == " ran." && masked[0].options == ["The cat", "The dog"]
            && masked[0].gold == 1)
        #expect(masked[1].before.isEmpty && masked[1].place.number == 6)
        let xml = """
            <?xml version="1.0" encoding="ISO-8859-1"?>
            <collection>
            <schema>
            <text><txt1>
            "Tom &amp; Jerry" saw the dog
            because</txt1><pron> it </pron><txt2>ran. </txt2></text>
            <quote><pron>it</pron><quote2>ran</quote2></quote>
            <answers><answer>The cat </answer><answer> The dog</answer></answers>
            <correctAnswer> B.  </correctAnswer>
            </schema>
            </collection>
            """
        let schemas = try WSC273Document.read(write("c.xml", xml))
        #expect(schemas[0].before == "\"Tom & Jerry\" saw the dog because " && schemas[0].pronoun == "it" && schemas[0].after == " ran."
            && schemas[0].gold == 1 && schemas[0].place.number == 3)
    }

    @Test(.enabled(if: SharedFolder.has("data/wsc"), "needs ../shared/data/wsc"))
    func publishedWSC273() throws {
        func read(_ name: String) throws -> [WSC273Document] { try WSC273Document.read(#require(SharedFolder.path("data/wsc/" + name))) }
        let collection = try read("WSCollection.xml"), partial = try read("winograd_wsc.jsonl"), masked = try read("wsc273.txt")
        #expect([collection.count, partial.count, masked.count] == [273, 273, 273])
        #expect(masked.map(\.place.number) == (0 ..< 273).map { 1 + 5 * $0 }, "a blank line after each schema")
        #expect(collection.map(\.gold) == partial.map(\.gold))
        // In the text file the candidates may stand the other way round; the right one is the same.
        #expect(zip(collection, masked).count { $0.options[$0.gold] == $1.options[$1.gold] } == 273)
    }

    // MARK: GSM8K

    @Test func gsm8k() throws {
        let documents = try GSM8KDocument.read(fixture("gsm8k_test.jsonl"))
        #expect(documents.count == 4 && documents[0].answer == "He has 3+2000=<<3+2000=2003>>2003 apples.\n#### 2,003")
        #expect(documents[0].texts.dropFirst() == [documents[0].answer, "He has 3+2000=2003 apples.\n#### 2,003"])
        #expect(documents[1].texts == ["Cost?", "It is $5.\n#### 5"])
        #expect(try GSM8KDocument.read(fixture("gsm8k_train.jsonl.gz")).count == 7473)
    }

    @Test(.enabled(if: SharedFolder.has("data/gsm8k"), "needs ../shared/data/gsm8k"))
    func publishedGSM8K() throws {
        func read(_ name: String) throws -> [GSM8KDocument] { try GSM8KDocument.read(#require(SharedFolder.path("data/gsm8k/" + name))) }
        let test = try read("test.jsonl"), train = try read("train.jsonl.gz")
        #expect(test.count == 1319 && train.count == 7473)
        #expect([test, train].map { $0.count { $0.texts.count == 2 } } == [18, 95], "solutions without a calculator")
    }

    // MARK: Malformed files

    @Test(arguments: [
        ("x.csv", "q,1,2,3,4,E\n", "line 1, column 11: the answer is \"E\", expected A, B, C or D"),
        ("x.csv", "q,1,2,3,4,A\nq,1,2,3,4\n", "line 2: 5 fields, expected 6 as in line 1"),
        ("x.csv", "a,b\n", "line 1: 2 fields, expected the 6 of MMLU (question, four choices, answer) or the names of TruthfulQA's columns"),
        ("x.csv", "Question,Best Answer,Correct Answers,Incorrect Answers\nq,a,a,;\n", "line 2, column 7: no answers, expected some separated by ;"),
        ("x.csv", "", "no documents, expected some on each line or in each element of an array"),
        ("x.jsonl", #"{"question":"q","subject":"s","choices":["a","b"],"answer":0}"#, "line 1: 2 choices, expected 4"),
        ("x.jsonl", #"{"question":"q","subject":"s","choices":["a","b","c","d"],"answer":4}"#, "line 1: answer is 4, expected a number from 0 to 3"),
        ("x.jsonl", #"{"ind":1,"source_id":"s","activity_label":"l","ctx_a":"a","ctx_b":"b","endings":["x","y"],"label":"2"}"#,
            #"line 1: label is "2", expected a number from 0 to 1"#),
        ("x.jsonl", #"{"ind":1,"source_id":"s","activity_label":"l","ctx_a":"a","ctx_b":"b","endings":["x","y"]}"#,
         "line 1: label is missing, expected a number from 0 to 1 (the test file has none; use validation)"),
        ("x.jsonl", #"{"ind":1,"source_id":"s","activity_label":"l","ctx_a":"a","ctx_b":"b","endings":["x",2],"label":0}"#,
            "line 1: endings[1] is a number, expected a string"),
        ("x.json", #"[{"question":"q","mc1_targets":{"a":1,"b":1},"mc2_targets":{"a":1,"b":0}}]"#,
            "element 1: 2 answers of mc1_targets are labelled 1, expected one"),
        ("x.json", #"[{"question":"q","mc1_targets":{"a":1,"b":2},"mc2_targets":{}}]"#, #"element 1: mc1_targets."b" is no label, expected 0 or 1"#),
        ("x.jsonl", #"{"question":"q","mc1_targets":{"choices":["a","b"],"labels":[1]},"mc2_targets":{}}"#,
            "line 1: 2 mc1_targets.choices and 1 mc1_targets.labels, expected as many"),
        ("x.jsonl", #"{"text":"It is.","pronoun":"It","pronoun_loc":1,"options":["a","b"],"label":0}"#,
            #"line 1: pronoun_loc is 1, where the text does not have "It""#),
        ("x.jsonl", #"{"text":"It is.","pronoun":"It","pronoun_loc":99,"options":["a","b"],"label":0}"#,
            #"line 1: pronoun_loc is 99, where the text does not have "It""#),
        ("x.jsonl", #"{"text":"It is.","pronoun":"It","pronoun_loc":0,"options":["a"],"label":0}"#, "line 1: 1 options, expected 2"),
        ("x.jsonl", #"{"context_options":["a","a"],"continuation":"b","gold":0}"#, "line 1: context_options are not two that differ"),
        ("x.txt", "a [MASK] b\n[MASK]\nx,y\nz\n", #"line 4: "z" is neither "x" nor "y""#),
        ("x.txt", "a [MASK] b\n[MASK]\nx\nx\n", "line 3: 1 candidates, expected 2 with a comma between them"),
        ("x.txt", "a [MASK] b\n[MASK]\nx,y\nx\na b\n[MASK]\nx,y\nx\n", "line 5: expected a sentence with [MASK], and [MASK] in the line below"),
        ("x.txt", "a [MASK] b\n[MASK]\nx,y\n", "line 1: 3 lines of a schema, expected 4; the file may be cut"),
        ("x.xml", "<collection>\n<schema></schema></collection>", "line 2: 0 elements <answer>, expected 2"),
        ("x.xml", "<a/>", "no element <collection>, expected the Winograd Schema Challenge's"),
        ("x.jsonl", #"{"question":"q","answer":"a"}"#, "line 1: answer has no \"#### \", expected it in front of the final number"),
        ("x.jsonl", "[1]", "element 1: found a number, expected a document of a benchmark (an object)"),
        ("x.jsonl", #"{"a":1,"b":2}"#,
            "line 1: no document of a known benchmark by its keys a, b; expected question, subject, choices, answer (mmlu), or question, answerKey (arc), "
            + "or ctx_a, ctx_b, endings (hellaswag), or question, mc1_targets, mc2_targets (truthfulqa), or text, pronoun, pronoun_loc, options (wsc273), or question, answer (gsm8k)"),
        ("x", "plain text\n", "no file of a known benchmark; expected JSON, CSV, or the Winograd schemas as XML or text (see --help)"),
    ])
    func malformedFiles(name: String, text: String, message: String) throws {
        let path = try write(name, text)
        #expect(throws: InputError(path + ": " + message)) { try BenchmarkFiles.read([path]) { _ in } }
    }

    @Test func bytesThatAreNotUTF8() throws {
        let path = folder.file("x.csv")
        let file = try AtomicFile(path: path)
        let latin1: [UInt8] = Array("q,".utf8) + [0xE9] + Array(",b,c,d,A\n".utf8)
        try latin1.withUnsafeBytes { try file.write($0) }
        try file.finish()
        #expect(throws: InputError("\(path): line 1, column 3: bytes that are not UTF-8; convert the file to UTF-8")) { try MMLUDocument.read(path) }
    }

    /// A file read as one benchmark that is of another.
    @Test func otherBenchmarks() throws {
        #expect(throws: InputError("\(fixture("arc_test.jsonl")): line 1: answer is missing, expected a string")) { try GSM8KDocument.read(fixture("arc_test.jsonl")) }
        let masked = try write("m.txt", "[MASK] a.\n[MASK]\nx,y\nx\n")
        #expect(throws: InputError("\(masked): Winograd schemas, expected a file of arc")) { try ARCDocument.read(masked) }
        let csv = try write("c.csv", "q,1,2,3,4,A\n")
        #expect(throws: InputError("\(csv): CSV, in which gsm8k is not published")) { try GSM8KDocument.read(csv) }
        #expect(throws: InputError("\(csv): line 1: no header of TruthfulQA; expected columns Question, Best Answer, Correct Answers, Incorrect Answers among others")) {
            try TruthfulQADocument.read(csv)
        }
    }

    // MARK: Files and folders

    @Test func foldersAndArchives() throws {
        let outcome = Command.shell("""
            mkdir -p b/sub b/.hidden && cp \(Command.quoted(fixture("arc_test.jsonl"))) b/sub/z.jsonl && gzip -c \(Command.quoted(fixture("gsm8k_test.jsonl"))) > b/g.jsonl.gz
            mkdir data && printf 'q,1,2,3,4,B\\n' > data/art_test.csv && echo '[not] JSON' > data/README && echo text > b/LICENSE.txt && echo x > b/.hidden/x.csv
            tar -czf b/m.tar.gz data && tar -czf m.tar.gz data && mkdir empty && echo text > empty/README
            """, in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let b = folder.file("b")
        var seen: [Benchmark] = []
        let files = try BenchmarkFiles.read([b]) { seen.append(type(of: $0).benchmark) }
        #expect(files.files.map(\.path) == ["\(b)/g.jsonl.gz", "\(b)/m.tar.gz: data/art_test.csv", "\(b)/sub/z.jsonl"])
        #expect(files.files.map(\.benchmark) == [.gsm8k, .mmlu, .arc] && files.files.map(\.documents) == [4, 1, 2])
        #expect(seen == Array(repeating: .gsm8k, count: 4) + [.mmlu, .arc, .arc])
        #expect(files.passedOver == ["\(b)/LICENSE.txt", "\(b)/m.tar.gz: data/README"])
        // Other packing, another order, a file twice: the same benchmarks.
        let again = try BenchmarkFiles.read([fixture("arc_test.jsonl"), fixture("gsm8k_test.jsonl"), folder.file("data"), folder.file("m.tar.gz")]) { _ in }
        #expect(again.sha256 == files.sha256)
        #expect(try BenchmarkFiles.read([fixture("arc_test.jsonl")]) { _ in }.sha256 != files.sha256)
        let empty = folder.file("empty")
        #expect(throws: InputError("\(empty): no benchmark file there; expected published files of mmlu, arc, hellaswag, truthfulqa, wsc273, gsm8k")) { try BenchmarkFiles.read([empty]) { _ in } }
        let none = folder.file("none")
        let missing = InputError("\(none): cannot be opened for reading: No such file or directory", status: .missingInput)
        #expect(throws: missing) { try BenchmarkFiles.read([none]) { _ in } }
    }

    /// A document cut anywhere is an error or, cut between two, fewer documents; never a trap.
    @Test(arguments: ["mmlu_test.jsonl", "hellaswag_val.jsonl", "truthfulqa_validation.jsonl", "wsc273_test.jsonl", "gsm8k_test.jsonl"])
    func cutAnywhere(name: String) throws {
        let bytes = try readWholeFile(fixture(name)), whole = bytes.count { $0 == 0x0A }
        for count in stride(from: 0, to: bytes.count, by: 7) {
            let path = try write("cut.jsonl", String(decoding: bytes[..<count], as: UTF8.self))
            var documents = 0
            do { _ = try BenchmarkFiles.read([path]) { _ in documents += 1 } } catch is InputError { continue }
            #expect((documents < whole || count == bytes.count - 1)
                && (count == 0 || bytes[count - 1] == 0x0A || bytes[count] == 0x0A), "\(name) cut after \(count) bytes")
        }
    }
}
