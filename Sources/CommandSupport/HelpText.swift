import SystemIO

/// The long text of a command's `--help`: what it does, examples, exit statuses, in the same form for every command.
public struct HelpText {
    public static func discussion(_ text: String, examples: [(command: String, does: String)], statuses: [ExitStatus] = [.done, .usage, .invalidData, .missingInput, .cannotCreate, .ioError]) -> String {
        var lines = [text, "", "EXAMPLES"]
        for example in examples { lines += ["  \(example.command)", "      \(example.does)"] }
        lines += ["", "EXIT STATUS"]
        for status in statuses { lines.append("  \(padded(status.rawValue))  \(meaning(status))") }
        return lines.joined(separator: "\n")
    }

    private static func padded(_ number: Int32) -> String { number < 10 ? " \(number)" : "\(number)" }

    static func meaning(_ status: ExitStatus) -> String {
        switch status {
        case .done: "done"
        case .no: "the check ran and said no"
        case .usage: "the command line is wrong"
        case .invalidData: "an input is damaged, invalid or does not fit the others"
        case .missingInput: "an input is missing or cannot be opened"
        case .internalError: "a defect of the command"
        case .cannotCreate: "an output cannot be created"
        case .ioError: "reading or writing failed (disk full, pipe closed)"
        case .stopped: "stopped on request; the same command resumes"
        }
    }
}
