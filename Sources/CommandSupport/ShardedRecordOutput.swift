import ArgumentParser
import Checksums
import Glibc
import RecordStream
import SystemIO

/// A set of streams instead of one.
public struct ShardOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp(
        "Write so many streams, each prompt into the one that a hash of its text names, and a MANIFEST beside them that makes them one set; -o then names them by a pattern of two numbers, as in train-%05d-of-%05d.uf.",
        valueName: "number"))
    public var shards: Int?

    @Option(name: .long, help: ArgumentHelp("Write only this shard (from 0) of so many.", valueName: "index/number"))
    public var shard: String?

    public init() {}

    /// The wanted shard and how many there are, where one is asked for.
    public var one: (index: Int, count: Int)? {
        guard let parts = shard?.split(separator: "/", omittingEmptySubsequences: false), parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]) else { return nil }
        return (index, count)
    }

    public func validate() throws {
        let most = ShardIdentity.mostShards
        if shards != nil, shard != nil { throw ValidationError("--shards writes all shards, --shard one of them; give one of the two") }
        if let shards, !(1 ... most).contains(shards) { throw ValidationError("--shards takes a number from 1 to \(most)") }
        guard shard != nil else { return }
        guard let one, (1 ... most).contains(one.count), (0 ..< one.count).contains(one.index) else {
            throw ValidationError("--shard takes INDEX/NUMBER with an index from 0 to below a number of at most \(most), as in 3/8")
        }
    }

    /// The names of the set's files. Throws unless `output` is a pattern.
    public func names(_ output: String?) throws -> ShardNames {
        guard let output, let names = ShardNames(output) else {
            throw ValidationError("--shards needs -o with a pattern of two numbers in the file's name, as in -o train-%05d-of-%05d.uf")
        }
        return names
    }
}

/// The shards of a set, written side by side. They and their manifest appear together: the old manifest goes before the first new shard comes, the new one comes last.
public final class ShardedRecordOutput<Record: StreamRecord>: ShardOutput {
    private let names: ShardNames
    private let files: [AtomicFile]
    private let sinks: [DigestingSink]
    private let writers: [RecordStreamWriter<Record>]
    private let keepsEqual: Bool

    public init(_ names: ShardNames, _ options: OutputOptions, heads: [StreamHead]) throws {
        self.names = names
        keepsEqual = options.ifChanged
        files = try heads.indices.map { try AtomicFile(path: names.name($0, of: heads.count), keepsEqual: options.ifChanged) }
        let sinks = files.map(DigestingSink.init)
        self.sinks = sinks
        writers = try heads.indices.map { try RecordStreamWriter(to: sinks[$0], head: heads[$0], codec: options.codec, sealsInBackground: heads.count <= 16) }
    }

    /// Of all shards.
    public var records: Int { writers.reduce(0) { $0 + $1.records } }

    public func append(_ record: Record, to shard: Int) throws { try writers[shard].append(record) }

    /// Writes the end marks and makes the set appear.
    public func finish(_ tails: [StreamTail]) throws {
        for (index, writer) in writers.enumerated() {
            try writer.finish(tails[index])
            try files[index].prepare()
        }
        let entries = sinks.enumerated().map { index, sink in
            ShardManifest.Entry(name: AtomicFile.lastComponent(of: names.name(index, of: sinks.count)), sha256: sink.hexDigest)
        }
        let manifest = try AtomicFile(path: names.manifest, keepsEqual: keepsEqual)
        try manifest.write(ShardManifest(entries).text)
        try manifest.prepare()
        if !manifest.isUnchanged || files.contains(where: { !$0.isUnchanged }) {
            if unlink(names.manifest) != 0, errno != ENOENT { throw InputError.cannotCreate(names.manifest) }
            try AtomicFile.syncFolder(of: names.manifest, name: names.manifest)
        }
        for file in files { try file.publish() }
        try manifest.publish()
    }
}

/// Passes bytes on and digests them.
private final class DigestingSink: ByteSink {
    private let sink: any ByteSink
    private var hash = SHA256()

    init(_ sink: any ByteSink) { self.sink = sink }

    var name: String { sink.name }
    var hexDigest: String { hash.hexDigest() }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bytes)
        try sink.write(bytes)
    }

    func finish() throws { try sink.finish() }
}
