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
            let ours = try policy.logProbs(of: bin, in: name)
            let theirs = policy === reference ? ours : try reference.logProbs(of: bin, in: name)
            for (index, member) in bin.members.enumerated() {
                let record = PreferenceRecord(
                    ratings: member.ratings, policy: ours[index].logProbs, reference: theirs[index].logProbs, tokenCounts: ours[index].tokenCounts)
                do { try outcome.metrics.add(record) } catch let error as InputError { throw error.at("\(name): record \(member.id)") }
                outcome.cutResponses += member.responseCuts.count { $0 > 0 }
                outcome.cutPrompts += member.promptCut > 0 ? 1 : 0
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
}
