import RecordStream

/// Fills bins as records come: each goes whole into the open bin that it fits best; where it fits none, the fullest bin is closed for a new one.
///
/// Which bins come out, and in which order, depends on the records' sizes and order alone. Memory is bounded by the number of open bins and by
/// what they hold; a record is never held by two bins.
struct BinFiller {
    private struct OpenBin {
        let draft: PackedDraft
        var tokens = 0
        var bytes = 0
    }

    private let options: PackingOptions
    /// In the order in which they were opened.
    private var open: [OpenBin] = []
    /// Of bins that are done, for those to come.
    private var spare: [PackedDraft] = []
    private var heldBytes = 0

    /// All open bins together, those of the other shards with them, hold records of no more bytes than a record may have: many small records with large matrices could not be
    /// bounded by their tokens. An open bin takes a few KiB beside them.
    private let heldBytesLimit: Int
    /// The memory of a bin that was larger is not kept for others: so all that is kept is bounded as what is held.
    private var spareBytes: Int { heldBytesLimit / options.openBins }
    /// A prompt and two responses (sft: one) of a token each: no record is smaller.
    private var smallestRecord: Int { options.layout == .sft ? 2 : 3 }

    init(_ options: PackingOptions) {
        self.options = options
        heldBytesLimit = max(1 << 20, StreamLimits.recordBytes / options.shards)
    }

    /// Takes a record and hands out the bins that are done by it: each has its memory until `output` returns.
    mutating func add(_ part: PackedPart, output: (PackedDraft) throws -> Void) rethrows {
        let size = part.tokens(in: options.layout), bytes = part.storedBytes(in: options.layout)
        if let index = bestFit(size, bytes) {
            put(part, size, bytes, into: index)
            if isFull(index) { try close(index, output) }
        } else {
            // One that fills a bin alone takes no place among the open ones.
            let isAlone = options.openBins > 1 && size + smallestRecord > options.maxTokens
            while !isAlone, open.count >= options.openBins || !open.isEmpty && heldBytes + bytes > heldBytesLimit { try close(fullest, output) }
            open.append(OpenBin(draft: spare.popLast() ?? PackedDraft()))
            put(part, size, bytes, into: open.count - 1)
            if isAlone || isFull(open.count - 1) { try close(open.count - 1, output) }
        }
    }

    /// Hands out the bins that are still open, in the order in which they were opened.
    mutating func finish(output: (PackedDraft) throws -> Void) rethrows {
        while !open.isEmpty { try close(0, output) }
    }

    /// The bin with the least room that still takes the record; the oldest of equals.
    private func bestFit(_ size: Int, _ bytes: Int) -> Int? {
        var best: Int?
        guard heldBytes + bytes <= heldBytesLimit else { return nil }
        for index in open.indices where open[index].tokens + size <= options.maxTokens {
            if best.map({ open[$0].tokens < open[index].tokens }) ?? true { best = index }
        }
        return best
    }

    private var fullest: Int {
        var best = 0
        for index in open.indices where open[index].tokens > open[best].tokens { best = index }
        return best
    }

    private func isFull(_ index: Int) -> Bool {
        open[index].draft.memberCount == options.recordsPerBin || open[index].tokens + smallestRecord > options.maxTokens
    }

    private mutating func put(_ part: PackedPart, _ size: Int, _ bytes: Int, into index: Int) {
        open[index].draft.add(part, layout: options.layout, paperEpsilon: options.paperEpsilon ? PackedBin.paperEpsilon : 0)
        open[index].tokens += size
        open[index].bytes += bytes
        heldBytes += bytes
    }

    private mutating func close(_ index: Int, _ output: (PackedDraft) throws -> Void) rethrows {
        let bin = open.remove(at: index)
        heldBytes -= bin.bytes
        try output(bin.draft)
        guard bin.bytes <= spareBytes else { return }
        bin.draft.removeAll()
        spare.append(bin.draft)
    }
}

extension PackedBin {
    /// What the paper's code adds to every target.
    static let paperEpsilon = 1e-10
}
