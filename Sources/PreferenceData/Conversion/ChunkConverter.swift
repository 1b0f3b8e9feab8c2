import InputFiles
import JSON
import RecordStream
import SystemIO

/// What one portion of the input became. Made on any thread, taken up in order.
struct ConvertedChunk: Sendable {
    /// Records of the wanted part, kept or not, in order: what tells duplicates, which only the order of the whole input shows.
    struct Item: Sendable {
        var promptHash: UInt64
        var shard: Int
        var idHash: UInt64
        var place: RecordPlace
        var record: RatedRecord?
    }

    var items: [Item] = []
    /// Of records that belong to no shard here: unreadable ones, other parts and shards. And of those that do, by shard.
    var counts = ConversionCounts()
    var shardCounts: [ConversionCounts]
    /// Records that `options.decontamination` kept out, in order.
    var contaminations: [Contamination] = []
    /// What stops the conversion, after `items`.
    var failure: InputError?
}

/// Converts portions of the input: one for each thread.
struct ChunkConverter {
    private let options: ConversionOptions
    private let parser: JSONParser

    init(_ options: ConversionOptions) {
        self.options = options
        parser = JSONParser(limits: JSONLimits(refusesDuplicateKeys: options.strict, skipsByteOrderMark: false))
    }

    func convert(_ chunk: InputChunk) -> ConvertedChunk {
        var result = ConvertedChunk(shardCounts: Array(repeating: ConversionCounts(), count: options.shards))
        do {
            try chunk.forEachRecord { bytes, place in try convert(bytes, place, &result) }
        } catch {
            result.failure = error as? InputError ?? InputError("\(error)", status: .internalError)
        }
        return result
    }

    private func convert(_ bytes: UnsafeBufferPointer<UInt8>, _ place: RecordPlace, _ result: inout ConvertedChunk) throws {
        result.counts.read += 1
        let raw: RawPreference
        do {
            raw = try parser.read(bytes) { try options.format.read($0, range: options.range) }
        } catch {
            let (reason, message) = explain(error, place)
            guard options.onBadRecord == .skip, !options.strict else {
                throw InputError("\(printable(message)) (\(options.strict ? "--strict stops at the first oddity" : "--on-bad-record skip to continue"))")
            }
            result.counts.skipped[reason.rawValue, default: 0] += 1
            return
        }
        let promptHash = RecordIdentity.promptHash(raw)
        if let split = options.split {
            guard let part = split.part(of: promptHash) else {
                result.counts.noPart += 1
                return
            }
            guard part == split.wanted else {
                result.counts.otherParts += 1
                return
            }
        }
        let shard = ShardIdentity.shard(of: promptHash, count: options.shards)
        if let wanted = options.shard, wanted != shard {
            result.counts.otherShards += 1
            return
        }
        if options.strict { try refuseOddities(raw, place) }
        result.shardCounts[shard].count(raw)
        let id = RecordIdentity.id(raw)
        let record: RatedRecord?
        if let (part, overlap) = options.decontamination?.contamination(of: raw) {
            result.contaminations.append(Contamination(place, part, overlap))
            result.shardCounts[shard].dropped[.contaminated, default: 0] += 1
            record = nil
        } else {
            record = rate(raw, id, place, &result.shardCounts[shard])
        }
        result.items.append(ConvertedChunk.Item(promptHash: promptHash, shard: shard, idHash: firstHalf(id), place: place, record: record))
    }

    private func rate(_ raw: RawPreference, _ id: Text, _ place: RecordPlace, _ counts: inout ConversionCounts) -> RatedRecord? {
        func drop(_ reason: ConversionCounts.Dropped) -> RatedRecord? {
            counts.dropped[reason, default: 0] += 1
            return nil
        }
        guard raw.responses.count >= 2 else { return drop(.fewerThanTwoResponses) }
        guard let ratings = options.targets.make(dimensions: raw.dimensions, values: raw.values, states: raw.states, responses: raw.responses.count) else {
            return drop(.missingRating)
        }
        guard ratings.rated.contains(1) else { return drop(.noTargets) }
        counts.countLeftOut(ratings, source: raw.source)
        counts.kept += 1
        return RatedRecord(
            id: id, origin: Origin(input: UInt32(clamping: place.input), line: UInt64(place.number)), source: raw.source, turns: raw.turns,
            responses: raw.responses, models: raw.models, ratings: ratings, ratingStates: raw.states.map(\.rawValue))
    }

    private func explain(_ error: any Error, _ place: RecordPlace) -> (BadRecord.Reason, String) {
        switch error {
        case let bad as BadRecord: return (bad.reason, "\(place): \(bad.message)")
        case let fault as JSONError:
            guard let offset = fault.offset, let column = fault.column else { return (.invalidJSON, "\(place): \(fault.message)") }
            // A record on one line has columns; an element of an array may span lines, so its place is a byte of the input.
            return (.invalidJSON, place.unit == .line ? "\(place), column \(column): \(fault.message)" : "\(place), byte \(place.offset + offset): \(fault.message)")
        default: return (.invalidJSON, "\(place): \(error)")
        }
    }

    /// Messages quote the data; a control character in them must not reach a terminal or break the line.
    private func printable(_ message: String) -> String {
        String(String.UnicodeScalarView(message.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : $0 }))
    }

    /// `--strict`: "N/A" is the one value without a number that the schema provides for.
    private func refuseOddities(_ raw: RawPreference, _ place: RecordPlace) throws {
        func refuse(_ what: String) -> InputError { InputError("\(place): \(what) (--strict stops at the first oddity)") }
        guard raw.responses.count >= 2 else { throw refuse("\(raw.responses.count) response\(raw.responses.count == 1 ? "" : "s"), expected two or more") }
        if raw.turns.allSatisfy(\.content.isEmpty) { throw refuse("the prompt is empty") }
        if let i = raw.responses.firstIndex(where: \.isEmpty) { throw refuse("response \(i) is empty") }
        var seen: [Text: Int] = [:]
        for (i, response) in raw.responses.enumerated() {
            if let first = seen.updateValue(i, forKey: response) { throw refuse("responses \(first) and \(i) are identical") }
        }
        guard !raw.dimensions.isEmpty else { throw refuse("no ratings") }
        for (at, state) in raw.states.enumerated() where state != .rated && state != .notApplicable {
            throw refuse("the \(raw.dimensions[at / raw.responses.count]) rating of response \(at % raw.responses.count) is \(words(state))")
        }
    }

    private func words(_ state: RatingState) -> String {
        switch state {
        case .outOfRange: "out of range"
        case .null: "null"
        default: "missing"
        }
    }

    private func firstHalf(_ id: Text) -> UInt64 { UInt64(String(decoding: id.bytes.prefix(16), as: UTF8.self), radix: 16) ?? 0 }
}
