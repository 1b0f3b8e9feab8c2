import LanguageModel
import PortableMath
import RecordStream

/// The lambda-weighted listwise DPO loss of one record (the lambda-DPO paper, equations 7 to 10), in double precision.
///
///     r_i = beta (s_i - s_ref_i)        P_i = exp(r_i) / sum_j exp(r_j)
///     L_k = - sum_i p_k[i] log P_i      L   = sum_k lambda_k L_k
///     dL/ds_i = beta sum_k lambda_k (P_i - p_k[i])
///
/// The derivative is that of the loss above; the paper's equations 11, 16 and 30 lack the factor beta.
/// A response without a rating in dimension k is left out of it: p_k and P run over the rated responses only. A dimension with fewer than two of them
/// says nothing about preference; it is left out and lambda is renormalised over the others.
public struct LambdaDPO: Sendable, Equatable {
    public var beta: Double
    public var score: ResponseScore

    public init(beta: Double, score: ResponseScore = .sum) {
        self.beta = beta
        self.score = score
    }

    /// Which dimensions of a record the loss uses.
    public static func dimensionsInUse(_ ratings: Ratings, responses: Int) -> [Bool] {
        ratings.dimensions.indices.map { k in
            let row = k * responses ..< (k + 1) * responses
            return ratings.rated[row].count { $0 != 0 } >= 2 && ratings.targets[row].contains { $0 > 0 }
        }
    }

    /// Lambda over the dimensions in use, summing to 1; nil when they have no weight together, so that the record has no loss.
    public static func weightsInUse(_ lambda: [Double], _ inUse: [Bool]) -> [Double]? {
        var total = 0.0
        for (weight, used) in zip(lambda, inUse) where used { total += weight }
        guard total > 0, total.isFinite else { return nil }
        return zip(lambda, inUse).map { $1 ? $0 / total : 0 }
    }

    /// - Parameters:
    ///   - ratings: m x N targets and marks.
    ///   - lambda: m weights >= 0; only their proportions over the dimensions in use matter.
    ///   - policy, reference: the N responses under the policy and under the reference, in the same order.
    /// - Returns: the loss with its derivatives; without loss when no dimension is in use (`isUsed` false).
    public func evaluate(_ ratings: Ratings, lambda: [Double], policy: ResponseLogProbs, reference: ResponseLogProbs) -> RecordLoss {
        let n = policy.count
        let rewards = rewards(policy: policy, reference: reference)
        let inUse = LambdaDPO.dimensionsInUse(ratings, responses: n)
        let weights = LambdaDPO.weightsInUse(lambda, inUse)
        var result = RecordLoss(responses: n, dimensions: inUse.count, rewards: rewards)
        result.isUsed = weights != nil
        for k in inUse.indices where inUse[k] {
            let dimension = dimensionLoss(ratings, k, rewards)
            result.dimensions[k] = dimension.term
            guard let weight = weights?[k], weight > 0 else { continue }
            result.loss += weight * dimension.term.loss
            result.divergence += weight * dimension.term.divergence
            for i in 0 ..< n { result.tokenGradients[i] += weight * dimension.gradient[i] }
        }
        for i in 0 ..< n { result.tokenGradients[i] *= beta * score.tokenWeight(tokens: policy.tokenCounts[i]) }
        return result
    }

    /// r_i for every response.
    public func rewards(policy: ResponseLogProbs, reference: ResponseLogProbs) -> [Double] {
        (0 ..< policy.count).map { i in
            let tokens = policy.tokenCounts[i]
            return beta * (score.score(sum: policy.sums[i], tokens: tokens) - score.score(sum: reference.sums[i], tokens: tokens))
        }
    }

    /// L_k and dL_k/dr_i (0 for responses without a rating).
    private func dimensionLoss(_ ratings: Ratings, _ k: Int, _ rewards: [Double]) -> (term: RecordLoss.Dimension, gradient: [Double]) {
        let n = rewards.count
        let rated = (0 ..< n).filter { ratings.rated[k * n + $0] != 0 }
        let highest = rated.map { rewards[$0] }.max() ?? 0
        let shifted = rated.map { rewards[$0] - highest }
        // -sum p log P = logsumexp(r) - sum p r, because p sums to 1. In this form the loss at r = 0 is ln N itself, without rounding.
        var loss = ExactMath.logSumExp(shifted), entropy = 0.0
        let probabilities = ExactMath.softmax(shifted)
        var gradient = [Double](repeating: 0, count: n)
        for (place, i) in rated.enumerated() {
            let target = ratings.targets[k * n + i]
            if target > 0 {
                loss -= target * shifted[place]
                entropy -= target * ExactMath.log(target)
            }
            gradient[i] = probabilities[place] - target
        }
        return (RecordLoss.Dimension(loss: loss, divergence: loss - entropy), gradient)
    }
}

/// What the loss finds for one record.
public struct RecordLoss: Sendable, Equatable {
    public struct Dimension: Sendable, Equatable {
        /// L_k.
        public var loss: Double
        /// KL(p_k || P) = L_k - H(p_k): the part of L_k that training can remove.
        public var divergence: Double
    }

    /// False when no dimension with weight has two rated responses: then there is neither loss nor gradient.
    public var isUsed = false
    /// sum_k lambda_k L_k.
    public var loss = 0.0
    /// sum_k lambda_k KL(p_k || P).
    public var divergence = 0.0
    /// m entries; nil for a dimension that is left out.
    public var dimensions: [Dimension?]
    /// r_i.
    public var rewards: [Double]
    /// dL / d (log-probability of any one token of response i): the same for all of its tokens.
    public var tokenGradients: [Double]

    init(responses: Int, dimensions: Int, rewards: [Double]) {
        self.dimensions = [Dimension?](repeating: nil, count: dimensions)
        self.rewards = rewards
        tokenGradients = [Double](repeating: 0, count: responses)
    }
}
