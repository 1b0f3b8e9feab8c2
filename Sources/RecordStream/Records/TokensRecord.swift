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

        public init(ids: [UInt32], turnStarts: [UInt32], roles: [Text]) {
            self.ids = ids
            self.turnStarts = turnStarts
            self.roles = roles
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

    public func append(to builder: BlockBuilder) {
        builder.add(text: id, to: 0)
        builder.add(number: origin.input, to: 1)
        builder.add(number: origin.line, to: 2)
        builder.add(name: source, to: 3)
        builder.add(ratings, to: 4)
        builder.add(lists: prompts.map(\.ids), to: 8)
        builder.add(lists: prompts.map(\.turnStarts), to: 9)
        builder.add(nameLists: prompts.lazy.map(\.roles), to: 10)
        builder.add(lists: responses, to: 11)
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
        }
    }
}
