import JSON
import PortableMath
import RecordStream

/// A record with what policy and reference think of its responses: everything that the preference figures need.
public struct PreferenceRecord: Sendable {
    public var ratings: Ratings
    /// N sums of the response's token log-probabilities (nats), stop token included, under the policy.
    public var policy: [Double]
    /// The same under the reference.
    public var reference: [Double]
    /// N counts of the tokens in those sums.
    public var tokenCounts: [UInt32]

    public init(ratings: Ratings, policy: [Double], reference: [Double], tokenCounts: [UInt32]) {
        self.ratings = ratings
        self.policy = policy
        self.reference = reference
        self.tokenCounts = tokenCounts
    }
}

/// How s is made of token log-probabilities (method.md, eq. 7).
public enum LogProbKind: String, Sendable, CaseIterable {
    case sum, mean
}

extension PreferenceRecord {
    /// N rewards r = beta (s - s_ref), eq. 7. A response of no tokens has mean log-probability 0.
    func rewards(beta: Double, _ kind: LogProbKind) -> [Double] {
        policy.indices.map { i in
            let difference = policy[i] - reference[i]
            return beta * (kind == .sum || tokenCounts[i] == 0 ? difference : difference / Double(tokenCounts[i]))
        }
    }
}

/// One dimension of one record: the responses that are rated in it. Also used for p_lambda, whose "ratings" are the mixed targets.
struct RatedList: Equatable {
    /// What the order of the responses is judged by; NaN where a response has a place in the distribution but no rating of its own.
    var ratings: [Double]
    /// p_k over the responses in the list; sums to 1, or is empty when the dimension is left out of this record.
    var targets: [Double]
    /// r of the responses in the list.
    var rewards: [Double]
}

extension PreferenceRecord {
    func list(dimension: Int, rewards: [Double]) -> RatedList {
        let n = rewards.count, row = dimension * n
        let members = (0 ..< n).filter { ratings.rated[row + $0] == 1 }
        let targets = members.map { ratings.targets[row + $0] }
        return RatedList(
            ratings: members.map { ratings.ratings[row + $0] }, targets: takesPart(dimension: dimension, responses: n) ? targets : [], rewards: members.map { rewards[$0] })
    }

    /// Whether the dimension has a distribution in this record: one response alone leaves nothing to choose.
    private func takesPart(dimension: Int, responses n: Int) -> Bool {
        let row = dimension * n ..< (dimension + 1) * n
        return ratings.rated[row].count { $0 == 1 } >= 2 && ratings.targets[row].contains { $0 > 0 }
    }

    /// p_lambda = sum of lambda_k p_k over the record's dimensions, lambda renormalised over them; nil when it has none with weight.
    /// Responses that are not rated in each of those are left out: where a rating is missing the mixture is smaller for no fault of the response.
    func mixedList(weights: [Double], rewards: [Double]) -> RatedList? {
        let n = rewards.count
        var mixed = [Double](repeating: 0, count: n), total = 0.0
        var isRated = [Bool](repeating: true, count: n)
        for (k, weight) in weights.enumerated() {
            let row = ratings.targets[k * n ..< (k + 1) * n]
            guard weight > 0, takesPart(dimension: k, responses: n) else { continue }
            total += weight
            for (i, target) in row.enumerated() {
                mixed[i] += weight * target
                if ratings.rated[k * n + i] == 0 { isRated[i] = false }
            }
        }
        guard total > 0 else { return nil }
        let members = (0 ..< n).filter { isRated[$0] }
        let targets = members.map { mixed[$0] / total }
        return RatedList(ratings: targets, targets: targets, rewards: members.map { rewards[$0] })
    }
}

extension RatedList {
    /// What became of the pairs of responses that have ratings.
    struct PairCounts: Equatable {
        /// r orders them as the ratings do; the other way round; r is the same for both.
        var right = 0, wrong = 0, rewardTies = 0
        /// The ratings are equal: not judged.
        var ratingTies = 0
    }

    /// - Parameter tolerance: ratings that differ by no more are equal (sums of targets carry rounding).
    func pairCounts(tolerance: Double = 0) -> PairCounts {
        var counts = PairCounts()
        for i in ratings.indices {
            for j in ratings.indices.dropFirst(i + 1) {
                let rating = ratings[i] - ratings[j], reward = rewards[i] - rewards[j]
                if rating.isNaN { continue }
                if abs(rating) <= tolerance { counts.ratingTies += 1 }
                // A reward that is not a number orders nothing.
                else if reward == 0 || reward.isNaN { counts.rewardTies += 1 }
                else if (rating > 0) == (reward > 0) { counts.right += 1 }
                else { counts.wrong += 1 }
            }
        }
        return counts
    }

    enum TopChoice: Equatable {
        /// All ratings equal, or fewer than two: nothing to choose.
        case undecided
        /// Several responses share the highest r.
        case tie
        /// The response of highest r has the highest rating or not; `chance` is what drawing one of them reaches.
        case chosen(right: Bool, chance: Double)
    }

    func topChoice(tolerance: Double = 0) -> TopChoice {
        let members = ratings.indices.filter { !ratings[$0].isNaN }
        guard let best = members.map({ ratings[$0] }).max() else { return .undecided }
        let isBest = members.map { ratings[$0] >= best - tolerance }
        guard isBest.contains(false) else { return .undecided }
        var top = 0, shared = false
        for i in members.indices.dropFirst() {
            let difference = rewards[members[i]] - rewards[members[top]]
            if difference > 0 { (top, shared) = (i, false) } else if !(difference < 0) { shared = true }
        }
        return shared ? .tie : .chosen(right: isBest[top], chance: Double(isBest.count { $0 }) / Double(isBest.count))
    }

    /// Cross-entropy L = -sum p log P (eq. 8), the entropy of p, and the entropy of P; P = softmax(r) over the list.
    func losses() -> (crossEntropy: Double, targetEntropy: Double, policyEntropy: Double)? {
        guard !targets.isEmpty else { return nil }
        let highest = rewards.max() ?? 0
        var sum = 0.0
        for reward in rewards { sum += ExactMath.exp(reward - highest) }
        let logSum = highest + ExactMath.log(sum)
        var crossEntropy = 0.0, targetEntropy = 0.0, policyEntropy = 0.0
        for (target, reward) in zip(targets, rewards) {
            let logP = reward - logSum
            // 0 log 0 = 0, also where P underflows.
            if target > 0 {
                crossEntropy -= target * logP
                targetEntropy -= target * ExactMath.log(target)
            }
            let p = ExactMath.exp(logP)
            if p > 0 { policyEntropy -= p * logP }
        }
        return (crossEntropy, targetEntropy, policyEntropy)
    }
}
