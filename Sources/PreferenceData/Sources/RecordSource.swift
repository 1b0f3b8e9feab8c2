import JSON
import RecordStream

/// A form in which preference data is published: how its records are known, and how they are read. Each source states its rule and where its
/// schema comes from.
protocol RecordSource: Sendable {
    /// The name for `--from`.
    var name: String { get }
    /// One line for `--help`.
    var summary: String { get }

    /// Whether its ratings are numbers of a range, which another may take the place of: a rank or a choice is none.
    var hasRange: Bool { get }

    /// Whether records may be rows (`RawPreference.isRow`), of which those of one prompt are joined while they follow each other.
    var groupsRows: Bool { get }

    /// Whether a record shows by its keys that it is one of this source; asked of the first record of an input.
    func recognises(_ record: JSONCursor) -> Bool

    /// Whether a later record of an input may be one of this source: where the first must show more than the others need.
    func accepts(_ record: JSONCursor) -> Bool

    /// - Parameters:
    ///   - record: an object (a map may describe arrays too).
    ///   - range: what a rating that is a number in the data may be, in place of the source's own range.
    /// - Throws: `BadRecord`, `UnusableRecord`.
    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference
}

extension RecordSource {
    var groupsRows: Bool { false }
    var hasRange: Bool { false }
    func accepts(_ record: JSONCursor) -> Bool { recognises(record) }
}

/// All sources. Where several would recognise a record, the first one has it: those that ask for more stand before those that ask for less.
struct SourceTable: Sendable {
    let sources: [any RecordSource]

    /// - Parameters:
    ///   - score: which score of UltraFeedback to read in place of its dimensions.
    ///   - systems: whether the system prompts of its completions are kept.
    init(score: UltraFeedbackScore? = nil, systems: SystemPrompts = .none) {
        sources = [
            UltraFeedback(score: score, systems: systems), SafeRLHF(), Nectar(), HelpSteer(), LlamaFactory(), HHRLHF(), Argilla(), UltraFeedbackBinarized(), TRL(), Messages(),
            ShareGPT(), Alpaca(), UltraChat(),
        ]
    }

    /// The source that the keys of a record show; nil for none.
    func detect(_ record: JSONCursor) -> (any RecordSource)? {
        record.kind == .object ? sources.first { $0.recognises(record) } : nil
    }

    subscript(name: String) -> (any RecordSource)? { sources.first { $0.name == name } }
}

/// What `--from` says: the source of all records, or that the first record of each input shows it.
public struct SourceFormat: Sendable, Equatable {
    public let name: String

    public static let auto = SourceFormat(unchecked: "auto")

    private init(unchecked name: String) { self.name = name }

    /// nil when no source has the name.
    public init?(_ name: String) {
        guard name == "auto" || SourceTable()[name] != nil else { return nil }
        self.init(unchecked: name)
    }

    /// Every name with its line of help, `auto` aside.
    public static var listing: [(name: String, summary: String)] { SourceTable().sources.map { ($0.name, $0.summary) } }
}

/// The keys of a record, for messages.
func shownKeys(_ record: JSONCursor) -> String {
    guard let members = record.members else { return record.typeName }
    let keys = members.map { String(decoding: $0.key, as: UTF8.self) }
    guard !keys.isEmpty else { return "none" }
    return keys.prefix(8).joined(separator: ", ") + (keys.count > 8 ? ", ..." : "")
}

extension JSONCursor {
    /// The text of a key that must be there.
    func requiredText(_ key: StaticString) throws -> Text {
        guard let text = self[key]?.text else { throw BadRecord.type("\(key)", self[key], expected: "a string") }
        return text
    }

    /// The text of a key that may be absent or null.
    func optionalText(_ key: StaticString) throws -> Text? {
        guard let value = self[key], !value.isNull else { return nil }
        guard let text = value.text else { throw BadRecord.type("\(key)", value, expected: "a string") }
        return text
    }

    /// Whether a key is there with something in it: not null, "", [] or {}.
    func holds(_ key: StaticString) -> Bool {
        guard let value = self[key], !value.isNull else { return false }
        if let bytes = value.stringBytes { return !bytes.isEmpty }
        if let elements = value.elements { return elements.count > 0 }
        if var members = value.members { return members.next() != nil }
        return true
    }
}
