import SQLite
import SystemIO

/// The prompts of earlier releases in an SQLite file, so that a new release can be kept free of them (`--dedup-store`).
///
/// A table `prompts (digest BLOB PRIMARY KEY, shingles BLOB)`: `PromptSketch.digest`, and its shingles as little-endian 32-bit numbers.
public final class PromptStore {
    private let connection: Connection
    private var new: [PromptSketch] = []

    private static let schema = DatabaseSchema(applicationID: 0x7566_7032, version: 1, tables: """
        CREATE TABLE prompts (
            digest   BLOB PRIMARY KEY CHECK (length(digest) = 16),
            shingles BLOB NOT NULL CHECK (length(shingles) % 4 = 0)
        ) STRICT, WITHOUT ROWID;
        """)

    /// Opens the file, or makes it. Throws `.cannotCreate`, or `.invalidData` for a file that is no store.
    public init(path: String) throws {
        connection = try Connection(path: path, writable: true)
        try PromptStore.schema.prepare(connection)
    }

    /// All prompts of earlier releases, in the order of their digests: the result of a search does not depend on the order in which they came.
    public func prompts(_ body: (PromptSketch) throws -> Void) throws {
        let statement = try connection.prepare("SELECT digest, shingles FROM prompts ORDER BY digest")
        while try statement.step() {
            let bytes = statement.blob(1)
            let shingles = stride(from: 0, to: bytes.count, by: 4).map { at in
                UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
            }
            guard zip(shingles, shingles.dropFirst()).allSatisfy({ $0 < $1 }), shingles.count <= PromptSketch.mostShingles else {
                throw InputError("\(connection.path): damaged: the shingles of a prompt are not in order; restore it from a copy")
            }
            try body(PromptSketch(digest: statement.blob(0), shingles: shingles))
        }
    }

    /// Keeps a prompt for `save`.
    public func add(_ sketch: PromptSketch) { new.append(sketch) }

    /// Enters what was added, all of it or nothing. To be called once the release is whole.
    public func save() throws {
        try connection.transaction {
            let insert = try connection.prepare("INSERT OR IGNORE INTO prompts (digest, shingles) VALUES (?, ?)")
            for sketch in new {
                let bytes = sketch.shingles.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0 >> 16), UInt8(truncatingIfNeeded: $0 >> 24)] }
                try insert.run([.blob(sketch.digest), .blob(bytes)])
            }
        }
        new = []
    }
}
