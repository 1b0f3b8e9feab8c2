import JSON
import LanguageModel
import RecordStream
import SystemIO

/// The reference's log-probability of every response of a shard, by record number.
public struct ReferenceLogProbs: Sendable {
    private var records: [ResponseLogProbs]

    public init(_ records: [ResponseLogProbs]) { self.records = records }

    public subscript(_ record: Int) -> ResponseLogProbs { records[record] }
    public var count: Int { records.count }

    /// Those of a bin's records.
    public func members(of bin: Int, in shard: PackedShard) -> ArraySlice<ResponseLogProbs> {
        records[shard.firstMember[bin] ..< shard.firstMember[bin] + shard.memberCounts[bin]]
    }

    /// Zero for every response: no reference (`--reference none`).
    public static func none(for shard: PackedShard) throws -> ReferenceLogProbs {
        var records: [ResponseLogProbs] = []
        for number in 0 ..< shard.binCount {
            for counts in ScoredBin(try shard.bin(number)).responseTokenCounts {
                records.append(ResponseLogProbs(sums: counts.map { _ in 0 }, tokenCounts: counts))
            }
        }
        return ReferenceLogProbs(records)
    }

    /// Reads what `uf-eval score` wrote. Refused unless it says to come from this model and this shard, and fits it record by record.
    public init(reading source: any ByteSource, for shard: PackedShard, model: String, modelDigest: String, precision: Precision = .single) throws {
        let reader = try RecordReader<LogProbRecord>(source)
        let name = source.name
        guard let digest = reader.stream.head.settings[ShardSetting.model]?.string else {
            throw InputError("\(name): its head names no model; make it again with uf-eval score")
        }
        guard digest == modelDigest else {
            throw InputError("\(name): log-probabilities of the model \(digest), but \(model) is \(modelDigest); run uf-eval score with \(model)")
        }
        guard precision == .single || reader.stream.head.settings[ShardSetting.precision]?.string == precision.rawValue else {
            throw InputError("\(name): log-probabilities in single precision, and --precision \(precision.rawValue) was asked for; run uf-eval score with --precision \(precision.rawValue)")
        }
        var records: [ResponseLogProbs] = []
        for number in 0 ..< shard.binCount {
            let bin = try shard.bin(number)
            for (member, counts) in zip(bin.members, ScoredBin(bin).responseTokenCounts) {
                guard let record = try reader.next() else { throw ReferenceLogProbs.otherShard(name, shard, "it ends after \(records.count) records of \(shard.recordCount)") }
                guard record.id == member.id, record.tokenCounts.map({ Int($0) }) == counts else {
                    throw ReferenceLogProbs.otherShard(name, shard, "record \(records.count) is \(record.id) with \(record.tokenCounts) tokens, expected \(member.id) with \(counts)")
                }
                records.append(ResponseLogProbs(sums: record.logProbs, tokenCounts: counts))
            }
        }
        guard try reader.next() == nil else { throw ReferenceLogProbs.otherShard(name, shard, "it goes on after \(shard.recordCount) records") }
        // Only the tail names the shard that was scored.
        let contents: [String] = reader.stream.tail?.inputs.compactMap { if case .stream(_, let content, _, _) = $0 { content } else { nil } } ?? []
        guard contents == [shard.contentDigest] else {
            throw ReferenceLogProbs.otherShard(name, shard, "it was made from content \(contents.isEmpty ? "unknown" : contents.joined(separator: ", ")), this is \(shard.contentDigest)")
        }
        self.records = records
    }

    private static func otherShard(_ name: String, _ shard: PackedShard, _ difference: String) -> InputError {
        InputError("\(name): log-probabilities of another shard than \(shard.name): \(difference); run uf-eval score on \(shard.name)")
    }
}
