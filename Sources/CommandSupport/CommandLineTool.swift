import ArgumentParser
import Glibc
import RecordStream
import SystemIO

/// The release of the whole suite. It goes to `--version` and to reports, never into data.
public let releaseVersion = "0.1.0"

/// Runs a command as all commands of the suite run: errors as one line on standard error, the documented exit statuses, no temporary file left by a signal.
public enum CommandLineTool {
    public static func main<Root: ParsableCommand>(_ root: Root.Type) -> Never {
        openStandardDescriptors()
        keepFreedMemory()
        TemporaryFiles.removeOnSignals()
        let name = Root.configuration.commandName ?? Root._commandName
        do {
            var command = try Root.parseAsRoot(joinedNumbers(CommandLine.arguments.dropFirst()))
            try command.run()
        } catch let error as InputError {
            Console.error(name, error.message)
            end(error.status)
        } catch let error as ExitStatus {
            end(error)
        } catch where Root.exitCode(for: error) == .validationFailure {
            Console.error(name, "\(oneLine(Root.message(for: error))) (\(helped(Root.self, name)) --help tells more)")
            exit(ExitStatus.usage.rawValue)
        } catch where Root.exitCode(for: error) == .success {
            answer(Root.fullMessage(for: error), name)
        } catch {
            Root.exit(withError: error)
        }
        end(.done)
    }

    /// At once: other threads may be at work, of a command that failed above all, and an ordinary exit takes from under them what libraries tear down then (simdjson's kernels: "pure virtual method called").
    private static func end(_ status: ExitStatus) -> Never {
        fflush(nil)
        _exit(status.rawValue)
    }

    /// A number below zero after an option is the option's value, which the parser would take for another option: `--low -1` becomes `--low=-1`.
    static func joinedNumbers(_ arguments: some Sequence<String>) -> [String] {
        arguments.reduce(into: []) { joined, argument in
            guard let option = joined.last, !joined.contains("--"), option.wholeMatch(of: /--?[A-Za-z][A-Za-z0-9-]*/) != nil, argument.prefixMatch(of: /-\.?[0-9]/) != nil else {
                return joined.append(argument)
            }
            joined[joined.count - 1] = option + "=" + argument
        }
    }

    /// The parser lists the values that an option takes below its message, one a line, where they are many.
    private static func oneLine(_ message: String) -> String {
        let lines = message.split(separator: "\n")
        guard let first = lines.first else { return "the command line is wrong" }
        return first.hasSuffix(":") ? first + " " + lines.dropFirst().map { $0.trimmingPrefix { $0 == " " || $0 == "-" } }.joined(separator: ", ") : String(first)
    }

    /// The command whose help tells of the options that were given: the subcommand, where one is named.
    private static func helped(_ root: any ParsableCommand.Type, _ name: String) -> String {
        let subcommand = CommandLine.arguments.dropFirst().first { argument in root.configuration.subcommands.contains { $0._commandName == argument } }
        return [name, subcommand].compactMap(\.self).joined(separator: " ")
    }

    /// Help, version, completions: ArgumentParser would print them with `print`, which loses them silently on a full disk.
    private static func answer(_ text: String, _ name: String) {
        do {
            let output = StandardOutput()
            try output.write(text + "\n")
            try output.finish()
        } catch {
            Console.error(name, "\(error)")
            exit(ExitStatus.ioError.rawValue)
        }
    }

    /// Descriptors 0 to 2 that the parent closed are opened on /dev/null: else the first file opened would take such a number, and a message
    /// to standard error would be written into the data. Standard input is opened for
    /// writing and standard output for reading, so that their use fails as it should.
    private static func openStandardDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR)
        }
    }
}

/// A status may be thrown by itself when all was said already (`throw ExitStatus.no`).
extension ExitStatus: Error {}

/// Lines for people, on standard error.
public enum Console {
    public static let errorIsTerminal = isatty(STDERR_FILENO) == 1

    /// Whether what goes to standard output may have colours: it is a terminal, and NO_COLOR is not set, or empty.
    public static var wantsColor: Bool { isatty(STDOUT_FILENO) == 1 && (getenv("NO_COLOR")?.pointee ?? 0) == 0 }

    /// `name: message`, in one piece even when several processes of a pipe write at once.
    public static func error(_ name: String, _ message: String) {
        line("\(name): \(message)")
    }

    public static func line(_ text: String) {
        Progress.clear()
        // A terminal that is gone must not turn a message into a failure.
        try? FileSink(descriptor: STDERR_FILENO, name: "standard error").write(text + "\n")
    }

    /// Commands that show things (`view`, `head`) are done when their reader has seen enough: a closed pipe ends them with status 0.
    public static func closedPipeIsDone() {
        signal(SIGPIPE) { _ in _exit(0) }
    }
}
