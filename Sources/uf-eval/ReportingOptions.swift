import ArgumentParser
import CommandSupport
import Evaluation
import Glibc
import JSON
import Numerics
import RunDatabase
import SystemIO

/// Where an evaluation's figures go.
struct ReportingOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON instead of a table.")
    var json = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Write the table or JSON here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    var output: String?

    @Option(name: .long, help: ArgumentHelp("Enter the run and its figures into this SQLite database, made when absent.", valueName: "file"))
    var database: String?

    @Option(name: .long, help: ArgumentHelp("The run's name in the database, by which uf-eval report finds it (before, after).", valueName: "text"))
    var label = ""

    func validate() throws { try refuseDash([("--database", database)]) }

    var goesToStandardOutput: Bool { output == nil || output == "-" }

    /// Opens the database before the work: a wrong name costs no hour.
    func openDatabase() throws -> RunDatabase? { try database.map { try RunDatabase(path: $0) } }

    func openOutput() throws -> TextOutput { try TextOutput(output) }

    /// After it standard output has the figures, and a file waits for its name (`publish`).
    func write(to sink: TextOutput, _ text: () throws -> String, json value: () throws -> JSONValue) throws {
        try sink.write(json ? try value().serialized(indent: 2) + [UInt8(ascii: "\n")] : Array(try text().utf8))
        try sink.prepare()
    }
}

/// What may decide last bits and times, for the run database.
enum MachineFacts {
    static func json(jobs: Int) -> String {
        text([
            ("blas_kernel", .string(BLAS.kernelName)), ("cpu", .string(cpuName())), ("processors", JSONValue(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))), ("jobs", JSONValue(jobs)),
            ("release", .string(releaseVersion)),
        ])
    }

    private static func cpuName() -> String {
        guard let bytes = try? readWholeFile("/proc/cpuinfo", limit: 1 << 24) else { return "" }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) } ?? ""
    }

    /// An object as JSON text, canonical.
    static func text(_ members: [(String, JSONValue)]) -> String {
        (try? JSONValue.object(members).canonical).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
