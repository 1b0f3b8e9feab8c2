import JSON
import RecordStream
import SystemIO

extension RatingState {
    /// The name in counts.
    var countName: String {
        switch self {
        case .rated: "rated"
        case .notApplicable: "n/a"
        case .missing: "missing"
        case .null: "null"
        case .outOfRange: "out_of_range"
        case .unreadable: "unreadable"
        }
    }
}

extension RatingState {
    /// The name for people.
    var words: String {
        switch self {
        case .notApplicable: "N/A"
        case .outOfRange: "out of range"
        default: countName
        }
    }
}

extension ConversionCounts {
    /// The states of ratings that are not there.
    static let absentStates = RatingState.allCases.filter { ![.rated, .unreadable].contains($0) }

    /// For the stream's tail and the report; every count is there, zeros too, so that a reader need not know what may be absent.
    public var json: JSONValue {
        func number(_ value: Int) -> JSONValue { JSONValue(value) }
        let sources = self.sources.sorted { $0.key < $1.key }.map { source, dimensions in
            JSONMember(source, .object(dimensions.sorted { $0.key < $1.key }.map { JSONMember($0, $1.json) }))
        }
        return .object([
            ("records", .object([
                ("read", number(read)), ("kept", number(kept)), ("single", number(single)), ("joined", number(joined)), ("other_parts", number(otherParts)), ("no_part", number(noPart)),
                ("other_shards", number(otherShards)),
                ("dropped", .object(Dropped.allCases.map { ($0.rawValue, number(dropped[$0] ?? 0)) })),
                ("unmet", .object(unmet.sorted { $0.key < $1.key }.map { ($0.key, number($0.value)) })),
                ("skipped", .object(BadRecord.Reason.allCases.map { ($0.rawValue, number(skipped[$0.rawValue] ?? 0)) })),
            ])),
            ("responses", number(responses)),
            ("completions", completionsJSON),
            ("odd", .object([
                ("empty_prompts", number(emptyPrompts)), ("empty_responses", number(emptyResponses)), ("identical_responses", number(identicalResponses)),
                ("duplicate_prompts", number(duplicatePrompts)), ("duplicate_records", number(duplicateRecords)),
                ("repeated_keys", number(repeatedKeys)),
                ("repaired_scores", number(repaired)),
            ])),
            ("ratings", .object(sources)),
        ])
    }

    var completionsJSON: JSONValue { .object(completions.sorted { $0.key < $1.key }.map { ("\($0.key)", JSONValue($0.value)) }) }

    /// By dimension, of all sources together.
    public var dimensions: [(name: Text, counts: Dimension)] {
        let all = sources.values.reduce(into: [Text: Dimension]()) { all, dimensions in
            for (name, counts) in dimensions { all[name, default: Dimension()].add(counts) }
        }
        return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// One line when anything was dropped, skipped or had no rating; nil when the output holds all that was read, as it was read.
    public var summaryLine: String? {
        if read == 0 { return "no records in the input" }
        var parts: [String] = []
        let skippedWords = skipped.sorted { $0.key < $1.key }.map { "\($0.value) \(BadRecord.Reason(rawValue: $0.key)?.words ?? $0.key)" }
        let droppedWords = Dropped.allCases.flatMap { reason -> [String] in
            guard reason == .unmetCondition else { return dropped[reason].map { ["\($0) \(reason.words)"] } ?? [] }
            return unmet.sorted { $0.key < $1.key }.map { "\($0.value) not meeting \($0.key)" }
        }
        if droppedTotal + skippedTotal > 0 {
            parts.append("dropped \(droppedTotal + skippedTotal) of \(counted(read, "record")): " + (droppedWords + skippedWords).joined(separator: ", "))
        }
        if noPart > 0 { parts.append("left out \(noPart) of \(counted(read, "record")): in no part of the split, whose shares sum to less than 1") }
        let missing = RatingState.allCases.filter { $0 != .rated }.compactMap { state -> String? in
            let count = sources.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count(state) } }
            return count == 0 ? nil : "\(count) \(state.words)"
        }
        if repaired > 0 { parts.append("repaired \(counted(repaired, "overall_score")): 10 that stood for 1") }
        if !missing.isEmpty { parts.append("ratings not there: " + missing.joined(separator: ", ")) }
        let odd = [
            (emptyPrompts, "empty prompt", nil), (emptyResponses, "empty response", nil), (duplicatePrompts, "repeated prompt", nil),
            (duplicateRecords, "repeated record", nil), (repeatedKeys, "record with a repeated JSON key", "records with repeated JSON keys"),
        ].filter { $0.0 > 0 }.map { counted($0.0, $0.1, plural: $0.2) }
        if !odd.isEmpty { parts.append("kept " + odd.joined(separator: ", ")) }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// The other counts, as name and value.
    public var recordRows: [[String]] {
        var rows = [["records read", "\(read)"], ["records kept", "\(kept)"]]
        if single > 0 { rows.append(["of them with one response", "\(single)"]) }
        if joined > 0 { rows.append(["rows joined to the record of their prompt", "\(joined)"]) }
        if repaired > 0 { rows.append(["scores repaired", "\(repaired)"]) }
        if otherParts > 0 { rows.append(["in other parts of the split", "\(otherParts)"]) }
        if noPart > 0 { rows.append(["in no part of the split", "\(noPart)"]) }
        if otherShards > 0 { rows.append(["in other shards", "\(otherShards)"]) }
        for reason in Dropped.allCases { if let count = dropped[reason] { rows.append(["dropped: \(reason.words)", "\(count)"]) } }
        for (condition, count) in unmet.sorted(by: { $0.key < $1.key }) { rows.append(["of them not meeting \(condition)", "\(count)"]) }
        for (reason, count) in skipped.sorted(by: { $0.key < $1.key }) { rows.append(["skipped: \(BadRecord.Reason(rawValue: reason)?.words ?? reason)", "\(count)"]) }
        rows.append(["responses", "\(responses)"])
        for (count, records) in completions.sorted(by: { $0.key < $1.key }) { rows.append(["records with \(counted(count, "completion"))", "\(records)"]) }
        for (name, count) in [("empty prompts", emptyPrompts), ("empty responses", emptyResponses), ("records with identical responses", identicalResponses),
                              ("repeated prompts", duplicatePrompts), ("repeated records", duplicateRecords),
                              ("records with a repeated JSON key", repeatedKeys)] where count > 0 {
            rows.append([name, "\(count)"])
        }
        return rows
    }
}

extension ConversionCounts.Dimension {
    var json: JSONValue {
        .object(([.rated] + ConversionCounts.absentStates).map { ($0.countName, JSONValue(count($0))) }
            + [("tied_pairs", JSONValue(tiedPairs)), ("all_tied", JSONValue(allTied)), ("left_out", JSONValue(leftOut))])
    }
}
