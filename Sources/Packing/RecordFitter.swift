import RecordStream
import SystemIO

/// Why a record is in no bin.
public enum DropReason: String, Sendable, CaseIterable {
    /// One response or none is no choice.
    case fewerThanTwoResponses = "fewer_than_two_responses"
    /// No dimension has a target: no loss is defined.
    case noDimension = "no_dimension_in_use"
    /// Nothing would predict a response's first token.
    case emptyPrompt = "empty_prompt"
    /// Not even a stop token: nothing to predict.
    case emptyResponse = "empty_response"
    /// Longer than the context, under `--overlong drop`.
    case overlong
    /// The cut would leave nothing of the prompt's last turn, or of the responses.
    case noRoom = "no_room"
    /// Layout sft: nothing to imitate.
    case noResponse = "no_response"
    /// Layout pairs, `--pairs given`: more than two responses.
    case notAPair = "not_a_pair"
    /// Layouts pairs and sft: too few responses are rated in every dimension in use.
    case incomparable = "no_comparable_responses"
    /// Layout pairs: no two responses differ.
    case tied = "all_tied"

    /// For people: "7 with fewer than two responses".
    public var description: String {
        switch self {
        case .fewerThanTwoResponses: "with fewer than two responses"
        case .noDimension: "with no dimension in use"
        case .emptyPrompt: "with an empty prompt"
        case .emptyResponse: "with an empty response"
        case .overlong: "longer than --max-length"
        case .noRoom: "with no room for prompt and response in --max-length"
        case .noResponse: "without a response"
        case .notAPair: "with more than two responses"
        case .incomparable: "without responses that are rated in the same dimensions"
        case .tied: "whose responses are all tied"
        }
    }
}

/// Decides about one record alone whether it goes into a bin, and cuts it where it is too long.
public struct RecordFitter: Sendable {
    public enum Outcome: Sendable, Equatable {
        case fitted(FittedRecord)
        case dropped(DropReason)
    }

    private let options: PackingOptions
    private let vocabularySize: Int?

    /// - Parameter vocabularySize: where it is known, a token beyond it is an error.
    public init(_ options: PackingOptions, vocabularySize: Int? = nil) {
        self.options = options
        self.vocabularySize = vocabularySize
    }

    /// What becomes of a record that is looked at where it lies.
    enum Look {
        /// It goes into a bin, uncut.
        case fits(PackedPart)
        case dropped(DropReason)
        /// It has to be cut, or there is something about it that `fit` has the words for.
        case unclear
    }

    /// What `fit` says of a copy, for records that need no cut.
    func look(at record: Int, of columns: TokensColumns, _ shape: RecordShape) -> Look {
        if let vocabularySize, largest(columns.promptTokens(record)) >= vocabularySize || largest(columns.responseTokens(record)) >= vocabularySize { return .unclear }
        let part: PackedPart
        switch ResponseChoice(columns.ratings(record), responses: shape.responses.count, options) {
        case .none(let reason): return .dropped(reason)
        case .all: part = PackedPart(record, of: columns, shape)
        case .some(let kept, let pairs):
            guard shape.prompts.count == 1 else { return .unclear }
            part = PackedPart(record, of: columns, shape, keeping: kept, pairs: pairs)
        }
        if let reason = reasonToDrop(part.shape) { return .dropped(reason) }
        guard part.shape.longestSequence <= options.maxLength, part.storedBytes(in: options.layout) <= StreamLimits.recordBytes else { return .unclear }
        return .fits(part)
    }

    /// - Throws: `InputError` for a token outside the vocabulary, and for a record whose bin would exceed what a stream's record may hold.
    public func fit(_ record: TokensRecord) throws -> Outcome {
        try checkVocabulary(record)
        var record = record, pairs: [ResponsePair] = [], all: Int?
        switch record.ratings.withView({ ResponseChoice($0, responses: record.responses.count, options) }) {
        case .none(let reason): return .dropped(reason)
        case .all: break
        case .some(let kept, let chosen):
            all = RecordShape(record).tokens
            (record, pairs) = (record.keeping(kept), chosen)
        }
        let shape = RecordShape(record)
        if let reason = reasonToDrop(shape) { return .dropped(reason) }
        var fitted = FittedRecord(record)
        if shape.longestSequence > options.maxLength {
            guard let cut = options.truncation == .paper ? cutAsPaper(record, shape) : cutAsOurs(record, shape) else { return .dropped(.noRoom) }
            fitted = cut
        }
        fitted.pairs = pairs
        fitted.unusedTokens = all.map { $0 - shape.tokens } ?? 0
        let bytes = fitted.storedBytes(in: options.layout)
        guard bytes <= StreamLimits.recordBytes else {
            throw InputError("\(record.place): its bin would have \(bytes) bytes, a stream's record holds at most \(StreamLimits.recordBytes); choose a smaller --max-length")
        }
        return .fitted(fitted)
    }

    private func reasonToDrop(_ shape: RecordShape) -> DropReason? {
        if shape.prompts.contains(0) { return .emptyPrompt }
        if shape.responses.contains(0) { return .emptyResponse }
        return options.overlong == .drop && shape.longestSequence > options.maxLength ? .overlong : nil
    }

    /// -1 where there are none.
    private func largest(_ tokens: UnsafeBufferPointer<UInt32>) -> Int {
        var largest: UInt32 = 0
        for token in tokens where token > largest { largest = token }
        return tokens.isEmpty ? -1 : Int(largest)
    }

    private func checkVocabulary(_ record: TokensRecord) throws {
        guard let vocabularySize else { return }
        let worst = (record.prompts.map(\.ids) + record.responses).reduce(-1) { worst, tokens in max(worst, tokens.withUnsafeBufferPointer(largest)) }
        guard worst < vocabularySize else {
            throw InputError("\(record.place): token \(worst) is outside the tokenizer's vocabulary of \(vocabularySize) ids; tokenize the data again")
        }
    }

    /// The paper's rule with the record's longest response as t: the prompt must be the same for all responses of a list.
    private func cutAsPaper(_ record: TokensRecord, _ shape: RecordShape) -> FittedRecord? {
        let kept = PaperTruncation.lengths(prompt: shape.longestPrompt, response: shape.longestResponse, cutoff: options.maxLength)
        guard kept.prompt > 0, kept.response > 0 else { return nil }
        var fitted = FittedRecord(record)
        for (i, prompt) in record.prompts.enumerated() where prompt.ids.count > kept.prompt { fitted.cutPrompt(i, to: [0 ..< kept.prompt]) }
        fitted.cutResponses { _ in kept.response }
        return fitted
    }

    /// The prompt may keep half of the context, or more where the longest response leaves more; responses take what the prompt leaves.
    /// So the prompt is cut only for what its responses need, and neither side can push the other below half of the context.
    private func cutAsOurs(_ record: TokensRecord, _ shape: RecordShape) -> FittedRecord? {
        let room = max(options.maxLength - shape.longestResponse, options.maxLength / 2)
        var fitted = FittedRecord(record)
        for (i, prompt) in record.prompts.enumerated() where prompt.ids.count > room {
            guard let cut = PromptCut(prompt, room: room) else { return nil }
            fitted.cutPrompt(i, to: cut.kept)
            fitted.turnsRemoved += cut.turnsRemoved
            fitted.middleTokens += cut.middleTokens
        }
        let prompts = fitted.record
        fitted.cutResponses { options.maxLength - prompts.prompt(of: $0).count }
        return fitted
    }
}
