import JSON
import RecordStream
import SystemIO

/// A packed stream, whole and checked, with random access to its bins: an epoch visits them in an order of its own.
///
/// The blocks stay in memory as they came (about 8 bytes a token), because a pipe cannot be read twice. Nothing is trained on before the end mark was seen, so a
/// damaged stream costs no step.
public final class PackedShard {
    /// The file's name, for messages.
    public let name: String
    public let head: StreamHead
    /// Identity of the records in their order, whatever made them.
    public let contentDigest: String
    public let streamDigest: String
    /// Records of each bin.
    public let memberCounts: [Int]
    /// Number of the first record of each bin in the stream.
    public let firstMember: [Int]
    /// Tokens of each bin.
    public let tokenCounts: [Int]
    private let blocks: [Block]
    /// For each bin its block and its place there.
    private let places: [(block: Int, record: Int)]

    /// Reads the stream to its end and checks every bin once.
    public init(_ source: any ByteSource) throws {
        let reader = try RecordReader<PackedBin>(source).stream
        var blocks: [Block] = [], places: [(block: Int, record: Int)] = []
        var memberCounts: [Int] = [], firstMember: [Int] = [], tokenCounts: [Int] = [], members = 0
        while let block = try reader.nextBlock() {
            for record in 0 ..< block.count {
                let bin = try PackedShard.bin(block, record, source.name)
                places.append((blocks.count, record))
                firstMember.append(members)
                memberCounts.append(bin.members.count)
                tokenCounts.append(bin.tokens.count)
                members += bin.members.count
            }
            blocks.append(block)
        }
        guard let content = reader.contentDigest, let stream = reader.streamDigest else {
            throw InputError("\(source.name): its end was read without a digest", status: .internalError)
        }
        name = source.name
        head = reader.head
        contentDigest = content
        streamDigest = stream
        self.blocks = blocks
        self.places = places
        self.memberCounts = memberCounts
        self.firstMember = firstMember
        self.tokenCounts = tokenCounts
    }

    public var binCount: Int { places.count }
    public var recordCount: Int { (firstMember.last ?? 0) + (memberCounts.last ?? 0) }
    public var tokenCount: Int { tokenCounts.reduce(0, +) }

    /// A copy of one bin.
    public func bin(_ number: Int) throws -> PackedBin {
        let place = places[number]
        return try PackedShard.bin(blocks[place.block], place.record, name)
    }

    private static func bin(_ block: Block, _ record: Int, _ name: String) throws -> PackedBin {
        do { return try block.record(record) } catch let error as InputError { throw error.at(name) }
    }

    /// The layout the shard was packed to; nil when its head does not say.
    public var layout: PackedLayout? { head.settings[ShardSetting.layout]?.string.flatMap { PackedLayout(rawValue: $0) } }
}

/// What the heads of streams say about their records, by the names that the stages agree on.
public enum ShardSetting {
    /// SHA-256 of the vocabulary that made the token ids.
    public static let tokenizer = "tokenizer"
    /// One more than the greatest token id.
    public static let vocabularySize = "vocabulary_size"
    /// `PackedLayout`.
    public static let layout = "layout"
    /// Digest of the model that gave log-probabilities.
    public static let model = "model"
    /// `Precision` of log-probabilities; absent: single.
    public static let precision = "precision"
}
