import CommandSupport
import RecordStream

/// What every stage counted, one column a stream: what was read, dropped and cut on the way.
enum StageTable {
    static func text(_ summaries: [StreamSummary]) -> String {
        var table = TextTable([("stage", .left), ("counted", .left)] + shortNames(summaries.map(\.name)).map { ($0, .right) })
        let perStream = summaries.map(\.stages)
        for command in ordered(perStream.map { $0.map(\.command) }) {
            let counts = perStream.map { $0.first { $0.command == command }?.counts ?? [] }
            var first = true
            for name in ordered(counts.map { $0.map(\.name) }) {
                let cells = counts.map { $0.first { $0.name == name }?.count ?? 0 }
                // Nothing of the kind happened in any of them: not worth a line.
                guard cells.contains(where: { $0 != 0 }) else { continue }
                table.add([first ? command : "", words(name)] + cells.map(String.init))
                first = false
            }
        }
        return table.text()
    }

    /// `records.dropped.few_responses`: "records dropped: few responses".
    private static func words(_ name: String) -> String {
        // The third is a word, or a text of the user's that stays as it is.
        var parts = name.split(separator: ".", maxSplits: 2).map { part in
            part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } ? part.split(separator: "_").joined(separator: " ") : String(part)
        }
        guard parts.count > 2 else { return parts.joined(separator: " ") }
        let last = parts.removeLast()
        return parts.joined(separator: " ") + ": " + last
    }

    /// All words of several lists, in the order of their first appearance.
    private static func ordered(_ lists: [[String]]) -> [String] {
        var seen: Set<String> = []
        return lists.flatMap { $0 }.filter { seen.insert($0).inserted }
    }

    /// File names without their folders, unless two would be the same.
    private static func shortNames(_ names: [String]) -> [String] {
        let short = names.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        return Set(short).count == short.count ? short : names
    }
}
