import InputFiles
import JSON
import SystemIO

/// A problem of GSM8K (Cobbe et al., arXiv 2110.14168): JSON lines, `{"question", "answer"}`. The answer is worked out in steps, with `<<48/2=24>>` where a
/// calculator was used, and ends in `#### ` and the number.
public struct GSM8KDocument: BenchmarkDocument {
    public static let benchmark = Benchmark.gsm8k

    public var place: RecordPlace
    public var question: Text
    public var answer: Text

    /// The answer as it stands and as it reads without the calculator's marks, which copies often leave out.
    public var answerTexts: [Text] {
        let plain = GSM8KDocument.withoutMarks(answer)
        return plain == answer ? [answer] : [answer, plain]
    }

    public var questionTexts: [Text] { [question] }

    private static func withoutMarks(_ answer: Text) -> Text {
        var kept: [UInt8] = [], rest = answer.bytes[...]
        while let start = rest.firstRange(of: "<<".utf8), let end = rest[start.upperBound...].firstRange(of: ">>".utf8) {
            kept += rest[..<start.lowerBound]
            rest = rest[end.upperBound...]
        }
        return Text(kept + rest)
    }
}

extension GSM8KDocument: JSONDocument {
    static let keys = [["question", "answer"]]

    init(_ document: JSONCursor, at place: RecordPlace) throws {
        self.place = place
        question = try document.requiredText("question")
        answer = try document.requiredText("answer")
        guard answer.bytes.firstRange(of: "#### ".utf8) != nil else { throw InputError("answer has no \"#### \", expected it in front of the final number") }
    }
}
