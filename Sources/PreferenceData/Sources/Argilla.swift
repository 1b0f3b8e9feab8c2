import JSON
import RecordStream

/// argilla/ultrafeedback-binarized-preferences-cleaned, by its dataset card: a `Pair` with `chosen-rating`, `rejected-rating` (means of
/// UltraFeedback's dimensions, 1 to 5), `chosen-model`, `rejected-model` and `source`. The ratings become one dimension, `rating`.
///
/// Copies that passed through a template have a prompt of ChatML and no ratings: its turns are taken out again, the preference is all there is.
struct Argilla: RecordSource {
    let name = "argilla"
    let summary = "argilla's cleaned pairs: chosen-rating, rejected-rating; one dimension, rating (1..5)"
    let hasRange = true

    private let range = RatingRange(low: 1, high: 5)
    private let dimension: Text = "rating"

    func recognises(_ record: JSONCursor) -> Bool {
        Pair.isPair(record) && (record["chosen-rating"] != nil || record["prompt"]?.text.flatMap(Conversation.chatML) != nil)
    }

    func accepts(_ record: JSONCursor) -> Bool { Pair.isPair(record) }

    func read(_ record: JSONCursor, range given: RatingRange?) throws -> RawPreference {
        let range = given ?? range
        let pair = try Pair(record, unwrap: Conversation.chatML)
        var raw = RawPreference(
            source: try record.optionalText("source") ?? Text(name), turns: pair.turns, responses: [pair.chosen, pair.rejected],
            models: [try record.optionalText("chosen-model") ?? Text(), try record.optionalText("rejected-model") ?? Text()])
        if record["chosen-rating"] == nil, record["rejected-rating"] == nil {
            Pair.prefer(&raw)
        } else {
            raw.rate(dimension, in: range, try ["chosen-rating", "rejected-rating"].map { key in
                try RatingValue.read(record[text: Text(key)], path: key, range: range)
            })
        }
        return raw
    }
}
