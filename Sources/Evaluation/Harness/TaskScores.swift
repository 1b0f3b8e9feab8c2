import JSON

/// What a model answered to a request.
public struct LogLikelihood: Sendable, Equatable {
    /// Sum of the continuation's token log-probabilities.
    public var value: Double
    /// Every token of the continuation was the most likely one at its place; nil when the scorer does not know.
    public var isGreedy: Bool?

    public init(_ value: Double, isGreedy: Bool? = nil) {
        self.value = value
        self.isGreedy = isGreedy
    }
}

/// A task's figures over its documents.
public struct TaskScores: Sendable {
    public struct Score: Sendable, Equatable {
        public var metric: MultipleChoiceTask.Metric
        public var mean: Double
        /// Standard error of the mean; nil for a single document.
        public var standardError: Double?
        /// Wilson's 95 % interval. (lm-eval reports none; its +- is the standard error.)
        public var interval: Interval
    }

    public var scores: [Score]
    /// What guessing reaches: the mean over documents of one over the number of choices.
    public var chance: Double
    public var documents: Int
    /// Right (1) or wrong (0) by document, for each metric in the order of `scores`.
    public var outcomes: [[Int]]
}

extension MultipleChoiceTask {
    /// Scores the answers to `requests(..)`, given in its order: as many documents as the answers cover.
    /// Means, standard errors and the order of operations are lm-eval's, so that the figures agree to the last bit.
    public func score(_ answers: [LogLikelihood]) -> TaskScores {
        var outcomes = [[Int]](repeating: [], count: metrics.count)
        var chance = 0.0
        var first = 0
        for question in questions {
            guard first < answers.count, question.choices.count <= answers.count - first else { break }
            let values = answers[first ..< first + question.choices.count].map(\.value)
            first += question.choices.count
            for (index, metric) in metrics.enumerated() {
                let best = switch metric {
                case .accuracy: Self.firstMaximum(values)
                case .normalizedAccuracy: Self.firstMaximum(zip(values, question.choices).map { $0 / Double($1.codePointCount) })
                }
                outcomes[index].append(best == question.gold ? 1 : 0)
            }
            chance += 1 / Double(question.choices.count)
        }
        let count = outcomes.first?.count ?? 0
        let scores = zip(metrics, outcomes).map { metric, outcomes in
            let (mean, error) = Self.meanAndError(outcomes)
            return TaskScores.Score(metric: metric, mean: mean, standardError: error, interval: .wilson(successes: Double(outcomes.reduce(0, +)), trials: Double(count)))
        }
        return TaskScores(scores: scores, chance: count > 0 ? chance / Double(count) : .nan, documents: count, outcomes: outcomes)
    }

    /// numpy's argmax: the first of the largest, a NaN counting as larger than any number.
    static func firstMaximum(_ values: [Double]) -> Int {
        var best = 0
        for (index, value) in values.enumerated() {
            if value.isNaN { return index }
            if value > values[best] { best = index }
        }
        return best
    }

    /// mean = sum / n; standard error = sqrt(sum of squared deviations / (n - 1)) / sqrt(n).
    static func meanAndError(_ outcomes: [Int]) -> (mean: Double, standardError: Double?) {
        let count = Double(outcomes.count)
        guard count > 0 else { return (.nan, nil) }
        let mean = Double(outcomes.reduce(0, +)) / count
        guard count > 1 else { return (mean, nil) }
        var squares = 0.0
        for outcome in outcomes { squares += (Double(outcome) - mean) * (Double(outcome) - mean) }
        return (mean, (squares / (count - 1)).squareRoot() / count.squareRoot())
    }
}
