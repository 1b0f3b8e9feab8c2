/// The exit statuses that every command documents (sysexits.h numbers, so that shells and schedulers can tell them apart).
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    /// A check ran to its end and said "no".
    case no = 1
    /// The command line cannot be understood.
    case usage = 64
    /// The input is damaged, invalid or does not belong together.
    case invalidData = 65
    /// An input does not exist or cannot be opened.
    case missingInput = 66
    /// A defect of the command itself.
    case internalError = 70
    /// An output cannot be created.
    case cannotCreate = 73
    /// Reading or writing failed on the way: I/O error, full disk, closed pipe.
    case ioError = 74
    /// Stopped on request; running the same command again resumes.
    case stopped = 75
}
