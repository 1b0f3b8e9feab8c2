import JSON
import RecordStream

/// Rows of TRL's dataset types, by its documentation, plain (texts) and conversational (messages):
/// - preference: a `Pair`; one dimension, `preference`, 1 for the chosen and 0 for the rejected response;
/// - unpaired preference: `prompt`, `completion` and `label`, true or false; one response and one dimension, `label`, 1 or 0;
/// - prompt-completion: `prompt` and `completion`; one response, no rating.
/// A preference of texts without `prompt` is refused: where its prompt ends is a guess.
struct TRL: RecordSource {
    let name = "trl"
    let summary = "TRL's rows: chosen and rejected (preference, 0..1); or prompt and completion, with or without a label (0..1)"

    func recognises(_ record: JSONCursor) -> Bool { Pair.isPair(record) || (record["prompt"] != nil && record["completion"] != nil) }

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        try Conversation.refuseAttachments(record)
        if record["completion"] != nil { return try completion(record) }
        let pair = try Pair(record)
        var raw = RawPreference(source: Text(name), turns: pair.turns, responses: [pair.chosen, pair.rejected])
        Pair.prefer(&raw)
        return raw
    }

    private func completion(_ record: JSONCursor) throws -> RawPreference {
        let (turns, response) = try Pair.answer(record["completion"], "completion", after: try Pair.prompt(record["prompt"]))
        var raw = RawPreference(source: Text(name), turns: turns, responses: [response])
        raw.standsAlone = true
        if let label = record["label"] { raw.rate(Label.dimension, in: Label.range, [try Label.read(label, "label")]) }
        return raw
    }
}

/// Whether one response is wanted or not.
enum Label {
    static let dimension: Text = "label"
    static let range = RatingRange(low: 0, high: 1)

    static func read(_ cursor: JSONCursor, _ path: String) throws -> (Double, RatingState) {
        if cursor.isNull { return (.nan, .null) }
        guard let wanted = cursor.bool else {
            throw BadRecord(reason: .unreadableRating, message: "\(path) is \(cursor.typeName), expected true or false")
        }
        return (wanted ? 1 : 0, .rated)
    }
}
