import InputFiles
import JSON
import RecordStream

/// What may be odd about a record, each counted in `ConversionCounts`.
enum Oddity: Sendable, Hashable {
    case dropped(ConversionCounts.Dropped)
    case skipped(BadRecord.Reason)
    /// It has a rating in this state.
    case rating(RatingState)
    /// It is in no part of a split.
    case noPart
    case emptyPrompt, emptyResponse, identicalResponses, duplicatePrompt, duplicateRecord, repeatedKey, repairedScore

    /// In the order of the report.
    static let all: [Oddity] = ConversionCounts.Dropped.allCases.map(Oddity.dropped) + [.noPart]
        + BadRecord.Reason.allCases.map(Oddity.skipped) + ConversionCounts.absentStates.map(Oddity.rating) + others

    private static let others: [Oddity] = [.emptyPrompt, .emptyResponse, .identicalResponses, .duplicatePrompt, .duplicateRecord, .repeatedKey, .repairedScore]

    /// Where its count and its places stand in the report.
    var path: (group: String, name: String) {
        switch self {
        case .dropped(let reason): ("dropped", reason.rawValue)
        case .skipped(let reason): ("skipped", reason.rawValue)
        case .rating(let state): ("ratings", state.countName)
        case .noPart: ("records", "no_part")
        case .emptyPrompt: ("odd", "empty_prompts")
        case .emptyResponse: ("odd", "empty_responses")
        case .identicalResponses: ("odd", "identical_responses")
        case .duplicatePrompt: ("odd", "duplicate_prompts")
        case .duplicateRecord: ("odd", "duplicate_records")
        case .repeatedKey: ("odd", "repeated_keys")
        case .repairedScore: ("odd", "repaired_scores")
        }
    }

    /// For people: of records.
    var words: String {
        switch self {
        case .dropped(let reason): "dropped: " + reason.words
        case .skipped(let reason): "skipped: " + reason.words
        case .rating(let state): "with a rating that is \(state.words)"
        case .noPart: "in no part of the split"
        case .emptyPrompt: "with an empty prompt"
        case .emptyResponse: "with an empty response"
        case .identicalResponses: "with identical responses"
        case .duplicatePrompt: "with a repeated prompt"
        case .duplicateRecord: "repeated"
        case .repeatedKey: "with a repeated JSON key"
        case .repairedScore: "with a repaired score"
        }
    }
}

/// The first three places of something in the order of the inputs, in whatever order they come.
struct FirstPlaces: Sendable, Equatable {
    static let most = 3
    private(set) var places: [RecordPlace] = []

    mutating func add(_ place: RecordPlace) {
        let at = places.firstIndex { (place.input, place.number) < ($0.input, $0.number) } ?? places.count
        guard at < FirstPlaces.most else { return }
        places.insert(place, at: at)
        if places.count > FirstPlaces.most { places.removeLast() }
    }

    mutating func add(_ other: FirstPlaces) {
        for place in other.places { add(place) }
    }
}

extension ConversionCounts {
    /// Every oddity that there is with its first places, in the order of the report.
    public var oddities: [(words: String, places: [RecordPlace])] {
        Oddity.all.compactMap { oddity in firstPlaces[oddity].map { (oddity.words, $0.places) } }
    }

    /// By group and name as the counts have them: `{"dropped": {"no_targets": [{"input": 1, "name": "raw.jsonl", "line": 7}]}}`.
    var placesJSON: JSONValue {
        let groups = Oddity.all.reduce(into: [String]()) { if !$0.contains($1.path.group) { $0.append($1.path.group) } }
        return .object(groups.map { group in
            (group, .object(Oddity.all.filter { $0.path.group == group }.map { oddity in
                (oddity.path.name, .array((firstPlaces[oddity]?.places ?? []).map { place in
                    .object([("input", JSONValue(place.input)), ("name", .string(place.name)), (place.unit.rawValue, JSONValue(place.number))])
                }))
            }))
        })
    }
}
