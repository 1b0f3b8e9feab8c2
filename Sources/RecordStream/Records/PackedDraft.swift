import SystemIO

/// A bin in the making, in memory that serves one bin after another. `PackedBin` keeps the same in values.
public final class PackedDraft {
    /// A record of the bin in columns: those that `PackedBin` has for its members, a level less deep.
    private static let memberSchema = Schema(kind: "member", columns: [
        .text("id"), Column("origin_input", .u32), Column("origin_line", .u64), .dictionary("source"),
        .dictionary("dimensions", depth: 1), Column("ratings", .f64, depth: 1), Column("rated", .u8, depth: 1), Column("targets", .f64, depth: 1),
        Column("prompt_cuts", .u32, depth: 1), Column("response_cuts", .u32, depth: 1), Column("row_map", .u32, depth: 1), Column("pi_target", .f32, depth: 1),
        Column("prompt_gaps", .u32, depth: 2),
    ])

    // Small to begin with: there may be thousands of open bins.
    private let tokens = RawBuffer(capacity: 256), positions = RawBuffer(capacity: 256)
    private var segments: [PackedBin.Segment] = []
    private let members = BlockBuilder(schema: PackedDraft.memberSchema, capacity: 64)

    public init() {}

    public var tokenCount: Int { tokens.count / 4 }
    public var segmentCount: Int { segments.count }
    public var memberCount: Int { members.count }

    public func removeAll() {
        tokens.removeAll()
        positions.removeAll()
        segments.removeAll(keepingCapacity: true)
        members.removeAll()
    }

    /// Adds tokens of a sequence, the first at `position` in it.
    public func add(_ more: Slice<UnsafeBufferPointer<UInt32>>, from position: Int) {
        tokens.append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: more)))
        positions.append(counting: more.count, from: UInt32(truncatingIfNeeded: position))
    }

    /// Ends a segment with the tokens that were added last; see `PackedBin.Segment`.
    public func endSegment(from start: Int, parent: Int32, response: Int32, labelStart: Int) {
        segments.append(PackedBin.Segment(
            start: UInt32(start), end: UInt32(tokenCount), parent: parent, record: UInt32(memberCount), response: response, labelStart: UInt32(labelStart)))
    }

    /// What was taken from a member, and what stands in its rows; see `PackedBin.Member`.
    public struct MemberDetails {
        /// A list of gaps for each prompt; nil: nothing was taken from any of so many, nor from the responses.
        public var cuts: (gaps: [[PackedBin.Gap]], responses: [UInt32])?
        public var rowMap: [UInt32] = []
        public var piTarget: [Float] = []

        public init() {}
    }

    /// Ends a member, whose segments were added before.
    ///
    /// - Parameters:
    ///   - responses: how many it has in the bin.
    ///   - ratings: where they are not the record's own.
    public func endMember(_ record: Int, of columns: TokensColumns, prompts: Int, responses: Int, ratings: Ratings? = nil, _ details: MemberDetails) {
        columns.addShared(record, ratings: ratings, to: members)
        if let cuts = details.cuts {
            members.add(list: cuts.gaps.map { $0.reduce(UInt32(0)) { $0 + $1.tokens } }, to: 8)
            members.add(list: cuts.responses, to: 9)
            members.add(lists: cuts.gaps.map { $0.flatMap { [$0.at, $0.tokens] } }, to: 12)
        } else {
            members.add(zeros: prompts, to: 8)
            members.add(zeros: responses, to: 9)
            members.add(emptyLists: prompts, to: 12)
        }
        members.add(list: details.rowMap, to: 10)
        members.add(list: details.piTarget, to: 11)
        members.end(records: 1)
    }

    /// Adds the bin to a builder of `PackedBin.schemaWithGaps`.
    public func append(to builder: BlockBuilder) {
        builder.add(list: tokens.bytes, to: 0)
        builder.add(list: positions.bytes, to: 1)
        builder.add(list: segments.lazy.map(\.start), last: UInt32(tokenCount), to: 2)
        builder.add(list: segments.lazy.map(\.parent), to: 3)
        builder.add(list: segments.lazy.map(\.record), to: 4)
        builder.add(list: segments.lazy.map(\.response), to: 5)
        builder.add(list: segments.lazy.map(\.labelStart), to: 6)
        for (number, column) in members.current.enumerated() {
            let own = PackedBin.firstMemberColumn + number
            // Whose lists are of prompts and not of members.
            if own == PackedBin.gapColumn { builder.add(joined: column, records: memberCount, to: own) } else { builder.add(nested: column, records: memberCount, to: own) }
        }
    }
}
