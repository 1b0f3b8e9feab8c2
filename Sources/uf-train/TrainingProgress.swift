import Alignment
import CommandSupport

/// The line on the terminal while a run goes on.
final class TrainingProgress {
    private let common: CommonOptions
    private let whole: Progress
    private var scoring: Progress?
    private var training: Progress?
    /// Of the last validation, shown beside the training loss.
    private var heldOut = ""

    init(_ common: CommonOptions) {
        self.common = common
        whole = common.progress("uf-train")
    }

    var elapsed: Double { whole.elapsed }

    func show(_ event: TrainingEvent, _ plan: TrainingPlan?) {
        switch event {
        case .scoring(let done, let total):
            if done == 0 { scoring = common.progress("uf-train: reference", total: total, unit: "bins") }
            scoring?.update(done)
        case .step(let step):
            if training == nil { training = common.progress("uf-train", total: plan?.totalSteps, unit: "steps") }
            training?.update(step.step, detail: "loss \(decimal(step.losses.loss, 4))\(heldOut)")
        case .validation(let report):
            heldOut = ", held out \(decimal(report.losses.loss, 4))"
        }
    }

    func finish() {
        scoring?.finish()
        training?.finish()
    }
}
