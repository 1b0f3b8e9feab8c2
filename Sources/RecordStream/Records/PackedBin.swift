import JSON
import SystemIO

/// How records lie in a bin.
public enum PackedLayout: String, Sendable, CaseIterable {
    /// A prompt once; each of its responses is a branch that continues it.
    case sharedPrefix = "shared-prefix"
    /// The paper's rows: prompt and response together, one row for each response, and a map from the m x N rows of the paper to them.
    case rows16
    /// As sharedPrefix, of those responses alone that pairs are made of, and for each pair which of them is the better one.
    case pairs
    /// Conversations to imitate: a sequence is the prompt, its earlier answers learnt too where they are marked, and a response; several responses branch as in sharedPrefix.
    case sft
}

/// The unit of computation: records whose tokens go through the model together. What uf-pack makes.
///
/// The tokens of all segments stand one after the other. A segment without a parent starts a sequence; one with a parent continues it, seeing
/// the parent's tokens but none of its siblings'.
public struct PackedBin: StreamRecord, Equatable {
    public struct Segment: Sendable, Equatable {
        public var start: UInt32
        public var end: UInt32
        /// Number of the segment that this one continues, or -1.
        public var parent: Int32
        /// Which record of the bin it belongs to.
        public var record: UInt32
        /// Which response it holds, or -1 for a prompt alone.
        public var response: Int32
        /// The first token that the model is to predict; `end` for a prompt without an earlier answer to learn, which then ends it.
        public var labelStart: UInt32

        public init(start: UInt32, end: UInt32, parent: Int32, record: UInt32, response: Int32, labelStart: UInt32) {
            self.start = start
            self.end = end
            self.parent = parent
            self.record = record
            self.response = response
            self.labelStart = labelStart
        }
    }

    /// One record of the bin.
    public struct Member: Sendable, Equatable {
        public var id: Text
        public var origin: Origin
        public var source: Text
        public var ratings: Ratings
        /// N.
        public var responseCount: Int { responseCuts.count }
        /// Counts of tokens that truncation took from the prompt, or from each of N prompts.
        public var promptCuts: [UInt32]
        /// Where those tokens are missing: a list for each of `promptCuts`, in the order of the gaps. Nil out of streams of `schema`, which keep the counts alone.
        public var promptGaps: [[Gap]]?
        /// N counts of tokens that truncation took from each response; a cut response has no stop token.
        public var responseCuts: [UInt32]
        /// rows16: for row N * dimension + response of the paper's tensors the segment that holds it. pairs: for each pair the segments of the better and of the worse
        /// response. Else empty.
        public var rowMap: [UInt32]
        /// rows16: the paper's `pi_target`, m x N in f32; else empty.
        public var piTarget: [Float]

        public init(
            id: Text, origin: Origin, source: Text, ratings: Ratings, promptCuts: [UInt32], promptGaps: [[Gap]]? = nil, responseCuts: [UInt32], rowMap: [UInt32] = [],
            piTarget: [Float] = []
        ) {
            self.id = id
            self.origin = origin
            self.source = source
            self.ratings = ratings
            self.promptCuts = promptCuts
            self.promptGaps = promptGaps
            self.responseCuts = responseCuts
            self.rowMap = rowMap
            self.piTarget = piTarget
        }
    }

    /// T token ids.
    public var tokens: [UInt32]
    /// T positions within their sequences, from 0.
    public var positions: [UInt32]
    public var segments: [Segment]
    public var members: [Member]

    public init(tokens: [UInt32], positions: [UInt32], segments: [Segment], members: [Member]) {
        self.tokens = tokens
        self.positions = positions
        self.segments = segments
        self.members = members
    }

    /// What streams had before they kept where a prompt was cut; `schemaWithGaps` is what uf-pack writes.
    public static let schema = Schema(kind: "packed", columns: [
        Column("tokens", .u32, depth: 1), Column("positions", .u32, depth: 1),
        Column("segment_starts", .u32, depth: 1), Column("segment_parents", .i32, depth: 1), Column("segment_records", .u32, depth: 1),
        Column("segment_responses", .i32, depth: 1), Column("label_starts", .u32, depth: 1),
        .text("ids", depth: 2), Column("origin_inputs", .u32, depth: 1), Column("origin_lines", .u64, depth: 1), .dictionary("sources", depth: 1),
        .dictionary("dimensions", depth: 2), Column("ratings", .f64, depth: 2), Column("rated", .u8, depth: 2), Column("targets", .f64, depth: 2),
        Column("prompt_cuts", .u32, depth: 2), Column("response_cuts", .u32, depth: 2), Column("row_map", .u32, depth: 2), Column("pi_target", .f32, depth: 2),
    ])

