import JSON
import RecordStream

/// Instructions to learn from in Alpaca's layout, as LLaMA-Factory documents it: `instruction` and `input` are the user's turn, joined by a line
/// feed where `input` is not empty; `output` is the response; `system` and `history`, pairs of question and answer, stand before them. No ratings.
struct Alpaca: RecordSource {
    let name = "alpaca"
    let summary = "instruction, input, output: one response, no ratings"

    func recognises(_ record: JSONCursor) -> Bool { record["instruction"] != nil && record["output"]?.stringBytes != nil }

    func accepts(_ record: JSONCursor) -> Bool { record["instruction"] != nil && record["output"] != nil }

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        try Conversation.refuseAttachments(record)
        return .demonstration(Text(name), try Alpaca.turns(record), try record.requiredText("output"))
    }

    /// The prompt of a record.
    static func turns(_ record: JSONCursor) throws -> [Turn] {
        var turns: [Turn] = []
        if let system = try record.optionalText("system"), !system.isEmpty { turns.append(Turn(role: "system", content: system)) }
        if let history = record["history"], !history.isNull {
            guard let rounds = history.elements else { throw BadRecord.type("history", history, expected: "an array of [question, answer]") }
            for (i, round) in rounds.enumerated() {
                let texts = round.elements?.map(\.text) ?? []
                guard texts.count == 2, let question = texts[0], let answer = texts[1] else {
                    throw BadRecord.wrong("history[\(i)] is no pair of strings, expected [question, answer]")
                }
                turns += [Turn(role: "user", content: question), Turn(role: "assistant", content: answer)]
            }
        }
        let instruction = try record.requiredText("instruction"), input = try record.optionalText("input") ?? Text()
        turns.append(Turn(role: "user", content: input.isEmpty ? instruction : Text(instruction.bytes + [0x0A] + input.bytes)))
        return turns
    }
}
