import Checksums
import RecordStream

/// Divides records among the shards of a set by their prompts, and packs each shard by itself: a shard is the same whether the others are made beside it or not.
public struct ShardedPacker {
    /// Of those that are made, in order; the first one's number in the set.
    private var packers: [Packer]
    private let first: Int
    private let count: Int
    /// Of all records of the input, those of shards that are not made included.
    public private(set) var recordsRead = 0

    /// - Parameters:
    ///   - shards: the numbers of those to make.
    ///   - shuffleMemory: as for a packer; of all together.
    public init(_ options: PackingOptions, shards: Range<Int>, vocabularySize: Int? = nil, shuffleMemory: Int = Packer.defaultShuffleMemory) throws {
        count = options.shards
        first = shards.lowerBound
        let copy = BlockBuilder(schema: TokensRecord.schemaWithAnswers)
        packers = try shards.map { _ in try Packer(options, vocabularySize: vocabularySize, shuffleMemory: shuffleMemory / shards.count, copy: copy) }
    }

    /// What became of the records of each shard that is made, in order.
    public var reports: [PackingReport] { packers.map(\.report) }

    /// `output` gets each bin that is done, with the place of its shard among those that are made.
    public mutating func add(_ columns: TokensColumns, output: (PackedDraft, Int) throws -> Void) throws {
        try columns.withArrays {
            for record in columns.records {
                recordsRead += 1
                let shard = (count == 1 ? 0 : ShardIdentity.shard(of: columns.promptHash(record), count: count)) - first
                if packers.indices.contains(shard) { try packers[shard].add(record, of: columns) { try output($0, shard) } }
            }
        }
    }

    /// Hands out what is still held, shard by shard.
    public mutating func finish(output: (PackedDraft, Int) throws -> Void) throws {
        for shard in packers.indices { try packers[shard].finish { try output($0, shard) } }
    }
}

extension TokensColumns {
    /// 64 bits of the prompt as it was before any cut (FORMAT.md, section 13).
    func promptHash(_ record: Int) -> UInt64 {
        var sha = SHA256()
        for number in 0 ..< promptCount(record) {
            let prompt = prompt(number, of: record)
            withUnsafeBytes(of: UInt64(prompt.count).littleEndian) { sha.update($0) }
            sha.update(UnsafeRawBufferPointer(prompt))
        }
        return sha.digest().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
