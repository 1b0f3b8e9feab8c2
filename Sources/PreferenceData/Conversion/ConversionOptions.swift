import JSON
import RecordStream

/// Everything that decides what a conversion yields.
public struct ConversionOptions: Sendable {
    public enum OnBadRecord: String, Sendable, CaseIterable { case stop, skip }

    public var format: SourceFormat = .auto
    /// nil: the format's own (1..5 for UltraFeedback, 0..10 for scores).
    public var range: RatingRange?
    public var targets = Targets()
    public var split: Split?
    /// How many shards the prompts are divided into, by a hash of their text as in a split; and the only one to keep, where one is asked for.
    public var shards = 1
    public var shard: Int?
    public var onBadRecord: OnBadRecord = .stop
    /// Stop at the first oddity of any kind.
    public var strict = false
    /// What leaves out records that share text with a benchmark.
    public var decontamination: Decontamination?
    /// Licence of each source, as the tail records it.
    public var licences: [String: String] = [:]

    public init() {}

    /// Raised when the same options make other bytes of the same input.
    static let recipe = 4

    /// The command line that makes the same stream again: every option that decides bytes, with its value.
    public var provenance: Provenance {
        var arguments = ["--from", format.rawValue]
        if let range { arguments += ["--rating-range", range.description] }
        arguments += ["--missing", targets.missing.rawValue, "--temperature", "\(targets.temperature)"]
        if let split { arguments += ["--split", split.description, "--part", split.parts[split.wanted].name] }
        arguments += ["--on-bad-record", onBadRecord.rawValue]
        if strict { arguments.append("--strict") }
        for (source, licence) in licences.sorted(by: { $0.key < $1.key }) { arguments += ["--licence", "\(source)=\(licence)"] }
        return Provenance(command: "uf-convert", recipe: ConversionOptions.recipe, arguments: arguments.map { .text($0) } + (decontamination?.provenance ?? []))
    }

    /// The heads of the output streams, one for each shard that is kept.
    public var heads: [StreamHead] {
        get throws {
            guard shards > 1 || shard != nil else { return [head] }
            let all = try ShardIdentity.heads(head, count: shards) { [.text("--shard"), .text("\($0)/\(shards)")] }
            return shard.map { [all[$0]] } ?? all
        }
    }

    /// The head of a stream that is no shard, and what the heads of shards have in common.
    public var head: StreamHead {
        StreamHead(schema: RatedRecord.schema, settings: ["missing": .string(targets.missing.rawValue), "temperature": .number(targets.temperature)],
                   provenance: provenance)
    }
}
