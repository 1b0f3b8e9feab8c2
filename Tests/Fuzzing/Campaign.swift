import Glibc
import SystemIO
import TestSupport

/// Runs mutants in processes of this very program, several at once and some thousand each, so that one that traps ends no more than its own process.
struct Campaign {
    let seeds: Range<UInt64>
    let jobs: Int
    private static let portion: UInt64 = 1000
    private static let reportEvery = 10

    private struct Job {
        var seeds: Range<UInt64>
        var state: WorkerState
    }

    /// Returns how many mutants were not handled.
    func run() throws -> Int {
        let folder = TemporaryFolder(), corpus = try Corpus()
        var waiting = seeds.lowerBound, running: [pid_t: Job] = [:], again: [Range<UInt64>] = [], failures = 0
        var tally = WorkerState.Tally(), start = time(nil), told = start
        func launch(_ seeds: Range<UInt64>) throws {
            let state = try WorkerState(path: folder.file("state-\(seeds.lowerBound)"), create: true)
            running[try spawn("\(seeds.lowerBound):\(seeds.upperBound):\(state.path)")] = Job(seeds: seeds, state: state)
        }
        start = time(nil)
        while true {
            while running.count < jobs, !again.isEmpty || waiting < seeds.upperBound {
                if let rest = again.popLast() { try launch(rest); continue }
                let end = min(waiting + Self.portion, seeds.upperBound)
                try launch(waiting ..< end)
                waiting = end
            }
            guard !running.isEmpty else { break }
            var status: Int32 = 0
            let pid = waitpid(-1, &status, 0)
            guard pid > 0, let job = running.removeValue(forKey: pid) else { continue }
            tally += job.state.tally
            if status != 0 {
                failures += 1
                let seed = job.state.seed
                let mutant = Mutant(seed, corpus)
                try mutant.write()
                tell("mutant \(seed) was not handled: \(mutant.description): \(ending(status, job.state.message)); "
                    + "written to \(mutant.fileName) (make fuzz SEED=\(seed) repeats it)")
                if seed + 1 < job.seeds.upperBound { again.append(seed + 1 ..< job.seeds.upperBound) }
            }
            if time(nil) - told >= Self.reportEvery, tally.total > 0 {
                told = time(nil)
                tell("\(tally.total) of \(seeds.count) mutants, \(Int(tally.total) / max(1, told - start)) a second, \(failures) not handled")
            }
        }
        for line in tally.lines { tell(line) }
        let seconds = max(1, time(nil) - start)
        tell("\(tally.total + UInt64(failures)) mutants in \(seconds) s, \(Int(tally.total) / seconds) a second: \(failures) not handled")
        return failures
    }

    /// At once, also into a pipe.
    private func tell(_ line: String) { try? FileSink.standardOutput().write(line + "\n") }

    private func ending(_ status: Int32, _ message: String) -> String {
        switch status & 0x7F {
        case 0: message.isEmpty ? "status \(status >> 8)" : message
        case SIGPROF: "more than \(Worker.processorSeconds) s of processor time"
        case SIGALRM: "stood still for \(Worker.wallSeconds) s"
        case let signal: "ended by signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }

    private func spawn(_ work: String) throws -> pid_t {
        var pid = pid_t()
        var words: [UnsafeMutablePointer<CChar>?] = (["/proc/self/exe", "--worker", work] as [String]).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        guard posix_spawn(&pid, "/proc/self/exe", nil, nil, &words, environ) == 0 else { throw Failure("no process can be started") }
        return pid
    }
}
