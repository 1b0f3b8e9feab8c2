/// The truncation of the paper's code (LLaMA-Factory): a budget split between prompt and response, of which the heads are kept.
public enum PaperTruncation {
    /// The lengths that are kept.
    ///
    /// - Parameters:
    ///   - prompt: s, the prompt's tokens; at least 0.
    ///   - response: t, the longest response's; at least 0.
    ///   - cutoff: c.
    ///
    /// The shared budget is c (t / (s + t)) in double, as that code has it. Where c is a power of two it is floor(c t / (s + t)); for other cutoffs
    /// the quotient's rounding can make it one less (c = 3000, s = 4687, t = 6063: 1691 of 1692).
    public static func lengths(prompt: Int, response: Int, cutoff: Int) -> (prompt: Int, response: Int) {
        let budget =
            if 2 * response < cutoff { cutoff } else if 2 * prompt < cutoff { cutoff - prompt } else {
                Int(Double(cutoff) * (Double(response) / Double(prompt + response)))
            }
        let response = min(budget, response)
        return (min(max(cutoff - response, 0), prompt), response)
    }
}
