import LanguageModel
import RecordStream
import RunDatabase
import SystemIO

/// Reads a packed stream once, gets each response's log-probability under policy and reference, and computes the preference figures.
public struct PreferenceEvaluation {
    public struct Outcome {
        public var metrics: PreferenceMetrics
        /// Content digest of the packed stream.
        public var data: String
        public var policy: String
        public var reference: String
        /// Responses, and prompts, that packing had cut.
        public var cutResponses: Int
        public var cutPrompts: Int
        /// Policy and reference are one model, so every r is 0.
        public var isUntrained: Bool { policy == reference }
    }

    public init() {}

    /// - Parameters:
    ///   - policy, reference: bound to the stream by the digests they carry; a mismatch is an error.
    ///   - progress: called with the records done so far.
    public func run(
        _ source: any ByteSource, policy: LogProbSource, reference: LogProbSource, options: PreferenceMetrics.Options, progress: (Int) -> Void = { _ in }
    ) throws -> Outcome {
        let reader = try RecordReader<PackedBin>(source), name = source.name
        let head = reader.stream.head
        try policy.check(head, in: name)
        try reference.check(head, in: name)
        var outcome = Outcome(
            metrics: PreferenceMetrics(options: options), data: "", policy: try policy.modelDigest(), reference: try reference.modelDigest(), cutResponses: 0, cutPrompts: 0)
        while let bin = try reader.next() {
            let (ours, theirs, divergences) = try scores(bin, policy, reference, in: name)
            for (index, member) in bin.members.enumerated() {
                let record = PreferenceRecord(
                    ratings: member.ratings, policy: ours[index].logProbs, reference: theirs[index].logProbs, tokenCounts: ours[index].tokenCounts)
                do { try outcome.metrics.add(record, divergence: divergences?[index]) } catch let error as InputError { throw error.at("\(name): record \(member.id)") }
                outcome.cutResponses += member.responseCuts.count { $0 > 0 }
                outcome.cutPrompts += member.promptCuts.contains { $0 > 0 } ? 1 : 0
            }
            progress(outcome.metrics.records)
        }
        let names = outcome.metrics.dimensionNames
        if outcome.metrics.records > 0, let unknown = options.weights.unknownName(among: names) {
            throw InputError("\(name): no record has the dimension \(unknown) that --lambda names; the data has \(names.sorted().map(\.description).joined(separator: ", "))")
        }
        guard let content = reader.stream.contentDigest else { throw InputError("\(name): its end was read without a digest", status: .internalError) }
        try policy.checkEnd(content: content, of: name)
        if policy !== reference { try reference.checkEnd(content: content, of: name) }
        outcome.data = content
        return outcome
    }

    /// Log-probabilities of a bin's records, and for each the sum over its response tokens of KL(policy || reference), where both are models or one and the same.
    private func scores(_ bin: PackedBin, _ policy: LogProbSource, _ reference: LogProbSource, in name: String) throws
        -> (ours: [LogProbRecord], theirs: [LogProbRecord], divergences: [Double]?) {
        if policy === reference {
            let ours = try policy.logProbs(of: bin, in: name)
            return (ours, ours, ours.map { _ in 0 })
        }
        guard let ours = policy.model, let theirs = reference.model else { return (try policy.logProbs(of: bin, in: name), try reference.logProbs(of: bin, in: name), nil) }
        let scored = ScoredBin(bin), both: LanguageModel.Comparison
        do { both = try ours.compare(with: theirs, scored.tree, scored: scored.scored) } catch let error as InputError {
            throw error.at("\(name): the bin of record \(bin.members.first?.id ?? "")")
        }
        return (try ResponseScorer.records(bin, scored, both.logProbs, in: name), try ResponseScorer.records(bin, scored, both.otherLogProbs, in: name),
                scored.sums(both.divergences).map { $0.sums.reduce(0, +) })
    }
}
