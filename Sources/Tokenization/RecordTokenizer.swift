import JSON
import RecordStream
import SystemIO

/// Rated records to token records.
public struct RecordTokenizer: Sendable {
    public let encoder: TemplateEncoder

    public init(_ encoder: TemplateEncoder) { self.encoder = encoder }

    /// What went through, for the stream's tail.
    public struct Counts: Sendable, Equatable {
        public var records = 0
        public var responses = 0
        public var promptTokens = 0
        public var responseTokens = 0
        /// Turns and responses that the template trimmed.
        public var trimmed = 0
        /// Earlier answers in prompts that are learnt too.
        public var answers = 0
        public var texts = EncodingScratch.Counts()

        public init() {}

        public static func += (left: inout Counts, right: Counts) {
            left.records += right.records
            left.responses += right.responses
            left.promptTokens += right.promptTokens
            left.responseTokens += right.responseTokens
            left.trimmed += right.trimmed
            left.answers += right.answers
            left.texts += right.texts
        }

        public var json: JSONValue {
            .object((answers == 0 ? [] : [("earlier_answers", JSONValue(answers))]) + [
                ("records", JSONValue(records)), ("responses", JSONValue(responses)), ("prompt_tokens", JSONValue(promptTokens)),
                ("response_tokens", JSONValue(responseTokens)), ("texts_trimmed", JSONValue(trimmed)),
                ("special_tokens_left_as_text", JSONValue(texts.literalSpecialTokens)), ("surrogates_replaced", JSONValue(texts.surrogates)),
                ("invalid_bytes_replaced", JSONValue(texts.invalidBytes)), ("symbols_dropped", JSONValue(texts.droppedSymbols)),
            ])
        }

        /// What was altered, for one line on standard error; nil when nothing was.
        public var alterations: String? {
            let parts = [
                (texts.literalSpecialTokens, "special tokens in texts left as text"), (trimmed, "texts trimmed by the template"),
                (texts.surrogates, "lone surrogates replaced by U+FFFD"), (texts.invalidBytes, "invalid bytes replaced by U+FFFD"),
                (texts.droppedSymbols, "bytes dropped that the vocabulary lacks"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
            return parts.isEmpty ? nil : parts.joined(separator: ", ")
        }
    }

    /// One record, as the template lays it out: the plain way. `scratch` belongs to the calling thread.
    public func tokens(_ record: RatedRecord, scratch: EncodingScratch, counts: inout Counts) throws(InputError) -> TokensRecord {
        scratch.counts = .init()
        var prompts: [TokensRecord.Prompt] = [], responses: [[UInt32]] = [], layouts: [RenderedPrompt] = []
        for turns in record.conversations {
            let (prompt, rendered) = try encoder.encodePrompt(turns, scratch: scratch)
            layouts.append(rendered)
            counts.trimmed += rendered.trimmed
            counts.promptTokens += prompt.ids.count
            counts.answers += prompt.answers.count
            prompts.append(prompt)
        }
        for (number, response) in record.responses.enumerated() {
            let (ids, trimmed) = try encoder.encodeResponse(response, to: layouts[layouts.count == 1 ? 0 : number], scratch: scratch)
            counts.trimmed += trimmed
            counts.responseTokens += ids.count
            responses.append(ids)
        }
        counts.records += 1
        counts.responses += responses.count
        counts.texts += scratch.counts
        return TokensRecord(id: record.id, origin: record.origin, source: record.source, ratings: record.ratings, prompts: prompts, responses: responses)
    }

    /// Of the stream that its records go to.
    public var schema: Schema { encoder.learns == .last ? TokensRecord.schema : TokensRecord.schemaWithAnswers }

    /// What the head of a token stream says about its ids; other stages look these names up.
    public var settings: [String: JSONValue] {
        ["tokenizer": .string(encoder.tokenizer.digestHex), "vocabulary_size": JSONValue(encoder.tokenizer.vocabularySize), "template": .string(encoder.template.name)]
    }

    /// Records go to threads by so many: one alone is too little work for handing it over.
    public static let batchSize = 64

    /// Every record of `next` to `append`, in order and as many at a time as come, on `workers` threads; the records are the same for any number of them.
    /// `append` throwing stops it; what it is given is used again afterwards. Returns the counts.
    public func run(workers: Int, next: () throws -> RatedColumns?, append: (BlockBuilder) throws -> Void) throws -> Counts {
        var counts = Counts(), spare: [BlockBuilder] = []
        let shared = workers > 1 ? LearntPieces() : nil
        try orderedMap(workers: workers, produce: { () -> Batch? in
            try next().map { Batch(columns: $0, tokens: Handed(spare.popLast() ?? BlockBuilder(schema: schema))) }
        }, makeState: { RecordScratch(encoder, shared: shared) }, transform: { (scratch: inout RecordScratch, batch: Batch) -> (Handed<BlockBuilder>, Counts) in
            var counts = Counts()
            let (columns, tokens) = (batch.columns, batch.tokens.value)
            scratch.encoding.exchange()
            try columns.withBlock {
                for record in columns.records { try encode(record, of: columns, to: tokens, &scratch, &counts) }
                columns.addShared(to: tokens)
            }
            tokens.end(records: columns.records.count)
            return (batch.tokens, counts)
        }, consume: { tokens, more in
            counts += more
            try append(tokens.value)
            tokens.value.removeAll()
            spare.append(tokens.value)
        })
        return counts
    }

    /// Records for a thread, and where their tokens go.
    private struct Batch {
        let columns: RatedColumns
        let tokens: Handed<BlockBuilder>
    }

    /// Here, and not only where the stream's blocks are made: so that the records of a batch cannot add up to more than offsets count.
    private func checkSize(_ numbers: Int) throws(InputError) {
        guard 4 * numbers <= StreamLimits.recordBytes else {
            throw InputError("the record has \(4 * numbers) bytes of token ids; a record of the stream holds at most \(StreamLimits.recordBytes)")
        }
    }

    private func encode(_ record: Int, of columns: RatedColumns, to tokens: BlockBuilder, _ scratch: inout RecordScratch, _ counts: inout Counts) throws {
        try columns.check(record)
        do {
            if try scratch.encode(record, of: columns, encoder, &counts) {
                try checkSize(scratch.draft.prompts.count + scratch.draft.turnStarts.count + scratch.draft.responses.count)
                scratch.draft.appendIDs(to: tokens)
            } else {
                let made = try self.tokens(columns.record(record), scratch: scratch.encoding, counts: &counts)
                try checkSize(made.prompts.reduce(0) { $0 + $1.ids.count + $1.turnStarts.count } + made.responses.reduce(0) { $0 + $1.count })
                made.appendIDs(to: tokens)
            }
        } catch let error as InputError { throw error.at("record \(columns.id(record))") }
    }
}

extension RatedRecord {
    /// The prompt as turns: one for all responses, or one for each under its own system prompt.
    fileprivate var conversations: [[Turn]] {
        guard !responseSystems.isEmpty, Set(responseSystems).count > 1 || !responseSystems[0].isEmpty else { return [turns] }
        let prompts = responseSystems.map { $0.isEmpty ? turns : [Turn(role: "system", content: $0)] + turns }
        return Set(responseSystems).count == 1 ? [prompts[0]] : prompts
    }
}
