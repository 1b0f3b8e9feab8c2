import ArgumentParser
import Glibc
import RecordStream
import SystemIO

/// The release of the whole suite. It goes to `--version` and to reports, never into data.
public let releaseVersion = "0.1.0"

/// Runs a command as all commands of the suite run: errors as one line on standard error, the documented exit statuses, no temporary file left by a signal.
public enum CommandLineTool {
    public static func main<Root: ParsableCommand>(_ root: Root.Type) -> Never {
        TemporaryFiles.removeOnSignals()
        let name = Root.configuration.commandName ?? Root._commandName
        do {
            var command = try Root.parseAsRoot()
            try command.run()
        } catch let error as InputError {
            Console.error(name, error.message)
            exit(error.status.rawValue)
        } catch let error as ExitStatus {
            exit(error.rawValue)
        } catch {
            // ArgumentParser's own: help and version (0), usage (64).
            Root.exit(withError: error)
        }
        exit(ExitStatus.done.rawValue)
    }
}

/// A status may be thrown by itself when all was said already (`throw ExitStatus.no`).
extension ExitStatus: Error {}

/// Lines for people, on standard error.
public enum Console {
    public static let errorIsTerminal = isatty(STDERR_FILENO) == 1

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
