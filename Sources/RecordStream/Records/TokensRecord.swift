import JSON
import SystemIO

/// A prompt with its rated responses as token ids: what uf-tokenize makes.
public struct TokensRecord: StreamRecord, Equatable {
    public var id: Text
    public var origin: Origin
    public var source: Text
    public var ratings: Ratings
    /// The whole prompt, ending with the header that opens the answer.
    public var prompt: [UInt32]
    /// Where each turn starts in `prompt`, then where the answer's header starts: what truncation may cut between.
    public var promptTurns: [UInt32]
    /// Each response, ending with the template's stop token.
    public var responses: [[UInt32]]

    public init(id: Text, origin: Origin, source: Text, ratings: Ratings, prompt: [UInt32], promptTurns: [UInt32], responses: [[UInt32]]) {
        self.id = id
        self.origin = origin
        self.source = source
        self.ratings = ratings
        self.prompt = prompt
        self.promptTurns = promptTurns
        self.responses = responses
    }

    public static let schema = Schema(kind: "tokens", columns: [
        .text("id"), Column("origin_input", .u32), Column("origin_line", .u64), .dictionary("source"),
        .dictionary("dimensions", depth: 1), Column("ratings", .f64, depth: 1), Column("rated", .u8, depth: 1), Column("targets", .f64, depth: 1),
        Column("prompt", .u32, depth: 1), Column("prompt_turns", .u32, depth: 1), Column("responses", .u32, depth: 2),
    ])

    public func append(to builder: BlockBuilder) {
        builder.add(text: id.bytes, to: 0)
        builder.add(number: origin.input, to: 1)
        builder.add(number: origin.line, to: 2)
        builder.add(name: source.bytes, to: 3)
        builder.add(ratings, to: 4)
        builder.add(list: prompt, to: 8)
        builder.add(list: promptTurns, to: 9)
        builder.add(lists: responses, to: 10)
    }

    public init(_ block: Block, _ record: Int) throws {
        id = Text(block.text(0, record))
        origin = Origin(input: block.number(1, record), line: block.number(2, record))
        source = Text(block.name(3, record))
        prompt = block.list(8, record)
        promptTurns = block.list(9, record)
        responses = block.lists(10, record)
        ratings = Ratings(block, record, at: 4)
    }

    public func validate() throws {
        try ratings.check(responses: responses.count)
        guard zip(promptTurns, promptTurns.dropFirst()).allSatisfy({ $0 <= $1 }), promptTurns.allSatisfy({ $0 <= prompt.count }) else {
            throw InputError("the prompt's turns do not lie in order within its \(prompt.count) tokens")
        }
    }
}
