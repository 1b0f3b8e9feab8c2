import JSON
import RecordStream

/// thunlp/UltraChat, by its README: `{"id", "data": [question, answer, question, answer ...]}`. The last answer is the one response. No ratings.
/// (ultrachat_200k has messages.)
struct UltraChat: RecordSource {
    let name = "ultrachat"
    let summary = "{\"id\", \"data\": [question, answer, ...]}: the last answer is the one response, no ratings"

    func recognises(_ record: JSONCursor) -> Bool { record["id"] != nil && record["data"]?.elements != nil }

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        guard let elements = record["data"]?.elements else { throw BadRecord.type("data", record["data"], expected: "an array of strings") }
        var turns: [Turn] = []
        for (i, element) in elements.enumerated() {
            guard let text = element.text else { throw BadRecord.type("data[\(i)]", element, expected: "a string") }
            turns.append(Turn(role: i % 2 == 0 ? "user" : "assistant", content: text))
        }
        guard !turns.isEmpty, turns.count % 2 == 0, let last = turns.popLast() else {
            throw BadRecord.wrong("data has \(turns.count) texts, expected an even number: questions and answers by turns")
        }
        return .demonstration(Text(name), turns, last.content)
    }
}
