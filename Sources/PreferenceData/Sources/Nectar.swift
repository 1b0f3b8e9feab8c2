import JSON
import RecordStream

/// berkeley-nest/Nectar, by its dataset card: `prompt` is a transcript that ends with `\n\nAssistant: `, `answers` are responses with the `model`
/// that wrote them and their `rank`, 1 for the best. One dimension, `rank`: of N answers the one at rank r is rated N + 1 - r, so that the best has
/// the highest rating and the last has 1.
struct Nectar: RecordSource {
    let name = "nectar"
    let summary = "Nectar: ranked answers; one dimension, rank: N for the best of N answers, 1 for the last"

    private let dimension: Text = "rank"

    func recognises(_ record: JSONCursor) -> Bool { record["prompt"] != nil && record["answers"]?.elements != nil }

    func read(_ record: JSONCursor, range _: RatingRange?) throws -> RawPreference {
        let prompt = try record.requiredText("prompt")
        guard var turns = Conversation.humanAssistant(prompt) else {
            throw BadRecord.wrong("prompt is no transcript, expected it to begin with \"\\n\\nHuman:\"")
        }
        // The mark of the answer to come, with nothing behind it.
        if let last = turns.last, last.role == "assistant" as Text, last.content.isEmpty { turns.removeLast() }
        guard let answers = record["answers"]?.elements else { throw BadRecord.type("answers", record["answers"], expected: "an array") }
        var responses: [Text] = [], models: [Text] = [], ranks: [JSONCursor?] = []
        for (i, answer) in answers.enumerated() {
            guard let text = answer["answer"]?.text else { throw BadRecord.type("answers[\(i)].answer", answer["answer"], expected: "a string") }
            responses.append(text)
            models.append(answer["model"]?.text ?? Text())
            ranks.append(answer["rank"])
        }
        var raw = RawPreference(source: Text(name), turns: turns, responses: responses, models: models)
        let (range, ratings) = try RatingValue.ranked(ranks) { "answers[\($0)].rank" }
        raw.rate(dimension, in: range, ratings)
        return raw
    }
}
