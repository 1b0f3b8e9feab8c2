import SystemIO

/// The tables of one kind of database file, and the marks by which its files are known.
public struct DatabaseSchema: Sendable {
    /// Marks the file as this project's and of this kind.
    public var applicationID: Int32
    /// Raised when the tables change in a way that an older release would misread.
    public var version: Int
    /// SQL that makes them.
    public var tables: String

    public init(applicationID: Int32, version: Int, tables: String) {
        self.applicationID = applicationID
        self.version = version
        self.tables = tables
    }

    /// Makes the tables in a new file; refuses a file that is someone else's or of another version.
    public func prepare(_ connection: Connection) throws {
        // A rollback journal, not a write-ahead log: between transactions the database is one file that can be copied.
        // FULL: a transaction that was reported as done survives a power cut.
        try connection.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        if try isEmpty(connection) {
            // Another process may have made them while this one waited for the lock.
            try connection.transaction { try makeTables(connection) }
        }
        try check(connection)
    }

    /// Whether the tables are there; false in a new file. Throws for a file that is someone else's or of another version.
    public func isMade(in held: HeldDatabase) throws -> Bool {
        if try isEmpty(held.connection) { return false }
        try check(held.connection)
        return true
    }

    /// Makes the tables in a new file, inside the transaction that holds it. Journal and synchronisation are SQLite's own: a rollback journal, and FULL.
    public func make(in held: HeldDatabase) throws { try makeTables(held.connection) }

    private func makeTables(_ connection: Connection) throws {
        guard try isEmpty(connection) else { return }
        try connection.execute(tables)
        try connection.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
    }

    public func check(_ connection: Connection) throws {
        guard try connection.integer("PRAGMA application_id") == Int64(applicationID) else {
            throw InputError("\(connection.path): an SQLite database that uf commands did not make for this; give another file name")
        }
        let found = try connection.integer("PRAGMA user_version")
        guard found == Int64(version) else {
            throw InputError("\(connection.path): schema version \(found), expected \(version); use the release of uftools that wrote it, or another file name")
        }
    }

    private func isEmpty(_ connection: Connection) throws -> Bool {
        try connection.integer("PRAGMA application_id") == 0 && connection.integer("SELECT count(*) FROM sqlite_schema") == 0
    }
}
