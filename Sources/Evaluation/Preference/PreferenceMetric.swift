/// The preference figures by the names that the database and `--json` use.
public enum PreferenceMetric: String, Sendable, CaseIterable {
    /// Share of the pairs of responses with unequal ratings, and unequal r, that r orders as the ratings do.
    case rewardAccuracy = "reward_accuracy"
    /// Pairs with unequal ratings whose r is the same, of all pairs with unequal ratings.
    case rewardTies = "reward_ties"
    /// Pairs whose ratings are the same, of all rated pairs: not judged.
    case ratingTies = "rating_ties"
    /// Share of the records in which the response of highest r is (one of) the best rated; records without a single highest r, or rated all alike, apart.
    case topOne = "top1"
    /// Records with several responses of highest r, of the records not rated all alike.
    case topTies = "top1_ties"
    /// L_k = -sum p_k log P, in nats; overall its mean weighted by lambda.
    case loss
    /// L at r = 0 less L: how far, record by record, the loss is below what an untrained policy has (ln N). Above 0 is learned.
    case lossGain = "loss_gain"
    /// L_k - H(p_k) = KL(p_k || P), in nats: the loss above its floor.
    case divergence = "kl_target_policy"
    /// Entropy of P over the list, in nats.
    case policyEntropy = "policy_entropy"
    /// Mean of s - s_ref over the data's responses, in nats a response. It estimates the KL divergence from the reference only where the policy
    /// itself wrote the responses; over given responses it says how far, and which way, their probability moved.
    case logRatio = "log_ratio_to_reference"
    /// The same in nats a token.
    case logRatioPerToken = "log_ratio_to_reference_per_token"
    /// KL(policy || reference) of the next token, over the whole vocabulary, at every place of the data's own responses: exact, in nats a token. Known where policy and
    /// reference are models (a stream of log-probabilities has them of the responses' own tokens alone).
    case referenceDivergence = "kl_policy_reference_per_token"
    /// Spearman's correlation of a response's mean token log-probability with its length in tokens.
    case lengthCorrelation = "length_spearman"
    /// Spearman's correlation of r with the length.
    case rewardLengthCorrelation = "reward_length_spearman"
}
