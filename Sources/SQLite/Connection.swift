import CSQLite
import Glibc
import SystemIO

/// One connection to an SQLite file: every call's result code is looked at, and each failure becomes an `InputError` that names the file.
public final class Connection {
    public let path: String
    private var handle: OpaquePointer?

    /// How long another process may hold the file before this one gives up.
    private static let usualPatience = 60
    private var patience = usualPatience {
        didSet { sqlite3_busy_timeout(handle, Int32(patience * 1000)) }
    }

    /// - Parameter writable: create the file when it is absent, and write; otherwise it must exist and is only read.
    public init(path: String, writable: Bool) throws {
        self.path = path
        try Connection.refuseNoFile(path, writable: writable)
        // A path is never taken for a URI ("file:...") or for a database in memory.
        let flags = (writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path.hasPrefix("/") ? path : "./" + path, &handle, flags, nil)
        guard code == SQLITE_OK else {
            let error = failure(code, writable: writable)
            sqlite3_close_v2(handle)
            handle = nil
            throw error
        }
        sqlite3_busy_timeout(handle, Int32(patience * 1000))
    }

    deinit { sqlite3_close_v2(handle) }

    /// SQLite calls a folder a disk I/O error, waits at a FIFO, and takes a device for an empty file.
    private static func refuseNoFile(_ path: String, writable: Bool) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw InputError("\(path): not a regular file; a database is a file on disk", status: writable ? .cannotCreate : .missingInput)
        }
        throw writable ? InputError.cannotCreate(path, EISDIR) : InputError.cannotOpen(path, EISDIR)
    }

    public func execute(_ sql: String) throws {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    public func prepare(_ sql: String) throws -> Statement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure(code) }
        return Statement(statement, connection: self)
    }

    /// All of `body`'s changes become visible at once, or none does: when it throws, or when the process or the machine dies on the way.
    public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        // IMMEDIATE takes the write lock now: two writers wait for each other here, never half-way through, where one would have to fail.
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            try? execute("ROLLBACK")
            throw error
        }
    }

    /// Begins a transaction that holds the file for writing: `waiting` is called when another process holds it, before this one waits for at most so many
    /// seconds.
    func begin(patience seconds: Int, waiting: () -> Void) throws {
        patience = 0
        var code = sqlite3_exec(handle, "BEGIN IMMEDIATE", nil, nil, nil)
        if code & 0xFF == SQLITE_BUSY {
            waiting()
            patience = seconds
            code = sqlite3_exec(handle, "BEGIN IMMEDIATE", nil, nil, nil)
        }
        guard code == SQLITE_OK else { throw failure(code) }
        patience = Connection.usualPatience
    }

    /// Whether another file, or none, now stands under the path.
    var hasMoved: Bool {
        var moved: Int32 = 0
        return sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0
    }

    public var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }
    public var changes: Int { Int(sqlite3_changes64(handle)) }

    /// The whole first row's first column of a query that yields one integer.
    public func integer(_ sql: String) throws -> Int64 {
        let statement = try prepare(sql)
        return try statement.step() ? statement.integer(0) : 0
    }

    func failure(_ code: Int32, writable: Bool = true) -> InputError {
        let text = handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? String(cString: sqlite3_errstr(code))
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return InputError("\(path): locked by another process for \(patience) s; end that process or use another file", status: .ioError)
        case SQLITE_NOTADB:
            return InputError("\(path): not an SQLite database; give one that uf commands made, or a name that does not exist yet")
        case SQLITE_CORRUPT:
            return InputError("\(path): damaged database: \(text); restore it from a copy, or remove it and run again")
        case SQLITE_CANTOPEN:
            let number = sqlite3_system_errno(handle)
            let reason = number != 0 ? systemMessage(number) : text
            return writable
                ? InputError("\(path): cannot be created: \(reason)", status: .cannotCreate)
                : InputError("\(path): cannot be opened for reading: \(reason)", status: .missingInput)
        case SQLITE_READONLY:
            return InputError("\(path): cannot be written: \(text)", status: .cannotCreate)
        case SQLITE_FULL, SQLITE_IOERR:
            return InputError("\(path): writing failed: \(text)", status: .ioError)
        default:
            return InputError("\(path): \(text) (SQLite code \(code))", status: .internalError)
        }
    }
}
