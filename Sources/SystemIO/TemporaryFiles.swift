import Glibc

/// The temporary files that this process has not yet renamed, so that a signal that ends it (Ctrl-C, `kill`) leaves none behind.
///
/// The table is fixed memory, because a signal handler may call `unlink` but may not allocate.
public enum TemporaryFiles {
    private static let slots = 1024
    nonisolated(unsafe) private static let table: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = {
        let table = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: slots)
        table.initialize(repeating: nil, count: slots)
        return table
    }()

    /// `path` is a file, or a folder whose files are added too.
    public static func add(_ path: String) {
        for slot in 0 ..< slots where table[slot] == nil {
            table[slot] = strdup(path)
            return
        }
    }

    public static func remove(_ path: String) {
        for slot in 0 ..< slots {
            if let entry = table[slot], strcmp(entry, path) == 0 {
                // The string itself is left alone: a handler may be reading it this very moment.
                table[slot] = nil
                return
            }
        }
    }

    /// Ends the process as the signal would have, after the temporary files are gone. SIGXFSZ (file size limit) is ignored instead:
    /// the write then fails with an error that is reported like a full disk.
    public static func removeOnSignals() {
        _ = table
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] {
            var action = sigaction()
            sigaction(number, nil, &action)
            // A signal that the parent chose to ignore (nohup) stays ignored.
            if unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { continue }
            signal(number) { number in
                TemporaryFiles.removeAll()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
        signal(SIGXFSZ, SIG_IGN)
        // A mapped file that another process makes shorter: there is nothing to go back to, but a message and a status there can be.
        _ = shrunkFile
        signal(SIGBUS) { _ in
            TemporaryFiles.removeAll()
            _ = Glibc.write(STDERR_FILENO, TemporaryFiles.shrunkFile.text, TemporaryFiles.shrunkFile.count)
            _exit(ExitStatus.ioError.rawValue)
        }
    }

    /// In memory before it is needed: a handler may write but not allocate.
    nonisolated(unsafe) private static let shrunkFile: (text: UnsafeMutablePointer<CChar>, count: Int) = {
        let command = CommandLine.arguments.first.map(AtomicFile.lastComponent) ?? "uftools"
        let text = "\(command): an input file became shorter while it was read (or its disk failed); give a file that nobody is writing\n"
        return (strdup(text), text.utf8.count)
    }()

    private static func removeAll() {
        for slot in 0 ..< slots {
            if let entry = table[slot] { unlink(entry) }
        }
        // Folders are empty only now; both calls are allowed in a signal handler.
        for slot in 0 ..< slots {
            if let entry = table[slot] { rmdir(entry) }
        }
    }
}
