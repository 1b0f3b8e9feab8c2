import BenchmarkData
import CommandSupport
import Evaluation
import RunDatabase
import SystemIO

/// The table of `uf-eval bench`.
struct BenchTable {
    struct Outcome {
        var task: MultipleChoiceTask
        var requests: [LogLikelihoodRequest]
        var answers: RequestScorer.Answers
        var scores: TaskScores
        var results: [EvaluationResult]
        var files: [BenchmarkFile]
    }

    var outcomes: [Outcome]
    var command: Bench

    func text() -> String {
        var table = TextTable([("task", .left), ("examples", .right), ("figure", .left), ("value", .right), ("95 % interval", .right), ("std. error", .right), ("guessing", .right), ("over", .left), ("reading", .left)])
        for outcome in outcomes {
            for result in outcome.results {
                let text = FigureText(metric: result.metric)
                table.add([
                    result.task, "\(command.fewshot)", "\(result.metric) (\(text.name))", text.value(result.value), text.interval(result), text.value(result.standardError),
                    text.value(result.chance), counted(result.count, "question"), text.reading(result, among: outcome.results),
                ])
            }
        }
        return table.text()
    }
}
