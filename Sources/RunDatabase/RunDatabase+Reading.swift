import SQLite
import SystemIO

extension RunDatabase {
    private static let columns = "id, command, label, options, model_digest, data_digest, seed, machine, started, finished, status"

    /// All runs, oldest first.
    public func runs() throws -> [Run] {
        try readRuns(connection.prepare("SELECT \(Self.columns) FROM runs ORDER BY id"))
    }

    public func run(_ id: Int64) throws -> Run? {
        let statement = try connection.prepare("SELECT \(Self.columns) FROM runs WHERE id = ?")
        try statement.bind([.integer(id)])
        return try readRuns(statement).first
    }

    /// The newest run that has this label.
    public func run(labelled label: String) throws -> Run? {
        let statement = try connection.prepare("SELECT \(Self.columns) FROM runs WHERE label = ? ORDER BY id DESC LIMIT 1")
        try statement.bind([.text(label)])
        return try readRuns(statement).first
    }

    /// What a run logged, in the order of steps; a value that was NaN comes back as NaN.
    public func metrics(of run: Int64) throws -> [(step: Int, metric: Metric)] {
        let statement = try connection.prepare("SELECT step, name, dimension, value FROM metrics WHERE run = ? ORDER BY step, name, dimension")
        try statement.bind([.integer(run)])
        var rows: [(step: Int, metric: Metric)] = []
        while try statement.step() {
            rows.append((Int(statement.integer(0)), Metric(statement.text(1), dimension: statement.text(2), statement.real(3) ?? .nan)))
        }
        return rows
    }

    /// What an evaluation found, in the order in which it was entered.
    public func results(of run: Int64) throws -> [EvaluationResult] {
        let statement = try connection.prepare("""
            SELECT task, metric, split, dimension, value, stderr, low, high, chance, n FROM results WHERE run = ? ORDER BY position
            """)
        try statement.bind([.integer(run)])
        var rows: [EvaluationResult] = []
        while try statement.step() {
            rows.append(EvaluationResult(
                task: statement.text(0), metric: statement.text(1), split: statement.text(2), dimension: statement.text(3), value: statement.real(4) ?? .nan,
                standardError: statement.real(5), low: statement.real(6), high: statement.real(7), chance: statement.real(8), count: Int(statement.integer(9))))
        }
        return rows
    }

    private func readRuns(_ statement: Statement) throws -> [Run] {
        var runs: [Run] = []
        while try statement.step() {
            let description = RunDescription(
                command: statement.text(1), label: statement.text(2), options: statement.text(3), modelDigest: statement.text(4),
                dataDigest: statement.text(5), seed: UInt64(statement.text(6)), machine: statement.text(7))
            guard let status = RunStatus(rawValue: statement.text(10)) else {
                throw InputError("\(connection.path): run \(statement.integer(0)) has the unknown status \"\(statement.text(10))\"")
            }
            runs.append(Run(
                id: statement.integer(0), description: description, started: statement.text(8),
                finished: statement.isNull(9) ? nil : statement.text(9), status: status))
        }
        return runs
    }
}
