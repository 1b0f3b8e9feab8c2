import InputFiles
import JSON
import SystemIO

/// A question of TruthfulQA with its true and false answers (Lin et al., arXiv 2109.07958). Read are `mc_task.json`, whose targets are objects `{ANSWER: 0 or
/// 1}`; the rows of the Hugging Face data set, whose targets are `{"choices": [], "labels": []}` (what lm-eval reads); and `TruthfulQA.csv`, whose lists of
/// answers are separated by semicolons: there the best answer and the incorrect ones are the choices of MC1, all correct and all incorrect ones those of MC2.
public struct TruthfulQADocument: BenchmarkDocument {
    public static let benchmark = Benchmark.truthfulqa

    public struct Targets: Sendable, Equatable {
        public var choices: [Text]
        /// Which of them are true.
        public var labels: [Bool]
    }

    public var place: RecordPlace
    public var question: Text
    /// One is true: the first in all published files.
    public var mc1: Targets
    public var mc2: Targets

    /// The answers of both targets, each once.
    public var answerTexts: [Text] {
        var seen: Set<Text> = []
        return (mc1.choices + mc2.choices).filter { seen.insert($0).inserted }
    }

    public var questionTexts: [Text] { [question] }
}

extension TruthfulQADocument: JSONDocument {
    static let keys = [["question", "mc1_targets", "mc2_targets"]]

    init(_ document: JSONCursor, at place: RecordPlace) throws {
        self.place = place
        question = try document.requiredText("question")
        mc1 = try Targets(document.required("mc1_targets", "an object"), "mc1_targets")
        mc2 = try Targets(document.required("mc2_targets", "an object"), "mc2_targets")
        let right = mc1.labels.count { $0 }
        guard right == 1 else { throw InputError("\(right) answers of mc1_targets are labelled 1, expected one") }
    }
}

extension TruthfulQADocument.Targets {
    init(_ targets: JSONCursor, _ name: String) throws {
        guard let members = targets.members else { throw InputError("\(name) is \(targets.typeName), expected an object") }
        func label(_ value: JSONCursor, _ place: String) throws -> Bool {
            guard let label = value.integer, label == 0 || label == 1 else { throw InputError("\(place) is no label, expected 0 or 1") }
            return label == 1
        }
        if let labels = targets["labels"], labels.elements != nil {
            choices = try targets.requiredTexts("choices", name + ".choices")
            self.labels = try targets.requiredElements("labels", name + ".labels").enumerated().map { try label($1, "\(name).labels[\($0)]") }
            guard choices.count == self.labels.count else {
                throw InputError("\(choices.count) \(name).choices and \(self.labels.count) \(name).labels, expected as many")
            }
        } else {
            let pairs = try members.map { (Text($0.key), try label($0.value, "\(name).\"\(Text($0.key))\"")) }
            choices = pairs.map(\.0)
            self.labels = pairs.map(\.1)
        }
        guard choices.count >= 2 else { throw InputError("\(choices.count) answers in \(name), expected at least 2") }
    }
}

extension TruthfulQADocument {
    /// Where the CSV file has what is read of it.
    struct Header {
        static let names = ["Question", "Best Answer", "Correct Answers", "Incorrect Answers"]
        static let expected = "no header of TruthfulQA; expected columns \(names.joined(separator: ", ")) among others"
        let question: Int, best: Int, correct: Int, incorrect: Int

        init?(_ row: CSVRow) {
            let columns = Header.names.map { name in row.fields.firstIndex { $0.bytes.elementsEqual(name.utf8) } }
            guard let question = columns[0], let best = columns[1], let correct = columns[2], let incorrect = columns[3] else { return nil }
            (self.question, self.best, self.correct, self.incorrect) = (question, best, correct, incorrect)
        }
    }

    init(_ row: CSVRow, _ header: Header) throws {
        func answers(_ column: Int) throws -> [Text] {
            let answers = try row.text(column).bytes.split(separator: UInt8(ascii: ";")).map(trimmed).filter { !$0.isEmpty }
            guard !answers.isEmpty else { throw row.error(column, "no answers, expected some separated by ;") }
            return answers
        }
        func targets(_ right: [Text], _ wrong: [Text]) -> Targets {
            Targets(choices: right + wrong, labels: right.map { _ in true } + wrong.map { _ in false })
        }
        place = row.place
        question = try trimmed(row.text(header.question).bytes[...])
        let best = try trimmed(row.text(header.best).bytes[...]), incorrect = try answers(header.incorrect)
        mc1 = targets([best], incorrect)
        mc2 = targets(try answers(header.correct), incorrect)
    }
}

private func trimmed(_ bytes: ArraySlice<UInt8>) -> Text {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09 ... 0x0D).contains(byte) }
    return Text(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
}
