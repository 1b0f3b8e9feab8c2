import Glibc

/// The learning rate over a run: a linear rise, then a fall along half a cosine to zero (or no fall).
///
/// The values are those of transformers' `get_cosine_schedule_with_warmup` and `get_constant_schedule_with_warmup`, whose first step is numbered 0:
/// with a warmup it has rate 0.
public struct LearningRate: Sendable, Equatable {
    public enum Shape: String, CaseIterable, Sendable {
        case cosine
        case constant
    }

    /// How long the rise takes.
    public enum Warmup: Sendable, Equatable {
        case steps(Int)
        /// A share of all steps, rounded up.
        case share(Double)

        /// `0.1` is a share of the run; a whole number from 1 counts steps; `0` is none.
        public init?(_ text: String) {
            if let steps = Int(text), steps >= 0 {
                self = .steps(steps)
            } else if let share = Double(text), share >= 0, share < 1 {
                self = .share(share)
            } else {
                return nil
            }
        }

        public var description: String {
            switch self {
            case .steps(let steps): "\(steps)"
            case .share(let share): "\(share)"
            }
        }

        public func steps(of total: Int) -> Int {
            switch self {
            case .steps(let steps): steps
            case .share(let share): Int((Double(total) * share).rounded(.up))
            }
        }
    }

    public var peak: Double
    public var shape: Shape
    public var warmupSteps: Int
    public var totalSteps: Int

    public init(peak: Double, shape: Shape = .cosine, warmup: Warmup, totalSteps: Int) {
        self.peak = peak
        self.shape = shape
        self.totalSteps = totalSteps
        warmupSteps = warmup.steps(of: totalSteps)
    }

    /// The rate of step `step`, counted from 1.
    public func rate(step: Int) -> Double {
        let done = step - 1
        if done < warmupSteps { return peak * (Double(done) / Double(max(1, warmupSteps))) }
        switch shape {
        case .constant: return peak
        case .cosine:
            let progress = Double(done - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
            return peak * max(0, 0.5 * (1 + cos(Double.pi * progress)))
        }
    }
}
