import Checksums
import RecordStream

/// Divides records among the shards of a set by their prompts, and packs each shard by itself: a shard is the same whether the others are made beside it or not.
public struct ShardedPacker {
    /// Those that are made, by their number in the set.
    private var packers: [Int: Packer]
    private let count: Int
    /// Of all records of the input, those of shards that are not made included.
    public private(set) var recordsRead = 0

    /// - Parameters:
    ///   - shards: the numbers of those to make.
    ///   - shuffleMemory: as for a packer; of all together.
    public init(_ options: PackingOptions, shards: Range<Int>, vocabularySize: Int? = nil, shuffleMemory: Int = Packer.defaultShuffleMemory) throws {
        count = options.shards
        packers = try Dictionary(uniqueKeysWithValues: shards.map {
            ($0, try Packer(options, vocabularySize: vocabularySize, shuffleMemory: shuffleMemory / shards.count))
        })
    }

    /// What became of the records of each shard that is made, in order.
    public var reports: [PackingReport] { packers.sorted { $0.key < $1.key }.map(\.value.report) }

    /// `output` gets each bin that is done, with the number of its shard.
    public mutating func add(_ record: TokensRecord, output: (PackedBin, Int) throws -> Void) throws {
        recordsRead += 1
        let shard = count == 1 ? 0 : ShardIdentity.shard(of: record.promptHash, count: count)
        try packers[shard]?.add(record) { try output($0, shard) }
    }

    /// Hands out what is still held, shard by shard.
    public mutating func finish(output: (PackedBin, Int) throws -> Void) throws {
        for shard in packers.keys.sorted() { try packers[shard]?.finish { try output($0, shard) } }
    }
}

extension TokensRecord {
    /// 64 bits of the prompt as it was before any cut (FORMAT.md, section 13).
    var promptHash: UInt64 {
        var sha = SHA256()
        for prompt in prompts {
            withUnsafeBytes(of: UInt64(prompt.ids.count).littleEndian) { sha.update($0) }
            prompt.ids.map(\.littleEndian).withUnsafeBytes { sha.update($0) }
        }
        return sha.digest().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
