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
    /// Whether the system prompt under which each completion of UltraFeedback was written is kept.
    public var systems = SystemPrompts.none
    /// nil: all dimensions under their own names.
    public var dimensions: DimensionChoice?
    /// Onto what ratings are mapped before anything is made of them, by the dimension's name in the stream; nil: they stay as they are.
    public var scale: ByDimension<RatingRange?>?
    /// What a rating may be; nil: what the source says.
    public var range: RatingRange?
    public var targets = Targets()
    public var split: Split?
    /// What a record must meet, all of them, as it would stand in the stream.
    public var conditions: [RecordFilter] = []
    /// What to choose of the records that are left, of each part of a split by itself and of all shards together; nil: all.
    public var sample: Sample?
    /// How many shards the prompts are divided into, by a hash of their text as in a split; and the only one to keep, where one is asked for.
    public var shards = 1
    public var shard: Int?
    public var onBadRecord: OnBadRecord = .stop
    /// Stop at the first oddity of any kind.
    public var strict = false
    /// Dimensions that are rated from the text itself, after the source's own.
    public var raters: [Rater] = []
    /// Which records whose prompt an earlier record has are left out, of each part of a split by itself and of all shards together; nil: none, they are only counted.
    public var deduplication: DuplicateIndex.Mode?
    /// The prompts of earlier releases, which are left out too, as `PromptStore.earlier` has them.
    public var earlier: PromptStore.Earlier?
    /// What leaves out records that share text with a benchmark.
    public var decontamination: Decontamination?
    /// Licence of each source, as the tail records it.
    public var licences: [String: String] = [:]
    /// Gather `Conversion.statistics`, which takes time; no stream changes by it.
    public var gathersStatistics = false

    public init() {}

    /// Raised when the same options make other bytes of the same input.
    static let recipe = 10

    /// The command line that makes the same stream again: every option that decides bytes, with its value.
    public var provenance: Provenance {
        var arguments: [Provenance.Argument] = []
        func add(_ words: String...) { arguments += words.map { .text($0) } }
        if let map { arguments += [.text("--map"), .file(role: "map", sha256: map.sha256)] } else { add("--from", format.name) }
        if let score { add("--score-from", score.rawValue) }
        if systems != .none { add("--system", systems.rawValue) }
        if let range { add("--rating-range", range.description) }
        if !raters.isEmpty { add("--rate", raters.map(\.rawValue).joined(separator: ",")) }
        if let dimensions { add("--dimensions", dimensions.description) }
        if let scale { add("--scale", scale.words { $0.map { "\(plain($0.low)):\(plain($0.high))" } }) }
        add("--missing", targets.missing.rawValue, "--temperature", targets.temperature.words { "\($0)" })
        if let split { add("--split", split.description) }
        if let part = split?.wanted.flatMap({ split?.parts[$0].name }) { add("--part", part) }
        for condition in conditions { add("--where", condition.text) }
        add("--on-bad-record", onBadRecord.rawValue)
        if strict { add("--strict") }
        for (source, licence) in licences.sorted(by: { $0.key < $1.key }) { add("--licence", "\(source)=\(licence)") }
        if let deduplication { add("--dedup", deduplication.rawValue) }
        // An empty store changes no byte.
        if let earlier, earlier.count > 0 { arguments += [.text("--dedup-store"), .file(role: "dedup_store", sha256: earlier.sha256)] }
        if let decontamination { arguments += decontamination.provenance }
        if let sample {
            add("--sample", "\(sample.count)", "--seed", "\(sample.seed)")
            if let strata = sample.strata { add("--stratify", strata.rawValue) }
        }
        return Provenance(command: "uf-convert", recipe: ConversionOptions.recipe, arguments: arguments)
    }

    /// Whether a part of the split is an output of its own.
    var writesParts: Bool { split.map { $0.wanted == nil } ?? false }

    /// How many streams the records are divided into: the parts of a split of which none alone is wanted, or the shards.
    var outputs: Int { writesParts ? split?.parts.count ?? 1 : shards }

    /// Whether an output is written: where one shard is wanted the others are not, though they may be made.
    func writes(_ output: Int) -> Bool { shard.map { $0 == output } ?? true }

    /// Duplicates are looked for and samples are taken in each part by itself, and among all shards together.
    var populations: Int { writesParts ? outputs : 1 }

    func population(of output: Int) -> Int { writesParts ? output : 0 }

    /// The heads of the output streams: of each part, or of each shard that is kept.
    public var heads: [StreamHead] {
        get throws {
            if writesParts, let split {
                return split.parts.indices.map { part in
                    var options = self
                    options.split = split.keeping(part)
                    return options.head
                }
            }
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

    var sources: SourceTable { SourceTable(score: score, systems: systems) }

    /// The source of all records; nil where each input shows its own.
    var fixedSource: (any RecordSource)? { map ?? sources[format.name] }
}
