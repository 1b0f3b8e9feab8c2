import JSON
import RecordStream

/// Preference data in LLaMA-Factory's layouts, by its documentation:
/// - DPO of ShareGPT: `conversations` is the prompt, `chosen` and `rejected` are one message each;
/// - DPO of Alpaca: `instruction`, `input`, `chosen` and `rejected`, or the two in `output`, the chosen one first;
/// - KTO: a conversation (`conversations` or `messages`) or an Alpaca record whose answer is wanted or not by `kto_tag` (or `label`), true or false.
/// Pairs have one dimension, `preference`; KTO has one response and one dimension, `label`, 1 or 0.
struct LlamaFactory: RecordSource {
    let name = "llamafactory"
    let summary = "LLaMA-Factory's DPO (preference, 0..1) and KTO (one response; label, 0..1), ShareGPT and Alpaca layouts"

    func recognises(_ record: JSONCursor) -> Bool {
        let hasConversation = record["conversations"] != nil || record["instruction"] != nil
        if hasConversation, Pair.isPair(record) || record["kto_tag"] != nil { return true }
        if record["messages"] != nil, record["label"] != nil || record["kto_tag"] != nil { return true }
        return record["instruction"] != nil && record["output"]?.elements != nil
    }

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        try Conversation.refuseAttachments(record)
        guard Pair.isPair(record) || record["output"]?.elements != nil else { return try labelled(record) }
        var raw: RawPreference
        if record["conversations"] != nil {
            func answer(_ key: StaticString) throws -> Text {
                guard let message = record[key] else { throw BadRecord.type("\(key)", nil, expected: "a message") }
                let turn = try Conversation.message(message, "\(key)", .shareGPT)
                guard turn.role == "assistant" as Text else { throw BadRecord.wrong("\(key).from is \"\(turn.role)\", expected \"gpt\"") }
                return turn.content
            }
            raw = RawPreference(source: Text(name), turns: try ShareGPT.turns(record), responses: [try answer("chosen"), try answer("rejected")])
        } else {
            var answers: [Text]
            if let both = record["output"]?.elements {
                answers = both.compactMap(\.text)
                guard both.count == 2, answers.count == 2 else { throw BadRecord.wrong("output is an array, expected two strings: chosen and rejected") }
            } else {
                answers = [try record.requiredText("chosen"), try record.requiredText("rejected")]
            }
            raw = RawPreference(source: Text(name), turns: try Alpaca.turns(record), responses: answers)
        }
        Pair.prefer(&raw)
        return raw
    }

    private func labelled(_ record: JSONCursor) throws -> RawPreference {
        let path = record["kto_tag"] != nil ? "kto_tag" : "label"
        guard let label = record[text: Text(path)] else { throw BadRecord.type("kto_tag", nil, expected: "true or false") }
        let turns: [Turn], response: Text
        if record["messages"] != nil {
            (turns, response) = try Conversation.split(try Conversation.messages(record["messages"], "messages"), "messages")
        } else if record["conversations"] != nil {
            (turns, response) = try Conversation.split(try ShareGPT.turns(record), "conversations", roleKey: "from")
        } else {
            (turns, response) = (try Alpaca.turns(record), try record.requiredText("output"))
        }
        var raw = RawPreference.demonstration(Text(name), turns, response)
        raw.rate(Label.dimension, in: Label.range, [try Label.read(label, path)])
        return raw
    }
}
