import JSON
import RecordStream

/// PKU-Alignment/PKU-SafeRLHF, by its dataset card: `prompt`, `response_0`, `response_1`, and the number of the response (0 or 1) that is more
/// helpful, `better_response_id`, and of the one that is safer, `safer_response_id`. Two dimensions, `helpfulness` and `harmlessness`: 1 for the
/// response that is named, 0 for the other. The single-dimension edition has no `safer_response_id`.
struct SafeRLHF: RecordSource {
    let name = "pku-saferlhf"
    let summary = "PKU-SafeRLHF: two responses; helpfulness and harmlessness (0..1) by better_response_id and safer_response_id"

    private let range = RatingRange(low: 0, high: 1)
    private let questions: [(key: StaticString, dimension: Text)] = [("better_response_id", "helpfulness"), ("safer_response_id", "harmlessness")]

    func recognises(_ record: JSONCursor) -> Bool {
        record["response_0"] != nil && record["response_1"] != nil && (record["better_response_id"] != nil || record["safer_response_id"] != nil)
    }

    func accepts(_ record: JSONCursor) -> Bool { record["response_0"] != nil && record["response_1"] != nil }

    func read(_ record: JSONCursor, range _: RatingRange?) throws -> RawPreference {
        let prompt = try record.requiredText("prompt")
        var raw = RawPreference(
            source: Text(name), turns: [Turn(role: "user", content: prompt)],
            responses: [try record.requiredText("response_0"), try record.requiredText("response_1")],
            models: [try record.optionalText("response_0_source") ?? Text(), try record.optionalText("response_1_source") ?? Text()])
        for (key, dimension) in questions {
            guard let named = record[key] else { continue }
            raw.rate(dimension, in: range, try RatingValue.best(named, path: "\(key)", of: 2))
        }
        return raw
    }
}
