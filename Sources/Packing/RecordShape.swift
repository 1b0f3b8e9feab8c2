import RecordStream

/// The lengths of a record's prompts and responses, in tokens: what most of packing looks at.
struct RecordShape: Equatable {
    /// Of the prompt, or of N prompts.
    var prompts: [Int] = []
    /// What all prompts begin with: the whole of a single one.
    var shared = 0
    var responses: [Int] = []
    /// How many earlier answers the prompts hold.
    var answers = 0

    init() {}

    init(_ record: TokensRecord) {
        // By number: a prompt is several arrays, and a copy of it takes longer than looking at it.
        for number in record.prompts.indices {
            let count = record.prompts[number].ids.count
            prompts.append(count)
            answers += record.prompts[number].answers.count
            shared = number == 0 ? count : zip(record.prompts[0].ids.prefix(shared), record.prompts[number].ids).prefix { $0 == $1 }.count
        }
        responses.reserveCapacity(record.responses.count)
        for number in record.responses.indices { responses.append(record.responses[number].count) }
    }

    /// Makes this that of a record where it lies, in the memory that it has.
    mutating func read(_ record: Int, of columns: TokensColumns) {
        prompts.removeAll(keepingCapacity: true)
        responses.removeAll(keepingCapacity: true)
        (shared, answers) = (0, 0)
        for number in 0 ..< columns.promptCount(record) {
            let prompt = columns.prompt(number, of: record)
            prompts.append(prompt.count)
            answers += columns.answerBounds(number, of: record).count / 2
            shared = number == 0 ? prompt.count : zip(columns.prompt(0, of: record).prefix(shared), prompt).prefix { $0 == $1 }.count
        }
        for number in 0 ..< columns.responseCount(record) { responses.append(columns.response(number, of: record).count) }
    }

    var promptTokens: Int { prompts.reduce(0, +) }
    var responseTokens: Int { responses.reduce(0, +) }
    var tokens: Int { promptTokens + responseTokens }
    var longestPrompt: Int { prompts.reduce(0, max) }
    var longestResponse: Int { responses.reduce(0, max) }

    func prompt(of response: Int) -> Int { prompts[prompts.count == 1 ? 0 : response] }

    /// Tokens of the longest prompt with a response to it.
    var longestSequence: Int { responses.indices.reduce(longestPrompt) { max($0, prompt(of: $1) + responses[$1]) } }

    /// Tokens in a bin.
    func tokens(in layout: PackedLayout) -> Int {
        guard layout == .sharedPrefix || layout == .pairs || layout == .sft && prompts.count == 1 else { return responses.indices.reduce(responseTokens) { $0 + prompt(of: $1) } }
        return tokens - (prompts.count - 1) * shared
    }

    /// About the bytes in a bin on disk, never fewer: a bin that is within the stream's limit by this count is within it.
    ///
    /// - Parameters:
    ///   - names: bytes of the record's id and of the names of its source and dimensions.
    ///   - numbers: of pairs and gaps.
    func storedBytes(in layout: PackedLayout, names: Int, dimensions: Int, numbers: Int) -> Int {
        8 * tokens(in: layout) + 48 * (responses.count + answers) + 8 * numbers + dimensions * (29 * responses.count + 12) + names + 128
    }
}