    /// The first of the columns that are about the bin's members.
    static let firstMemberColumn = 7

    public func append(to builder: BlockBuilder) {
        builder.add(list: tokens, to: 0)
        builder.add(list: positions, to: 1)
        builder.add(list: segments.map(\.start) + [UInt32(tokens.count)], to: 2)
        builder.add(list: segments.map(\.parent), to: 3)
        builder.add(list: segments.map(\.record), to: 4)
        builder.add(list: segments.map(\.response), to: 5)
        builder.add(list: segments.map(\.labelStart), to: 6)
        builder.add(texts: members.lazy.map(\.id), to: 7)
        builder.add(list: members.map(\.origin.input), to: 8)
        builder.add(list: members.map(\.origin.line), to: 9)
        builder.add(names: members.lazy.map(\.source), to: 10)
        builder.add(nameLists: members.map { $0.ratings.dimensions }, to: 11)
        builder.add(lists: members.map(\.ratings.ratings), to: 12)
        builder.add(lists: members.map(\.ratings.rated), to: 13)
        builder.add(lists: members.map(\.ratings.targets), to: 14)
        builder.add(lists: members.map(\.promptCuts), to: 15)
        builder.add(lists: members.map(\.responseCuts), to: 16)
        builder.add(lists: members.map(\.rowMap), to: 17)
        builder.add(lists: members.map(\.piTarget), to: 18)
        if PackedBin.hasGaps(builder.schema) { appendGaps(to: builder) }
    }

    public init(_ block: Block, _ record: Int) throws {
        tokens = block.list(0, record)
        positions = block.list(1, record)
        let starts: [UInt32] = block.list(2, record), parents: [Int32] = block.list(3, record), records: [UInt32] = block.list(4, record)
        let answers: [Int32] = block.list(5, record), labels: [UInt32] = block.list(6, record)
        guard [parents.count, records.count, answers.count, labels.count].allSatisfy({ $0 == starts.count - 1 }) else {
            throw InputError("\(starts.count) segment bounds for \(parents.count) segments")
        }
        segments = parents.indices.map {
            Segment(start: starts[$0], end: starts[$0 + 1], parent: parents[$0], record: records[$0], response: answers[$0], labelStart: labels[$0])
        }
        members = try PackedBin.members(block, record)
        if PackedBin.hasGaps(block.schema) { try PackedBin.readGaps(block, record, into: &members) }
    }

    private static func members(_ block: Block, _ record: Int) throws -> [Member] {
        let ids = block.texts(7, record), inputs: [UInt32] = block.list(8, record), lines: [UInt64] = block.list(9, record)
        let sources = block.names(10, record), dimensions = block.nameLists(11, record), ratings: [[Double]] = block.lists(12, record)
        let rated: [[UInt8]] = block.lists(13, record), targets: [[Double]] = block.lists(14, record)
        let promptCuts: [[UInt32]] = block.lists(15, record), responseCuts: [[UInt32]] = block.lists(16, record)
        let rowMaps: [[UInt32]] = block.lists(17, record), piTargets: [[Float]] = block.lists(18, record)
        let counts = [
            inputs.count, lines.count, sources.count, dimensions.count, ratings.count, rated.count, targets.count, promptCuts.count,
            responseCuts.count, rowMaps.count, piTargets.count,
        ]
        guard counts.allSatisfy({ $0 == ids.count }) else { throw InputError("the bin's record columns have different lengths") }
        return ids.indices.map { i in
            Member(
                id: Text(ids[i]), origin: Origin(input: inputs[i], line: lines[i]), source: Text(sources[i]),
                ratings: Ratings(dimensions: dimensions[i].map { Text($0) }, ratings: ratings[i], rated: rated[i], targets: targets[i]),
                promptCuts: promptCuts[i], responseCuts: responseCuts[i], rowMap: rowMaps[i], piTarget: piTargets[i])
        }
    }
}
