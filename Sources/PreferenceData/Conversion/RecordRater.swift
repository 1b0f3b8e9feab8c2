import Checksums
import InputFiles
import JSON
import RecordStream
import SystemIO

/// Makes records of the stream from raw ones: dimensions, scale, split, targets, conditions, identity; counts what it meets. One for each thread.
struct RecordRater {
    private let options: ConversionOptions
    private let probe = RecordProbe<RatedRecord>()

    init(_ options: ConversionOptions) { self.options = options }

    /// Of the groups in order; without those of another part of the split or another shard. What was made before an error is in `items`.
    func rate(_ groups: inout [RowGroup], _ digests: inout MessageDigests, _ counts: inout OutputCounts, into items: inout [ConvertedChunk.Item]) throws {
        for i in groups.indices { prepare(&groups[i].record, &counts.shared) }
        // Through a pointer: the compiler would copy each record, with a count of references for each of its texts.
        try groups.withUnsafeBufferPointer { groups in
            let identities = RecordIdentity.identities(of: groups, with: &digests)
            for i in groups.indices {
                if let item = try rate(groups[i].record, identities[i], groups[i].place, &counts) { items.append(item) }
            }
        }
    }

    /// Gives the record the dimensions and scales that are asked for.
    private func prepare(_ raw: inout RawPreference, _ counts: inout ConversionCounts) {
        counts.note(source: raw.source)
        counts.note(dimensions: raw.dimensions)
        if !options.raters.isEmpty { counts.note(dimensions: options.raters.map(\.dimension)) }
        guard !options.raters.isEmpty || options.dimensions != nil || options.scale != nil else { return }
        raw = scaled(chosen(rated(raw)))
    }

    /// - Returns: nil when the record is in another part of the split or another shard.
    private func rate(_ raw: RawPreference, _ identity: RecordIdentity, _ place: RecordPlace, _ counts: inout OutputCounts) throws -> ConvertedChunk.Item? {
        guard let output = output(of: identity.promptHash, place, &counts.shared) else { return nil }
        if options.strict, options.writes(output) { try refuseOddities(raw, place) }
        counts.outputs[output].count(raw, place)
        let contamination = options.decontamination?.contamination(of: raw, at: place)
        if contamination != nil { counts.outputs[output].drop(.contaminated, place) }
        let made = contamination == nil ? try record(raw, raw.id ?? identity.idText, place, &counts.outputs[output]) : nil
        let item = ConvertedChunk.Item(promptHash: identity.promptHash, output: output, idHash: identity.id.high, place: place, record: made, contamination: contamination)
        if options.gathersStatistics { item.raw = raw }
        if made != nil, let mode = options.deduplication {
            let sketch = PromptSketch(raw.turns, withShingles: mode == .near || options.earlier != nil)
            item.sketch = sketch
            if mode == .near { item.bandKeys = MinHash.bandKeys(sketch.shingles) }
        }
        return item
    }

    /// The stream that a record with this prompt goes to; nil for one of another part or shard.
    private func output(of promptHash: UInt64, _ place: RecordPlace, _ counts: inout ConversionCounts) -> Int? {
        if let split = options.split {
            guard let part = split.part(of: promptHash) else {
                counts.leaveOut(place)
                return nil
            }
            guard let wanted = split.wanted else { return part }
            guard part == wanted else {
                counts.otherParts += 1
                return nil
            }
        }
        let shard = ShardIdentity.shard(of: promptHash, count: options.shards)
        // A sample is of all shards, and so are duplicates: whoever writes one shard must know what the others have.
        guard options.writes(shard) || options.sample != nil || options.deduplication != nil else {
            counts.otherShards += 1
            return nil
        }
        return shard
    }

