import JSON
import RecordStream

/// `prompt`, `chosen` and `rejected`, which many sources share:
/// - `chosen` and `rejected` are texts, or messages whose last one is the response and whose others, if any, are the prompt;
/// - `prompt` is a text (one turn of the user) or messages; it may be absent where `chosen` holds it.
struct Pair {
    var turns: [Turn]
    var chosen: Text
    var rejected: Text

    /// - Parameter unwrap: what a prompt that is a text may be besides one turn of the user.
    init(_ record: JSONCursor, unwrap: (Text) -> [Turn]? = { _ in nil }) throws {
        let prompt = try Pair.prompt(record["prompt"], unwrap)
        let chosen = try Pair.answer(record["chosen"], "chosen", after: prompt)
        let rejected = try Pair.answer(record["rejected"], "rejected", after: prompt)
        guard chosen.turns == rejected.turns else { throw Pair.differentPrompts }
        (turns, self.chosen, self.rejected) = (chosen.turns, chosen.response, rejected.response)
    }

    static let differentPrompts = UnusableRecord(
        reason: .differentPrompts, message: "chosen and rejected answer different prompts: their conversations differ before the last answer")

    /// Whether a record has both answers.
    static func isPair(_ record: JSONCursor) -> Bool { record["chosen"] != nil && record["rejected"] != nil }

    /// The name of the dimension of a bare preference.
    static let preference: Text = "preference"
    static let preferenceRange = RatingRange(low: 0, high: 1)

    /// A preference without scores: 1 for the chosen, 0 for the rejected response.
    static func prefer(_ record: inout RawPreference) {
        record.rate(preference, in: preferenceRange, [(1, .rated), (0, .rated)])
    }

    /// The prompt that a text or messages give; nil where there is none.
    static func prompt(_ cursor: JSONCursor?, _ unwrap: (Text) -> [Turn]? = { _ in nil }) throws -> [Turn]? {
        guard let cursor, !cursor.isNull else { return nil }
        if let text = cursor.text { return unwrap(text) ?? [Turn(role: "user", content: text)] }
        return try Conversation.messages(cursor, "prompt", expected: "a string or messages")
    }

    static func answer(_ cursor: JSONCursor?, _ path: String, after prompt: [Turn]?) throws -> (turns: [Turn], response: Text) {
        guard let cursor else { throw BadRecord.type(path, nil, expected: "a string or messages") }
        if let text = cursor.text {
            guard let prompt else { throw BadRecord.type("prompt", nil, expected: "a string or messages") }
            return (prompt, text)
        }
        let (turns, response) = try Conversation.split(try Conversation.messages(cursor, path, expected: "a string or messages"), path)
        // The messages hold the whole conversation, or just the answer to `prompt`.
        if !turns.isEmpty { return (turns, response) }
        guard let prompt else { throw BadRecord.type("prompt", nil, expected: "a string or messages, since \(path) holds the answer alone") }
        return (prompt, response)
    }
}
