import JSON
import PortableMath
import RunDatabase
import SystemIO

/// The preference figures of a policy against its reference over a set of records (method.md, "Metrics"). Records are added one at a time; only
/// sums by record are kept.
public struct PreferenceMetrics {
    public struct Options: Sendable {
        public var beta: Double
        public var logProb: LogProbKind
        public var weights: DimensionWeights
        public var bootstrap: Bootstrap

        public init(beta: Double = 0.1, logProb: LogProbKind = .sum, weights: DimensionWeights = .equal, bootstrap: Bootstrap = Bootstrap()) {
            self.beta = beta
            self.logProb = logProb
            self.weights = weights
            self.bootstrap = bootstrap
        }
    }

    /// Sums of one dimension, or of all together (p_lambda).
    struct Dimension {
        var right = ClusteredRatio(), top = ClusteredRatio(), topChance = ClusteredRatio()
        var loss = ClusteredRatio(), gain = ClusteredRatio(), divergence = ClusteredRatio(), policyEntropy = ClusteredRatio()
        /// The same at r = 0, where every P is uniform: what an untrained policy has.
        var lossAtZero = ClusteredRatio(), divergenceAtZero = ClusteredRatio()
        var rewardTies = 0, ratingTies = 0, judgedPairs = 0
        var topTies = 0, topJudged = 0

        mutating func add(_ list: RatedList, tolerance: Double, record: Int) {
            let pairs = list.pairCounts(tolerance: tolerance)
            right.add(Double(pairs.right), of: Double(pairs.right + pairs.wrong), record: record)
            judgedPairs += pairs.right + pairs.wrong + pairs.rewardTies
            rewardTies += pairs.rewardTies
            ratingTies += pairs.ratingTies
            switch list.topChoice(tolerance: tolerance) {
            case .undecided: break
            case .tie:
                topTies += 1
                topJudged += 1
            case .chosen(let right, let chance):
                topJudged += 1
                top.add(right ? 1 : 0, of: 1, record: record)
                topChance.add(chance, of: 1, record: record)
            }
        }

        mutating func add(loss: Double, targetEntropy: Double, policyEntropy: Double, atZero: Double, record: Int) {
            self.loss.add(loss, of: 1, record: record)
            gain.add(atZero - loss, of: 1, record: record)
            divergence.add(loss - targetEntropy, of: 1, record: record)
            self.policyEntropy.add(policyEntropy, of: 1, record: record)
            lossAtZero.add(atZero, of: 1, record: record)
            divergenceAtZero.add(atZero - targetEntropy, of: 1, record: record)
        }
    }

    let options: Options
    public private(set) var records = 0
    public private(set) var responses = 0
    /// In the order in which they were met.
    private(set) var dimensionNames: [Text] = []
    private(set) var dimensions: [Dimension] = []
    private(set) var overall = Dimension()
    private(set) var logRatio = ClusteredRatio(), logRatioPerToken = ClusteredRatio(), referenceDivergence = ClusteredRatio()
    /// Per response: mean log-probability, reward, length, record.
    private var meanLogProbs: [Double] = [], rewards: [Double] = [], lengths: [Double] = [], owners: [Int] = []
    /// Records in which every r is the same as the first: nothing was learned about them.
    public private(set) var recordsOfEqualReward = 0

    public init(options: Options = Options()) { self.options = options }

    /// Sums of targets differ by rounding where they are equal in truth.
    static let mixedTolerance = 1e-12

    /// - Parameter divergence: the sum over the record's response tokens of KL(policy || reference), where it is known.
    /// - Throws: `InputError` when weights given by order do not fit the record's dimensions, or r leaves the range of numbers.
    public mutating func add(_ record: PreferenceRecord, divergence: Double? = nil) throws {
        let number = records
        let weights = try options.weights.values(for: record.ratings.dimensions)
        let rewards = record.rewards(beta: options.beta, options.logProb)
        guard rewards.allSatisfy(\.isFinite), ((rewards.max() ?? 0) - (rewards.min() ?? 0)).isFinite else {
            throw InputError("r = beta (s - s_ref) of its responses is \(rewards.map(InputError.text).joined(separator: ", ")), too large to compute with; the log-probabilities are damaged")
        }
        records += 1
        responses += rewards.count
        if rewards.allSatisfy({ $0 == rewards[0] }) { recordsOfEqualReward += 1 }
        addLengths(record, rewards, number)
        if let divergence { referenceDivergence.add(divergence, of: record.tokenCounts.reduce(0) { $0 + Double($1) }, record: number) }

        var mixture = (weight: 0.0, loss: 0.0, targetEntropy: 0.0, policyEntropy: 0.0, atZero: 0.0)
        for (k, name) in record.ratings.dimensions.enumerated() {
            let list = record.list(dimension: k, rewards: rewards), slot = slot(of: name)
            dimensions[slot].add(list, tolerance: 0, record: number)
            guard let (loss, targetEntropy, policyEntropy) = list.losses() else { continue }
            let atZero = ExactMath.log(Double(list.rewards.count))
            dimensions[slot].add(loss: loss, targetEntropy: targetEntropy, policyEntropy: policyEntropy, atZero: atZero, record: number)
            let weight = weights[k]
            mixture.weight += weight
            mixture.loss += weight * loss
            mixture.targetEntropy += weight * targetEntropy
            mixture.policyEntropy += weight * policyEntropy
            mixture.atZero += weight * atZero
        }
        guard mixture.weight > 0, let list = record.mixedList(weights: weights, rewards: rewards) else { return }
        overall.add(list, tolerance: Self.mixedTolerance, record: number)
        let w = mixture.weight
        overall.add(
            loss: mixture.loss / w, targetEntropy: mixture.targetEntropy / w, policyEntropy: mixture.policyEntropy / w, atZero: mixture.atZero / w, record: number)
    }

