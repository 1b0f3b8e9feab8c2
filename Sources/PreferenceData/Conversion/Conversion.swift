import Checksums
import InputFiles
import JSON
import RecordStream
import SystemIO

/// Raw preference data to rated records.
public final class Conversion {
    public let options: ConversionOptions
    /// Of all that was read; where one shard alone is kept, as its stream has them.
    public var counts: ConversionCounts { options.shard.map(counts(of:)) ?? byOutput.total }
    /// Name of each input and the source that its first record showed; empty where a source was given.
    public private(set) var detected: [(input: String, source: String)] = []
    private var byOutput: OutputCounts
    /// Every record that was left out because it shares text with a benchmark, in the order of the inputs.
    public private(set) var contaminations: [Contamination] = []
    /// Where there are fewer records than the sample should have: how many, in which part.
    private(set) var smallSamples: [(part: String?, records: Int)] = []
    /// Of the records that were looked at, where the options ask for them.
    public private(set) var statistics: DataStatistics?
    /// How many records each input had, by its number.
    private(set) var records: [Int: Int] = [:]
    /// A place in each input, by its number: what the places of all its records are made from.
    private var places: [Int: RecordPlace] = [:]
    private var prompts: RepeatFinder, ids: RepeatFinder
    private let rater: RecordRater
    private var digests = MessageDigests()
    /// One for each population.
    private var duplicates: [DuplicateIndex], samplers: [Sampler] = []
    private let store: PromptStore?
    private var earlier: DuplicateIndex?
    /// The last group of rows, to which the next chunk may add.
    private var pending: RowGroup?

    /// - Parameter store: what has the prompts of earlier releases, and takes those of this one; `options.earlier` must be its own.
    public convenience init(_ options: ConversionOptions, store: PromptStore? = nil) { self.init(options, store: store, repeats: RepeatFinder()) }

    init(_ options: ConversionOptions, store: PromptStore? = nil, repeats: RepeatFinder) {
        self.options = options
        (prompts, ids) = (repeats, repeats)
        self.store = store
        byOutput = OutputCounts(outputs: options.outputs)
        rater = RecordRater(options)
        statistics = options.gathersStatistics ? DataStatistics() : nil
        duplicates = options.deduplication.map { Array(repeating: DuplicateIndex($0), count: options.populations) } ?? []
    }

    /// Converts all inputs on `threads` threads and hands every kept record to `write` with the number of its output, in the order of the inputs; the records do not depend
    /// on the number of threads. Memory is bounded, whatever the size of the inputs, but for what the options ask to be remembered (duplicates, a sample).
    ///
    /// Throws `InputError` with file and place for what cannot be read, unless the options say to pass over it.
    public func run(_ reader: ChunkReader, threads: Int, write: (RatedRecord, Int) throws -> Void) throws {
        let options = options
        if let sample = options.sample { samplers = try (0 ..< options.populations).map { _ in try Sampler(sample, head: options.head) } }
        if let store, let mode = options.deduplication { earlier = try store.readEarlier(mode, threads: threads) }
        let detector = SourceDetector(reader, options)
        try orderedMap(
            workers: threads,
            produce: { try detector.next() },
            makeState: { ChunkConverter(options) },
            transform: { (converter: inout ChunkConverter, chunk: SourcedChunk) in converter.convert(chunk) },
            consume: { (chunk: ConvertedChunk) in try take(chunk, write) })
        try flush(write)
        try finishRepeats()
        try finishSamples(write)
        detected = detector.detected
        try checkNames()
    }

    /// The end of each output stream: what was read and what became of it. Call it after `run`.
    public func tails(_ inputs: DecodedInputs) -> [StreamTail] {
        (options.shard.map { [$0] } ?? Array(byOutput.outputs.indices)).map { output in
            StreamTail(inputs: inputs.digests.map { .raw(sha256: $0.sha256, bytes: $0.length) }, counts: counts(of: output).json, licences: options.licences)
        }
    }

    /// Enters the prompts of what was kept into the store. Call it after `run`, and the store's `commit` when all outputs are in place.
    public func enterPrompts(_ inputs: DecodedInputs) throws { try store?.enter(options.heads, inputs.digests) }

    /// Of one stream: the records of the others are those of other parts or shards.
    private func counts(of output: Int) -> ConversionCounts {
        var counts = byOutput.shared
        counts.add(byOutput.outputs[output])
        let elsewhere = byOutput.outputs.reduce(0) { $0 + $1.looked } - byOutput.outputs[output].looked
        if options.writesParts { counts.otherParts += elsewhere } else { counts.otherShards += elsewhere }
        return counts
    }

    private func take(_ chunk: ConvertedChunk, _ write: (RatedRecord, Int) throws -> Void) throws {
        if let first = chunk.first {
            if try pending?.join(first) == true {
                byOutput.shared.joined += 1
            } else {
                try flush(write)
                pending = first
            }
        }
        if chunk.last != nil || !chunk.items.isEmpty { try flush(write) }
        for item in chunk.items { try take(item, write) }
        if let last = chunk.last { pending = last }
        records[chunk.input, default: 0] += chunk.counts.shared.read
        byOutput.add(chunk.counts)
        if let failure = chunk.failure { throw failure }
    }

    private func flush(_ write: (RatedRecord, Int) throws -> Void) throws {
        guard let group = pending else { return }
        pending = nil
        var items: [ConvertedChunk.Item] = [], groups = [group]
        try rater.rate(&groups, &digests, &byOutput, into: &items)
        for item in items { try take(item, write) }
    }

