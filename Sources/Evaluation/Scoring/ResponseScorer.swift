import JSON
import LanguageModel
import RecordStream
import SystemIO

/// Log-probabilities of every response of a packed stream under a model: one forward pass a bin, shared prompts computed once.
public struct ResponseScorer {
    let model: LanguageModel

    public init(_ model: LanguageModel) { self.model = model }

    /// One record for each member of the bin, in its order. `name` is the stream's, for messages.
    public func score(_ bin: PackedBin, in name: String) throws -> [LogProbRecord] {
        let scored = ScoredBin(bin)
        let logProbs: [Double]
        do { logProbs = try model.logProbs(scored.tree, scored: scored.scored) } catch let error as InputError {
            throw error.at("\(name): the bin of record \(bin.members.first?.id ?? "")")
        }
        return try ResponseScorer.records(bin, scored, logProbs, in: name)
    }

    /// From the log-probability of each scored token.
    static func records(_ bin: PackedBin, _ scored: ScoredBin, _ logProbs: [Double], in name: String) throws -> [LogProbRecord] {
        try zip(bin.members, scored.sums(logProbs)).map { member, responses in
            if let response = responses.sums.firstIndex(where: { !$0.isFinite }) {
                throw InputError.notFinite(responses.sums[response], "response \(response)").at("\(name): record \(member.id)")
            }
            return LogProbRecord(id: member.id, logProbs: responses.sums, tokenCounts: responses.tokenCounts.map { UInt32($0) })
        }
    }
}

extension InputError {
    /// A log-probability that no sound model gives.
    static func notFinite(_ logProb: Double, _ what: String) -> InputError {
        InputError("the model gives \(what) the log-probability \(text(logProb)); its weights are damaged or overflow")
    }
}
