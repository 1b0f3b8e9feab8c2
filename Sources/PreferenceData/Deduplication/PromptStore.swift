import Checksums
import Glibc
import InputFiles
import RecordStream
import SQLite
import SystemIO

/// The prompts of earlier releases in an SQLite file, so that a new release can be kept free of them (`--dedup-store`).
///
/// **Releases and runs.** A release is a set of inputs, known by the digests of their decoded bytes. A run is one conversion, known by its inputs and by
/// the options that decide bytes; a release may have several, as of the parts of a split. Runs have numbers in the order in which they were entered, and a
/// prompt belongs to the first run that brought it. Earlier than a release is what stood in the store when its first run began: all runs up to that
/// number, its base. So a release that is made again has the same bytes, whatever was entered since, and its own prompts are never earlier.
///
/// **State.** What stood in the store up to a run is a set of prompts, known by the sum modulo 2^256 of the SHA-256 of each (`MultisetDigest`), whatever
/// their order. The head of a stream names that of its base. All prompts are read and held to these digests whenever a store is opened: SQLite itself
/// would not notice a changed byte.
///
/// **Memory** is that of the `DuplicateIndex` into which the earlier prompts go. New prompts wait in a temporary table, which SQLite keeps in a file of
/// its own.
public final class PromptStore {
    /// What is earlier: how many prompts, and the digest of their set.
    public struct Earlier: Sendable, Equatable {
        public let count: Int
        public let sha256: String
    }

    private struct Run {
        var number: Int64
        var identity: String
        var release: String
        var base: Int64
        /// All prompts up to this run.
        var state: Earlier
    }

    private static let schema = DatabaseSchema(applicationID: 0x7566_7032, version: 1, tables: """
        CREATE TABLE runs (
            number   INTEGER PRIMARY KEY CHECK (number > 0),
            identity TEXT NOT NULL UNIQUE,  -- SHA-256 of the options that decide bytes and of the inputs' digests
            release  TEXT NOT NULL,         -- SHA-256 of the inputs' digests, sorted
            base     INTEGER NOT NULL,      -- the last run that was earlier for the release; 0 for none
            prompts  INTEGER NOT NULL,      -- how many there are up to this run
            digest   TEXT NOT NULL          -- of their set
        ) STRICT;
        CREATE TABLE prompts (
            digest   BLOB PRIMARY KEY CHECK (length(digest) = 16),
            run      INTEGER NOT NULL,      -- the first that brought it
            shingles BLOB NOT NULL          -- little-endian 32-bit numbers, ascending
        ) STRICT, WITHOUT ROWID;
        """)

    public let path: String
    private let connection: Connection
    /// Nil where the store is only read.
    private let held: HeldDatabase?
    private let runs: [Run]
    private let base: Int64
    /// As the inputs were when they were first read; nil where they were not.
    private let release: String?
    /// Of all prompts; complete after `readEarlier`.
    private var state = MultisetDigest()
    private var staging: Statement?

    /// Opens the store, or makes it, and holds it until `commit` or its end. Reads the inputs, where the store may have them already.
    /// - Parameters:
    ///   - operands: the inputs; each must be a file on disk, because it is read twice.
    ///   - waiting: called when another process holds the store, before this one waits for it.
    public init(updating path: String, operands: [String], waiting: () -> Void) throws {
        for operand in operands.isEmpty ? ["-"] : operands where !PromptStore.isFile(operand) {
            throw InputError(
                "\(operand == "-" ? "standard input" : operand): no file on disk, and with --dedup-store inputs are read twice, "
                    + "first to see whether the store has this release; name files, or let the store only be read, with --dedup-store-sha256", status: .usage)
        }
        let held = try HeldDatabase(path: path, waiting: waiting)
        (self.path, self.held, connection) = (path, held, held.connection)
        runs = try PromptStore.schema.isMade(in: held) ? PromptStore.runs(connection) : []
        release = runs.isEmpty ? nil : try PromptStore.release(operands)
        let known = runs.first { [release] in $0.release == release }
        base = known?.base ?? runs.last?.number ?? 0
        try connection.execute("CREATE TEMP TABLE brought (digest BLOB, shingles BLOB)")
        staging = try connection.prepare("INSERT INTO brought (digest, shingles) VALUES (?, ?)")
    }

    /// Opens a store only to read it, as it was when the set of its prompts had this digest; throws `.invalidData` when it never had.
    public init(reading path: String, sha256: String) throws {
        self.path = path
        connection = try Connection(path: path, writable: false)
        (held, release) = (nil, nil)
        try PromptStore.schema.check(connection)
        runs = try PromptStore.runs(connection)
        guard let run = runs.first(where: { $0.state.sha256 == sha256 }) else {
            throw InputError("\(path): its prompts never had the digest \(sha256): this is not the store that the stream was made with")
        }
        base = run.number
    }

    public var earlier: Earlier {
        runs.first { $0.number == base }?.state ?? Earlier(count: 0, sha256: MultisetDigest().hexadecimalSum)
    }