    /// `--rate`: dimensions from the text itself, each response against the last turn before it.
    private func rated(_ raw: RawPreference) -> RawPreference {
        var raw = raw
        let prompt = raw.turns.last?.content ?? Text()
        for rater in options.raters where !raw.dimensions.contains(rater.dimension) {
            raw.rate(rater.dimension, in: Rater.range, raw.responses.map { (rater.rate($0, prompt: prompt), .rated) })
        }
        return raw
    }

    /// `--dimensions`: those that are named, in that order and under their new names; the others are left out.
    private func chosen(_ raw: RawPreference) -> RawPreference {
        guard let choice = options.dimensions else { return raw }
        return raw.rerated { result in
            for pick in choice.picks {
                guard let k = raw.dimensions.firstIndex(where: { $0 == pick.source }) else { continue }
                result.rate(Text(pick.name), in: raw.ranges[k], raw.ratings(k))
            }
        }
    }

    /// `--scale`: ratings from what they may be onto the scale, linearly.
    private func scaled(_ raw: RawPreference) -> RawPreference {
        guard let scale = options.scale else { return raw }
        return raw.rerated { result in
            for (k, name) in raw.dimensions.enumerated() {
                let from = raw.ranges[k], onto = scale[name] ?? from
                result.rate(name, in: onto, raw.ratings(k).map { (from.map($0.0, onto: onto), $0.1) })
            }
        }
    }

    private func record(_ raw: RawPreference, _ id: Text, _ place: RecordPlace, _ counts: inout ConversionCounts) throws -> RatedRecord? {
        func drop(_ reason: ConversionCounts.Dropped) -> RatedRecord? {
            counts.drop(reason, place)
            return nil
        }
        guard raw.responses.count >= 2 || raw.standsAlone else { return drop(.fewerThanTwoResponses) }
        guard let ratings = options.targets.make(raw) else { return drop(.missingRating) }
        guard ratings.rated.contains(1) || raw.standsAlone else { return drop(.noTargets) }
        let record = RatedRecord(
            id: id, origin: Origin(input: UInt32(clamping: place.input), line: UInt64(place.number)), source: raw.source, turns: raw.turns,
            responses: raw.responses, responseSystems: raw.responseSystems, models: raw.models, ratings: ratings, ratingStates: raw.states.map(\.rawValue))
        if let unmet = try unmetCondition(record, place) {
            counts.unmet[unmet.text, default: 0] += 1
            return drop(.unmetCondition)
        }
        if !raw.standsAlone { counts.countLeftOut(ratings, source: raw.source) }
        counts.kept += 1
        if raw.standsAlone { counts.single += 1 }
        return record
    }

    /// `--where`: the first condition that keeps the record out.
    private func unmetCondition(_ record: RatedRecord, _ place: RecordPlace) throws -> RecordFilter? {
        guard !options.conditions.isEmpty else { return nil }
        do {
            return try probe.firstUnmet(options.conditions, by: record).map { options.conditions[$0] }
        } catch let error as InputError { throw error.at("\(place)") }
    }

    /// `--strict`: "N/A" is the one value without a number that the schema provides for.
    private func refuseOddities(_ raw: RawPreference, _ place: RecordPlace) throws {
        func refuse(_ what: String) -> InputError { InputError("\(place): \(what) (--strict stops at the first oddity)") }
        guard raw.responses.count >= 2 || raw.standsAlone else {
            throw refuse("\(counted(raw.responses.count, "response")), expected two or more")
        }
        if raw.turns.allSatisfy(\.content.isEmpty) { throw refuse("the prompt is empty") }
        if let i = raw.responses.firstIndex(where: \.isEmpty) { throw refuse("response \(i) is empty") }
        var seen: [Text: Int] = [:]
        for (i, response) in raw.responses.enumerated() {
            if let first = seen.updateValue(i, forKey: response) { throw refuse("responses \(first) and \(i) are identical") }
        }
        guard !raw.dimensions.isEmpty || raw.standsAlone else { throw refuse("no ratings") }
        if raw.repairs > 0 { throw refuse("an overall_score of 10 with poor ratings, which stands for 1") }
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
}
