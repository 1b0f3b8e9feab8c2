/// What packed records are written as for other programs.
public enum ExportFormat: String, Sendable, CaseIterable {
    /// A line of JSON a record, with all that the stream says of it.
    case jsonl
    /// A line of JSON a pair (layout sft: a sequence), with the columns that TRL's trainers call tokenised.
    case trl
    /// The same for LLaMA-Factory.
    case llamafactory
    /// Padded arrays of NumPy.
    case npz
}

/// What an export did.
public struct ExportCounts: Sendable, Equatable {
    /// Records read.
    public internal(set) var records = 0
    /// Lines or rows written.
    public internal(set) var written = 0
    /// Records of which nothing was written, by why.
    public internal(set) var skipped: [String: Int] = [:]
    /// Of records of which other pairs were written: pairs that TRL's columns cannot hold.
    public internal(set) var pairsSkipped = 0

    public init() {}

    mutating func skip(_ reason: String) { skipped[reason, default: 0] += 1 }

    /// One line on what was left out; nil when nothing was.
    public var summary: String? {
        var parts: [String] = []
        if !skipped.isEmpty {
            let reasons = skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            parts.append("skipped \(skipped.values.reduce(0, +)) of \(records) records: " + reasons.joined(separator: ", "))
        }
        if pairsSkipped > 0 { parts.append("left out \(pairsSkipped) pairs of other records, whose two responses have prompts of their own") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
