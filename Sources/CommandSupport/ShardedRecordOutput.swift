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

    @Option(name: .customLong("append"), help: ArgumentHelp(
        "With --shards: add the new shards to the set that this MANIFEST lists, of an earlier release beside them. No earlier file is touched but the list, which is replaced last.",
        valueName: "manifest"))
    public var earlier: String?

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
        if earlier != nil, shards == nil { throw ValidationError("--append goes with --shards") }
        guard shard != nil else { return }
        guard let one, (1 ... most).contains(one.count), (0 ..< one.count).contains(one.index) else {
            throw ValidationError("--shard takes INDEX/NUMBER with an index from 0 to below a number of at most \(most), as in 3/8")
        }
    }

    /// As `OutputOptions.refuse`, for every file that is written.
    public func refuse(_ output: OutputOptions, report: String?, inputs: [String]) throws {
        for name in try shards.map({ count in try (0 ..< count).map { try names(output.output).name($0, of: count) } }) ?? [output.output] {
            var one = output
            one.output = name
            try one.refuse(report: report, inputs: inputs)
        }
    }

    /// The heads of the streams that are written, by what they have in common.
    public func heads(_ head: StreamHead) throws -> [StreamHead] {
        guard let count = shards ?? one?.count else { return [head] }
        let all = try ShardIdentity.heads(head, count: count) { [.text("--shard"), .text("\($0)/\(count)")] }
        return one.map { [all[$0.index]] } ?? all
    }

    /// One stream, or the shards of a set.
    public func open<Record: StreamRecord>(_ output: OutputOptions, head: StreamHead) throws -> any ShardOutput<Record> {
        guard shards != nil else { return try RecordOutput<Record>(output, head: heads(head)[0]) }
        return try ShardedRecordOutput<Record>(names(output.output), output, heads: heads(head), appendingTo: earlier)
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
    /// The list of earlier sets that this one joins.
    private let earlier: (path: String, manifest: ShardManifest)?

    /// - Parameter earlier: the manifest of earlier sets; their shards must be there and of the same kind and settings.
    public init(_ names: ShardNames, _ options: OutputOptions, heads: [StreamHead], appendingTo earlier: String? = nil) throws {
        self.names = names
        self.earlier = try earlier.map { ($0, try ShardManifest(path: $0, joinedBy: heads.indices.map { names.name($0, of: heads.count) }, head: heads[0])) }
        keepsEqual = options.ifChanged
        files = try heads.indices.map { try AtomicFile(path: names.name($0, of: heads.count), keepsEqual: options.ifChanged) }
        let sinks = files.map(DigestingSink.init)
        self.sinks = sinks
        writers = try heads.indices.map { try RecordStreamWriter(to: sinks[$0], head: heads[$0], codec: options.codec, together: .each(of: heads.count)) }
    }

    /// Of all shards.
    public var records: Int { writers.reduce(0) { $0 + $1.records } }

    public func append(_ record: Record, to shard: Int) throws { try writers[shard].append(record) }

    public func appendUnchecked(to shard: Int, _ fill: (BlockBuilder) throws -> Void) throws { try writers[shard].appendUnchecked(fill) }

    /// Writes the end marks and makes the set appear.
    public func finish(_ tails: [StreamTail]) throws {
        for (index, writer) in writers.enumerated() {
            try writer.finish(tails[index])
            try files[index].prepare()
        }
        let entries = sinks.enumerated().map { index, sink in
            ShardManifest.Entry(name: AtomicFile.lastComponent(of: names.name(index, of: sinks.count)), sha256: sink.hexDigest)
        }
        let manifest = try AtomicFile(path: earlier?.path ?? names.manifest, keepsEqual: keepsEqual)
        try manifest.write(ShardManifest((earlier?.manifest.entries ?? []) + entries).text)
        try manifest.prepare()
        // What lists earlier sets only stays true until it is replaced.
        if earlier == nil, !manifest.isUnchanged || files.contains(where: { !$0.isUnchanged }) {
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
