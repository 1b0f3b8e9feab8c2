import SQLite

/// The tables. They are plain enough to be read with the `sqlite3` command or any other SQLite client:
///
///     runs     one row a command that ran: what, on which data, with which options, on which machine, how it ended
///     metrics  what a training run logged at its steps
///     results  what an evaluation found, each figure with its interval
extension DatabaseSchema {
    /// "uft1".
    static let runs = DatabaseSchema(applicationID: 0x7566_7431, version: 1, tables: """
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
        """)
}
