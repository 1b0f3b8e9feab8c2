import JSON
import RecordStream

/// nvidia/HelpSteer, HelpSteer2 and HelpSteer3, by their dataset cards.
///
/// 1 and 2: a row is a `prompt`, one `response` and five attributes from 0 to 4; the rows of a prompt follow each other and become one record. A
/// prompt of several turns has `<extra_id_1>Assistant` and `<extra_id_1>User` on lines of their own before the turns that follow the first.
///
/// 3 (preference): `context` (messages), `response1`, `response2` and `overall_preference` from -3 (the first is much better) to 3 (the second is).
/// One dimension, `preference`: half the preference for the second response, minus half for the first, so that the two are as far apart as it says.
struct HelpSteer: RecordSource {
    let name = "helpsteer"
    let summary = "HelpSteer 1 and 2: rows of one prompt together, five attributes (0..4); HelpSteer3: preference (-1.5..1.5)"
    let hasRange = true

    let groupsRows = true

    private let range = RatingRange(low: 0, high: 4)
    private let attributes: [Text] = ["helpfulness", "correctness", "coherence", "complexity", "verbosity"]
    private let preferences = RatingRange(low: -3, high: 3)

    func recognises(_ record: JSONCursor) -> Bool {
        (record["response"] != nil && record["helpfulness"] != nil && record["verbosity"] != nil) || isThird(record)
    }

    func accepts(_ record: JSONCursor) -> Bool { (record["response"] != nil && record["prompt"] != nil) || isThird(record) }

    private func isThird(_ record: JSONCursor) -> Bool { record["response1"] != nil && record["response2"] != nil }

    func read(_ record: JSONCursor, range given: RatingRange?) throws -> RawPreference {
        if isThird(record) { return try third(record, given ?? preferences) }
        var raw = RawPreference(source: Text(name), turns: turns(try record.requiredText("prompt")), responses: [try record.requiredText("response")])
        raw.isRow = true
        for attribute in attributes {
            let range = given ?? range
            raw.rate(attribute, in: range, [try RatingValue.read(record[text: attribute], path: "\(attribute)", range: range)])
        }
        return raw
    }

    private func turns(_ prompt: Text) -> [Turn] {
        let user: Text = "\n<extra_id_1>User\n", assistant: Text = "\n<extra_id_1>Assistant\n"
        return Conversation.transcript(Text(user.bytes + prompt.bytes), marks: [(user, "user"), (assistant, "assistant")], dropsSpace: false) ?? []
    }

    private func third(_ record: JSONCursor, _ range: RatingRange) throws -> RawPreference {
        var raw = RawPreference(
            source: Text(name), turns: try Conversation.messages(record["context"], "context"),
            responses: [try record.requiredText("response1"), try record.requiredText("response2")])
        let (value, state) = try RatingValue.read(record["overall_preference"], path: "overall_preference", range: range)
        raw.rate(Pair.preference, in: RatingRange(low: range.low / 2, high: range.high / 2), [(-value / 2, state), (value / 2, state)])
        return raw
    }
}
