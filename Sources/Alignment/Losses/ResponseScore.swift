/// How the log-probabilities of a response's tokens become its score (`--log-prob`).
public enum ResponseScore: String, CaseIterable, Sendable {
    /// Their sum: what the equations of DPO and of lambda-DPO mean by log pi(y | x).
    case sum
    /// Their mean over the response's tokens: what the lambda-DPO paper's code computes.
    case mean

    /// The score of a response of `tokens` tokens (stop marker included). A response without tokens has score 0 either way.
    public func score(sum: Double, tokens: Int) -> Double {
        switch self {
        case .sum: sum
        case .mean: tokens > 0 ? sum / Double(tokens) : 0
        }
    }

    /// d score / d (log-probability of one of its tokens).
    public func tokenWeight(tokens: Int) -> Double {
        switch self {
        case .sum: 1
        case .mean: tokens > 0 ? 1 / Double(tokens) : 0
        }
    }
}
