import InputFiles
import JSON
import SystemIO

/// A question of MMLU (Hendrycks et al., arXiv 2009.03300). The published form is a CSV file for each subject and split, `SUBJECT_dev.csv`, `SUBJECT_val.csv`,
/// `SUBJECT_test.csv`, without a header: question, four choices, the letter of the right one. The Hugging Face data set's rows are read as well:
/// `{"question", "subject", "choices": [], "answer"}`, answer an index.
public struct MMLUDocument: BenchmarkDocument {
    public static let benchmark = Benchmark.mmlu

    public enum Split: String, Sendable, CaseIterable { case dev, val, test }

    public var place: RecordPlace
    /// As in file names: `abstract_algebra`.
    public var subject: Text
    /// As the file's name says; nil where it does not.
    public var split: Split?
    public var question: Text
    /// Four.
    public var choices: [Text]
    /// Index of the right one.
    public var gold: Int

    public var questionTexts: [Text] { [question] }
    public var answerTexts: [Text] { choices }
}

extension MMLUDocument {
    static let columns = 6
    private static let letters = ["A", "B", "C", "D"]

    init(_ row: CSVRow) throws {
        place = row.place
        (subject, split) = MMLUDocument.subject(ofFile: row.place.name)
        question = try row.text(0)
        choices = try (1 ... 4).map(row.text)
        let answer = try row.text(5)
        guard let gold = MMLUDocument.letters.firstIndex(where: { answer == $0 }) else {
            throw row.error(5, "the answer is \"\(answer)\", expected A, B, C or D")
        }
        self.gold = gold
    }

    /// `mmlu.tar: data/test/anatomy_test.csv` is anatomy's test split.
    private static func subject(ofFile path: String) -> (Text, Split?) {
        let name = path.split(separator: "/").last ?? ""
        let stem = name.prefix { $0 != "." }
        for split in Split.allCases where stem.hasSuffix("_" + split.rawValue) { return (Text(String(stem.dropLast(split.rawValue.count + 1))), split) }
        return (Text(String(stem)), nil)
    }
}

extension MMLUDocument: JSONDocument {
    static let keys = [["question", "subject", "choices", "answer"]]

    init(_ document: JSONCursor, at place: RecordPlace) throws {
        self.place = place
        subject = try document.requiredText("subject")
        question = try document.requiredText("question")
        choices = try document.requiredTexts("choices")
        guard choices.count == 4 else { throw InputError("\(choices.count) choices, expected 4") }
        gold = try document.requiredIndex("answer", below: 4)
    }
}
