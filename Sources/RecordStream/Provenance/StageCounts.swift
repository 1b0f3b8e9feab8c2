import JSON

/// What became of the data at one stage of a stream's making, from its tail and the tails of its inputs that it carries.
public struct StageCounts: Sendable {
    public var command: String
    /// Names like `records.dropped.few_responses`, with their counts, in the order in which the stage gave them.
    public var counts: [(name: String, count: Int)]

    /// All stages of a stream, the first one first. A stage that two inputs share (the same command twice) stands once, its counts added.
    public static func all(_ head: StreamHead, _ tail: StreamTail) -> [StageCounts] {
        var stages: [StageCounts] = []
        collect(head.provenance, tail, into: &stages)
        return stages
    }

    private static func collect(_ provenance: Provenance, _ tail: StreamTail, into stages: inout [StageCounts]) {
        var upstream = provenance.inputs.makeIterator()
        for case .stream(_, _, _, let tail) in tail.inputs {
            if let stage = upstream.next() { collect(stage, tail, into: &stages) }
        }
        var counts: [(name: String, count: Int)] = []
        flatten(tail.counts, name: "", depth: 0, into: &counts)
        guard let known = stages.firstIndex(where: { $0.command == provenance.command }) else {
            return stages.append(StageCounts(command: provenance.command, counts: counts))
        }
        for (name, count) in counts {
            if let at = stages[known].counts.firstIndex(where: { $0.name == name }) {
                stages[known].counts[at].count = stages[known].counts[at].count.addingReportingOverflow(count).partialValue
            } else {
                stages[known].counts.append((name, count))
            }
        }
    }

    // Deeper tables (ratings by source and dimension) are for `stats` without --stages.
    private static let deepest = 3

    private static func flatten(_ value: JSONValue, name: String, depth: Int, into counts: inout [(name: String, count: Int)]) {
        if let count = value.int { counts.append((name, count)) }
        guard depth < deepest, let members = value.object else { return }
        for member in members { flatten(member.value, name: name.isEmpty ? member.key.description : name + "." + member.key.description, depth: depth + 1, into: &counts) }
    }
}
