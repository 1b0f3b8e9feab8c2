import Glibc
import JSON
import RunDatabase
import SystemIO

/// Writes what a run tells: JSON lines for the metrics file, rows for the run database.
///
/// The lines hold nothing that differs between two runs of the same training; times go to the database alone.
public final class RunRecorder {
    public private(set) var lines: [UInt8] = []
    public private(set) var lastStep: StepReport?
    public private(set) var firstStep: StepReport?
    public private(set) var validations: [ValidationReport] = []
    /// Records of all steps together that had no dimension in use.
    public private(set) var unused = 0
    private let database: RunDatabase?
    private let run: Int64?
    private var stepStart = RunRecorder.seconds()

    /// - Parameter database: where the run is entered now, as running.
    public init(database: RunDatabase?, description: RunDescription) throws {
        self.database = database
        run = try database?.startRun(description)
    }

    public func record(_ event: TrainingEvent) throws {
        switch event {
        case .scoring: break
        case .step(let report):
            let now = RunRecorder.seconds()
            if firstStep == nil { firstStep = report }
            lastStep = report
            unused += report.losses.unused
            try add(report.json)
            try enter(report.metrics + [Metric("tokens_per_second", Double(report.tokens) / max(1e-9, now - stepStart))], step: report.step)
        case .validation(let report):
            validations.append(report)
            try add(report.json)
            try enter(report.metrics, step: report.step)
        }
        stepStart = RunRecorder.seconds()
    }

    /// Enters how the run ended.
    public func finish(_ status: RunStatus) throws {
        if let database, let run { try database.finishRun(run, status: status) }
    }

    private func add(_ line: JSONValue) throws {
        do { lines += try line.serialized() + [UInt8(ascii: "\n")] } catch {
            throw InputError("a metric has no form in JSON: \(error)", status: .internalError)
        }
    }

    private func enter(_ metrics: [Metric], step: Int) throws {
        if let database, let run { try database.append(metrics, step: step, run: run) }
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
