import Checksums
import InputFiles
import JSON
import RecordStream
import SystemIO

/// What one portion of the input became. Made on any thread, taken up in order.
struct ConvertedChunk: Sendable {
    /// Records of the wanted part, kept or not, in order: what tells duplicates, which only the order of the whole input shows.
    /// A class, because it goes from hand to hand as one reference in place of twenty; only the thread that makes it changes it.
    final class Item: @unchecked Sendable {
        let promptHash: UInt64
        /// The stream that it goes to: its part of the split, or its shard.
        let output: Int
        let idHash: UInt64
        let place: RecordPlace
        let record: RatedRecord?
        /// Why `options.decontamination` kept the record out.
        let contamination: Contamination?
        /// What `record` was made of, where statistics are gathered.
        var raw: RawPreference?
        /// Of a record that is kept, where duplicates are looked for.
        var sketch: PromptSketch?, bandKeys: [UInt64] = []

        init(promptHash: UInt64, output: Int, idHash: UInt64, place: RecordPlace, record: RatedRecord?, contamination: Contamination?) {
            self.promptHash = promptHash
            self.output = output
            self.idHash = idHash
            self.place = place
            self.record = record
            self.contamination = contamination
        }
    }

    /// Where the source groups rows: the first and the last group, before and after `items`; the neighbouring chunks may have more rows of them.
    var first: RowGroup?, last: RowGroup?
    var items: [Item] = []
    /// Number of the input that it is of.
    var input: Int
    var counts: OutputCounts
    /// What stops the conversion, after all of this.
    var failure: InputError?
}

/// Converts portions of the input: one for each thread.
struct ChunkConverter {
    private let options: ConversionOptions
    private let rater: RecordRater
    private let parser: JSONParser
    private var digests = MessageDigests()
    /// Groups that are whole and wait to be rated together.
    private var whole: [RowGroup] = []
    /// How many of them: enough to keep the digests of two in step most of the time, few enough to stay near the processor.
    private static let together = 8

    init(_ options: ConversionOptions) {
        self.options = options
        rater = RecordRater(options)
        parser = JSONParser(limits: JSONLimits(refusesDuplicateKeys: options.strict, skipsByteOrderMark: false))
    }

    mutating func convert(_ sourced: SourcedChunk) -> ConvertedChunk {
        var result = ConvertedChunk(input: sourced.chunk.input, counts: OutputCounts(outputs: options.outputs))
        // The group that the next row may belong to.
        var open: RowGroup?
        let reading = Result {
            try sourced.chunk.forEachRecord { bytes, behind, place in
                guard let group = try read(bytes, behind, place, sourced, &result.counts.shared) else { return }
                guard sourced.source?.groupsRows == true else { return try take(group, &result) }
                if try open?.join(group) == true {
                    result.counts.shared.joined += 1
                } else {
                    try close(&open, &result)
                    open = group
                }
            }
        }
        do {
            // Before what stopped the reading: those that wait stand before it.
            try rate(&result)
            try reading.get()
        } catch {
            result.failure = error as? InputError ?? InputError("\(error)", status: .internalError)
        }
        // Also before a failure: what is wrong with a group that was complete is told first, wherever chunks are cut.
        if result.first == nil { result.first = open } else { result.last = open }
        return result
    }

    private mutating func close(_ open: inout RowGroup?, _ result: inout ConvertedChunk) throws {
        guard let group = open else { return }
        if result.first == nil { result.first = group } else { try take(group, &result) }
    }

    private mutating func take(_ group: RowGroup, _ result: inout ConvertedChunk) throws {
        whole.append(group)
        if whole.count == ChunkConverter.together { try rate(&result) }
    }

    private mutating func rate(_ result: inout ConvertedChunk) throws {
        defer { whole.removeAll(keepingCapacity: true) }
        try rater.rate(&whole, &digests, &result.counts, into: &result.items)
    }

    /// - Returns: nil when the record cannot be used and was counted.
    private func read(
        _ bytes: UnsafeBufferPointer<UInt8>, _ behind: Int, _ place: RecordPlace, _ sourced: SourcedChunk, _ counts: inout ConversionCounts
    ) throws -> RowGroup? {
        counts.read += 1
        do {
            let record = try parser.read(bytes, behind: behind) { cursor in
                if cursor.repeatsKey {
                    counts.repeatedKeys += 1
                    counts.note(.repeatedKey, place)
                }
                return try read(cursor, place, sourced)
            }
            return RowGroup(record: record, place: place)
        } catch let unusable as UnusableRecord where !options.strict {
            counts.drop(unusable.reason, place)
            return nil
        } catch let fault as JSONError where fault.isOutOfMemory {
            // Not the record's fault: passed over, it would be a record that another machine has.
            throw InputError("\(place): \(fault.message)", status: .internalError)
        } catch let fault as JSONError where fault.offset != nil && sourced.chunk.unendedLine == place.number {
            throw InputError("\(explain(fault, place).1), and no line feed follows: the input seems cut; copy or fetch it again")
        } catch {
            let (reason, message) = explain(error, place)
            guard options.onBadRecord == .skip, !options.strict else {
                throw InputError("\(message) (\(options.strict ? "--strict stops at the first oddity" : "--on-bad-record skip to continue"))")
            }
            counts.skip(reason, place)
            return nil
        }
    }

    private func read(_ record: JSONCursor, _ place: RecordPlace, _ sourced: SourcedChunk) throws -> RawPreference {
        guard record.kind == .object || options.map != nil else { throw BadRecord.type("the record", record, expected: "an object") }
        guard let source = sourced.source, place.number >= sourced.first else {
            throw BadRecord.wrong("its keys show no source that is known: \(shownKeys(record)); name one with --from, or describe the records with --map")
        }
        guard !sourced.isDetected || source.accepts(record) else {
            throw BadRecord.wrong("no \(source.name) record, as the first of its input is; its keys are \(shownKeys(record))")
        }
        return try source.read(record, range: options.range)
    }

    private func explain(_ error: any Error, _ place: RecordPlace) -> (BadRecord.Reason, String) {
        switch error {
        case let bad as BadRecord: return (bad.reason, "\(place): \(bad.message)")
        case let unusable as UnusableRecord: return (.wrongSchema, "\(place): \(unusable.message)")
        case let fault as JSONError:
            guard let offset = fault.offset, let column = fault.column else { return (.invalidJSON, "\(place): \(fault.message)") }
            // A record on one line has columns; an element of an array may span lines, so its place is a byte of the input.
            return (.invalidJSON, place.unit == .line ? "\(place), column \(column): \(fault.message)" : "\(place), byte \(place.offset + offset): \(fault.message)")
        default: return (.invalidJSON, "\(place): \(error)")
        }
    }
}
