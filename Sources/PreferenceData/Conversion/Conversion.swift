import InputFiles
import JSON
import RecordStream
import SystemIO

/// Raw preference data to rated records.
public final class Conversion {
    public let options: ConversionOptions
    /// Of all that was read.
    public var counts: ConversionCounts { options.shard.map { sharded.counts(ofShard: $0) } ?? sharded.total }
    /// Name of each input and the source that its first record showed; empty where a source was given.
    public private(set) var detected: [(input: String, source: String)] = []
    private var sharded: ShardedCounts
    /// Every record that was left out because it shares text with a benchmark, in the order of the inputs.
    public private(set) var contaminations: [Contamination] = []
    /// Of the records that were looked at, where the options ask for them.
    public private(set) var statistics: DataStatistics?
    /// How many records each input had, by its number.
    public private(set) var records: [Int: Int] = [:]
    private var prompts: Set<UInt64> = []
    private var ids: Set<UInt64> = []
    private let rater: RecordRater
    private var duplicates: DuplicateIndex?
    private let store: PromptStore?
    /// The last group of rows, to which the next chunk may add.
    private var pending: RowGroup?

    /// - Parameter store: what has the prompts of earlier releases, and takes those of this one; its `earlier` must be that of the options.
    public init(_ options: ConversionOptions, store: PromptStore? = nil) {
        self.options = options
        self.store = store
        sharded = ShardedCounts(shards: options.shards)
        rater = RecordRater(options: options)
        statistics = options.gathersStatistics ? DataStatistics() : nil
        duplicates = options.deduplication.map(DuplicateIndex.init)
    }

    /// Converts all inputs on `threads` threads and hands every kept record to `write` with the number of its output, in the order of the inputs; the records do not depend
    /// on the number of threads. Prompts are remembered by 8 bytes each, to count those that stand twice; else memory is bounded by the reader's chunks.
    ///
    /// Throws `InputError` with file and place for what cannot be read, unless the options say to pass over it.
    public func run(_ reader: ChunkReader, threads: Int, write: (RatedRecord, Int) throws -> Void) throws {
        let options = options
        if let store, let mode = options.deduplication { try store.readEarlier(mode, threads: threads) { duplicates?.addEarlier($0, bandKeys: $1) } }
        let detector = SourceDetector(reader, options)
        try orderedMap(
            workers: threads,
            produce: { try detector.next() },
            makeState: { ChunkConverter(options) },
            transform: { (converter: inout ChunkConverter, chunk: SourcedChunk) in converter.convert(chunk) },
            consume: { (chunk: ConvertedChunk) in try take(chunk, write) })
        try flush(write)
        detected = detector.detected
        try checkNames()
    }

    /// The end of each output stream: what was read and what became of it. Call it after `run`.
    public func tails(_ inputs: DecodedInputs) -> [StreamTail] {
        (options.shard.map { [$0] } ?? Array(sharded.shards.indices)).map { shard in
            StreamTail(
                inputs: inputs.digests.map { .raw(sha256: $0.sha256, bytes: $0.length) }, counts: sharded.counts(ofShard: shard).json, licences: options.licences)
        }
    }

    /// Enters the prompts of what was kept into the store. Call it after `run`, and the store's `commit` when all outputs are in place.
    public func enterPrompts(_ inputs: DecodedInputs) throws { try store?.enter(options.heads[0], inputs.digests) }

    private func take(_ chunk: ConvertedChunk, _ write: (RatedRecord, Int) throws -> Void) throws {
        if let first = chunk.first {
            if try pending?.join(first) == true {
                sharded.shared.joined += 1
            } else {
                try flush(write)
                pending = first
            }
        }
        if chunk.last != nil || !chunk.items.isEmpty { try flush(write) }
        for item in chunk.items { try take(item, write) }
        if let last = chunk.last { pending = last }
        records[chunk.input, default: 0] += chunk.counts.shared.read
        sharded.add(chunk.counts)
        if let failure = chunk.failure { throw failure }
    }

    private func flush(_ write: (RatedRecord, Int) throws -> Void) throws {
        guard let group = pending else { return }
        pending = nil
        if let item = try rater.rate(group, &sharded) { try take(item, write) }
    }

    private func take(_ item: ConvertedChunk.Item, _ write: (RatedRecord, Int) throws -> Void) throws {
        let isNewPrompt = prompts.insert(item.promptHash).inserted
        let isNewRecord = ids.insert(item.idHash).inserted
        if !isNewPrompt {
            sharded.shards[item.shard].duplicatePrompts += 1
            sharded.shards[item.shard].note(.duplicatePrompt, item.place)
        }
        if !isNewRecord {
            sharded.shards[item.shard].duplicateRecords += 1
            sharded.shards[item.shard].note(.duplicateRecord, item.place)
        }
        let isWanted = options.shard.map { $0 == item.shard } ?? true
        if options.strict, isWanted, !isNewPrompt {
            throw InputError("\(item.place): the prompt of an earlier record stands here again (--strict stops at the first oddity)")
        }
        if isWanted, let contamination = item.contamination { contaminations.append(contamination) }
        if isWanted, let raw = item.raw { statistics?.add(raw) }
        guard let record = item.record else { return }
        if let sketch = item.sketch, let match = duplicates?.addUnlessKnown(sketch, bandKeys: item.bandKeys) {
            let isEarlier = match.prompt < duplicates?.earlierCount ?? 0
            sharded.shards[item.shard].drop(record, as: isEarlier ? .earlierRelease : .duplicatePrompt, item.place)
            return
        }
        guard isWanted else { return }
        if let sketch = item.sketch { try store?.add(sketch) }
        statistics?.add(targetsOf: record)
        try write(record, options.shard == nil ? item.shard : 0)
    }

    /// An option that names what no record has was misspelt, or meant for other data.
    private func checkNames() throws {
        let counts = counts
        guard counts.read > 0 else { return }
        func check(_ option: String, _ names: [String], among known: Set<Text>) throws {
            guard let name = names.first(where: { !known.contains(Text($0)) }) else { return }
            let shown = known.sorted().prefix(12).map(\.description).joined(separator: ", ")
            throw InputError("\(option): no record has a dimension \"\(name)\"; the dimensions are \(shown.isEmpty ? "none" : shown)")
        }
        try check("--dimensions", options.dimensions?.picks.map(\.source) ?? [], among: counts.offered)
        let kept = options.dimensions.map { Set($0.picks.map { Text($0.name) }) } ?? counts.offered
        try check("--scale", options.scale?.named.map(\.name) ?? [], among: kept)
        try check("--temperature", options.targets.temperature.named.map(\.name), among: kept)
        if options.score != nil, options.fixedSource == nil, !detected.contains(where: { $0.source == UltraFeedback(score: nil).name }) {
            throw InputError("--score-from: no input is of ultrafeedback, which alone has such scores")
        }
    }
}
