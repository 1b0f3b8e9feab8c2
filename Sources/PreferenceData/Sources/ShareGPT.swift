import JSON
import RecordStream

/// Conversations to learn from in ShareGPT's layout, as LLaMA-Factory documents it: `{"conversations": [{"from": "human", "value"}, {"from": "gpt",
/// "value"}]}`, with `system` before them or as their first message. The last message, the assistant's, is the one response. No ratings.
struct ShareGPT: RecordSource {
    let name = "sharegpt"
    let summary = "{\"conversations\": [{\"from\", \"value\"}]}: the last answer is the one response, no ratings"

    func recognises(_ record: JSONCursor) -> Bool { record["conversations"]?.elements != nil }

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        try Conversation.refuseAttachments(record)
        let (turns, response) = try Conversation.split(try ShareGPT.turns(record), "conversations", roleKey: "from")
        return .demonstration(Text(name), turns, response)
    }

    /// `system` and `conversations` of a record.
    static func turns(_ record: JSONCursor) throws -> [Turn] {
        let system = try record.optionalText("system").flatMap { $0.isEmpty ? nil : [Turn(role: "system", content: $0)] } ?? []
        return system + (try Conversation.messages(record["conversations"], "conversations", .shareGPT))
    }
}
