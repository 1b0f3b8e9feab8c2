/// Counts of a portion of the input, or of all of it, apart for each output: what a stream tells is of its own records and of those that belong to none.
struct OutputCounts: Sendable {
    /// Of what belongs to no output here: unreadable records, rows joined to others, other parts and shards.
    var shared = ConversionCounts()
    /// Of each part of a split, or of each shard.
    var outputs: [ConversionCounts]

    init(outputs: Int) { self.outputs = Array(repeating: ConversionCounts(), count: outputs) }

    var total: ConversionCounts { outputs.reduce(into: shared) { $0.add($1) } }

    mutating func add(_ other: OutputCounts) {
        shared.add(other.shared)
        for (output, counts) in other.outputs.enumerated() { outputs[output].add(counts) }
    }
}
