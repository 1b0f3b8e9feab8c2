import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See whether streams are whole: their end marks, or with --full every byte of them.",
        discussion: HelpText.discussion(
            """
            A file is whole when its head, its index and its end mark are there and account for every byte: milliseconds, however large it is. --full reads to the end and verifies \
            everything: checksums, digests, structure, the rules of each kind of record, and of a set of shards the SHA-256 that its MANIFEST lists. A pipe is always read to its end.
            Every file is looked at, also after a damaged one; the status is that of the first that is not whole. Of a folder every stream (*.uf) is, and every set of shards by \
            its MANIFEST: all there, none from another set or made of other inputs; folders in it are only counted. A MANIFEST named by itself is its set.
            """,
            examples: [
                ("uf-records check *.uf", "was every file written to its end? One line a file, errors on standard error"),
                ("uf-records check --full data/", "a folder, byte for byte: one line a set of shards, one a stream that is none"),
            ],
            statuses: [.done, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("Record streams, folders of them or MANIFESTs of sets of shards; - or none is standard input.", valueName: "file|folder"))
    var files: [String] = []

    @Flag(name: .long, help: "Read to the end and verify everything.")
    var full = false

    @Flag(name: .long, help: "One JSON object a file.")
    var json = false

    @OptionGroup var jobs: JobsOptions

    struct Finding {
        /// Whether all of it was read.
        var isFull = true
        var kind: String, records: Int, blocks: Int, bytes: Int
        /// Of a stream, empty for a set.
        var content = "", stream = ""
        /// Of a set, 0 for a stream.
        var shards = 0
    }

    func run() throws {
        let output = try openTextOutput(nil)
        var worst: ExitStatus?
        func tell(_ name: String, _ look: () throws -> Finding?) throws {
            do {
                if let found = try look() { try output.write(json ? line(name, found) : text(name, found)) }
            } catch let error as InputError where error.status != .usage {
                if json { try output.write(line(name, error)) }
                Console.error("uf-records", error.message)
                worst = worst ?? error.status
            }
            try output.flush()
        }
        for file in files.isEmpty ? ["-"] : files {
            guard file != "-", isFolder(file) else {
                try tell(file == "-" ? "standard input" : file) { try look(file) }
                continue
            }
            var streams: [String] = []
            try tell(file) {
                let folder = try StreamFolder(file)
                var listed: Set<String> = []
                for manifest in folder.manifests {
                    try tell(manifest) { try readSet(manifest) }
                    // Nor is what a damaged set lists a stray: its own error was told.
                    if let manifest = try? ShardManifest(path: manifest) { listed.formUnion(manifest.paths(in: file)) }
                }
                streams = folder.streams.filter { !listed.contains($0) }
                if folder.subfolders > 0 { Console.error("uf-records", "\(file): \(folder.subfoldersLeft)") }
                return nil
            }
            for stream in streams { try tell(stream) { try full ? read(stream, strayIsRefused: true) : glance(stream, strayIsRefused: true) } }
        }
        try output.finish()
        if let worst { throw worst }
    }

    /// An operand that is no folder.
    private func look(_ file: String) throws -> Finding {
        if file != "-", ShardManifest.isManifest(AtomicFile.lastComponent(of: file)) { return try readSet(file) }
        return try full || file == "-" || !MappedStream.canMap(file) ? read(file) : glance(file)
    }

    private func readSet(_ manifest: String) throws -> Finding {
        let set = try ShardSetCheck(manifest: manifest, quick: !full)
        return Finding(isFull: full, kind: set.kind, records: set.records, blocks: set.blocks, bytes: set.bytes, shards: set.paths.count)
    }

    private func read(_ file: String, strayIsRefused: Bool = false) throws -> Finding {
        let reader = try RecordStreamReader(openInput(file))
        if strayIsRefused { try StreamFolder.refuseStray(reader.head, in: file) }
        try reader.mapBlocks(threads: jobs.count) { try $0.validateRecords() } consume: {}
        return Finding(
            kind: reader.head.schema.kind, records: reader.recordsRead, blocks: reader.blocksRead, bytes: reader.bytesRead, content: reader.contentDigest ?? "",
            stream: reader.streamDigest ?? "")
    }

    private func glance(_ file: String, strayIsRefused: Bool = false) throws -> Finding {
        let stream = try MappedStream(path: file)
        if strayIsRefused { try StreamFolder.refuseStray(stream.head, in: file) }
        return Finding(
            isFull: false, kind: stream.head.schema.kind, records: stream.recordCount, blocks: stream.index.count, bytes: stream.byteCount, content: stream.contentDigest,
            stream: stream.streamDigest)
    }

    private func text(_ name: String, _ found: Finding) -> String {
        let verdict = found.shards > 0 ? "\(found.isFull ? "ok" : "has all end marks"), \(counted(found.shards, "shard"))" : found.isFull ? "ok" : "has its end mark"
        return "\(name): \(verdict), \(counted(found.records, found.kind == "packed" ? "bin" : "record")), \(counted(found.blocks, "block"))"
            + (found.shards > 0 ? "\n" : ", content \(found.content)\n")
    }

    private func line(_ name: String, _ found: Finding) throws -> String {
        try json([
            ("file", .string(name)), ("ok", true), ("full", .bool(found.isFull)), ("kind", .string(found.kind)), ("records", JSONValue(found.records)),
            ("blocks", JSONValue(found.blocks)), ("bytes", JSONValue(found.bytes)),
        ] + (found.shards > 0 ? [("shards", JSONValue(found.shards))] : [("content", .string(found.content)), ("stream", .string(found.stream))]))
    }

    private func line(_ name: String, _ error: InputError) throws -> String {
        try json([("file", .string(name)), ("ok", false), ("status", JSONValue(Int(error.status.rawValue))), ("error", .string(error.message))])
    }

    private func json(_ members: [(String, JSONValue)]) throws -> String {
        String(decoding: try JSONValue.object(members).serialized(), as: UTF8.self) + "\n"
    }
}
