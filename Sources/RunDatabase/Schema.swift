import SystemIO

/// The tables. They are plain enough to be read with the `sqlite3` command or any other SQLite client:
///
///     runs     one row a command that ran: what, on which data, with which options, on which machine, how it ended
///     metrics  what a training run logged at its steps
///     results  what an evaluation found, each figure with its interval
enum Schema {
    /// Marks the file as one of this project ("uft1").
    static let applicationID: Int32 = 0x7566_7431
    /// Raised when the tables change in a way that an older release would misread.
    static let version = 1

    static let tables = """
        CREATE TABLE runs (
            id           INTEGER PRIMARY KEY AUTOINCREMENT,
            command      TEXT NOT NULL CHECK (command <> ''),
            label        TEXT NOT NULL,
            options      TEXT NOT NULL CHECK (json_valid(options)),
            model_digest TEXT NOT NULL,
            data_digest  TEXT NOT NULL,
            seed         TEXT,
            machine      TEXT NOT NULL CHECK (json_valid(machine)),
            started      TEXT NOT NULL,
            finished     TEXT,
            status       TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'stopped'))
        ) STRICT;
        CREATE TABLE metrics (
            run       INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            step      INTEGER NOT NULL CHECK (step >= 0),
            name      TEXT NOT NULL CHECK (name <> ''),
            dimension TEXT NOT NULL,
            value     REAL,
            PRIMARY KEY (run, step, name, dimension)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE results (
            run       INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            position  INTEGER NOT NULL,
            task      TEXT NOT NULL CHECK (task <> ''),
            metric    TEXT NOT NULL CHECK (metric <> ''),
            split     TEXT NOT NULL,
            dimension TEXT NOT NULL,
            value     REAL,
            stderr    REAL,
            low       REAL,
            high      REAL,
            chance    REAL,
            n         INTEGER NOT NULL CHECK (n >= 0),
            PRIMARY KEY (run, task, metric, split, dimension)
        ) STRICT, WITHOUT ROWID;
        """

    /// Makes the tables in a new file; refuses a file that is someone else's or of another version.
    static func prepare(_ connection: Connection) throws {
        // A rollback journal, not a write-ahead log: between transactions the database is one file that can be copied.
        // FULL: a transaction that was reported as done survives a power cut.
        try connection.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        if try isEmpty(connection) {
            try connection.transaction {
                // Another process may have made them while this one waited for the lock.
                guard try isEmpty(connection) else { return }
                try connection.execute(tables)
                try connection.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
            }
        }
        try check(connection)
    }

    static func check(_ connection: Connection) throws {
        guard try connection.integer("PRAGMA application_id") == Int64(applicationID) else {
            throw InputError("\(connection.path): an SQLite database that uf commands did not make; give another file name")
        }
        let found = try connection.integer("PRAGMA user_version")
        guard found == Int64(version) else {
            throw InputError("\(connection.path): schema version \(found), expected \(version); use the release of uftools that wrote it, or another file name")
        }
    }

    private static func isEmpty(_ connection: Connection) throws -> Bool {
        try connection.integer("PRAGMA application_id") == 0 && connection.integer("SELECT count(*) FROM sqlite_schema") == 0
    }
}
