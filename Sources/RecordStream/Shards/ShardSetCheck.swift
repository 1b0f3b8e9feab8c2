import Checksums
import SystemIO

/// Whether the shards that a manifest lists are all there, unaltered, and one set, or several one after the other: releases that were added.
public struct ShardSetCheck: Sendable, Equatable {
    public private(set) var kind = ""
    public private(set) var records = 0, blocks = 0, bytes = 0
    /// Paths of the files, in the manifest's order.
    public private(set) var paths: [String] = []
    /// What the first shard of the set was made of.
    private var inputs: [StreamTail.Input]?

    /// Reads every shard to its end: its own checks, the manifest's digest of the file, and what it says of itself in the set.
    ///
    /// Throws `InputError` for the first that does not fit.
    /// - Parameter quick: only heads, indexes and end marks are looked at, no records and no digests of files.
    public init(manifest path: String, quick: Bool = false) throws {
        let manifest = try ShardManifest(path: path)
        let folder = ShardManifest.folder(of: path)
        var set: ShardIdentity?, first = "", place = 0, schema: Schema?
        for entry in manifest.entries {
            let file = folder + entry.name
            /// What the head says, before anything else is read. Returns the first file of its set.
            func fit(_ head: StreamHead) throws -> String {
                guard let shard = ShardIdentity(head) else { throw InputError("\(file): no shard of a set, but \(path) lists it") }
                if let whole = set, place == whole.count {
                    (set, place) = (nil, 0)
                    guard head.schema == schema else { throw InputError("\(file): a set of \(head.schema.kind) records in other columns than those before it in \(path)") }
                }
                if set == nil { first = file }
                let expected = set ?? shard
                guard shard.set == expected.set, shard.count == expected.count else {
                    throw InputError("\(file): shard \(shard.index) of \(shard.count) of the set \(shard.set), expected the set \(expected.set) of \(expected.count), to which \(first) belongs")
                }
                guard shard.index == place else { throw InputError("\(file): shard \(shard.index) of its set where \(path) has number \(place)") }
                (set, schema) = (expected, head.schema)
                place += 1
                return first
            }
            if quick { try glance(file, fit) } else { try read(file, fit, sha256: entry.sha256, listedIn: path) }
            paths.append(file)
        }
        kind = schema?.kind ?? ""
        if let set, set.count != place { throw InputError("\(path): lists \(counted(place, "shard")) of a set of \(set.count)") }
    }

    /// The shards of a set are made of the same inputs: one of another run with the same options is none of it.
    private mutating func agree(_ tail: StreamTail, _ file: String, _ first: String) throws {
        if file == first { inputs = tail.inputs }
        guard tail.inputs == inputs else { throw InputError("\(file): made of other inputs than \(first); shards of two runs stand together") }
    }

    private mutating func read(_ file: String, _ fit: (StreamHead) throws -> String, sha256: String, listedIn manifest: String) throws {
        let source = DigestingSource(try FileSource(path: file)), reader = try RecordStreamReader(source)
        let first = try fit(reader.head)
        while let block = try reader.nextBlock() { try block.validateRecords() }
        if let tail = reader.tail { try agree(tail, file, first) }
        guard source.hexDigest == sha256 else {
            throw InputError("\(file): a whole stream, but not the one that \(manifest) lists: its SHA-256 is \(source.hexDigest), expected \(sha256)")
        }
        records += reader.recordsRead
        blocks += reader.blocksRead
        bytes += reader.bytesRead
    }

    private mutating func glance(_ file: String, _ fit: (StreamHead) throws -> String) throws {
        let stream = try MappedStream(path: file)
        let first = try fit(stream.head)
        try agree(stream.tail(), file, first)
        records += stream.recordCount
        blocks += stream.index.count
        bytes += stream.byteCount
    }
}

/// Passes bytes on and digests them.
private final class DigestingSource: ByteSource {
    private let source: any ByteSource
    private var hash = SHA256()

    init(_ source: any ByteSource) { self.source = source }

    var name: String { source.name }
    /// Of what was read; of the whole once the reader has seen the end.
    var hexDigest: String { hash.hexDigest() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }
}
