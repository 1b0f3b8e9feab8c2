import JSON
import RecordStream

/// Pairs made from UltraFeedback: `prompt`, `chosen`, `rejected` and a score each, in the forms in circulation.
/// - `chosen` and `rejected` are texts, or messages (`[{"role", "content"}]`) whose last one is the response and whose others are the prompt;
/// - `prompt` is a text or messages; with messages in `chosen` it may be absent;
/// - scores are `score_chosen`/`score_rejected`, at the top or in `metadata`; they become one dimension, `score`.
enum BinarizedPair {
    /// UltraFeedback's overall scores run from 1 to 10, means of several may lie below.
    static let range = RatingRange(low: 0, high: 10)
    static let dimension: Text = "score"

    static func read(_ record: JSONCursor, range: RatingRange) throws -> RawPreference {
        var source: Text = "ultrafeedback-binarized"
        if let given = record["source"], !given.isNull {
            guard let text = given.text else { throw BadRecord.type("source", given, expected: "a string") }
            source = text
        }
        let prompt = try prompt(record["prompt"])
        let chosen = try answer(record["chosen"], "chosen", after: prompt)
        let rejected = try answer(record["rejected"], "rejected", after: prompt)
        guard chosen.turns == rejected.turns else {
            throw BadRecord(reason: .wrongSchema, message: "chosen and rejected answer different prompts: their messages before the last differ")
        }
        let metadata = record["metadata"]
        var values: [Double] = [], states: [RatingState] = []
        func score(_ key: StaticString) throws {
            let (value, state) = record[key] != nil || metadata?[key] == nil
                ? try RatingValue.read(record[key], path: "\(key)", range: range)
                : try RatingValue.read(metadata?[key], path: "metadata.\(key)", range: range)
            values.append(value)
            states.append(state)
        }
        try score("score_chosen")
        try score("score_rejected")
        return RawPreference(source: source, turns: chosen.turns, responses: [chosen.response, rejected.response], models: [Text(), Text()],
                             dimensions: [dimension], values: values, states: states)
    }

    private static func prompt(_ cursor: JSONCursor?) throws -> [Turn]? {
        guard let cursor, !cursor.isNull else { return nil }
        if let text = cursor.text { return [Turn(role: "user", content: text)] }
        return try messages(cursor, "prompt")
    }

    private static func answer(_ cursor: JSONCursor?, _ path: String, after prompt: [Turn]?) throws -> (turns: [Turn], response: Text) {
        guard let cursor else { throw BadRecord.type(path, nil, expected: "a string or messages") }
        if let text = cursor.text {
            guard let prompt else { throw BadRecord.type("prompt", nil, expected: "a string or messages") }
            return (prompt, text)
        }
        var turns = try messages(cursor, path)
        guard let last = turns.popLast() else { throw BadRecord(reason: .wrongSchema, message: "\(path) has no messages") }
        guard last.role == "assistant" as Text else {
            throw BadRecord(reason: .wrongSchema, message: "\(path)[\(turns.count)].role is \"\(last.role)\", expected \"assistant\" in the last message")
        }
        // The messages hold the whole conversation, or just the answer to `prompt`.
        if turns.isEmpty {
            guard let prompt else { throw BadRecord.type("prompt", nil, expected: "a string or messages, since \(path) holds the answer alone") }
            turns = prompt
        }
        return (turns, last.content)
    }

    private static func messages(_ cursor: JSONCursor, _ path: String) throws -> [Turn] {
        guard let elements = cursor.elements else { throw BadRecord.type(path, cursor, expected: "a string or messages") }
        var turns: [Turn] = []
        for (i, message) in elements.enumerated() {
            guard message.kind == .object else { throw BadRecord.type("\(path)[\(i)]", message, expected: "an object with role and content") }
            guard let role = message["role"]?.text else { throw BadRecord.type("\(path)[\(i)].role", message["role"], expected: "a string") }
            guard let content = message["content"]?.text else { throw BadRecord.type("\(path)[\(i)].content", message["content"], expected: "a string") }
            turns.append(Turn(role: role, content: content))
        }
        return turns
    }
}
