import JSON
import RecordStream

/// What became of every record and token. For any input: tokens read = tokens kept + tokens cut + tokens not used + tokens of dropped records.
public struct PackingCounts: Sendable, Equatable {
    public var recordsIn = 0
    public var recordsOut = 0
    public var dropped: [DropReason: Int] = [:]
    /// Prompt and response tokens of all records read, of dropped ones, and of those in bins (each prompt counted once, whatever the layout).
    public var tokensIn = 0
    public var tokensDropped = 0
    public var tokensOut = 0

    public var promptsCut = 0
    /// Of these: prompts that lost whole turns, and prompts that were cut inside a turn (or, under the paper's rule, at their end).
    public var promptsWithoutOldTurns = 0
    public var turnsRemoved = 0
    public var promptsCutInside = 0
    public var promptTokensCut = 0
    public var recordsWithCutResponses = 0
    public var responsesCut = 0
    public var responseTokensCut = 0
    /// Layouts pairs and sft: of kept records the responses that are not used, their tokens (with those of prompts of their own), and the pairs.
    public var responsesUnused = 0
    public var tokensUnused = 0
    public var pairs = 0
    /// Layout sft: earlier answers in prompts that are learnt too, and those that truncation took.
    public var answersKept = 0
    public var answersCut = 0
    private let layout: PackedLayout

    public var bins = 0
    /// Tokens of all bins: in rows16 a prompt counts once a row.
    public var binTokens = 0
    /// Bins of one record that is larger than `maxTokens`.
    public var oversizeBins = 0

    public init(_ layout: PackedLayout = .sharedPrefix) { self.layout = layout }

    public var recordsDropped: Int { dropped.values.reduce(0, +) }

    mutating func countRead(_ shape: RecordShape) {
        recordsIn += 1
        tokensIn += shape.tokens
    }

    mutating func countDropped(_ shape: RecordShape, _ reason: DropReason) {
        dropped[reason, default: 0] += 1
        tokensDropped += shape.tokens
    }

    /// - Parameters:
    ///   - shape: of what goes into a bin.
    ///   - whole: of the record as it was read.
    ///   - unused: tokens of its responses that are neither kept nor cut.
    mutating func countKept(_ shape: RecordShape, of whole: RecordShape, pairs more: Int, unused: Int) {
        recordsOut += 1
        tokensOut += shape.tokens
        responsesUnused += whole.responses.count - shape.responses.count
        tokensUnused += unused
        pairs += more
        answersKept += shape.answers
        answersCut += whole.answers - shape.answers
    }

    mutating func countCuts(_ fitted: FittedRecord) {
        let cuts = fitted.responseCuts.filter { $0 > 0 }, promptCut = fitted.promptCuts.reduce(0, +)
        promptsCut += fitted.promptCuts.count { $0 > 0 }
        promptsWithoutOldTurns += fitted.turnsRemoved > 0 ? 1 : 0
        turnsRemoved += fitted.turnsRemoved
        promptsCutInside += promptCut > 0 && (fitted.middleTokens > 0 || fitted.turnsRemoved == 0) ? 1 : 0
        promptTokensCut += promptCut
        recordsWithCutResponses += cuts.isEmpty ? 0 : 1
        responsesCut += cuts.count
        responseTokensCut += cuts.reduce(0, +)
    }

    mutating func countBin(tokens: Int, maxTokens: Int) {
        bins += 1
        binTokens += tokens
        oversizeBins += tokens > maxTokens ? 1 : 0
    }

    private static var sums: [WritableKeyPath<PackingCounts, Int>] { [
        \.recordsIn, \.recordsOut, \.tokensIn, \.tokensDropped, \.tokensOut, \.promptsCut, \.promptsWithoutOldTurns, \.turnsRemoved, \.promptsCutInside, \.promptTokensCut,
        \.recordsWithCutResponses, \.responsesCut, \.responseTokensCut, \.responsesUnused, \.tokensUnused, \.pairs, \.answersKept, \.answersCut, \.bins, \.binTokens, \.oversizeBins,
    ] }

    /// Of two shards together.
    public static func += (left: inout PackingCounts, right: PackingCounts) {
        left.dropped.merge(right.dropped, uniquingKeysWith: +)
        for path in sums { left[keyPath: path] += right[keyPath: path] }
    }

    /// For the stream's tail.
    public var json: JSONValue {
        let reasons = DropReason.allCases.compactMap { reason in dropped[reason].map { (reason.rawValue, JSONValue($0)) } }
        var members: [(String, JSONValue)] = [
            ("records", .object([("read", JSONValue(recordsIn)), ("kept", JSONValue(recordsOut)), ("dropped", .object(reasons))])),
            ("tokens", .object([("read", JSONValue(tokensIn)), ("kept", JSONValue(tokensOut)), ("of_dropped_records", JSONValue(tokensDropped))])),
            ("cut", .object([
                ("prompts", JSONValue(promptsCut)), ("prompts_without_old_turns", JSONValue(promptsWithoutOldTurns)), ("turns_removed", JSONValue(turnsRemoved)),
                ("prompts_cut_inside", JSONValue(promptsCutInside)), ("prompt_tokens", JSONValue(promptTokensCut)),
                ("records_with_cut_responses", JSONValue(recordsWithCutResponses)), ("responses", JSONValue(responsesCut)), ("response_tokens", JSONValue(responseTokensCut)),
            ])),
            ("bins", .object([("written", JSONValue(bins)), ("tokens", JSONValue(binTokens)), ("oversize", JSONValue(oversizeBins))])),
        ]
        let unused = JSONValue.object([("responses", JSONValue(responsesUnused)), ("tokens", JSONValue(tokensUnused))])
        switch layout {
        case .sharedPrefix, .rows16: break
        case .pairs: members += [("pairs", JSONValue(pairs)), ("not_used", unused)]
        case .sft: members += [("earlier_answers", .object([("kept", JSONValue(answersKept)), ("cut", JSONValue(answersCut))])), ("not_used", unused)]
        }
        return .object(members)
    }

    /// One line on what was dropped or cut; nil when nothing was.
    public var summary: String? {
        var parts: [String] = []
        if recordsDropped > 0 {
            let reasons = DropReason.allCases.compactMap { reason in dropped[reason].map { "\($0) \(reason.description)" } }
            parts.append("dropped \(recordsDropped) of \(recordsIn) records: " + reasons.joined(separator: ", "))
        }
        var cuts: [String] = []
        if promptsCut > 0 {
            let turns = turnsRemoved > 0 ? ", \(turnsRemoved) whole turns" : ""
            cuts.append("\(promptsCut) prompts (\(promptTokensCut) tokens\(turns))")
        }
        if responsesCut > 0 { cuts.append("\(responsesCut) responses of \(recordsWithCutResponses) records (\(responseTokensCut) tokens, their stop tokens with them)") }
        if !cuts.isEmpty { parts.append("cut " + cuts.joined(separator: ", ")) }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
