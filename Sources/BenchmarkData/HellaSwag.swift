import InputFiles
import JSON
import SystemIO

/// A context of HellaSwag with the ways it may go on (Zellers et al., arXiv 1905.07830): JSON lines, `{"ind", "activity_label", "ctx_a", "ctx_b", "endings":
/// [], "label", "source_id"}` and more, label a number (as published) or its digits (as in the Hugging Face data set). The published test file has no labels
/// and is not read.
public struct HellaSwagDocument: BenchmarkDocument {
    public static let benchmark = Benchmark.hellaswag

    public var place: RecordPlace
    /// `ind`, which is not unique, and `source_id`.
    public var index: Int
    public var sourceID: Text
    public var activityLabel: Text
    /// The context, and the beginning of the sentence that the endings end; empty in those from wikiHow.
    public var contextA: Text, contextB: Text
    /// Four in the published files.
    public var endings: [Text]
    /// Index of the right one.
    public var gold: Int

    /// The marks of wikiHow's layout stand only in this benchmark's copy of its text, so they are none of the text.
    public var questionTexts: [Text] { [HellaSwagDocument.withoutMarks(contextA.bytes + [0x20] + contextB.bytes)] }
    public var answerTexts: [Text] { endings.map { HellaSwagDocument.withoutMarks($0.bytes) } }

    private static let marks = ["[header]", "[title]", "[step]", "[substeps]"].map { Array($0.utf8) }

    private static func withoutMarks(_ bytes: [UInt8]) -> Text {
        var kept: [UInt8] = [], rest = bytes[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "["), let mark = marks.first(where: rest.starts) {
                rest = rest.dropFirst(mark.count)
                kept.append(0x20)
            } else {
                kept.append(byte)
                rest = rest.dropFirst()
            }
        }
        return Text(kept)
    }
}

extension HellaSwagDocument: JSONDocument {
    static let keys = [["ctx_a", "ctx_b", "endings"]]

    init(_ document: JSONCursor, at place: RecordPlace) throws {
        self.place = place
        let ind = try document.required("ind", "a number")
        guard let index = ind.integer else { throw InputError("ind is \(ind.typeName), expected a number") }
        self.index = Int(index)
        sourceID = try document.requiredText("source_id")
        activityLabel = try document.requiredText("activity_label")
        contextA = try document.requiredText("ctx_a")
        contextB = try document.requiredText("ctx_b")
        endings = try document.requiredChoices("endings")
        guard document["label"] != nil else {
            throw InputError("label is missing, expected a number from 0 to \(endings.count - 1) (the test file has none; use validation)")
        }
        gold = try document.requiredIndex("label", below: endings.count)
    }
}
