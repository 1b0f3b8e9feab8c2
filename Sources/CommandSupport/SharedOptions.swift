import ArgumentParser
import Glibc
import RecordStream
import SystemIO

/// What most commands take.
public struct CommonOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Say more on standard error: what was detected, all counts, where time went.")
    public var verbose = false

    @Flag(name: .long, help: "No progress bar, even on a terminal.")
    public var noProgress = false

    public init() {}

    /// A progress line; silent off a terminal.
    public func progress(_ what: String, total: Int? = nil, unit: String = "records") -> Progress {
        Progress(what, total: total, unit: unit, enabled: Console.errorIsTerminal && !noProgress)
    }
}

/// Threads. They change the time a command takes and nothing else.
public struct JobsOptions: ParsableArguments {
    @Option(name: [.customShort("j", allowingJoined: true), .customLong("jobs")], help: "Threads to use; the output is the same for any number. (default: the processors)")
    public var jobs: Int?

    public init() {}

    public var count: Int { jobs ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    public func validate() throws {
        guard let jobs else { return }
        guard (1 ... 1024).contains(jobs) else { throw ValidationError("-j takes a number from 1 to 1024") }
        // Here, so that no command can forget it: digests and blocks are made by these threads too.
        WorkPool.shared.threads = jobs
    }
}

/// Where a stream goes.
public struct OutputOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("Write here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    public var output: String?

    @Flag(name: .long, help: "Leave an existing output file as it is, with its time, when the new bytes would be the same.")
    public var ifChanged = false

    @Option(name: .customLong("codec"), help: ArgumentHelp("Compression of the blocks. (default: none)", valueName: "codec"))
    public var codecName: CodecName?

    public var codec: Codec { codecName?.codec ?? .none }

    public init() {}

    public func validate() throws {
        if ifChanged, output == nil || output == "-" { throw ValidationError("--if-changed needs -o FILE") }
    }

    /// Refuses an output that would destroy an input or meet the report in one file.
    public func refuse(report: String? = nil, inputs: [String]) throws {
        let target = output ?? "-"
        if let report, isSameFile(report, target) {
            throw InputError("\(report == "-" ? "standard output" : report): the report and the stream cannot go to the same place", status: .usage)
        }
        if let report, report != "-", let input = inputs.first(where: { $0 != "-" && isSameFile($0, report) }) {
            throw InputError("\(input): both input and report; the report would replace the input (write to another name)", status: .usage)
        }
        try refuseOutput(target, over: inputs)
    }

    /// The open output. A terminal is refused: a record stream is not text.
    public func open() throws -> any ByteSink {
        if let output, output != "-" { return try AtomicFile(path: output, keepsEqual: ifChanged) }
        guard isatty(STDOUT_FILENO) == 0 else {
            throw InputError("a record stream is binary and would garble the terminal; give -o FILE, or join a command that reads it with |", status: .usage)
        }
        return StandardOutput()
    }
}

/// Refuses an output that would destroy an input.
public func refuseOutput(_ target: String, over inputs: [String]) throws {
    if target != "-", let input = inputs.first(where: { $0 != "-" && isSameFile($0, target) }) {
        throw InputError("\(input): both input and output; the output would replace the input (write to another name)", status: .usage)
    }
}

private func isSameFile(_ one: String, _ other: String) -> Bool {
    var a = stat(), b = stat()
    return one == other || (stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_mode & S_IFMT == S_IFREG)
}

/// Where text goes: a file that appears whole, or standard output.
public func openTextOutput(_ path: String?) throws -> BufferedSink {
    if let path, path != "-" { return BufferedSink(try AtomicFile(path: path)) }
    return BufferedSink(StandardOutput())
}

/// Text of a command that makes other lasting things besides: `prepare` tells whether it could be written before they are made, `publish` follows them.
public final class TextOutput {
    private let file: AtomicFile?
    private let sink: BufferedSink

    public init(_ path: String?) throws {
        file = try path.flatMap { $0 == "-" ? nil : try AtomicFile(path: $0) }
        sink = BufferedSink(file ?? StandardOutput())
    }

    public func write(_ bytes: [UInt8]) throws { try sink.write(bytes) }

    /// After it standard output has everything, and a file only waits for its name.
    public func prepare() throws {
        guard let file else { return try sink.finish() }
        try sink.flush()
        try file.prepare()
    }

    /// Gives a file its name.
    public func publish() throws { try file?.publish() }
}

/// Standard output as a sink that is not synced: it is a pipe, a terminal or a redirection that the shell owns.
final class StandardOutput: ByteSink {
    private let sink = FileSink.standardOutput()
    let name = "standard output"

    func write(_ bytes: UnsafeRawBufferPointer) throws { try sink.write(bytes) }

    /// Closing reports what a network file system kept for last.
    func finish() throws {
        if close(STDOUT_FILENO) != 0, errno != EBADF { throw InputError.cannotWrite(name, at: 0) }
    }
}

/// `Codec` by the names of the command line (its own raw values are the format's bytes).
public enum CodecName: String, ExpressibleByArgument, CaseIterable, Sendable {
    case none, zlib, zstd

    public var codec: Codec {
        switch self {
        case .none: .none
        case .zlib: .zlib
        case .zstd: .zstd
        }
    }
}

/// Opens an operand: a path, or `-` for standard input.
public func openInput(_ operand: String) throws -> FileSource {
    if operand == "-" { try refuseTerminalInput() }
    return try FileSource(operand: operand)
}

/// Size of a regular file, for progress; nil for pipes and devices.
public func fileSize(_ operand: String) -> Int? {
    var status = stat()
    guard operand != "-", stat(operand, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
}
