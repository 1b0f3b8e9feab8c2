import SQLite
import SystemIO

/// The SQLite file of runs, what they logged and what evaluations found.
///
/// Several processes may have it open and write at the same time: each write is one transaction, and a writer waits for the other.
/// A process killed at any moment leaves every finished transaction and nothing of an unfinished one.
/// An object is used from one thread at a time.
public final class RunDatabase {
    let connection: Connection

    /// Opens `path` for writing and makes it when it is absent.
    /// Throws `.cannotCreate` when that fails, `.invalidData` when it is no database of runs or of another schema version.
    public init(path: String) throws {
        connection = try Connection(path: path, writable: true)
        try DatabaseSchema.runs.prepare(connection)
    }

    /// Opens an existing database for reading alone. Throws `.missingInput` when there is none.
    public init(reading path: String) throws {
        connection = try Connection(path: path, writable: false)
        try DatabaseSchema.runs.check(connection)
    }

    /// Enters a run with status `running` and returns its number.
    public func startRun(_ run: RunDescription) throws -> Int64 {
        try connection.transaction {
            try insertRun(run, status: .running)
            return connection.lastInsertedRow
        }
    }

    /// Takes up a run that was stopped or killed: what it logged after `step` (which it will log again) is forgotten.
    public func resumeRun(_ id: Int64, after step: Int) throws {
        try connection.transaction {
            try connection.prepare("UPDATE runs SET status = 'running', finished = NULL WHERE id = ?").run([.integer(id)])
            try mustExist(id)
            try connection.prepare("DELETE FROM metrics WHERE run = ? AND step > ?").run([.integer(id), .integer(Int64(step))])
        }
    }

    public func finishRun(_ id: Int64, status: RunStatus = .finished) throws {
        try connection.transaction {
            try connection.prepare("UPDATE runs SET status = ?, finished = \(Self.now) WHERE id = ?").run([.text(status.rawValue), .integer(id)])
            try mustExist(id)
        }
    }

    /// Appends what a run logged at one step. A name and dimension occur once a step.
    public func append(_ metrics: [Metric], step: Int, run: Int64) throws {
        try append([(step, metrics)], run: run)
    }

    /// Appends what a run logged at several steps, all in one transaction (which costs a few milliseconds, whatever its size).
    public func append(_ steps: [(step: Int, metrics: [Metric])], run: Int64) throws {
        try connection.transaction {
            let insert = try connection.prepare("INSERT INTO metrics (run, step, name, dimension, value) VALUES (?, ?, ?, ?, ?)")
            for (step, metrics) in steps {
                for metric in metrics {
                    try insert.run([.integer(run), .integer(Int64(step)), .text(metric.name), .text(metric.dimension), .real(metric.value)])
                }
            }
        }
    }

    /// Enters a whole evaluation, run and results, in one transaction: a report never sees half of one. Returns the run's number.
    public func record(_ run: RunDescription, results: [EvaluationResult]) throws -> Int64 {
        try connection.transaction {
            try insertRun(run, status: .finished)
            let id = connection.lastInsertedRow
            try insert(results, run: id)
            return id
        }
    }

    /// Adds results to a run that is there already.
    public func append(_ results: [EvaluationResult], run: Int64) throws {
        try connection.transaction { try insert(results, run: run) }
    }

    // MARK: Inside a transaction

    private static let now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

    private func insertRun(_ run: RunDescription, status: RunStatus) throws {
        let finished = status == .running ? "NULL" : Self.now
        try connection.prepare("""
            INSERT INTO runs (command, label, options, model_digest, data_digest, seed, machine, started, finished, status)
            VALUES (?, ?, ?, ?, ?, ?, ?, \(Self.now), \(finished), ?)
            """).run([
                .text(run.command), .text(run.label), .text(run.options), .text(run.modelDigest), .text(run.dataDigest),
                run.seed.map { .text(String($0)) } ?? .null, .text(run.machine), .text(status.rawValue),
            ])
    }

    private func insert(_ results: [EvaluationResult], run: Int64) throws {
        let first = try connection.integer("SELECT count(*) FROM results WHERE run = \(run)")
        let insert = try connection.prepare("""
            INSERT INTO results (run, position, task, metric, split, dimension, value, stderr, low, high, chance, n)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        for (index, result) in results.enumerated() {
            try insert.run([
                .integer(run), .integer(first + Int64(index)), .text(result.task), .text(result.metric), .text(result.split), .text(result.dimension),
                .real(result.value), .real(result.standardError), .real(result.low), .real(result.high), .real(result.chance), .integer(Int64(result.count)),
            ])
        }
    }

    private func mustExist(_ id: Int64) throws {
        guard connection.changes == 1 else { throw InputError("\(connection.path): no run \(id)") }
    }
}