    private func take(_ item: ConvertedChunk.Item, _ write: (RatedRecord, Int) throws -> Void) throws {
        if places[item.place.input] == nil { places[item.place.input] = item.place }
        let isWritten = options.writes(item.output), sighting = RepeatFinder.Sighting(item.place, output: item.output)
        let repeatsPrompt = try prompts.isRepeated(item.promptHash, at: sighting), repeatsRecord = try ids.isRepeated(item.idHash, at: sighting)
        byOutput.outputs[item.output].countRepeats(prompt: repeatsPrompt, record: repeatsRecord, item.place)
        if repeatsPrompt, isWritten { try refuseRepeat(item.place) }
        if isWritten, let contamination = item.contamination { contaminations.append(contamination) }
        if isWritten, let raw = item.raw { statistics?.add(raw) }
        guard let record = item.record else { return }
        let population = options.population(of: item.output)
        if let sketch = item.sketch {
            let isEarlier = earlier?.match(sketch, bandKeys: item.bandKeys) != nil
            if isEarlier || duplicates[population].addUnlessKnown(sketch, bandKeys: item.bandKeys) != nil {
                byOutput.outputs[item.output].drop(isSingle: record.responses.count == 1, as: isEarlier ? .earlierRelease : .duplicatePrompt, item.place)
                return
            }
        }
        guard options.sample != nil else { return try keep(record, item.output, item.sketch, write) }
        if let leftOut = try samplers[population].add(record, output: item.output) { leaveOut(leftOut) }
    }

    private func refuseRepeat(_ place: RecordPlace) throws {
        if options.strict { throw InputError("\(place): the prompt of an earlier record stands here again (--strict stops at the first oddity)") }
    }

    /// Counts what repeats a prompt or a record that stands so far before it that they were not compared yet.
    private func finishRepeats() throws {
        func place(_ sighting: RepeatFinder.Sighting) -> RecordPlace? {
            guard var place = places[sighting.input] else { return nil }
            (place.number, place.offset) = (sighting.number, sighting.offset)
            return place
        }
        var first: RecordPlace?
        try prompts.finish { sighting in
            guard let place = place(sighting) else { return }
            byOutput.outputs[sighting.output].countRepeats(prompt: true, record: false, place)
            guard options.writes(sighting.output) else { return }
            if first.map({ (place.input, place.number) < ($0.input, $0.number) }) ?? true { first = place }
        }
        if let first { try refuseRepeat(first) }
        try ids.finish { sighting in
            if let place = place(sighting) { byOutput.outputs[sighting.output].countRepeats(prompt: false, record: true, place) }
        }
    }

    /// Writes a record, unless it is of a shard that another run writes.
    private func keep(_ record: RatedRecord, _ output: Int, _ sketch: PromptSketch?, _ write: (RatedRecord, Int) throws -> Void) throws {
        guard options.writes(output) else { return }
        statistics?.add(targetsOf: record)
        if let store { try store.add(sketch ?? PromptSketch(record.turns)) }
        try write(record, options.shard == nil ? output : 0)
    }

    private func leaveOut(_ record: Sampler.LeftOut) {
        guard var place = places[Int(record.origin.input)] else { return }
        place.number = Int(record.origin.line)
        byOutput.outputs[record.output].drop(isSingle: record.isSingle, as: .notSampled, place)
    }

    private func finishSamples(_ write: (RatedRecord, Int) throws -> Void) throws {
        for (part, sampler) in samplers.enumerated() {
            let found = try sampler.finish(leftOut: leaveOut) { record, output in try keep(record, output, nil, write) }
            if let sample = options.sample, found < sample.count { smallSamples.append((options.writesParts ? options.split?.parts[part].name : nil, found)) }
        }
    }

    /// An option that names what no record has was misspelt, or meant for other data.
    private func checkNames() throws {
        let counts = counts
        guard counts.read > 0 else { return }
        func check(_ option: String, _ names: [String], among known: Set<Text>, _ what: String = "dimension") throws {
            guard let name = names.first(where: { !known.contains(Text($0)) }) else { return }
            let shown = known.sorted().prefix(12).map(\.description).joined(separator: ", ")
            throw InputError("\(option): no record has a \(what) \"\(name)\"; the \(what)s are \(shown.isEmpty ? "none" : shown)\(known.count > 12 ? ", ..." : "")")
        }
        try check("--dimensions", options.dimensions?.picks.map(\.source) ?? [], among: counts.offered)
        let kept = options.dimensions.map { Set($0.picks.map { Text($0.name) }) } ?? counts.offered
        try check("--scale", options.scale?.named.map(\.name) ?? [], among: kept)
        try check("--temperature", options.targets.temperature.named.map(\.name), among: kept)
        // Beyond so many not all were noted.
        if counts.named.count < ConversionCounts.mostSources { try check("--licence", options.licences.keys.sorted(), among: counts.named, "source") }
        let sources = options.fixedSource.map { [$0] } ?? detected.compactMap { options.sources[$0.source] }
        if options.range != nil, !sources.isEmpty, !sources.contains(where: \.hasRange) {
            throw InputError("--rating-range: no input's ratings are numbers of a range; ranks and choices (\(Set(sources.map(\.name)).sorted().joined(separator: ", "))) have none to set")
        }
        guard options.fixedSource == nil, !detected.contains(where: { $0.source == UltraFeedback().name }) else { return }
        if options.score != nil { throw InputError("--score-from: no input is of ultrafeedback, which alone has such scores") }
        if options.systems != .none { throw InputError("--system \(options.systems.rawValue): no input is of ultrafeedback, which alone has such system prompts") }
    }
}
