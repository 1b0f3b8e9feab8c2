import InputFiles
import JSON
import SystemIO

/// A schema of the Winograd Schema Challenge: a sentence whose pronoun means one of two things (Levesque et al. 2012). The benchmark is the first 273 of E.
/// Davis's collection. Read are the collection itself (XML); the Hugging Face data set's rows, `{"text", "pronoun", "pronoun_loc", "options": [], "label"}`,
/// which lm-eval reads; the form of partial evaluation, `{"context_options": [], "continuation", "gold"}`; and text, four lines a schema: the sentence with
/// `[MASK]` for the pronoun, `[MASK]`, the two candidates with a comma between them, the right one.
public struct WSC273Document: BenchmarkDocument {
    public static let benchmark = Benchmark.wsc273

    public var place: RecordPlace
    /// The sentence up to the pronoun and after it, with the spaces around it; `before` has `pronoun_loc` code points.
    public var before: Text, after: Text
    /// nil in the forms that do not have it.
    public var pronoun: Text?
    /// Two. Of partial evaluation, what differs in the contexts, so that a context is `before` and an option in every form.
    public var options: [Text]
    /// Index of what the pronoun means.
    public var gold: Int

    /// The sentence as it stands, where the pronoun is known, and with each option.
    public var questionTexts: [Text] { ([pronoun].compactMap(\.self) + options).map { before + $0 + after } }
    public var answerTexts: [Text] { options }
}

extension WSC273Document: JSONDocument {
    static let keys = [["text", "pronoun", "pronoun_loc", "options"], ["context_options", "continuation"]]

    init(_ document: JSONCursor, at place: RecordPlace) throws {
        self.place = place
        if document["context_options"] != nil {
            let contexts = try document.requiredTexts("context_options")
            guard contexts.count == 2, contexts[0] != contexts[1] else { throw InputError("context_options are not two that differ") }
            let common = WSC273Document.commonWords(contexts)
            before = common
            options = contexts.map { Text($0.bytes.dropFirst(common.count)) }
            after = Text(" ") + (try document.requiredText("continuation"))
            gold = try document.requiredIndex("gold", below: 2)
            return
        }
        let text = try document.requiredText("text"), pronoun = try document.requiredText("pronoun")
        let location = try document.required("pronoun_loc", "a number")
        guard let start = location.integer.flatMap({ text.offset(ofCodePoint: Int($0)) }), text.bytes[start...].starts(with: pronoun.bytes) else {
            throw InputError("pronoun_loc is \(location.integer.map { "\($0)" } ?? location.typeName), where the text does not have \"\(pronoun)\"")
        }
        before = Text(text.bytes[..<start])
        self.pronoun = pronoun
        after = Text(text.bytes[(start + pronoun.count)...])
        options = try document.requiredTexts("options")
        guard options.count == 2 else { throw InputError("\(options.count) options, expected 2") }
        gold = try document.requiredIndex("label", below: 2)
    }

    /// The words with which both texts begin, and the space after them.
    private static func commonWords(_ texts: [Text]) -> Text {
        let common = zip(texts[0].bytes, texts[1].bytes).prefix { $0 == $1 }.map(\.0)
        return Text(common[..<((common.lastIndex(of: 0x20) ?? -1) + 1)])
    }
}

extension WSC273Document {
    private init(_ place: RecordPlace, _ before: Text, _ pronoun: Text?, _ after: Text, _ options: [Text], gold: Int) {
        self.place = place
        self.before = before.isEmpty ? before : before + Text(" ")
        self.pronoun = pronoun
        self.after = Text(" ") + after
        self.options = options
        self.gold = gold
    }

    // MARK: Text

    static let mask = "[MASK]"

    /// Whether the text that begins so is of the four-line form: its second line says so.
    static func isMaskedText(_ head: ArraySlice<UInt8>) -> Bool {
        let lines = head.split { $0 == 0x0A || $0 == 0x0D }
        return lines.count > 1 && tidy(lines[1]) == mask
    }

