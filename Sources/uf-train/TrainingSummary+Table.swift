import Alignment
import CommandSupport

extension TrainingSummary {
    /// For `-v`: the first and last step, and the validations.
    func table(seconds: Double) -> String {
        var table = TextTable([("", .left), ("step", .right), ("loss", .right), ("loss - entropy", .right), ("reward accuracy", .right), ("ties", .right)])
        func add(_ name: String, _ step: Int, _ losses: LossTally) {
            let accuracy = losses.pairs.accuracy.map { decimal(100 * $0, 1) + " %" } ?? "-"
            table.add([name, "\(step)", decimal(losses.loss, 4), decimal(losses.divergence, 4), accuracy, "\(losses.pairs.tied)"])
        }
        if let firstStep { add("first batch", firstStep.step, firstStep.losses) }
        if let lastStep, steps > 1 { add("last batch", lastStep.step, lastStep.losses) }
        for report in validations { add("validation", report.step, report.losses) }
        let rate = Progress.quantity((Double(tokens) / max(seconds, 1e-9)).rounded())
        return table.text() + "\(steps) steps over \(epochs) epochs in \(Progress.duration(seconds)), \(rate) tokens/s, the reference's scoring included"
    }
}
