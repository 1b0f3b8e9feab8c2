import CommandSupport
import Evaluation
import RunDatabase
import SystemIO

/// The table of `uf-eval preference`.
struct PreferenceTable {
    var outcome: PreferenceEvaluation.Outcome
    var results: [EvaluationResult]
    var command: Preference

    func text() -> String {
        let metrics = outcome.metrics
        var lines = ["\(counted(metrics.records, "record"))\(command.split.isEmpty ? "" : " (\(command.split))"), \(counted(metrics.responses, "response")): "
            + "\(command.model) against \(command.reference); r = \(command.beta) (s - s_ref), s the \(command.logProb.rawValue) of a response's token log-probabilities"]
        if outcome.isUntrained { lines.append("Policy and reference are the same model: every r is 0, all pairs tie, every loss is that of an untrained policy.") }
        var table = TextTable([("", .left), ("value", .right), ("95 % interval", .right), ("untrained", .right), ("over", .left), ("reading", .left)])
        let names = results.reduce(into: [String]()) { if !$1.dimension.isEmpty, !$0.contains($1.dimension) { $0.append($1.dimension) } }
        // With one dimension "all together" is the same once more.
        let groups = names.count == 1 ? names : [""] + names
        for name in groups {
            table.add([name.isEmpty ? "all dimensions, lambda \(command.lambda)" : name, "", "", "", "", ""])
            for metric in [PreferenceMetric.rewardAccuracy, .topOne, .loss, .lossGain, .divergence, .policyEntropy] { add(metric, name, to: &table) }
        }
        table.add(["all responses", "", "", "", "", ""])
        for metric in [PreferenceMetric.logRatio, .logRatioPerToken, .referenceDivergence, .lengthCorrelation, .rewardLengthCorrelation] { add(metric, "", to: &table) }
        return (lines + table.lines()).joined(separator: "\n") + "\n"
    }

    private func add(_ metric: PreferenceMetric, _ dimension: String, to table: inout TextTable) {
        guard let result = result(metric, dimension) else { return }
        let text = FigureText(metric: metric.rawValue)
        table.add(["  " + text.name, text.value(result.value), text.interval(result), text.value(result.chance), over(metric, result), text.reading(result, among: results)])
    }

    private func result(_ metric: PreferenceMetric, _ dimension: String) -> EvaluationResult? {
        results.first { $0.metric == metric.rawValue && $0.dimension == dimension }
    }

    private func over(_ metric: PreferenceMetric, _ result: EvaluationResult) -> String {
        func ties(_ metric: PreferenceMetric) -> Int { self.result(metric, result.dimension).map { Int($0.value) } ?? 0 }
        switch metric {
        case .rewardAccuracy:
            return counted(result.count, "pair") + " (apart: \(ties(.rewardTies)) tie in r, \(ties(.ratingTies)) in rating)"
        case .topOne: return counted(result.count, "record") + " (apart: \(ties(.topTies)) tie in r)"
        case .logRatio, .lengthCorrelation, .rewardLengthCorrelation: return counted(result.count, "response")
        case .logRatioPerToken, .referenceDivergence: return counted(result.count, "token")
        default: return counted(result.count, "record")
        }
    }
}