    static func readMaskedSentences(_ inputs: DecodedInputs, _ body: (any BenchmarkDocument) throws -> Void) throws {
        let chunks = ChunkReader(inputs, maximumRecord: DocumentSyntax.longestDocument, readsArrays: false, onlyCurrent: true)
        var lines: [(text: ArraySlice<UInt8>, place: RecordPlace)] = []
        while let chunk = try chunks.next() {
            try chunk.forEachRecord { bytes, _, place in
                lines.append((ArraySlice(bytes), place))
                guard lines.count == 4 else { return }
                try body(masked(lines))
                lines = []
            }
        }
        if let first = lines.first { throw InputError("\(first.place): \(lines.count) lines of a schema, expected 4; the file may be cut") }
    }

    private static func masked(_ lines: [(text: ArraySlice<UInt8>, place: RecordPlace)]) throws -> WSC273Document {
        let sentence = lines[0].text
        guard let gap = sentence.firstRange(of: mask.utf8), tidy(lines[1].text) == mask else {
            throw InputError("\(lines[0].place): expected a sentence with \(mask), and \(mask) in the line below")
        }
        let options = lines[2].text.split(separator: UInt8(ascii: ",")).map(tidy)
        guard options.count == 2 else { throw InputError("\(lines[2].place): \(options.count) candidates, expected 2 with a comma between them") }
        guard let gold = options.firstIndex(of: tidy(lines[3].text)) else {
            throw InputError("\(lines[3].place): \"\(tidy(lines[3].text))\" is neither \"\(options[0])\" nor \"\(options[1])\"")
        }
        return WSC273Document(lines[0].place, tidy(sentence[..<gap.lowerBound]), nil, tidy(sentence[gap.upperBound...]), options, gold: gold)
    }

    // MARK: XML

    /// The collection goes on growing after the benchmark was fixed.
    static let count = 273

    static func readCollection(_ inputs: DecodedInputs, _ body: (any BenchmarkDocument) throws -> Void) throws {
        let name = inputs.name
        let markup = try MarkupElements(inputs, limit: DocumentSyntax.longestDocument)
        guard let collection = markup.elements("collection").first else {
            throw InputError("\(name): no element <collection>, expected the Winograd Schema Challenge's")
        }
        for schema in markup.elements("schema", in: collection).prefix(count) {
            let place = RecordPlace(input: inputs.number, name: name, unit: .line, number: markup.line(of: schema), offset: schema.lowerBound)
            func text(_ names: String..., isOptional: Bool = false) throws -> Text {
                var range: Range<Int>? = schema
                for name in names { range = range.flatMap { markup.elements(name, in: $0).first } }
                guard let range else {
                    if isOptional { return Text() }
                    throw InputError("\(place): a schema without \(names.map { "<\($0)>" }.joined()), expected one")
                }
                return try tidy(markup.text(in: range)[...])
            }
            let options = try markup.elements("answer", in: schema).map { try tidy(markup.text(in: $0)[...]) }
            guard options.count == 2 else { throw InputError("\(place): \(options.count) elements <answer>, expected 2") }
            // "A", "B." and the like.
            let answer = try text("correctAnswer")
            guard let gold = ["A", "B"].firstIndex(where: { answer == $0 || answer == $0 + "." }) else {
                throw InputError("\(place): the correctAnswer is \"\(answer)\", expected A or B")
            }
            let before = try text("text", "txt1", isOptional: true), after = try text("text", "txt2", isOptional: true)
            try body(WSC273Document(place, before, text("text", "pron"), after, options, gold: gold))
        }
    }

    /// Without white space at its ends, and with one space for each run of it.
    private static func tidy(_ bytes: ArraySlice<UInt8>) -> Text {
        Text(bytes.split { $0 == 0x20 || (0x09 ... 0x0D).contains($0) }.joined(separator: [0x20]))
    }
}

private extension Text {
    static func + (left: Text, right: Text) -> Text { Text(left.bytes + right.bytes) }

    /// Where the code point with this number begins; nil beyond the end.
    func offset(ofCodePoint number: Int) -> Int? {
        var seen = 0
        for (at, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if seen == number { return at }
            seen += 1
        }
        return nil
    }
}
