/// A 95 % confidence interval.
public struct Interval: Sendable, Equatable {
    public var low: Double
    public var high: Double

    public init(_ low: Double, _ high: Double) {
        self.low = low
        self.high = high
    }

    /// Nothing is known.
    public static let unknown = Interval(.nan, .nan)

    public var isKnown: Bool { !low.isNaN && !high.isNaN }
    public func contains(_ value: Double) -> Bool { low <= value && value <= high }

    /// The 97.5th percentile of the standard normal law.
    static let normalQuantile = 1.959963984540054

    /// Wilson's score interval (1927) for a share: it keeps inside 0..1 and stays honest at 0 and at 1, where the normal one has no width.
    /// `trials` may be an effective number (see `ClusteredRatio`); unknown without any.
    static func wilson(successes: Double, trials: Double) -> Interval {
        guard trials > 0 else { return .unknown }
        let z = normalQuantile, p = successes / trials
        let scale = 1 + z * z / trials
        let center = (p + z * z / (2 * trials)) / scale
        let half = z / scale * (p * (1 - p) / trials + z * z / (4 * trials * trials)).squareRoot()
        // Rounding must not move a bound beyond what is possible.
        return Interval(successes == 0 ? 0 : max(0, center - half), successes == trials ? 1 : min(1, center + half))
    }
}
