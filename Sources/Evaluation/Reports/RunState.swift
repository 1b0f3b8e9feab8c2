import JSON
import RunDatabase
import SystemIO

/// How a run stands, for people: its status, where `running` in the database may be the last word of a process that was killed.
public enum RunState: String, Sendable {
    case running, finished, failed, stopped
    /// Its process is gone without having said how it ended.
    case interrupted
    /// It did not say how it ended, and from here nobody can tell whether it still runs.
    case unfinished

    public init(_ run: Run) {
        switch run.status {
        case .finished: self = .finished
        case .failed: self = .failed
        case .stopped: self = .stopped
        case .running:
            let process = (try? JSON.parse(run.description.machine))?["process"]?.string
            switch process.flatMap(ProcessIdentity.init)?.state ?? .unknown {
            case .alive: self = .running
            case .gone: self = .interrupted
            case .unknown: self = .unfinished
            }
        }
    }
}
