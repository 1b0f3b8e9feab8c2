import JSON
import RecordStream

/// Which of UltraFeedback's scores to read in place of its dimensions.
public enum UltraFeedbackScore: String, Sendable, CaseIterable {
    /// One judgement of the whole completion, 1 to 10.
    case overall = "overall_score"
    /// The mean of the completion's dimensions, 1 to 5.
    case fineGrained = "fine-grained_score"
}

/// What becomes of the system prompt that each completion of UltraFeedback was written under.
public enum SystemPrompts: String, Sendable, CaseIterable {
    /// Left out, as the paper's code does: all responses of a record answer one prompt.
    case none
    /// Kept with its response, which then answers a prompt of its own.
    case completion
}

/// Records of openbmb/UltraFeedback, by its README:
/// `{"source", "instruction", "models", "completions": [{"model", "response", "annotations": {DIMENSION: {"Rating": "4", ...}}}], ...}`.
/// Any number of completions and dimensions. In the schema of August 2023 each dimension is an array of such annotations; the mean of its ratings
/// is the rating. A record that names some of the paper's four dimensions, and no other, has all four: one that stands in no completion is missing in all.
/// Each completion was written under a system prompt of its own (`custom_system_prompt`; none where it is absent, null or empty).
///
/// With a score in place of the dimensions there is one dimension, `score`. The origin read some critiques' "1" as 10: an overall score of 10 whose
/// completion has dimensions with a mean of 2 or less becomes 1, as its authors set it right, and is counted.
struct UltraFeedback: RecordSource {
    let name = "ultrafeedback"
    let summary = "UltraFeedback: N completions rated in m dimensions (1..5), or one score of it (--score-from)"
    let hasRange = true

    var score: UltraFeedbackScore?
    var systems = SystemPrompts.none

    private let range = RatingRange(low: 1, high: 5)
    private let overallRange = RatingRange(low: 1, high: 10)
    /// The order of the paper's tensors; other dimensions follow in the order in which the record names them.
    private let dimensions: [Text] = ["helpfulness", "honesty", "instruction_following", "truthfulness"]
    private static let user: Text = "user"
    /// Their time is quadratic in their number, and a line may be long.
    private let mostDimensions = 1000
    /// A mean of the dimensions with which no overall score of 10 goes together.
    private let poorMean = 2.0

    func recognises(_ record: JSONCursor) -> Bool { record["completions"] != nil }

    func read(_ record: JSONCursor, range given: RatingRange?) throws -> RawPreference {
        let instruction = try record.requiredText("instruction")
        guard let completions = record["completions"]?.elements else { throw BadRecord.type("completions", record["completions"], expected: "an array") }
        let source = try record.optionalText("source") ?? Text(name)
        var responses: [Text] = [], models: [Text] = []
        var annotations: [JSONCursor?] = []
        responses.reserveCapacity(4)
        models.reserveCapacity(4)
        annotations.reserveCapacity(4)
        // Of the paper's dimensions those that stand here, one bit each, and the others by name.
        var known = 0, others: [Text] = []
        for (i, completion) in completions.enumerated() {
            guard let members = completion.members else { throw BadRecord.type("completions[\(i)]", completion, expected: "an object") }
            var response: JSONCursor?, model: JSONCursor?, rated: JSONCursor?
            for (key, value) in members {
                if JSONCursor.equal(key, "response") { response = value }
                if JSONCursor.equal(key, "model") { model = value }
                if JSONCursor.equal(key, "annotations") { rated = value }
            }
            guard let text = response?.text else { throw BadRecord.type("completions[\(i)].response", response, expected: "a string") }
            responses.append(text)
            models.append(model?.text ?? Text())
            guard let rated, !rated.isNull else {
                annotations.append(nil)
                continue
            }
            guard let members = rated.members else { throw BadRecord.type("completions[\(i)].annotations", rated, expected: "an object") }
            annotations.append(rated)
            for (key, _) in members {
                if let k = UltraFeedback.paperDimension(key) { known |= 1 << k; continue }
                if others.contains(where: { $0.holds(key) }) { continue }
                guard others.count < mostDimensions else { throw BadRecord.wrong("completions[\(i)].annotations: more than \(mostDimensions) dimensions in one record") }
                others.append(Text(Array(key)))
            }
        }
        var raw = RawPreference(source: source, turns: [Turn(role: UltraFeedback.user, content: instruction)], responses: responses, models: models)
        if systems == .completion { raw.responseSystems = try systemPrompts(completions) }
        let range = score == nil ? given ?? range : range
        func rate(_ dimension: Text) throws {
            try raw.rate(dimension, in: range) { i in try rating(annotations[i]?[text: dimension], "completions[\(i)].annotations.\(dimension)", range) }
        }
        // Some of the paper's dimensions and no other: what this record lacks of them every completion lacks. A record of other dimensions has those that it names.
        if known != 0, others.isEmpty { known = (1 << dimensions.count) - 1 }
        raw.reserve(dimensions: known.nonzeroBitCount + others.count)
        for (k, dimension) in dimensions.enumerated() where known >> k & 1 == 1 { try rate(dimension) }
        for dimension in others { try rate(dimension) }
        guard let score else { return raw }
        return try scored(raw, completions, by: score, in: given ?? (score == .overall ? overallRange : range))
    }

