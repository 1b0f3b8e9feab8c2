import JSON
import SystemIO

/// A question of the AI2 Reasoning Challenge (Clark et al., arXiv 1803.05457).
public struct ARCDocument: Sendable, Equatable {
    public var id: Text
    public var question: Text
    /// Three to five in the published files.
    public var choices: [Text]
    /// Index of the right one in `choices`.
    public var gold: Int

    public init(id: Text, question: Text, choices: [Text], gold: Int) {
        self.id = id
        self.question = question
        self.choices = choices
        self.gold = gold
    }
}

extension ARCDocument {
    /// Reads JSON lines of either layout:
    /// AI2's own `{"id", "question": {"stem", "choices": [{"text", "label"}]}, "answerKey"}` and the flattened one of the Hugging Face
    /// data set, `{"id", "question", "choices": {"text": [], "label": []}, "answerKey"}`.
    /// Labels may be anything (A-E and 1-4 occur); `answerKey` is one of the document's own.
    /// Throws `.invalidData` with file and line for a malformed document, `.missingInput` when the file cannot be opened.
    public static func read(_ path: String) throws -> [ARCDocument] { try readWithDigest(path).documents }

    static func readWithDigest(_ path: String) throws -> (documents: [ARCDocument], sha256: String) {
        try DocumentLines.read(path) { try ARCDocument($0) }
    }

    init(_ document: JSONCursor) throws {
        guard document.kind == .object else { throw InputError("found \(document.typeName), expected an ARC question (an object)") }
        id = try document.requiredText("id", "id")
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
            self.question = try question.requiredText("question")
            guard let flat = document["choices"] else { throw InputError("choices is missing, expected an object") }
            guard flat.kind == .object else { throw InputError("choices is \(flat.typeName), expected an object") }
            for (index, text) in try flat.requiredElements("text", "choices.text").enumerated() { choices.append(try text.requiredText("choices.text[\(index)]")) }
            for (index, label) in try flat.requiredElements("label", "choices.label").enumerated() { labels.append(try label.requiredText("choices.label[\(index)]")) }
            guard labels.count == choices.count else { throw InputError("\(choices.count) choices.text and \(labels.count) choices.label, expected as many") }
        default:
            throw InputError("question is \(question.typeName), expected a string or an object")
        }
        guard choices.count >= 2 else { throw InputError("\(choices.count) choices, expected at least 2") }
        let key = try document.requiredText("answerKey", "answerKey")
        guard let gold = labels.firstIndex(of: key) else {
            throw InputError("answerKey is \"\(key)\", expected one of the labels \(labels.map(\.description).joined(separator: ", "))")
        }
        self.gold = gold
    }
}