    private mutating func addLengths(_ record: PreferenceRecord, _ rewards: [Double], _ number: Int) {
        var difference = 0.0, tokens = 0.0
        for (i, count) in record.tokenCounts.enumerated() {
            difference += record.policy[i] - record.reference[i]
            tokens += Double(count)
            meanLogProbs.append(count > 0 ? record.policy[i] / Double(count) : 0)
            self.rewards.append(rewards[i])
            lengths.append(Double(count))
            owners.append(number)
        }
        logRatio.add(difference, of: Double(rewards.count), record: number)
        logRatioPerToken.add(difference, of: tokens, record: number)
    }

    private mutating func slot(of name: Text) -> Int {
        if let slot = dimensionNames.firstIndex(of: name) { return slot }
        dimensionNames.append(name)
        dimensions.append(Dimension())
        return dimensions.count - 1
    }
}

extension PreferenceMetrics {
    /// All figures, overall (dimension "") first, then each dimension in the order in which it was met.
    ///
    /// `chance` is what an untrained policy (r = 0) or guessing has. Shares (`reward_accuracy`, `top1`) have Wilson intervals at the effective number of pairs; everything else the bootstrap's.
    public func results(split: String = "") -> [EvaluationResult] {
        let length = RankCorrelation(x: meanLogProbs, y: lengths, records: owners)
        let reward = RankCorrelation(x: rewards, y: lengths, records: owners)
        let groups = [("", overall)] + zip(dimensionNames.map(\.description), dimensions)
        let means = groups.flatMap { [$0.1.loss, $0.1.gain, $0.1.divergence, $0.1.policyEntropy] } + [logRatio, logRatioPerToken, referenceDivergence]
        let intervals = options.bootstrap.intervals(records: records, count: means.count + 2) { multiplicities in
            means.map { $0.resampled(multiplicities) } + [length.resampled(multiplicities), reward.resampled(multiplicities)]
        }
        func result(_ metric: PreferenceMetric, _ dimension: String, _ value: Double, _ interval: Interval?, chance: Double?, count: Int) -> EvaluationResult {
            let interval = interval.flatMap { $0.isKnown ? $0 : nil }
            return EvaluationResult(
                task: "preference", metric: metric.rawValue, split: split, dimension: dimension, value: value,
                low: interval?.low, high: interval?.high, chance: chance.flatMap { $0.isNaN ? nil : $0 }, count: count)
        }
        var results: [EvaluationResult] = []
        for (g, (name, sums)) in groups.enumerated() {
            results += [
                result(.rewardAccuracy, name, sums.right.value, sums.right.shareInterval, chance: 0.5, count: Int(sums.right.total)),
                result(.rewardTies, name, Double(sums.rewardTies), nil, chance: nil, count: sums.judgedPairs),
                result(.ratingTies, name, Double(sums.ratingTies), nil, chance: nil, count: sums.judgedPairs + sums.ratingTies),
                result(.topOne, name, sums.top.value, sums.top.shareInterval, chance: sums.topChance.value, count: Int(sums.top.total)),
                result(.topTies, name, Double(sums.topTies), nil, chance: nil, count: sums.topJudged),
                result(.loss, name, sums.loss.value, intervals[4 * g], chance: sums.lossAtZero.value, count: Int(sums.loss.total)),
                result(.lossGain, name, sums.gain.value, intervals[4 * g + 1], chance: 0, count: Int(sums.loss.total)),
                result(.divergence, name, sums.divergence.value, intervals[4 * g + 2], chance: sums.divergenceAtZero.value, count: Int(sums.loss.total)),
                result(.policyEntropy, name, sums.policyEntropy.value, intervals[4 * g + 3], chance: sums.lossAtZero.value, count: Int(sums.loss.total)),
            ]
        }
        let last = 4 * groups.count
        results += [
            result(.logRatio, "", logRatio.value, intervals[last], chance: 0, count: responses),
            result(.logRatioPerToken, "", logRatioPerToken.value, intervals[last + 1], chance: 0, count: Int(logRatioPerToken.total)),
            result(.lengthCorrelation, "", length.value, intervals[last + 3], chance: 0, count: responses),
            result(.rewardLengthCorrelation, "", reward.value, intervals[last + 4], chance: 0, count: responses),
        ]
        if referenceDivergence.total > 0 {
            results.append(result(.referenceDivergence, "", referenceDivergence.value, intervals[last + 2], chance: 0, count: Int(referenceDivergence.total)))
        }
        return results
    }
}
