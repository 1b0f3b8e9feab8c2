import Checksums
import JSON
import SystemIO

/// Which part of a set of streams a stream is: said in its head, so that shards of different sets cannot pass for one set.
public struct ShardIdentity: Sendable, Equatable {
    public static let setting = "shard"
    /// Each has an open file and a block in memory while a set is written.
    public static let mostShards = 512

    /// From 0.
    public var index: Int
    public var count: Int
    /// 32 hexadecimal digits that the shards of a set share, from schema, settings, provenance and their number.
    public var set: String

    public init(index: Int, count: Int, set: String) {
        self.index = index
        self.count = count
        self.set = set
    }

    /// Nil for a stream that is no shard.
    public init?(_ head: StreamHead) {
        guard let value = head.settings[ShardIdentity.setting], let index = value["index"]?.int, let count = value["count"]?.int, let set = value["set"]?.string
        else { return nil }
        self.init(index: index, count: count, set: set)
    }

    var json: JSONValue { .object([("count", JSONValue(count)), ("index", JSONValue(index)), ("set", .string(set))]) }

    /// The heads of the shards of a set, in order.
    /// - Parameters:
    ///   - head: what they have in common.
    ///   - arguments: of the provenance of one shard, which makes it alone.
    public static func heads(_ head: StreamHead, count: Int, arguments: (Int) -> [Provenance.Argument]) throws -> [StreamHead] {
        var sha = SHA256()
        sha.update(try head.jsonText())
        withUnsafeBytes(of: UInt64(count).littleEndian) { sha.update($0) }
        let set = hexadecimal(sha.digest().prefix(16))
        return (0 ..< count).map { index in
            var shard = head
            shard.settings[setting] = ShardIdentity(index: index, count: count, set: set).json
            shard.provenance.arguments += arguments(index)
            return shard
        }
    }

    /// The shard of a record, from 64 bits that its prompt decides: the same in every run, and independent of a split that the same bits decide.
    public static func shard(of hash: UInt64, count: Int) -> Int {
        // The finisher of SplitMix64 (Steele, Lea and Flood 2014) sets every bit in motion again.
        var mixed = hash &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Int(mixed.multipliedFullWidth(by: UInt64(count)).high)
    }
}
