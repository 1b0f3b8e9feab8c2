import Checksums
import JSON
import RecordStream

/// Chooses the records of a sample in one pass: those with the lowest keys, a hash of seed and id, so that neither the order of the records nor their
/// division into inputs matters. A larger sample of the same seed holds a smaller one where there are no strata.
///
/// What may still be chosen is put aside on disk; in memory a record takes some 60 bytes, at most `count` of them a stratum.
final class Sampler {
    /// What is counted of a record that is not in the sample.
    struct LeftOut {
        /// The stream that it would have gone to.
        var output: Int
        var isSingle: Bool
        var origin: Origin
    }

    private let sample: Sample
    private let start: SHA256
    private let aside: TemporaryStream<RatedRecord>
    private let probe = RecordProbe<RatedRecord>()
    private var strata: [Text: Stratum] = [:]

    private struct Stratum {
        var size = 0
        var lowest: LowestKeys
    }

    init(_ sample: Sample, head: StreamHead) throws {
        self.sample = sample
        var start = SHA256()
        withUnsafeBytes(of: sample.seed.littleEndian) { start.update($0) }
        self.start = start
        aside = try TemporaryStream(head)
    }

    /// - Returns: what cannot be in the sample now, this record or an earlier one.
    func add(_ record: RatedRecord, output: Int) throws -> LeftOut? {
        let name = sample.strata == .source ? record.source : Text(), ifLeftOut = LeftOut(output: output, isSingle: record.responses.count == 1, origin: record.origin)
        var stratum = strata.removeValue(forKey: name) ?? Stratum(lowest: LowestKeys(limit: sample.count))
        defer { strata[name] = stratum }
        stratum.size += 1
        let hash = hash(record.id.bytes), highest = stratum.lowest.highest
        if let highest, hash > highest.id { return ifLeftOut }
        let key = SampleKey(id: hash, content: try content(record))
        if let highest, key >= highest { return ifLeftOut }
        try aside.append(record)
        return stratum.lowest.insert(Candidate(number: aside.records - 1, key: key, ifLeftOut: ifLeftOut))?.ifLeftOut
    }

    /// Records with the same id have the same text, but perhaps not the same ratings: where only one of them fits, what it holds decides, and not its place.
    private func content(_ record: RatedRecord) throws -> UInt64 {
        var placeless = record
        placeless.origin = Origin(input: 0, line: 0)
        return hash(try probe.block(placeless).recordBytes(0))
    }

    private func hash(_ bytes: [UInt8]) -> UInt64 {
        var sha = start
        sha.update(bytes)
        return sha.digest().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Hands the sample to `write`, in the order in which the records came, with the number of each one's output; what was put aside in vain goes to `leftOut`.
    /// - Returns: how many records there were to choose from.
    func finish(leftOut: (LeftOut) -> Void, write: (RatedRecord, Int) throws -> Void) throws -> Int {
        let strata = self.strata.sorted { $0.key < $1.key }.map(\.value)
        var chosen: [Candidate] = []
        for (stratum, share) in zip(strata, sample.shares(strata.map(\.size))) {
            let candidates = stratum.lowest.candidates.sorted { $0.key < $1.key || $0.key == $1.key && $0.number < $1.number }
            chosen += candidates.prefix(share)
            for candidate in candidates.dropFirst(share) { leftOut(candidate.ifLeftOut) }
        }
        chosen.sort { $0.number < $1.number }
        var next = chosen.makeIterator(), wanted = next.next()
        try aside.finish { record, number in
            guard let candidate = wanted, candidate.number == number else { return }
            try write(record, candidate.ifLeftOut.output)
            wanted = next.next()
        }
        return strata.reduce(0) { $0 + $1.size }
    }
}

/// What a sample goes by: a hash of seed and id, and among equal ones a hash of seed and the whole record but its place.
private struct SampleKey: Comparable {
    var id: UInt64
    var content: UInt64

    static func < (left: Self, right: Self) -> Bool { (left.id, left.content) < (right.id, right.content) }
}

/// A record that may be in the sample; its number is that among those put aside.
private struct Candidate {
    var number: Int
    var key: SampleKey
    var ifLeftOut: Sampler.LeftOut
}

/// The candidates with the lowest keys, of equal ones the earlier: a heap, the highest on top.
private struct LowestKeys {
    let limit: Int
    private(set) var candidates: [Candidate] = []

    init(limit: Int) { self.limit = limit }

    /// The key that another must be below; nil while there is room for any.
    var highest: SampleKey? { candidates.count < limit ? nil : candidates.first?.key }

    /// - Returns: the one that had to go.
    mutating func insert(_ candidate: Candidate) -> Candidate? {
        guard candidates.count == limit else {
            candidates.append(candidate)
            rise(candidates.count - 1)
            return nil
        }
        let gone = candidates[0]
        candidates[0] = candidate
        sink()
        return gone
    }

    private func isAbove(_ a: Int, _ b: Int) -> Bool {
        let (a, b) = (candidates[a], candidates[b])
        return b.key < a.key || a.key == b.key && a.number > b.number
    }

    private mutating func rise(_ start: Int) {
        var at = start
        while at > 0, case let parent = (at - 1) / 2, isAbove(at, parent) {
            candidates.swapAt(at, parent)
            at = parent
        }
    }

    private mutating func sink() {
        var at = 0
        while case let left = 2 * at + 1, left < candidates.count {
            let higher = left + 1 < candidates.count && isAbove(left + 1, left) ? left + 1 : left
            guard isAbove(higher, at) else { return }
            candidates.swapAt(at, higher)
            at = higher
        }
    }
}
