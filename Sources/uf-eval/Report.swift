import ArgumentParser
import CommandSupport
import Evaluation
import JSON
import RunDatabase
import SystemIO

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the runs of a database, or two evaluations side by side.",
        discussion: HelpText.discussion(
            """
            Without --before and --after: a line for each run. With both: every figure that the two runs have in common, each with its interval. A change is \
            claimed only where the two intervals do not overlap.
            A run that did not say how it ended is running while its process lives, interrupted when that is gone, and unfinished where it cannot be told: on another \
            machine, in another container, after a new start of the machine.
            """,
            examples: [
                ("uf-eval report runs.sqlite", "all runs"),
                ("uf-eval report runs.sqlite --before before --after after", "the newest runs of these labels side by side"),
                ("uf-eval report runs.sqlite --before 3 --after 7 --json", "by number, as JSON"),
            ]))

    @Argument(help: ArgumentHelp("The database that --database made.", valueName: "file"))
    var database: String

    @Option(name: .long, help: ArgumentHelp("Label (its newest run) or number of the earlier evaluation.", valueName: "run"))
    var before: String?

    @Option(name: .long, help: ArgumentHelp("Label (its newest run) or number of the later evaluation.", valueName: "run"))
    var after: String?

    @Flag(name: .long, help: "Print JSON instead of a table.")
    var json = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Write here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    var output: String?

    func validate() throws {
        try refuseDash([("the database", database)])
        guard (before == nil) == (after == nil) else { throw ValidationError("--before and --after go together") }
    }

    func run() throws {
        let runs = try RunDatabase(reading: database)
        let sink: BufferedSink
        if let before, let after {
            let comparison = try Comparison(before: find(before, in: runs), after: find(after, in: runs), in: runs)
            sink = try openTextOutput(output)
            try json ? sink.write(try comparison.json.serialized(indent: 2) + [UInt8(ascii: "\n")]) : sink.write(comparison.text())
        } else {
            let list = try RunList(runs)
            sink = try openTextOutput(output)
            try json ? sink.write(try list.json.serialized(indent: 2) + [UInt8(ascii: "\n")]) : sink.write(list.text())
        }
        try sink.finish()
    }

    private func find(_ name: String, in runs: RunDatabase) throws -> Run {
        if let run = try runs.run(labelled: name) { return run }
        if let id = Int64(name), let run = try runs.run(id) { return run }
        throw InputError("\(database): no run with the label or number \(name); uf-eval report \(database) lists them", status: .missingInput)
    }
}

/// One line a run.
struct RunList {
    private var rows: [(run: Run, results: [EvaluationResult], lastLoss: Double?, steps: Int)] = []

    init(_ runs: RunDatabase) throws {
        for run in try runs.runs() {
            let metrics = try runs.metrics(of: run.id)
            rows.append((run, try runs.results(of: run.id), metrics.last { $0.metric.name == "loss" && $0.metric.dimension.isEmpty }?.metric.value, metrics.last?.step ?? 0))
        }
    }

    func text() -> String {
        guard !rows.isEmpty else { return "no runs\n" }
        var table = TextTable([("run", .right), ("label", .left), ("command", .left), ("status", .left), ("started (UTC)", .left), ("model", .left), ("data", .left), ("outcome", .left)])
        for row in rows {
            let description = row.run.description
            table.add([
                "\(row.run.id)", description.label, description.command, RunState(row.run).rawValue, String(row.run.started.prefix(19)), String(description.modelDigest.prefix(8)),
                String(description.dataDigest.prefix(8)), outcome(row.results, row.lastLoss, row.steps),
            ])
        }
        return table.text()
    }

    /// The figure that says most: of a training run its last loss, of an evaluation its first.
    private func outcome(_ results: [EvaluationResult], _ lastLoss: Double?, _ steps: Int) -> String {
        if let first = results.first {
            let text = FigureText(metric: first.metric)
            let interval = text.interval(first)
            let reading = text.reading(first, among: results)
            return "\(text.name) \(text.value(first.value))" + (interval == "-" ? "" : " (\(interval))") + (reading.isEmpty ? "" : ", \(reading)")
        }
        return lastLoss.map { "loss \(decimal($0, 4)) at step \(steps)" } ?? ""
    }

    var json: JSONValue {
        .array(rows.map { row in
            guard case .object(let members) = row.run.json else { return row.run.json }
            return .object(members + [JSONMember("steps", JSONValue(row.steps)), JSONMember("last_loss", .finite(row.lastLoss)), JSONMember("results", .array(row.results.map(\.json)))])
        })
    }
}

/// Before against after.
struct Comparison {
    let before: Run, after: Run
    let figures: [ComparedFigure]

    init(before: Run, after: Run, in runs: RunDatabase) throws {
        self.before = before
        self.after = after
        figures = ComparedFigure.all(before: try runs.results(of: before.id), after: try runs.results(of: after.id))
        guard !figures.isEmpty else {
            throw InputError("runs \(before.id) (\(before.description.command)) and \(after.id) (\(after.description.command)) have no figure in common")
        }
    }

    func text() -> String {
        var lines = ["before: run \(before.id) \(before.description.label), model \(before.description.modelDigest.prefix(8)); after: run \(after.id) \(after.description.label), model \(after.description.modelDigest.prefix(8))"]
        if before.description.dataDigest != after.description.dataDigest { lines.append("CAUTION: the two were made on different data; the figures cannot be compared.") }
        if before.description.options != after.description.options { lines.append("The options differ: before \(before.description.options), after \(after.description.options)") }
        var table = TextTable([("", .left), ("before", .right), ("95 % interval", .right), ("after", .right), ("95 % interval", .right), ("reading", .left)])
        var group: String?
        let dimensions = Set(figures.map(\.after.dimension))
        for figure in figures {
            let result = figure.after
            let isByDimension = figures.contains { $0.after.metric == result.metric && $0.after.dimension != result.dimension }
            // With one dimension "all together" is the same once more.
            if result.dimension.isEmpty, isByDimension, dimensions.count == 2 { continue }
            let all = dimensions.count == 1 ? "" : isByDimension ? "all dimensions" : "all responses"
            let name = [result.task, result.split, result.dimension.isEmpty ? all : result.dimension].filter { !$0.isEmpty }.joined(separator: ", ")
            if name != group {
                table.add([name, "", "", "", "", ""])
                group = name
            }
            let text = FigureText(metric: figure.after.metric)
            table.add(["  " + text.name, text.value(figure.before.value), text.interval(figure.before), text.value(figure.after.value), text.interval(figure.after), reading(figure, text)])
        }
        return (lines + table.lines()).joined(separator: "\n") + "\n"
    }

    private func reading(_ figure: ComparedFigure, _ text: FigureText) -> String {
        if text.unit == .count { return "" }
        switch figure.change {
        case .rose: return "rose" + own(figure, text)
        case .fell: return "fell" + own(figure, text)
        case .notTold: return "no change shown"
        // Before training there is nothing but ties: what counts is where it stands now.
        case .unknown: return text.reading(figure.after, among: figures.map(\.after))
        }
    }

    private func own(_ figure: ComparedFigure, _ text: FigureText) -> String {
        let reading = text.reading(figure.after, among: figures.map(\.after))
        return reading.isEmpty ? "" : "; " + reading
    }

    var json: JSONValue {
        ["before": before.json, "after": after.json, "same_data": .bool(before.description.dataDigest == after.description.dataDigest),
         "figures": .array(figures.map { ["before": $0.before.json, "after": $0.after.json, "change": .string($0.change.rawValue)] })]
    }
}
