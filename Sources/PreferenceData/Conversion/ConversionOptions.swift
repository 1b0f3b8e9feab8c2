import JSON
import RecordStream

/// Everything that decides what a conversion yields.
public struct ConversionOptions: Sendable {
    public enum OnBadRecord: String, Sendable, CaseIterable { case stop, skip }

    public var format: SourceFormat = .auto
    /// What describes the records, in place of `format`.
    public var map: RecordMap?
    /// Which score of UltraFeedback takes the place of its dimensions.
    public var score: UltraFeedbackScore?
    /// nil: all dimensions under their own names.
    public var dimensions: DimensionChoice?
    /// Onto what ratings are mapped before anything is made of them, by the dimension's name in the stream; nil: they stay as they are.
    public var scale: ByDimension<RatingRange?>?
    /// What a rating may be; nil: what the source says.
    public var range: RatingRange?
    public var targets = Targets()
    public var split: Split?
    /// How many shards the prompts are divided into, by a hash of their text as in a split; and the only one to keep, where one is asked for.
    public var shards = 1
    public var shard: Int?
    public var onBadRecord: OnBadRecord = .stop
    /// Stop at the first oddity of any kind.
    public var strict = false
    /// Dimensions that are rated from the text itself, after the source's own.
    public var raters: [Rater] = []
    /// Which records whose prompt an earlier record has are left out; nil: none, they are only counted.
    public var deduplication: DuplicateIndex.Mode?
    /// The prompts of earlier releases that are left out too, as `PromptStore.earlier` has them.
    public var earlier: PromptStore.Earlier?
    /// What leaves out records that share text with a benchmark.
    public var decontamination: Decontamination?
    /// Licence of each source, as the tail records it.
    public var licences: [String: String] = [:]
    /// Gather `Conversion.statistics`, which takes time; no stream changes by it.
    public var gathersStatistics = false

    public init() {}

    /// Raised when the same options make other bytes of the same input.
    static let recipe = 7

    /// The command line that makes the same stream again: every option that decides bytes, with its value.
    public var provenance: Provenance {
        var arguments: [Provenance.Argument] = []
        func add(_ words: String...) { arguments += words.map { .text($0) } }
        if let map { arguments += [.text("--map"), .file(role: "map", sha256: map.sha256)] } else { add("--from", format.name) }
        if let score { add("--score-from", score.rawValue) }
        if let range { add("--rating-range", range.description) }
        if !raters.isEmpty { add("--rate", raters.map(\.rawValue).joined(separator: ",")) }
        if let dimensions { add("--dimensions", dimensions.description) }
        if let scale { add("--scale", scale.words { $0.map { "\(plain($0.low)):\(plain($0.high))" } }) }
        add("--missing", targets.missing.rawValue, "--temperature", targets.temperature.words { "\($0)" })
        if let split { add("--split", split.description, "--part", split.parts[split.wanted].name) }
        add("--on-bad-record", onBadRecord.rawValue)
        if strict { add("--strict") }
        for (source, licence) in licences.sorted(by: { $0.key < $1.key }) { add("--licence", "\(source)=\(licence)") }
        if let deduplication { add("--dedup", deduplication.rawValue) }
        // An empty store changes no byte.
        if let earlier, earlier.count > 0 { arguments += [.text("--dedup-store"), .file(role: "dedup_store", sha256: earlier.sha256)] }
        if let decontamination { arguments += decontamination.provenance }
        return Provenance(command: "uf-convert", recipe: ConversionOptions.recipe, arguments: arguments)
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
        let temperature = targets.temperature
        let shown: JSONValue = temperature.named.isEmpty ? .number(temperature.others) : .string(temperature.words { "\($0)" })
        return StreamHead(schema: RatedRecord.schema, settings: ["missing": .string(targets.missing.rawValue), "temperature": shown], provenance: provenance)
    }

    var sources: SourceTable { SourceTable(score: score) }

    /// The source of all records; nil where each input shows its own.
    var fixedSource: (any RecordSource)? { map ?? sources[format.name] }
}
