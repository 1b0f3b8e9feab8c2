import InputFiles
import JSON
import SystemIO

/// A question of the AI2 Reasoning Challenge (Clark et al., arXiv 1803.05457). Two layouts of JSON lines are read:
/// AI2's own `{"id", "question": {"stem", "choices": [{"text", "label"}]}, "answerKey"}` and the flattened one of the Hugging Face
/// data set, `{"id", "question", "choices": {"text": [], "label": []}, "answerKey"}`.
/// Labels may be anything (A-E and 1-4 occur); `answerKey` is one of the document's own.
public struct ARCDocument: BenchmarkDocument {
    public static let benchmark = Benchmark.arc

    public var place: RecordPlace
    public var id: Text
    public var question: Text
    /// Three to five in the published files.
    public var choices: [Text]
    /// Index of the right one in `choices`.
    public var gold: Int

    public var questionTexts: [Text] { [question] }
    public var answerTexts: [Text] { choices }
}

extension ARCDocument: JSONDocument {
    static let keys = [["question", "answerKey"]]

    init(_ document: JSONCursor, at place: RecordPlace) throws {
        self.place = place
        id = try document.requiredText("id")
        guard let question = document["question"] else { throw InputError("question is missing, expected a string or an object") }
        var labels: [Text] = []
        choices = []
        switch question.kind {
        case .object:
            self.question = try question.requiredText("stem", "question.stem")
            for (index, choice) in try question.requiredElements("choices", "question.choices").enumerated() {
                let name = "question.choices[\(index)]"
                guard choice.kind == .object else { throw InputError("\(name) is \(choice.typeName), expected an object") }
                choices.append(try choice.requiredText("text", name + ".text"))
                labels.append(try choice.requiredText("label", name + ".label"))
            }
        case .string:
            self.question = try question.text(named: "question")
            guard let flat = document["choices"] else { throw InputError("choices is missing, expected an object") }
            guard flat.kind == .object else { throw InputError("choices is \(flat.typeName), expected an object") }
            choices = try flat.requiredTexts("text", "choices.text")
            labels = try flat.requiredTexts("label", "choices.label")
            guard labels.count == choices.count else { throw InputError("\(choices.count) choices.text and \(labels.count) choices.label, expected as many") }
        default:
            throw InputError("question is \(question.typeName), expected a string or an object")
        }
        guard choices.count >= 2 else { throw InputError("\(choices.count) choices, expected at least 2") }
        let key = try document.requiredText("answerKey")
        guard let gold = labels.firstIndex(of: key) else {
            throw InputError("answerKey is \"\(key)\", expected one of the labels \(labels.map(\.description).joined(separator: ", "))")
        }
        self.gold = gold
    }
}
