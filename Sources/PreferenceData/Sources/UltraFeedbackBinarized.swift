import JSON
import RecordStream

/// Pairs made from UltraFeedback (HuggingFaceH4/ultrafeedback_binarized, trl-lib/ultrafeedback_binarized, and flattened forms of them): a `Pair`
/// with a score each, `score_chosen` and `score_rejected`, at the top or in `metadata`. The scores become one dimension, `score`.
struct UltraFeedbackBinarized: RecordSource {
    let name = "ultrafeedback-binarized"
    let summary = "pairs made from UltraFeedback: prompt, chosen, rejected and a score each; one dimension, score (0..10)"
    let hasRange = true

    /// UltraFeedback's overall scores run from 1 to 10, means of several may lie below.
    private let range = RatingRange(low: 0, high: 10)
    private let dimension: Text = "score"

    func recognises(_ record: JSONCursor) -> Bool {
        Pair.isPair(record) && (record["score_chosen"] != nil || record["metadata"]?["score_chosen"] != nil)
    }

    /// A pair without scores has missing ratings.
    func accepts(_ record: JSONCursor) -> Bool { Pair.isPair(record) }

    func read(_ record: JSONCursor, range given: RatingRange?) throws -> RawPreference {
        let source = try record.optionalText("source") ?? Text(name)
        let pair = try Pair(record)
        let range = given ?? range, metadata = record["metadata"]
        func score(_ key: StaticString) throws -> (Double, RatingState) {
            record[key] != nil || metadata?[key] == nil
                ? try RatingValue.read(record[key], path: "\(key)", range: range)
                : try RatingValue.read(metadata?[key], path: "metadata.\(key)", range: range)
        }
        var raw = RawPreference(source: source, turns: pair.turns, responses: [pair.chosen, pair.rejected])
        raw.rate(dimension, in: range, [try score("score_chosen"), try score("score_rejected")])
        return raw
    }
}
