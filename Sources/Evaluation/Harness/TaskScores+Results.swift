import RunDatabase

extension TaskScores {
    /// One result for each metric.
    public func results(of task: MultipleChoiceTask) -> [EvaluationResult] {
        scores.map { score in
            EvaluationResult(
                task: task.name, metric: score.metric.rawValue, split: task.split, value: score.mean, standardError: score.standardError,
                low: score.interval.isKnown ? score.interval.low : nil, high: score.interval.isKnown ? score.interval.high : nil,
                chance: chance.isNaN ? nil : chance, count: documents)
        }
    }
}