    /// Its place in `dimensions`.
    private static func paperDimension(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
        if JSONCursor.equal(key, "helpfulness") { return 0 }
        if JSONCursor.equal(key, "honesty") { return 1 }
        if JSONCursor.equal(key, "instruction_following") { return 2 }
        return JSONCursor.equal(key, "truthfulness") ? 3 : nil
    }

    /// Empty where no completion has one.
    private func systemPrompts(_ completions: JSONElements) throws -> [Text] {
        let texts = try completions.enumerated().map { i, completion -> Text in
            guard let value = completion["custom_system_prompt"], !value.isNull else { return Text() }
            guard let text = value.text else { throw BadRecord.type("completions[\(i)].custom_system_prompt", value, expected: "a string") }
            return text
        }
        return texts.allSatisfy(\.isEmpty) ? [] : texts
    }

    /// - Parameter path: asked for only when something is wrong: there are sixteen ratings in a record.
    private func rating(_ annotation: JSONCursor?, _ path: @autoclosure () -> String, _ range: RatingRange) throws -> (Double, RatingState) {
        guard let annotation else { return (.nan, .missing) }
        if annotation.isNull { return (.nan, .null) }
        if let several = annotation.elements {
            let ratings = try several.enumerated().map { i, one in try rating(one, "\(path())[\(i)]", range) }
            let rated = ratings.filter { $0.1 == .rated }
            guard !rated.isEmpty else { return ratings.first ?? (.nan, .missing) }
            return (rated.reduce(0) { $0 + $1.0 } / Double(rated.count), .rated)
        }
        guard annotation.kind == .object else { throw BadRecord.type(path(), annotation, expected: "an object with a Rating, or an array of such") }
        return try RatingValue.read(annotation["Rating"], path: path() + ".Rating", range: range)
    }

    private func scored(_ raw: RawPreference, _ completions: JSONElements, by score: UltraFeedbackScore, in range: RatingRange) throws -> RawPreference {
        var repairs = 0
        let scores = try completions.enumerated().map { i, completion in
            let (value, state) = try RatingValue.read(completion[text: Text(score.rawValue)], path: "completions[\(i)].\(score.rawValue)", range: range)
            guard score == .overall, value == 10 else { return (value, state) }
            let rated = raw.dimensions.indices.map { raw.ratings($0)[i] }.filter { $0.1 == .rated }
            guard !rated.isEmpty, rated.reduce(0, { $0 + $1.0 }) / Double(rated.count) <= poorMean else { return (value, state) }
            repairs += 1
            return (1, state)
        }
        var result = raw.rerated { $0.rate("score", in: range, scores) }
        result.repairs = repairs
        return result
    }
}
