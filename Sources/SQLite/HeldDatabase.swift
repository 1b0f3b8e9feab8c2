import Glibc
import SystemIO

/// A database file that one process holds for writing from its opening to `commit`. Without `commit` - when an error is thrown, a signal comes, or the
/// process or the machine dies - the file is as it was, or is absent when it was.
public final class HeldDatabase {
    public let connection: Connection
    /// The file's path, when it was absent before.
    private var made: String?
    private var isDone = false

    /// How long to wait for another process that holds it.
    private static let patienceSeconds = 600

    /// - Parameter waiting: called once when another process holds the file, before this one waits for it.
    public init(path: String, waiting: () -> Void) throws {
        let target = try AtomicFile.followLinks(path)
        while true {
            let isAbsent = access(target, F_OK) != 0
            let connection = try Connection(path: path, writable: true)
            try connection.begin(patience: HeldDatabase.patienceSeconds, waiting: waiting)
            // Who held it before may have made the file and, failing, removed it again: this one then has a file that nobody finds.
            guard connection.hasMoved else {
                self.connection = connection
                made = isAbsent ? target : nil
                if isAbsent { HeldDatabase.files(target).forEach(TemporaryFiles.add) }
                return
            }
        }
    }

    public func commit() throws {
        try connection.execute("COMMIT")
        isDone = true
        if let made { HeldDatabase.files(made).forEach(TemporaryFiles.remove) }
    }

    /// A database and its journal.
    private static func files(_ path: String) -> [String] { [path, path + "-journal"] }

    deinit {
        guard !isDone else { return }
        // While it is still held, so that nobody enters anything in a file that then goes.
        if let made {
            unlink(made)
            HeldDatabase.files(made).forEach(TemporaryFiles.remove)
        }
        try? connection.execute("ROLLBACK")
    }
}
