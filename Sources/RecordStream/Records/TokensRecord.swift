import JSON
import SystemIO

/// A prompt with its rated responses as token ids: what uf-tokenize makes.
public struct TokensRecord: StreamRecord, Equatable {
    public var id: Text
    public var origin: Origin
    public var source: Text
    public var ratings: Ratings
    /// One for all responses; N where each response answers a prompt of its own (under its own system prompt).
    public var prompts: [Prompt]
    /// Each response, ending with the template's stop token.
    public var responses: [[UInt32]]

    public struct Prompt: Sendable, Equatable {
        /// The whole prompt, ending with the header that opens the answer.
        public var ids: [UInt32]
        /// Where each turn starts in `ids`, then where the answer's header starts: what truncation may cut between.
        public var turnStarts: [UInt32]
        /// Whose turn each is.
        public var roles: [Text]
        /// Where earlier answers lie in `ids`, each with its stop token: what is learnt beside the responses. Only streams of `schemaWithAnswers` keep them.
        public var answers: [Range<UInt32>]

        public init(ids: [UInt32], turnStarts: [UInt32], roles: [Text], answers: [Range<UInt32>] = []) {
            self.ids = ids
            self.turnStarts = turnStarts
            self.roles = roles
            self.answers = answers
        }
    }

    public init(id: Text, origin: Origin, source: Text, ratings: Ratings, prompts: [Prompt], responses: [[UInt32]]) {
        self.id = id
        self.origin = origin
        self.source = source
        self.ratings = ratings
        self.prompts = prompts
        self.responses = responses
    }

    public static let schema = Schema(kind: "tokens", columns: [
        .text("id"), Column("origin_input", .u32), Column("origin_line", .u64), .dictionary("source"),
        .dictionary("dimensions", depth: 1), Column("ratings", .f64, depth: 1), Column("rated", .u8, depth: 1), Column("targets", .f64, depth: 1),
        Column("prompts", .u32, depth: 2), Column("turn_starts", .u32, depth: 2), .dictionary("turn_roles", depth: 2), Column("responses", .u32, depth: 2),
    ])

    /// With the answers that prompts hold: their bounds, a start and an end each, for each prompt.
    public static let schemaWithAnswers = Schema(kind: schema.kind, columns: schema.columns + [Column("answer_bounds", .u32, depth: 2)])

    public static let schemas = [schema, schemaWithAnswers]

    public func append(to builder: BlockBuilder) {
        builder.add(text: id, to: 0)
        builder.add(number: origin.input, to: 1)
        builder.add(number: origin.line, to: 2)
        builder.add(name: source, to: 3)
        builder.add(ratings, to: 4)
        appendIDs(to: builder)
    }

    /// Adds the columns that a rated record does not have.
    public func appendIDs(to builder: BlockBuilder) {
        builder.add(lists: prompts.map(\.ids), to: 8)
        builder.add(lists: prompts.map(\.turnStarts), to: 9)
        builder.add(nameLists: prompts.lazy.map(\.roles), to: 10)
        builder.add(lists: responses, to: 11)
        if builder.schema.columns.count > 12 {
            builder.add(lists: prompts.map { $0.answers.flatMap { [$0.lowerBound, $0.upperBound] } }, to: 12)
        } else {
            precondition(prompts.allSatisfy(\.answers.isEmpty), "answers in prompts, for a stream that cannot keep them")
        }
    }

    public init(_ block: Block, _ record: Int) throws {
        id = Text(block.text(0, record))
        origin = Origin(input: block.number(1, record), line: block.number(2, record))
        source = Text(block.name(3, record))
        let ids: [[UInt32]] = block.lists(8, record), starts: [[UInt32]] = block.lists(9, record), roles = block.nameLists(10, record)
        guard starts.count == ids.count, roles.count == ids.count else {
            throw InputError("\(ids.count) prompts with turns of \(starts.count) and roles of \(roles.count)")
        }
        prompts = ids.indices.map { Prompt(ids: ids[$0], turnStarts: starts[$0], roles: roles[$0].map { Text($0) }) }
        responses = block.lists(11, record)
        ratings = Ratings(block, record, at: 4)
        if block.schema.columns.count > 12 { try readAnswers(block.lists(12, record)) }
    }

    private mutating func readAnswers(_ bounds: [[UInt32]]) throws {
        guard bounds.count == prompts.count else { throw InputError("\(prompts.count) prompts with bounds of answers of \(bounds.count)") }
        for (number, bounds) in bounds.enumerated() {
            guard bounds.count % 2 == 0, zip(bounds, bounds.dropFirst()).allSatisfy({ $0 <= $1 }) else {
                throw InputError("the answers in a prompt are bounded by \(bounds.count) positions, expected a start and an end each, in order")
            }
            prompts[number].answers = stride(from: 0, to: bounds.count, by: 2).map { bounds[$0] ..< bounds[$0 + 1] }
        }
    }

    public func validate() throws {
        try ratings.check(responses: responses.count)
        guard prompts.count == 1 || prompts.count == responses.count else {
            throw InputError("\(prompts.count) prompts for \(responses.count) responses, expected one for all or one each")
        }
        for prompt in prompts {
            let starts = prompt.turnStarts
            guard starts.count == prompt.roles.count + 1, zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 }), Int(starts[starts.count - 1]) <= prompt.ids.count else {
                throw InputError("the \(prompt.roles.count) turns of a prompt do not lie in order within its \(prompt.ids.count) tokens")
            }
            // Nothing would predict the first token of a prompt.
            guard prompt.answers.allSatisfy({ !$0.isEmpty && $0.lowerBound > 0 && $0.upperBound <= prompt.ids.count }),
                zip(prompt.answers, prompt.answers.dropFirst()).allSatisfy({ $0.upperBound <= $1.lowerBound })
            else { throw InputError("the \(prompt.answers.count) answers in a prompt do not lie in order within its \(prompt.ids.count) tokens") }
        }
    }
}
