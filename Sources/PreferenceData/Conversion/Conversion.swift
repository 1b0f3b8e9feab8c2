import InputFiles
import JSON
import RecordStream
import SystemIO

/// Raw preference data to rated records.
public final class Conversion {
    public let options: ConversionOptions
    /// Of all that was read; the parts of it: of records that belong to no shard here, and of the others by shard.
    public var counts: ConversionCounts { shardCounts.reduce(into: shared) { $0.add($1) } }
    private var shared = ConversionCounts()
    private var shardCounts: [ConversionCounts]
    /// Every record that was left out because it shares text with a benchmark, in the order of the inputs.
    public private(set) var contaminations: [Contamination] = []
    private var prompts: Set<UInt64> = []
    private var ids: Set<UInt64> = []

    public init(_ options: ConversionOptions) {
        self.options = options
        shardCounts = Array(repeating: ConversionCounts(), count: options.shards)
    }

    /// Converts all inputs on `threads` threads and hands every kept record to `write` with the number of its output, in the order of the inputs; the records do not depend
    /// on the number of threads. Prompts are remembered by 8 bytes each, to count those that stand twice; else memory is bounded by the reader's chunks.
    ///
    /// Throws `InputError` with file and place for what cannot be read, unless the options say to pass over it.
    public func run(_ reader: ChunkReader, threads: Int, write: (RatedRecord, Int) throws -> Void) throws {
        let options = options
        try orderedMap(
            workers: threads,
            produce: { try reader.next() },
            makeState: { ChunkConverter(options) },
            transform: { (converter: inout ChunkConverter, chunk: InputChunk) in converter.convert(chunk) },
            consume: { (chunk: ConvertedChunk) in try take(chunk, write) })
    }

    /// The end of each output stream: what was read and what became of it. Call it after `run`.
    public func tails(_ inputs: DecodedInputs) -> [StreamTail] {
        let looked = shardCounts.reduce(0) { $0 + $1.looked }
        return (options.shard.map { [$0] } ?? Array(shardCounts.indices)).map { shard in
            var counts = shared
            counts.add(shardCounts[shard])
            counts.otherShards += looked - shardCounts[shard].looked
            return StreamTail(inputs: inputs.digests.map { .raw(sha256: $0.sha256, bytes: $0.length) }, counts: counts.json, licences: options.licences)
        }
    }

    private func take(_ chunk: ConvertedChunk, _ write: (RatedRecord, Int) throws -> Void) throws {
        for item in chunk.items {
            let isNewPrompt = prompts.insert(item.promptHash).inserted
            let isNewRecord = ids.insert(item.idHash).inserted
            if !isNewPrompt { shardCounts[item.shard].duplicatePrompts += 1 }
            if !isNewRecord { shardCounts[item.shard].duplicateRecords += 1 }
            if options.strict, !isNewPrompt {
                throw InputError("\(item.place): the prompt of an earlier record stands here again (--strict stops at the first oddity)")
            }
            if let record = item.record { try write(record, options.shard == nil ? item.shard : 0) }
        }
        contaminations += chunk.contaminations
        shared.add(chunk.counts)
        for (shard, counts) in chunk.shardCounts.enumerated() { shardCounts[shard].add(counts) }
        if let failure = chunk.failure { throw failure }
    }
}
