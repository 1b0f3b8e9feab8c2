import JSON
import RecordStream

/// One record as its source has it, before anything is decided about missing ratings.
struct RawPreference {
    var source: Text
    var turns: [Turn]
    var responses: [Text]
    /// Which model wrote each response; empty where unknown.
    var models: [Text]
    /// m names.
    var dimensions: [Text]
    /// m x N, row-major by dimension; NaN unless `states` says rated.
    var values: [Double]
    /// m x N.
    var states: [RatingState]
}

/// A record that cannot be used as it stands: what is wrong with it, at which path inside the record.
struct BadRecord: Error {
    enum Reason: String, CaseIterable {
        case invalidJSON = "invalid_json"
        case wrongSchema = "wrong_schema"
        case unreadableRating = "unreadable_rating"
    }

    var reason: Reason
    var message: String

    /// `completions[2].response is null, expected a string`
    static func type(_ path: String, _ found: JSONCursor?, expected: String) -> BadRecord {
        guard let found else { return BadRecord(reason: .wrongSchema, message: "\(path) is missing, expected \(expected)") }
        return BadRecord(reason: .wrongSchema, message: "\(path) is \(found.typeName), expected \(expected)")
    }
}

/// The formats of raw records.
public enum SourceFormat: String, Sendable, CaseIterable {
    /// Each record shows by its keys which of the others it is.
    case auto
    /// openbmb/UltraFeedback, schema of December 2023: N completions, each rated in m dimensions.
    case ultrafeedback
    /// Pairs: prompt, chosen, rejected with a score each.
    case ultrafeedbackBinarized = "ultrafeedback-binarized"

    func read(_ record: JSONCursor, range: RatingRange?) throws -> RawPreference {
        guard record.kind == .object else { throw BadRecord.type("the record", record, expected: "an object") }
        switch self {
        case .ultrafeedback: return try UltraFeedback.read(record, range: range ?? UltraFeedback.range)
        case .ultrafeedbackBinarized: return try BinarizedPair.read(record, range: range ?? BinarizedPair.range)
        case .auto:
            if record["completions"] != nil { return try SourceFormat.ultrafeedback.read(record, range: range) }
            if record["chosen"] != nil, record["rejected"] != nil { return try SourceFormat.ultrafeedbackBinarized.read(record, range: range) }
            let keys = record.members?.map { String(decoding: $0.key, as: UTF8.self) } ?? []
            let shown = keys.prefix(8).joined(separator: ", ") + (keys.count > 8 ? ", ..." : "")
            throw BadRecord(reason: .wrongSchema, message: "neither \"completions\" (UltraFeedback) nor \"chosen\" and \"rejected\" (binarized) among its keys: \(shown)")
        }
    }
}
