import InputFiles
import JSON
import RecordStream
import SystemIO

/// Raw preference data to rated records.
public final class Conversion {
    public let options: ConversionOptions
    public private(set) var counts = ConversionCounts()
    private var prompts: Set<UInt64> = []
    private var ids: Set<UInt64> = []

    public init(_ options: ConversionOptions) { self.options = options }

    /// Converts all inputs on `threads` threads and hands every kept record to `write`, in the order of the inputs; the records do not depend
    /// on the number of threads. Prompts are remembered by 8 bytes each, to count those that stand twice; else memory is bounded by the reader's chunks.
    ///
    /// Throws `InputError` with file and place for what cannot be read, unless the options say to pass over it.
    public func run(_ reader: ChunkReader, threads: Int, write: (RatedRecord) throws -> Void) throws {
        let options = options
        try orderedMap(
            workers: threads,
            produce: { try reader.next() },
            makeState: { ChunkConverter(options) },
            transform: { (converter: inout ChunkConverter, chunk: InputChunk) in converter.convert(chunk) },
            consume: { (chunk: ConvertedChunk) in try take(chunk, write) })
    }

    /// The end of the stream: what was read and what became of it. Call it after `run`.
    public func tail(_ inputs: DecodedInputs) -> StreamTail {
        StreamTail(inputs: inputs.digests.map { .raw(sha256: $0.sha256, bytes: $0.length) }, counts: counts.json, licences: options.licences)
    }

    private func take(_ chunk: ConvertedChunk, _ write: (RatedRecord) throws -> Void) throws {
        for item in chunk.items {
            let isNewPrompt = prompts.insert(item.promptHash).inserted
            let isNewRecord = ids.insert(item.idHash).inserted
            if !isNewPrompt { counts.duplicatePrompts += 1 }
            if !isNewRecord { counts.duplicateRecords += 1 }
            if options.strict, !isNewPrompt {
                throw InputError("\(item.place): the prompt of an earlier record stands here again (--strict stops at the first oddity)")
            }
            if let record = item.record { try write(record) }
        }
        counts.add(chunk.counts)
        if let failure = chunk.failure { throw failure }
    }
}
