import JSON
import RecordStream

/// Records of openbmb/UltraFeedback (schema of December 2023):
/// `{"source", "instruction", "models", "completions": [{"model", "response", "annotations": {DIMENSION: {"Rating": "4", ...}}}], ...}`.
/// Any number of completions and dimensions. Each completion was written under a system prompt of its own (`custom_system_prompt`), which is
/// left out: the responses of a record answer one prompt.
enum UltraFeedback {
    static let range = RatingRange(low: 1, high: 5)
    /// The order of the paper's tensors; other dimensions follow in the order in which the record names them.
    static let dimensions: [Text] = ["helpfulness", "honesty", "instruction_following", "truthfulness"]

    static func read(_ record: JSONCursor, range: RatingRange) throws -> RawPreference {
        guard let instruction = record["instruction"]?.text else { throw BadRecord.type("instruction", record["instruction"], expected: "a string") }
        guard let completions = record["completions"]?.elements else { throw BadRecord.type("completions", record["completions"], expected: "an array") }
        var source: Text = "ultrafeedback"
        if let given = record["source"], !given.isNull {
            guard let text = given.text else { throw BadRecord.type("source", given, expected: "a string") }
            source = text
        }
        var responses: [Text] = [], models: [Text] = []
        var annotations: [JSONCursor?] = []
        var found: [Text] = []
        for (i, completion) in completions.enumerated() {
            guard completion.kind == .object else { throw BadRecord.type("completions[\(i)]", completion, expected: "an object") }
            guard let response = completion["response"]?.text else {
                throw BadRecord.type("completions[\(i)].response", completion["response"], expected: "a string")
            }
            responses.append(response)
            models.append(completion["model"]?.text ?? Text())
            let rated = completion["annotations"]
            guard let rated, !rated.isNull else {
                annotations.append(nil)
                continue
            }
            guard let members = rated.members else { throw BadRecord.type("completions[\(i)].annotations", rated, expected: "an object") }
            annotations.append(rated)
            for (key, _) in members where !found.contains(where: { $0.bytes.elementsEqual(key) }) { found.append(Text(Array(key))) }
        }
        let order = dimensions.filter(found.contains) + found.filter { !dimensions.contains($0) }
        var values: [Double] = [], states: [RatingState] = []
        for dimension in order {
            for (i, rated) in annotations.enumerated() {
                let (value, state) = try rating(rated?[text: dimension], "completions[\(i)].annotations.\(dimension)", range)
                values.append(value)
                states.append(state)
            }
        }
        return RawPreference(source: source, turns: [Turn(role: "user", content: instruction)], responses: responses, models: models, dimensions: order,
                             values: values, states: states)
    }

    private static func rating(_ annotation: JSONCursor?, _ path: String, _ range: RatingRange) throws -> (Double, RatingState) {
        guard let annotation else { return (.nan, .missing) }
        if annotation.isNull { return (.nan, .null) }
        guard annotation.kind == .object else {
            throw BadRecord.type(path, annotation, expected: "an object with a Rating (the schema of December 2023)")
        }
        return try RatingValue.read(annotation["Rating"], path: path + ".Rating", range: range)
    }
}
