import InputFiles
import JSON
import RecordStream

/// What became of everything that was read, for the stream's tail, the report and the summary. Counts of portions of the input add up.
public struct ConversionCounts: Sendable, Equatable {
    /// Why a whole record is not in the output.
    public enum Dropped: String, Sendable, CaseIterable {
        case fewerThanTwoResponses = "fewer_than_two_responses"
        case missingRating = "missing_rating"
        case noTargets = "no_targets"
        case differentPrompts = "different_prompts"
        case contaminated
        case unmetCondition = "unmet_condition"
        case duplicatePrompt = "duplicate_prompt"
        case earlierRelease = "earlier_release"
        case notSampled = "not_sampled"

        var words: String {
            switch self {
            case .fewerThanTwoResponses: "with fewer than two responses"
            case .missingRating: "with a missing rating"
            case .noTargets: "without a dimension that has two ratings"
            case .differentPrompts: "whose answers are to different prompts"
            case .contaminated: "with text of a benchmark"
            case .unmetCondition: "that do not meet a condition"
            case .duplicatePrompt: "whose prompt an earlier one has"
            case .earlierRelease: "whose prompt an earlier release has"
            case .notSampled: "outside the sample"
            }
        }
    }

    /// Of one dimension of one source, over the records read in the wanted part.
    public struct Dimension: Sendable, Equatable {
        /// By `RatingState`.
        var states = [Int](repeating: 0, count: RatingState.allCases.count)
        /// Pairs of rated responses with equal ratings, and records all of whose (two or more) ratings are equal.
        var tiedPairs = 0, allTied = 0
        /// Records in whose targets the dimension has no row.
        public internal(set) var leftOut = 0
    }

    public internal(set) var read = 0
    public internal(set) var kept = 0
    /// Rows that became part of the record of the row before them.
    public internal(set) var joined = 0
    /// Of those kept: with one response, to learn from or with a label.
    public internal(set) var single = 0
    /// Scores that the source has wrong and that were set right.
    public internal(set) var repaired = 0
    public internal(set) var otherParts = 0
    /// In no part of a split whose shares sum to less than 1.
    public internal(set) var noPart = 0
    public internal(set) var otherShards = 0
    public internal(set) var dropped: [Dropped: Int] = [:]
    /// Of those dropped for a condition: by the first that they do not meet.
    public internal(set) var unmet: [String: Int] = [:]
    /// Records that cannot be read and were passed over on request, by `BadRecord.Reason`.
    public internal(set) var skipped: [String: Int] = [:]
    /// Records by their number of completions.
    public internal(set) var completions: [Int: Int] = [:]
    public internal(set) var responses = 0
    public internal(set) var emptyPrompts = 0, emptyResponses = 0, identicalResponses = 0
    public internal(set) var duplicatePrompts = 0, duplicateRecords = 0
    /// Records in which a JSON key stands twice in one object: the last one counted.
    public internal(set) var repeatedKeys = 0
    public internal(set) var sources: [Text: [Text: Dimension]] = [:]
    /// The dimensions of the raw records, whatever is kept of them.
    var offered: Set<Text> = []
    /// The sources of the raw records, likewise.
    var named: Set<Text> = []
    private var noted = LastNoted()

    /// No count: what was noted last is nothing that counts are compared by.
    private struct LastNoted: Sendable, Equatable {
        var source: Text?
        var dimensions: [Text] = []

        static func == (left: Self, right: Self) -> Bool { true }
    }
    /// Where each oddity was met first.
    var firstPlaces: [Oddity: FirstPlaces] = [:]

    public init() {}

    /// Records whose own text was looked at: all that were read but unreadable ones and those of other parts and shards.
    var looked: Int { completions.values.reduce(0, +) }

    mutating func note(_ oddity: Oddity, _ place: RecordPlace) { firstPlaces[oddity, default: FirstPlaces()].add(place) }

    mutating func drop(_ reason: Dropped, _ place: RecordPlace) {
        dropped[reason, default: 0] += 1
        note(.dropped(reason), place)
    }

    /// Takes back that a record was kept.
    mutating func drop(isSingle: Bool, as reason: Dropped, _ place: RecordPlace) {
        kept -= 1
        if isSingle { single -= 1 }
        drop(reason, place)
    }

    mutating func leaveOut(_ place: RecordPlace) {
        noPart += 1
        note(.noPart, place)
    }

    mutating func skip(_ reason: BadRecord.Reason, _ place: RecordPlace) {
        skipped[reason.rawValue, default: 0] += 1
        note(.skipped(reason), place)
    }

    mutating func countRepeats(prompt: Bool, record: Bool, _ place: RecordPlace) {
        if prompt {
            duplicatePrompts += 1
            note(.duplicatePrompt, place)
        }
        if record {
            duplicateRecords += 1
            note(.duplicateRecord, place)
        }
    }

    public var droppedTotal: Int { dropped.values.reduce(0, +) }
    public var skippedTotal: Int { skipped.values.reduce(0, +) }

