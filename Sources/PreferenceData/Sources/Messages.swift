import JSON
import RecordStream

/// Conversations to learn from: `{"messages": [{"role", "content"}]}`, as OpenAI's fine-tuning files, TRL and ultrachat_200k have them. The last
/// message, the assistant's, is the one response; those before it are the prompt. No ratings.
struct Messages: RecordSource {
    let name = "messages"
    let summary = "{\"messages\": [{\"role\", \"content\"}]}: the last answer is the one response, no ratings"

    func recognises(_ record: JSONCursor) -> Bool { record["messages"]?.elements != nil }

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        try Conversation.refuseAttachments(record)
        let (turns, response) = try Conversation.split(try Conversation.messages(record["messages"], "messages"), "messages")
        return .demonstration(Text(name), turns, response)
    }
}

extension RawPreference {
    /// One response, to learn from as it is.
    static func demonstration(_ source: Text, _ turns: [Turn], _ response: Text) -> RawPreference {
        var raw = RawPreference(source: source, turns: turns, responses: [response])
        raw.standsAlone = true
        return raw
    }
}
