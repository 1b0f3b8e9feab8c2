import JSON
import SystemIO

/// One message of a conversation.
public struct Turn: Sendable, Equatable {
    /// `system`, `user`, `assistant` ...
    public var role: Text
    public var content: Text

    public init(role: Text, content: Text) {
        self.role = role
        self.content = content
    }
}

/// Why a response has, or has not, a rating in a dimension: what stood in the raw data.
public enum RatingState: UInt8, Sendable, CaseIterable {
    case rated = 0
    /// "N/A": a legitimate value, not applicable.
    case notApplicable = 1
    case missing = 2
    case null = 3
    case outOfRange = 4
    case unreadable = 5

    /// The name in JSON.
    public var name: String {
        switch self {
        case .rated: "rated"
        case .notApplicable: "n/a"
        case .missing: "missing"
        case .null: "null"
        case .outOfRange: "out_of_range"
        case .unreadable: "unreadable"
        }
    }
}

/// Where a record came from: the number of the input (from 1, in the order of the command line) and the line or element in it (from 1).
public struct Origin: Sendable, Equatable, Hashable {
    public var input: UInt32
    public var line: UInt64

    public init(input: UInt32, line: UInt64) {
        self.input = input
        self.line = line
    }
}

/// Ratings of N responses in m dimensions with the distributions made from them. Matrices are row-major, [dimension][response].
public struct Ratings: Sendable, Equatable {
    /// m names.
    public var dimensions: [Text]
    /// m x N; NaN where there is none.
    public var ratings: [Double]
    /// m x N; 1 where the response takes part in the dimension's distribution.
    public var rated: [UInt8]
    /// m x N; each row sums to 1, or is all 0 for a dimension that is left out of this record.
    public var targets: [Double]

    public init(dimensions: [Text], ratings: [Double], rated: [UInt8], targets: [Double]) {
        self.dimensions = dimensions
        self.ratings = ratings
        self.rated = rated
        self.targets = targets
    }

    /// Refuses matrices of the wrong size, dimensions that stand twice, infinite ratings, and targets that are no distributions.
    func check(responses: Int) throws {
        let expected = dimensions.count * responses
        guard ratings.count == expected, rated.count == expected, targets.count == expected else {
            throw InputError("\(ratings.count) ratings, \(rated.count) marks and \(targets.count) targets for \(dimensions.count) dimensions of \(responses) responses")
        }
        guard !dimensions.hasEqualTexts else { throw InputError("a dimension stands twice") }
        guard !ratings.contains(where: \.isInfinite) else { throw InputError("an infinite rating") }
        for row in 0 ..< dimensions.count {
            var sum = 0.0
            for at in row * responses ..< (row + 1) * responses {
                guard rated[at] <= 1, targets[at] >= 0, targets[at] <= 1, rated[at] == 1 || targets[at] == 0 else {
                    throw InputError("target \(targets[at]) with mark \(rated[at]) in dimension \(dimensions[row])")
                }
                sum += targets[at]
            }
            guard sum == 0 || abs(sum - 1) < 1e-9 else { throw InputError("targets of dimension \(dimensions[row]) sum to \(sum)") }
        }
    }
}

/// A prompt with its rated responses: what uf-convert makes.
public struct RatedRecord: StreamRecord, Equatable {
    /// 32 hexadecimal digits, from the prompt and the responses, or the id that the source gave it.
    public var id: Text
    public var origin: Origin
    public var source: Text
    public var turns: [Turn]
    public var responses: [Text]
    /// N system prompts, where each response was written under its own and is kept so; else empty. An empty text is no system prompt.
    public var responseSystems: [Text]
    /// Which model wrote each response; empty where unknown.
    public var models: [Text]
    public var ratings: Ratings
    /// m x N, `RatingState`.
    public var ratingStates: [UInt8]

    public init(id: Text, origin: Origin, source: Text, turns: [Turn], responses: [Text], responseSystems: [Text] = [], models: [Text], ratings: Ratings, ratingStates: [UInt8]) {
        self.id = id
        self.origin = origin
        self.source = source
        self.turns = turns
        self.responses = responses
        self.responseSystems = responseSystems
        self.models = models
        self.ratings = ratings
        self.ratingStates = ratingStates
    }

    public static let schema = Schema(kind: "rated", columns: [
        .text("id"), Column("origin_input", .u32), Column("origin_line", .u64), .dictionary("source"),
        .dictionary("roles", depth: 1), .text("contents", depth: 2), .text("responses", depth: 2), .dictionary("response_systems", depth: 1), .dictionary("models", depth: 1),
        .dictionary("dimensions", depth: 1), Column("ratings", .f64, depth: 1), Column("rated", .u8, depth: 1), Column("targets", .f64, depth: 1),
        Column("rating_states", .u8, depth: 1),
    ])

    public func append(to builder: BlockBuilder) {
        builder.add(text: id, to: 0)
        builder.add(number: origin.input, to: 1)
        builder.add(number: origin.line, to: 2)
        builder.add(name: source, to: 3)
        builder.add(names: turns.lazy.map(\.role), to: 4)
        builder.add(texts: turns.lazy.map(\.content), to: 5)
        builder.add(texts: responses, to: 6)
        builder.add(names: responseSystems, to: 7)
        builder.add(names: models, to: 8)
        builder.add(ratings, to: 9)
        builder.add(list: ratingStates, to: 13)
    }

    public init(_ block: Block, _ record: Int) throws {
        id = Text(block.text(0, record))
        origin = Origin(input: block.number(1, record), line: block.number(2, record))
        source = Text(block.name(3, record))
        let roles = block.names(4, record), contents = block.texts(5, record)
        guard roles.count == contents.count else { throw InputError("\(roles.count) roles for \(contents.count) turns") }
        turns = zip(roles, contents).map { Turn(role: Text($0), content: Text($1)) }
        responses = block.texts(6, record).map { Text($0) }
        responseSystems = block.names(7, record).map { Text($0) }
        models = block.names(8, record).map { Text($0) }
        ratings = Ratings(block, record, at: 9)
        ratingStates = block.list(13, record)
    }

    public func validate() throws {
        try ratings.check(responses: responses.count)
        guard models.count == responses.count, ratingStates.count == ratings.ratings.count,
            ratingStates.allSatisfy({ RatingState(rawValue: $0) != nil })
        else { throw InputError("\(models.count) models for \(responses.count) responses, or unknown rating states") }
        guard responseSystems.isEmpty || responseSystems.count == responses.count else {
            throw InputError("\(responseSystems.count) system prompts for \(responses.count) responses, expected none or one each")
        }
    }
}

extension BlockBuilder {
    /// Four columns in a row: dimensions, ratings, rated, targets.
    func add(_ ratings: Ratings, to column: Int) {
        add(names: ratings.dimensions, to: column)
        add(list: ratings.ratings, to: column + 1)
        add(list: ratings.rated, to: column + 2)
        add(list: ratings.targets, to: column + 3)
    }
}

extension Ratings {
    init(_ block: Block, _ record: Int, at column: Int) {
        self.init(
            dimensions: block.names(column, record).map { Text($0) }, ratings: block.list(column + 1, record), rated: block.list(column + 2, record),
            targets: block.list(column + 3, record))
    }
}