    mutating func add(_ other: ConversionCounts) {
        read += other.read
        kept += other.kept
        joined += other.joined
        single += other.single
        repaired += other.repaired
        otherParts += other.otherParts
        noPart += other.noPart
        otherShards += other.otherShards
        dropped.merge(other.dropped, uniquingKeysWith: +)
        unmet.merge(other.unmet, uniquingKeysWith: +)
        skipped.merge(other.skipped, uniquingKeysWith: +)
        completions.merge(other.completions, uniquingKeysWith: +)
        responses += other.responses
        emptyPrompts += other.emptyPrompts
        emptyResponses += other.emptyResponses
        identicalResponses += other.identicalResponses
        duplicatePrompts += other.duplicatePrompts
        duplicateRecords += other.duplicateRecords
        repeatedKeys += other.repeatedKeys
        note(dimensions: other.offered)
        for source in other.named { note(source: source) }
        for (oddity, places) in other.firstPlaces { firstPlaces[oddity, default: FirstPlaces()].add(places) }
        for (source, dimensions) in other.sources {
            for (name, counts) in dimensions { sources[bounded(source), default: [:]][name, default: Dimension()].add(counts) }
        }
    }

    /// Data with a source of its own in every record must not grow the tables without end.
    static let mostSources = 1000
    static let otherSources: Text = "(other sources)"
    private func bounded(_ source: Text) -> Text {
        sources[source] != nil || sources.count < ConversionCounts.mostSources ? source : ConversionCounts.otherSources
    }

    mutating func note(source: Text) {
        guard noted.source?.hasBytes(of: source) != true else { return }
        noted.source = source
        if named.count < ConversionCounts.mostSources { named.insert(source) }
    }

    mutating func note(dimensions: some Collection<Text>) {
        // Most records have the dimensions of the one before.
        guard dimensions.count != noted.dimensions.count || !zip(dimensions, noted.dimensions).allSatisfy({ $0.hasBytes(of: $1) }) else { return }
        noted.dimensions = Array(dimensions)
        for name in dimensions where !offered.contains(name) && offered.count < ConversionCounts.mostSources { offered.insert(name) }
    }

    /// Counts what stands in one record of the wanted part.
    mutating func count(_ record: RawPreference, _ place: RecordPlace) {
        completions[record.responses.count, default: 0] += 1
        responses += record.responses.count
        if record.repairs > 0 {
            repaired += record.repairs
            note(.repairedScore, place)
        }
        if record.turns.allSatisfy(\.content.isEmpty) {
            emptyPrompts += 1
            note(.emptyPrompt, place)
        }
        let empty = record.responses.count { $0.isEmpty }
        if empty > 0 {
            emptyResponses += empty
            note(.emptyResponse, place)
        }
        if record.responses.hasEqualTexts {
            identicalResponses += 1
            note(.identicalResponses, place)
        }
        if record.states.contains(where: { $0 != .rated }) {
            for state in ConversionCounts.absentStates where record.states.contains(state) { note(.rating(state), place) }
        }
        guard !record.dimensions.isEmpty else { return }
        sources[bounded(record.source), default: [:]].count(record)
    }

    static func tiedPairs(_ ratings: [Double]) -> Int {
        if ratings.count <= 8 { return ratings.indices.reduce(0) { sum, i in sum + ratings[..<i].count { $0 == ratings[i] } } }
        // Equal ones stand side by side: each makes a pair with every one of its run before it.
        let ratings = ratings.sorted()
        var run = 0, pairs = 0
        for i in ratings.indices.dropFirst() {
            run = ratings[i] == ratings[i - 1] ? run + 1 : 0
            pairs += run
        }
        return pairs
    }

    mutating func countLeftOut(_ ratings: Ratings, source: Text) {
        guard !ratings.dimensions.isEmpty else { return }
        let responses = ratings.rated.count / ratings.dimensions.count
        for (k, name) in ratings.dimensions.enumerated() where ratings.rated[k * responses..<(k + 1) * responses].allSatisfy({ $0 == 0 }) {
            sources[bounded(source), default: [:]][name, default: Dimension()].leftOut += 1
        }
    }
}

extension [Text: ConversionCounts.Dimension] {
    /// Counts the ratings of a record's dimensions.
    fileprivate mutating func count(_ record: RawPreference) {
        let responses = record.responses.count
        var ratings: [Double] = []
        for (k, name) in record.dimensions.enumerated() {
            let row = k * responses ..< (k + 1) * responses
            ratings.removeAll(keepingCapacity: true)
            for i in row where record.states[i] == .rated { ratings.append(record.values[i]) }
            self[name, default: ConversionCounts.Dimension()].add(record.states[row], ratings)
        }
    }
}

extension ConversionCounts.Dimension {
    fileprivate mutating func add(_ more: ArraySlice<RatingState>, _ ratings: [Double]) {
        for state in more { states[Int(state.rawValue)] += 1 }
        tiedPairs += ConversionCounts.tiedPairs(ratings)
        if ratings.count >= 2, ratings.allSatisfy({ $0 == ratings[0] }) { allTied += 1 }
    }

    mutating func add(_ other: Self) {
        for i in states.indices { states[i] += other.states[i] }
        tiedPairs += other.tiedPairs
        allTied += other.allTied
        leftOut += other.leftOut
    }

    public func count(_ state: RatingState) -> Int { states[Int(state.rawValue)] }
}
