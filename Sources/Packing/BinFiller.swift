import RecordStream

/// Fills bins as records come: each goes whole into the open bin that it fits best; where it fits none, the fullest bin is closed for a new one.
///
/// Which bins come out, and in which order, depends on the records' sizes and order alone. Memory is bounded by the number of open bins and by
/// what they hold; a record is never held by two bins.
struct BinFiller {
    private struct OpenBin {
        var records: [FittedRecord] = []
        var tokens = 0
        var bytes = 0
    }

    private let options: PackingOptions
    /// In the order in which they were opened.
    private var open: [OpenBin] = []
    private var heldBytes = 0

    /// All open bins together, those of the other shards with them, hold no more than a record may: many small records with large matrices could not be bounded by their tokens.
    private let heldBytesLimit: Int
    /// A prompt and two responses (sft: one) of a token each: no record is smaller.
    private var smallestRecord: Int { options.layout == .sft ? 2 : 3 }

    init(_ options: PackingOptions) {
        self.options = options
        heldBytesLimit = max(1 << 20, StreamLimits.recordBytes / options.shards)
    }

    /// Takes a record and hands out the bins that are done by it.
    mutating func add(_ record: FittedRecord) -> [PackedBin] {
        let size = record.tokens(in: options.layout), bytes = record.storedBytes(in: options.layout)
        var done: [PackedBin] = []
        if let index = bestFit(size, bytes) {
            put(record, size, bytes, into: index)
            if isFull(open[index]) { done.append(close(index)) }
        } else if options.openBins > 1, size + smallestRecord > options.maxTokens {
            // It fills a bin alone and takes no place among the open ones.
            done.append(bin([record]))
        } else {
            while open.count >= options.openBins || !open.isEmpty && heldBytes + bytes > heldBytesLimit { done.append(close(fullest)) }
            open.append(OpenBin())
            put(record, size, bytes, into: open.count - 1)
            if isFull(open[open.count - 1]) { done.append(close(open.count - 1)) }
        }
        return done
    }

    /// The bins that are still open, in the order in which they were opened.
    mutating func finish() -> [PackedBin] {
        var done: [PackedBin] = []
        while !open.isEmpty { done.append(close(0)) }
        return done
    }

    /// The bin with the least room that still takes the record; the oldest of equals.
    private func bestFit(_ size: Int, _ bytes: Int) -> Int? {
        var best: Int?
        guard heldBytes + bytes <= heldBytesLimit else { return nil }
        for (index, bin) in open.enumerated() where bin.tokens + size <= options.maxTokens {
            if best.map({ open[$0].tokens < bin.tokens }) ?? true { best = index }
        }
        return best
    }

    private var fullest: Int {
        var best = 0
        for index in open.indices where open[index].tokens > open[best].tokens { best = index }
        return best
    }

    private func isFull(_ bin: OpenBin) -> Bool {
        bin.records.count == options.recordsPerBin || bin.tokens + smallestRecord > options.maxTokens
    }

    private mutating func put(_ record: FittedRecord, _ size: Int, _ bytes: Int, into index: Int) {
        open[index].records.append(record)
        open[index].tokens += size
        open[index].bytes += bytes
        heldBytes += bytes
    }

    private mutating func close(_ index: Int) -> PackedBin {
        let bin = open.remove(at: index)
        heldBytes -= bin.bytes
        return self.bin(bin.records)
    }

    private func bin(_ records: [FittedRecord]) -> PackedBin {
        PackedBin(records, layout: options.layout, paperEpsilon: options.paperEpsilon ? PackedBin.paperEpsilon : 0)
    }
}

extension PackedBin {
    /// What the paper's code adds to every target.
    static let paperEpsilon = 1e-10
}