    private static func isFile(_ operand: String) -> Bool {
        var status = stat()
        return operand != "-" && stat(operand, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func runs(_ connection: Connection) throws -> [Run] {
        let rows = try connection.prepare("SELECT number, identity, release, base, prompts, digest FROM runs ORDER BY number")
        var runs: [Run] = []
        while try rows.step() {
            runs.append(Run(
                number: rows.integer(0), identity: rows.text(1), release: rows.text(2), base: rows.integer(3),
                state: Earlier(count: Int(rows.integer(4)), sha256: rows.text(5))))
        }
        return runs
    }

    private static func release(_ operands: [String]) throws -> String {
        let inputs = DecodedInputs(operands)
        while try inputs.next() { try inputs.skip() }
        return release(inputs.digests)
    }

    private static func release(_ inputs: [InputDigest]) -> String { SHA256.hexDigest(of: Array(inputs.map(\.sha256).sorted().joined(separator: "\n").utf8)) }

    // MARK: Reading

    private struct Row: Sendable {
        var digest: [UInt8]
        var run: Int64
        var shingles: [UInt8]
    }

    private struct EarlierPrompt: Sendable {
        var sketch: PromptSketch
        var bandKeys: [UInt64]
    }

    /// All earlier prompts. Holds all prompts of the store to the digests of the runs, and throws `.invalidData` for a damaged one.
    func readEarlier(_ mode: DuplicateIndex.Mode, threads: Int) throws -> DuplicateIndex {
        var index = DuplicateIndex(mode)
        guard !runs.isEmpty else { return index }
        let rows = try connection.prepare("SELECT digest, run, shingles FROM prompts ORDER BY digest"), base = base
        var brought: [Int64: MultisetDigest] = [:], isAtEnd = false
        try orderedMap(
            workers: threads,
            produce: { () -> [Row]? in
                var batch: [Row] = []
                // A statement that is stepped beyond its end begins anew.
                while batch.count < 256, !isAtEnd {
                    isAtEnd = try !rows.step()
                    if !isAtEnd { batch.append(Row(digest: rows.blob(0), run: rows.integer(1), shingles: rows.blob(2))) }
                }
                return batch.isEmpty ? nil : batch
            },
            makeState: {},
            transform: { (_: inout Void, batch: [Row]) -> ([(Int64, [UInt8])], [EarlierPrompt]) in
                let digests = batch.map { ($0.run, PromptStore.digest($0.digest, $0.shingles)) }
                return (digests, batch.filter { $0.run <= base }.map { row in
                    let sketch = PromptSketch(digest: row.digest, shingles: PromptStore.numbers(row.shingles))
                    return EarlierPrompt(sketch: sketch, bandKeys: mode == .near ? MinHash.bandKeys(sketch.shingles) : [])
                })
            },
            consume: { digests, prompts in
                for (run, digest) in digests { brought[run, default: MultisetDigest()].add(digest) }
                for prompt in prompts { index.add(prompt.sketch, prompt.bandKeys) }
            })
        for run in runs {
            state.add(brought.removeValue(forKey: run.number) ?? MultisetDigest())
            guard run.state == Earlier(count: state.count, sha256: state.hexadecimalSum) else {
                throw damaged("the prompts of run \(run.number) are not those that it entered")
            }
        }
        guard brought.isEmpty else { throw damaged("it has prompts of no run") }
        return index
    }

    private func damaged(_ what: String) -> InputError { InputError("\(path): damaged store: \(what); restore it from a copy") }

    private static func digest(_ digest: [UInt8], _ shingles: [UInt8]) -> [UInt8] { SHA256.digest(of: digest + shingles) }

    private static func numbers(_ bytes: [UInt8]) -> [UInt32] {
        bytes.withUnsafeBytes { bytes in (0 ..< bytes.count / 4).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) } }
    }

    // MARK: Writing

    /// Keeps a prompt of this release for `enter`. Nothing happens in a store that is only read.
    func add(_ sketch: PromptSketch) throws {
        guard let staging else { return }
        let shingles = sketch.shingles.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
        try staging.run([.blob(sketch.digestBytes), .blob(shingles)])
    }

    /// Enters the prompts that were added, for `commit` to make visible. A run that the store has already enters nothing.
    /// - Parameter heads: of all streams of the run.
    func enter(_ heads: [StreamHead], _ inputs: [InputDigest]) throws {
        guard let held else { return }
        let release = PromptStore.release(inputs)
        guard self.release == nil || self.release == release else {
            throw InputError("an input changed between its two readings; run the command again when nobody writes to it")
        }
        let identity = SHA256.hexDigest(of: try heads.flatMap { try $0.jsonText() } + inputs.flatMap { Array("\n\($0.sha256)".utf8) })
        guard !runs.contains(where: { $0.identity == identity }) else { return }
        try PromptStore.schema.make(in: held)
        let number = (runs.last?.number ?? 0) + 1
        let rows = try connection.prepare("SELECT digest, shingles FROM brought ORDER BY digest")
        let insert = try connection.prepare("INSERT OR IGNORE INTO prompts (digest, run, shingles) VALUES (?, ?, ?)")
        while try rows.step() {
            let digest = rows.blob(0), shingles = rows.blob(1)
            try insert.run([.blob(digest), .integer(number), .blob(shingles)])
            if connection.changes > 0 { state.add(PromptStore.digest(digest, shingles)) }
        }
        try connection.prepare("INSERT INTO runs (number, identity, release, base, prompts, digest) VALUES (?, ?, ?, ?, ?, ?)").run([
            .integer(number), .text(identity), .text(release), .integer(base), .integer(Int64(state.count)), .text(state.hexadecimalSum),
        ])
    }

    /// Makes what was entered visible to others. To be called once the release is in place: a crash before it leaves a store in which the same command
    /// finds the same state again.
    public func commit() throws {
        do { try held?.commit() } catch let error as InputError {
            let next = "the output is whole, but its prompts are not in the store: run the same command again"
            throw InputError("\(error.message) (\(next))", status: error.status)
        }
    }
}
