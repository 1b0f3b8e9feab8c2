import RecordStream
import SystemIO

/// Tokens records in, bins out.
///
/// Records are decided upon one by one, put in order, and laid into bins; `output` gets each bin as soon as it is done. The bins are a function
/// of the options and of the records in their order.
public struct Packer {
    public private(set) var report: PackingReport
    private let options: PackingOptions
    private let fitter: RecordFitter
    private var filler: BinFiller
    private var shuffled: ShuffledRecords?

    /// Bytes of records that `order` shuffled and grouped may hold unless told otherwise.
    public static let defaultShuffleMemory = 1 << 30

    /// - Parameter shuffleMemory: the most bytes of records that `order` shuffled and grouped may hold.
    public init(_ options: PackingOptions, vocabularySize: Int? = nil, shuffleMemory: Int = Packer.defaultShuffleMemory) throws {
        try options.validate()
        self.options = options
        report = PackingReport(options)
        fitter = RecordFitter(options, vocabularySize: vocabularySize)
        filler = BinFiller(options)
        shuffled = options.order == .input ? nil : ShuffledRecords(options, limit: shuffleMemory)
    }

    public mutating func add(_ record: TokensRecord, output: (PackedBin) throws -> Void) throws {
        let outcome = try fitter.fit(record)
        report.add(record, outcome)
        guard case .fitted(let fitted) = outcome else { return }
        if shuffled != nil { try shuffled?.add(fitted) } else { try fill(fitted, output) }
    }

    /// Hands out what is still held.
    public mutating func finish(output: (PackedBin) throws -> Void) throws {
        for record in shuffled?.take() ?? [] { try fill(record, output) }
        for bin in filler.finish() { try hand(bin, output) }
    }

    private mutating func fill(_ record: FittedRecord, _ output: (PackedBin) throws -> Void) throws {
        for bin in filler.add(record) { try hand(bin, output) }
    }

    private mutating func hand(_ bin: PackedBin, _ output: (PackedBin) throws -> Void) throws {
        report.add(bin)
        try output(bin)
    }
}
