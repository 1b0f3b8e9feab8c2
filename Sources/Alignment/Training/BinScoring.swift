import LanguageModel
import RecordStream
import SystemIO

extension LanguageModel {
    /// Log-probabilities of the responses of a bin's records.
    /// - Throws: errors name `place` (the shard) and the bin.
    func responseLogProbs(_ bin: ScoredBin, keepingActivations: Bool = false) throws -> [ResponseLogProbs] {
        bin.sums(try forward(bin.tree, scored: bin.scored, keepingActivations: keepingActivations).logProbs)
    }

    /// Those of every record of a shard, bin by bin.
    func responseLogProbs(_ shard: PackedShard, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> ReferenceLogProbs {
        var records: [ResponseLogProbs] = []
        for number in 0 ..< shard.binCount {
            try progress(number, shard.binCount)
            let scores = try responseLogProbs(ScoredBin(shard.bin(number)))
            for (member, score) in scores.enumerated() where !score.sums.allSatisfy(\.isFinite) {
                let id = try shard.bin(number).members[member].id
                throw InputError("\(shard.name): record \(id): the model gives a response no chance at all (log-probability \(score.sums)); are its weights damaged?")
            }
            records += scores
        }
        try progress(shard.binCount, shard.binCount)
        return ReferenceLogProbs(records)
    }
}
