import InputFiles
import PreferenceData
import RecordStream
import SystemIO
import TestSupport

/// Raw data to a stream, as uf-convert does it with some options; the same again in other portions and on other threads.
struct ConversionCheck {
    private let mutant: RecordsMutant
    private var options = ConversionOptions()
    /// How the second conversion goes about it; nil for none.
    private var otherWay: (chunk: Int, threads: Int)?

    init(_ mutant: RecordsMutant, _ generator: inout SeededGenerator) {
        self.mutant = mutant
        if mutant.map == nil, generator.once(in: 4) {
            let names = SourceFormat.listing.map(\.name)
            options.format = SourceFormat(generator.pick(names)) ?? .auto
        }
        options.onBadRecord = generator.once(in: 2) ? .skip : .stop
        options.strict = generator.once(in: 6)
        options.targets.missing = generator.pick(MissingPolicy.allCases)
        if generator.once(in: 10) { options.range = RatingRange(low: 0, high: 10) }
        if generator.once(in: 10) { options.deduplication = generator.pick([.exact, .near]) }
        if generator.once(in: 10) { options.shards = 1 + generator.below(3) }
        if generator.once(in: 4) { otherWay = (1 + generator.below(generator.once(in: 2) ? 8 : 4000), generator.once(in: 4) ? 3 : 1) }
    }

    func run() throws -> Outcome {
        let file = try MutantFile(mutant.bytes), map = try mutant.map.map { try MutantFile($0) }
        let streams = try reading { try converted(file, map, chunk: 1 << 20, threads: 1) }
        if let otherWay {
            let others = try reading { try converted(file, map, chunk: otherWay.chunk, threads: otherWay.threads) }
            // What is wrong inside a damaged archive comes before or after what is wrong with the archive, as it is read.
            if case .refusal = streams, case .refusal = others, mutant.isArchive { return .refused }
            try expectSame(streams, others, "in chunks of \(otherWay.chunk) on \(otherWay.threads) threads, results")
        }
        guard case .content(let streams) = streams else { return .refused }
        for stream in streams { _ = try RecordsRead<RatedRecord>(stream) }
        return .accepted
    }

    private func converted(_ file: MutantFile, _ map: MutantFile?, chunk: Int, threads: Int) throws -> [[UInt8]] {
        var options = options
        options.map = try map.map { try RecordMap(file: $0.path) }
        let inputs = DecodedInputs([file.path]), conversion = Conversion(options)
        let sinks = (0 ..< options.shards).map { _ in MemorySink() }
        let writers = try zip(sinks, options.heads).map { try RecordStreamWriter<RatedRecord>(to: $0, head: $1) }
        try conversion.run(ChunkReader(inputs, chunkSize: chunk), threads: threads) { try writers[$1].append($0) }
        for (writer, tail) in zip(writers, conversion.tails(inputs)) { try writer.finish(tail) }
        _ = conversion.summaryLine
        return sinks.map(\.bytes)
    }
}

/// A stream that the library wrote must be one that it reads.
struct RecordsRead<Record: StreamRecord> {
    var records: [Record] = []

    init(_ bytes: [UInt8]) throws {
        do {
            let reader = try RecordReader<Record>(MemorySource(bytes))
            while let record = try reader.next() { records.append(record) }
        } catch { throw Failure("what was written is refused: \(error)") }
    }
}
