/// Counts of a portion of the input, or of all of it, apart for each shard: what a shard's stream tells is of its own records and of those that
/// belong to none.
struct ShardedCounts: Sendable {
    /// Of what belongs to no shard here: unreadable records, rows joined to others, other parts and shards.
    var shared = ConversionCounts()
    var shards: [ConversionCounts]

    init(shards: Int) { self.shards = Array(repeating: ConversionCounts(), count: shards) }

    /// What the stream of one shard tells: the rest of what was looked at is in the others.
    func counts(ofShard shard: Int) -> ConversionCounts {
        var counts = shared
        counts.add(shards[shard])
        counts.otherShards += shards.reduce(0) { $0 + $1.looked } - shards[shard].looked
        return counts
    }

    var total: ConversionCounts { shards.reduce(into: shared) { $0.add($1) } }

    mutating func add(_ other: ShardedCounts) {
        shared.add(other.shared)
        for (shard, counts) in other.shards.enumerated() { shards[shard].add(counts) }
    }
}
