import Glibc
import InputFiles
import JSON
import SystemIO
import TestSupport
import Testing

@testable import BenchmarkData

@Suite struct ARCTests {
    let folder = TemporaryFolder()

    @Test func flattenedLayout() throws {
        let path = Fixtures.path("benchmarks/arc_test.jsonl")
        let documents = try ARCDocument.read(path)
        #expect(documents == [
            ARCDocument(place: line(1, 0, path), id: "A1", question: "Which is heavier?", choices: ["a feather", "a brick", "air"], gold: 1),
            ARCDocument(place: line(2, 144, path), id: "A2", question: "Numeric labels?", choices: ["one", "two", "thrée", "four"], gold: 2),
        ])
        #expect(documents[0].texts == ["Which is heavier?", "a feather", "a brick", "air"])
        let splits = try BenchmarkFolder(Fixtures.path("benchmarks")).arcChallenge()
        #expect(splits.train?.count == 40 && splits.validation?.count == 1 && splits.test == documents)
        #expect(splits.files.map(\.path) == ["arc_train", "arc_validation", "arc_test"].map { Fixtures.path("benchmarks/\($0).jsonl") })
        #expect(splits.files[2] == BenchmarkFile(
            path: path, sha256: "88d6cd5bafc494fe5d41a1b2b32e2277ebe0a390c64ff06da061c54fbcdac2ab", benchmark: .arc, documents: 2))
    }

    @Test func originalLayout() throws {
        let line = #"{"id":"q","question":{"stem":"S?","choices":[{"text":"w","label":"1"},{"text":"x","label":"2"}]},"answerKey":"2"}"#
        let flat = #"{"id":"r","question":"T?","choices":{"text":["w","x"],"label":["A","B"]},"answerKey":"A"}"#
        // A byte order mark, CRLF, a blank line, no newline at the end.
        let path = try write("\u{FEFF}" + line + "\r\n\r\n" + flat)
        #expect(try ARCDocument.read(path) == [
            ARCDocument(place: RecordPlace(input: 1, name: path, unit: .line, number: 1, offset: 3), id: "q", question: "S?", choices: ["w", "x"], gold: 1),
            ARCDocument(place: RecordPlace(input: 1, name: path, unit: .line, number: 3, offset: line.utf8.count + 7), id: "r", question: "T?", choices: ["w", "x"], gold: 0),
        ])
    }

    @Test(.enabled(if: SharedFolder.has("data/arc"), "needs ../shared/data/arc"))
    func publishedFiles() throws {
        let path = try #require(SharedFolder.path("data"))
        let splits = try BenchmarkFolder(path).arcChallenge()
        #expect(splits.train == nil && splits.validation?.count == 299 && splits.test.count == 1172)
        #expect([3, 4, 5].map { count in splits.test.count { $0.choices.count == count } } == [4, 1165, 3])
        let first = try #require(splits.validation?.first)
        #expect(first.id == "Mercury_SC_407695" && first.gold == 3 && first.choices[0] == "Put the objects in groups.")
    }

    static let good = #"{"id":"q","question":{"stem":"S?","choices":[{"text":"w","label":"A"},{"text":"x","label":"B"}]},"answerKey":"B"}"#

    @Test(arguments: [
        (#"{"id":"q""#, ", column 10: invalid JSON: expected ',' or '}', found the end"),
        ("[1]", ": found an array, expected an ARC question (an object)"),
        (#"{"question":"x"}"#, ": id is missing, expected a string"),
        (#"{"id":7,"question":"x"}"#, ": id is a number, expected a string"),
        (#"{"id":"q"}"#, ": question is missing, expected a string or an object"),
        (#"{"id":"q","question":null}"#, ": question is null, expected a string or an object"),
        (#"{"id":"q","question":{"choices":[]}}"#, ": question.stem is missing, expected a string"),
        (#"{"id":"q","question":{"stem":"S"}}"#, ": question.choices is missing, expected an array"),
        (#"{"id":"q","question":{"stem":"S","choices":["w"]}}"#, ": question.choices[0] is a string, expected an object"),
        (#"{"id":"q","question":{"stem":"S","choices":[{"text":"w","label":"A"},{"text":5,"label":"B"}]}}"#, ": question.choices[1].text is a number, expected a string"),
        (#"{"id":"q","question":"S"}"#, ": choices is missing, expected an object"),
        (#"{"id":"q","question":"S","choices":[]}"#, ": choices is an array, expected an object"),
        (#"{"id":"q","question":"S","choices":{"text":["w","x"],"label":["A"]},"answerKey":"A"}"#, ": 2 choices.text and 1 choices.label, expected as many"),
        (#"{"id":"q","question":"S","choices":{"text":["w"],"label":["A"]},"answerKey":"A"}"#, ": 1 choices, expected at least 2"),
        (#"{"id":"q","question":"S","choices":{"text":["w","x"],"label":["A","B"]}}"#, ": answerKey is missing, expected a string"),
        (#"{"id":"q","question":"S","choices":{"text":["w","x"],"label":["A","B"]},"answerKey":"C"}"#, #": answerKey is "C", expected one of the labels A, B"#),
    ])
    func malformedDocuments(line: String, message: String) throws {
        let path = try write(Self.good + "\n" + line + "\n" + Self.good + "\n")
        #expect(throws: InputError("\(path): line 2" + message)) { try ARCDocument.read(path) }
    }

    /// Cutting a document anywhere gives an error, never a trap or a document.
    @Test func cutAnywhere() throws {
        let bytes = Array(Self.good.utf8)
        for count in 0 ..< bytes.count {
            let path = try write(String(decoding: bytes[..<count], as: UTF8.self))
            #expect(throws: InputError.self, "cut after \(count) bytes") { try ARCDocument.read(path) }
        }
    }

    @Test func missingFiles() throws {
        let path = folder.path
        #expect(throws: InputError("\(path)/x: cannot be opened for reading: No such file or directory", status: .missingInput)) { try ARCDocument.read(path + "/x") }
        let message = "\(path): no ARC-Challenge test file there; looked for ARC-Challenge-Test.jsonl, arc_test.jsonl, arc/ARC-Challenge-Test.jsonl, "
            + "arc/arc_test.jsonl, ARC-Challenge/ARC-Challenge-Test.jsonl, ARC-Challenge/arc_test.jsonl"
        #expect(throws: InputError(message, status: .missingInput)) { try BenchmarkFolder(path).arcChallenge() }
        let empty = try write("\n")
        #expect(throws: InputError("\(empty): no documents, expected an ARC question on each line or in each element of an array")) { try ARCDocument.read(empty) }
    }

    private func line(_ number: Int, _ offset: Int, _ path: String) -> RecordPlace { RecordPlace(input: 1, name: path, unit: .line, number: number, offset: offset) }

    private func write(_ text: String) throws -> String {
        let path = folder.file("arc.jsonl")
        let file = try AtomicFile(path: path)
        try file.write(text)
        try file.finish()
        return path
    }
}
