import JSON
import RecordStream

/// One record as its source has it, before anything is decided about missing ratings.
struct RawPreference: Sendable {
    var source: Text
    /// Its own id, where a map names one.
    var id: Text?
    var turns: [Turn]
    var responses: [Text]
    /// N system prompts, where each response has its own and it is kept (`--system completion`); else empty.
    var responseSystems: [Text] = []
    /// Which model wrote each response; empty where unknown.
    var models: [Text]
    /// m names.
    private(set) var dimensions: [Text] = []
    /// m: what a rating of the dimension may be.
    private(set) var ranges: [RatingRange] = []
    /// m x N, row-major by dimension; NaN unless `states` says rated.
    private(set) var values: [Double] = []
    /// m x N.
    private(set) var states: [RatingState] = []
    /// One response is a whole record: a demonstration (m = 0) or a labelled response (m = 1), not a comparison that lost its other responses.
    var standsAlone = false
    /// One response of a prompt whose other responses are in records of their own, which follow.
    var isRow = false
    /// Scores that the source is known to have wrong and that were set right.
    var repairs = 0

    init(source: Text, turns: [Turn], responses: [Text], models: [Text]? = nil) {
        self.source = source
        self.turns = turns
        self.responses = responses
        self.models = models ?? responses.map { _ in Text() }
    }

    /// Makes room for so many dimensions at once.
    mutating func reserve(dimensions count: Int) {
        dimensions.reserveCapacity(count)
        ranges.reserveCapacity(count)
        values.reserveCapacity(count * responses.count)
        states.reserveCapacity(count * responses.count)
    }

    /// Adds a dimension with the rating that `rating` says of each response, in their order.
    mutating func rate(_ dimension: Text, in range: RatingRange, _ rating: (_ response: Int) throws -> (Double, RatingState)) rethrows {
        dimensions.append(dimension)
        ranges.append(range)
        for response in responses.indices {
            let (value, state) = try rating(response)
            values.append(value)
            states.append(state)
        }
    }

    /// Adds a dimension with its ratings, one for each response.
    mutating func rate(_ dimension: Text, in range: RatingRange, _ ratings: [(Double, RatingState)]) {
        dimensions.append(dimension)
        ranges.append(range)
        for (value, state) in ratings {
            values.append(value)
            states.append(state)
        }
    }

    /// The ratings of one dimension.
    func ratings(_ dimension: Int) -> [(Double, RatingState)] {
        (dimension * responses.count..<(dimension + 1) * responses.count).map { (values[$0], states[$0]) }
    }

    /// This record with other dimensions or ratings; `body` adds them.
    func rerated(_ body: (inout RawPreference) -> Void) -> RawPreference {
        var result = self
        (result.dimensions, result.ranges, result.values, result.states) = ([], [], [], [])
        body(&result)
        return result
    }
}

/// A record that cannot be used as it stands: what is wrong with it, at which path inside the record.
struct BadRecord: Error {
    enum Reason: String, CaseIterable, Sendable {
        case invalidJSON = "invalid_json"
        case wrongSchema = "wrong_schema"
        case unreadableRating = "unreadable_rating"

        var words: String {
            switch self {
            case .invalidJSON: "with invalid JSON"
            case .wrongSchema: "with another schema"
            case .unreadableRating: "with an unreadable rating"
            }
        }
    }

    var reason: Reason
    var message: String

    /// `completions[2].response is null, expected a string`
    static func type(_ path: String, _ found: JSONCursor?, expected: String) -> BadRecord {
        guard let found else { return wrong("\(path) is missing, expected \(expected)") }
        return wrong("\(path) is \(found.typeName), expected \(expected)")
    }

    static func wrong(_ message: String) -> BadRecord { BadRecord(reason: .wrongSchema, message: message) }
}

/// A well-formed record that makes no record of the stream: counted, and no error unless `--strict` says so.
struct UnusableRecord: Error {
    var reason: ConversionCounts.Dropped
    var message: String
}
