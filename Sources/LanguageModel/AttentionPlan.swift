/// Which keys each block of queries sees, and which queries each block of keys is seen by: made once a tree, used by every layer and head.
struct AttentionPlan {
    /// Rows of queries in one task. Small enough that little is computed only to be masked.
    static let blockRows = 64
    /// Rows of queries that meet a block of keys at once on the way back.
    static let chunkRows = 256

    /// Consecutive rows of one segment.
    struct Block {
        var rows: Range<Int>
        /// Its ranges in `keyRanges` (or `queryRanges`), in order.
        var ranges: Range<Int>
        /// Query blocks: keys that the first row sees; each later row sees one more. Key blocks: unused.
        var visible = 0
        /// Query blocks: keys in all ranges together.
        var width = 0
    }

    private(set) var queryBlocks: [Block] = []
    /// For a query block: its ancestors' rows and its own segment's up to the block's end; neighbours are joined.
    private(set) var keyRanges: [Range<Int>] = []
    private(set) var keyBlocks: [Block] = []
    /// For a key block: from the block's own first row to the end of its segment, then the segments that descend from it; neighbours are joined.
    private(set) var queryRanges: [Range<Int>] = []
    /// The greatest number of keys that one block sees.
    private(set) var greatestWidth = 0

    /// - Parameter first: rows before it are computed already: they are keys but ask nothing.
    init(_ tree: TokenTree, first: Int, withBackward: Bool) {
        var ancestors: [[Range<Int>]] = []
        var descendants = [[Range<Int>]](repeating: [], count: tree.segments.count)
        for segment in tree.segments {
            var above: [Range<Int>] = []
            if let parent = segment.parent {
                above = ancestors[parent]
                AttentionPlan.join(tree.segments[parent].range, to: &above)
            }
            ancestors.append(above)
            addQueryBlocks(of: segment.range, below: above, first: first)
            guard withBackward else { continue }
            var ancestor = segment.parent
            while let current = ancestor {
                AttentionPlan.join(segment.range, to: &descendants[current])
                ancestor = tree.segments[current].parent
            }
        }
        guard withBackward else { return }
        for (number, segment) in tree.segments.enumerated() {
            for start in stride(from: segment.range.lowerBound, to: segment.range.upperBound, by: AttentionPlan.blockRows) {
                let rows = start ..< min(segment.range.upperBound, start + AttentionPlan.blockRows)
                var seenBy = [start ..< segment.range.upperBound]
                for range in descendants[number] { AttentionPlan.join(range, to: &seenBy) }
                keyBlocks.append(Block(rows: rows, ranges: queryRanges.count ..< queryRanges.count + seenBy.count))
                queryRanges += seenBy
            }
        }
    }

    private mutating func addQueryBlocks(of range: Range<Int>, below above: [Range<Int>], first: Int) {
        let inherited = above.reduce(0) { $0 + $1.count }
        for start in stride(from: max(first, range.lowerBound), to: range.upperBound, by: AttentionPlan.blockRows) {
            let end = min(range.upperBound, start + AttentionPlan.blockRows)
            var seen = above
            AttentionPlan.join(range.lowerBound ..< end, to: &seen)
            let width = inherited + end - range.lowerBound
            queryBlocks.append(Block(rows: start ..< end, ranges: keyRanges.count ..< keyRanges.count + seen.count,
                                     visible: inherited + start - range.lowerBound + 1, width: width))
            keyRanges += seen
            greatestWidth = max(greatestWidth, width)
        }
    }

    private static func join(_ range: Range<Int>, to ranges: inout [Range<Int>]) {
        if range.isEmpty { return }
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound ..< range.upperBound
        } else {
            ranges.append(range)
        }
    }
}
