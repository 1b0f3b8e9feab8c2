import RecordStream
import SystemIO

/// Tokens records in, bins out.
///
/// Records are decided upon one by one, put in order, and laid into bins; `output` gets each bin as soon as it is done. The bins are a function
/// of the options and of the records in their order.
public struct Packer {
    public private(set) var report: PackingReport
    private let fitter: RecordFitter
    private var filler: BinFiller
    private var shuffled: ShuffledRecords?
    /// Of the record that was read last.
    private var whole = RecordShape()
    /// For the columns of a copy, until it is in its bin.
    private let copy: BlockBuilder

    /// Bytes of records that `order` shuffled and grouped may hold unless told otherwise.
    public static let defaultShuffleMemory = 1 << 30

    /// - Parameters:
    ///   - shuffleMemory: the most bytes of records that `order` shuffled and grouped may hold.
    ///   - copy: of `TokensRecord.schemaWithAnswers`; one serves several packers that are used in turns.
    public init(
        _ options: PackingOptions, vocabularySize: Int? = nil, shuffleMemory: Int = Packer.defaultShuffleMemory, copy: BlockBuilder = BlockBuilder(schema: TokensRecord.schemaWithAnswers)
    ) throws {
        try options.validate()
        self.copy = copy
        report = PackingReport(options)
        fitter = RecordFitter(options, vocabularySize: vocabularySize)
        filler = BinFiller(options)
        shuffled = options.order == .input ? nil : ShuffledRecords(options, limit: shuffleMemory)
    }

    /// Takes the next record of the input. A bin that is done has its memory until `output` returns.
    public mutating func add(_ record: Int, of columns: TokensColumns, output: (PackedDraft) throws -> Void) throws {
        try columns.check(record)
        whole.read(record, of: columns)
        guard shuffled == nil, case let look = fitter.look(at: record, of: columns, whole) else { return try add(columns.record(record), output) }
        switch look {
        case .unclear: try add(columns.record(record), output)
        case .dropped(let reason):
            report.addRead(whole)
            report.counts.countDropped(whole, reason)
        case .fits(let part):
            report.addRead(whole)
            report.addKept(part.shape, of: whole, dimensions: part.dimensionCount, pairs: part.pairs.count, unused: whole.tokens - part.shape.tokens)
            try fill(part, output)
        }
    }

    /// The plain way: by a copy.
    private mutating func add(_ record: TokensRecord, _ output: (PackedDraft) throws -> Void) throws {
        let outcome = try fitter.fit(record)
        report.addRead(whole)
        switch outcome {
        case .dropped(let reason): report.counts.countDropped(whole, reason)
        case .fitted(let fitted):
            let shape = fitted.shape
            report.addKept(shape, of: whole, dimensions: fitted.record.ratings.dimensions.count, pairs: fitted.pairs.count, unused: fitted.unusedTokens)
            report.counts.countCuts(fitted)
            if shuffled != nil { try shuffled?.add(fitted) } else { try fill(PackedPart(fitted, shape, in: copy), output) }
        }
    }

    /// Hands out what is still held.
    public mutating func finish(output: (PackedDraft) throws -> Void) throws {
        var held = shuffled
        shuffled = nil
        try held?.take { try fill(PackedPart($0, $0.shape, in: copy), output) }
        try filler.finish { bin in
            report.addBin(bin)
            try output(bin)
        }
    }

    private mutating func fill(_ part: PackedPart, _ output: (PackedDraft) throws -> Void) throws {
        try filler.add(part) { bin in
            report.addBin(bin)
            try output(bin)
        }
    }
}
