import JSON
import RecordStream

/// Anthropic/hh-rlhf, by its files: `chosen` and `rejected` are whole transcripts, `\n\nHuman: ...\n\nAssistant: ...`. The last answer of each is the
/// response, what stands before it the prompt; a pair whose transcripts differ before it is dropped and counted. One dimension, `preference`.
struct HHRLHF: RecordSource {
    let name = "hh-rlhf"
    let summary = "transcripts of Human and Assistant, chosen and rejected, split at the last answer; one dimension, preference (0..1)"

    func recognises(_ record: JSONCursor) -> Bool {
        guard record["prompt"] == nil, Pair.isPair(record), let bytes = record["chosen"]?.stringBytes else { return false }
        return bytes.starts(with: "\n\nHuman:".utf8)
    }

    func accepts(_ record: JSONCursor) -> Bool { record["prompt"] == nil && Pair.isPair(record) }

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        func answer(_ key: StaticString) throws -> (turns: [Turn], response: Text) {
            guard var turns = Conversation.humanAssistant(try record.requiredText(key)) else {
                throw BadRecord.wrong("\(key) is no transcript, expected it to begin with \"\\n\\nHuman:\"")
            }
            guard let last = turns.popLast(), last.role == "assistant" as Text, !turns.isEmpty else {
                throw BadRecord.wrong("\(key) is a transcript that does not end with an answer, expected \"\\n\\nAssistant:\" last")
            }
            return (turns, last.content)
        }
        let chosen = try answer("chosen"), rejected = try answer("rejected")
        guard chosen.turns == rejected.turns else { throw Pair.differentPrompts }
        var raw = RawPreference(source: Text(name), turns: chosen.turns, responses: [chosen.response, rejected.response])
        Pair.prefer(&raw)
        return raw
    }
}
