import JSON
import RecordStream

/// What packing did to the cost of computing: lengths, padding and repetition avoided, how full the bins are. For people; no part of the stream.
public struct PackingReport: Sendable, Equatable {
    public internal(set) var counts: PackingCounts
    /// As read: prompts, responses, and each record's longest sequence (prompt and longest response).
    public private(set) var prompts = LengthHistogram()
    public private(set) var responses = LengthHistogram()
    public private(set) var sequences = LengthHistogram()
    /// As packed: tokens of a record in its bin.
    public private(set) var records = LengthHistogram()
    /// Records and tokens a bin.
    public private(set) var binRecords = LengthHistogram()
    public private(set) var binTokens = LengthHistogram()

    /// Tokens of the records in bins, laid out in other ways.
    /// The paper's tensors: a row for each dimension and response, right-padded to a multiple of 8 within the record.
    public private(set) var paddedRepeatedTokens = 0
    /// The same with each response's row once.
    public private(set) var paddedTokens = 0
    /// Each response's row once, not padded.
    public private(set) var rowTokens = 0
    /// What the prompts of a record share once.
    public private(set) var sharedTokens = 0

    private var oversizeTokens = 0
    private let options: PackingOptions

    public init(_ options: PackingOptions) {
        self.options = options
        counts = PackingCounts(options.layout)
    }

    mutating func addRead(_ shape: RecordShape) {
        counts.countRead(shape)
        for prompt in shape.prompts { prompts.add(prompt) }
        for response in shape.responses { responses.add(response) }
        sequences.add(shape.longestSequence)
    }

    /// - Parameters: as of `PackingCounts.countKept`.
    mutating func addKept(_ shape: RecordShape, of whole: RecordShape, dimensions: Int, pairs: Int, unused: Int) {
        let rows = shape.responses.count, padded = rows * ((shape.longestSequence + 7) / 8 * 8)
        counts.countKept(shape, of: whole, pairs: pairs, unused: unused)
        records.add(shape.tokens(in: options.layout))
        paddedTokens += padded
        paddedRepeatedTokens += padded * dimensions
        rowTokens += shape.tokens(in: .rows16)
        sharedTokens += shape.tokens(in: .sharedPrefix)
    }

    mutating func addBin(_ bin: PackedDraft) {
        let tokens = bin.tokenCount
        counts.countBin(tokens: tokens, maxTokens: options.maxTokens)
        binRecords.add(bin.memberCount)
        binTokens.add(tokens)
        if tokens > options.maxTokens { oversizeTokens += tokens }
    }

    /// Of two shards together.
    public static func += (left: inout PackingReport, right: PackingReport) {
        left.counts += right.counts
        for path in [\PackingReport.prompts, \.responses, \.sequences, \.records, \.binRecords, \.binTokens] { left[keyPath: path] += right[keyPath: path] }
        for path in [\PackingReport.paddedRepeatedTokens, \.paddedTokens, \.rowTokens, \.sharedTokens, \.oversizeTokens] { left[keyPath: path] += right[keyPath: path] }
    }

    /// Tokens in bins by the room in them, leaving out bins of a single record beyond `maxTokens`; nil without other bins.
    public var fill: Double? {
        let ordinary = counts.bins - counts.oversizeBins
        guard ordinary > 0 else { return nil }
        return Double(counts.binTokens - oversizeTokens) / (Double(ordinary) * Double(options.maxTokens))
    }

    public var json: JSONValue {
        .object([
            ("options", .array(options.arguments.map { .string($0) })), ("counts", counts.json),
            ("lengths", .object([
                ("prompt", prompts.json), ("response", responses.json), ("longest_sequence", sequences.json), ("record_in_bin", records.json),
            ])),
            ("tokens", .object([
                ("padded_rows_of_all_dimensions", JSONValue(paddedRepeatedTokens)), ("padded_rows", JSONValue(paddedTokens)), ("rows", JSONValue(rowTokens)),
                ("shared_prefix", JSONValue(sharedTokens)), ("in_bins", JSONValue(counts.binTokens)),
            ])),
            ("bins", .object([("records", binRecords.json), ("tokens", binTokens.json), ("fill", fill.map { .number($0) } ?? .null)])),
        ])
    }
}
