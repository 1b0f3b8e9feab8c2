import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct Digest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Digest the set of a stream's records, whatever their order; compare two releases.",
        discussion: HelpText.discussion(
            """
            The digest is the number of records and the sum modulo 2^256 of SHA-256 over each (FORMAT.md). It does not depend on order, blocks, codec or how the stream was \
            made: split, shuffle and merge keep it. It finds accidents; it is no signature.
            --compare lists the ids that were added, removed or changed from the first stream to the second, in the order of the ids. A bin goes by its records' ids. Streams are read to \
            their end marks.
            """,
            examples: [
                ("uf-records digest rated.uf shuffled.uf", "the same twice"),
                ("uf-records digest --compare v1.uf v2.uf", "what the new release changed; status 1 when anything"),
            ],
            statuses: [.done, .no, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("Record streams; - or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    @Flag(help: "Compare two streams of one kind, the old and the new.")
    var compare = false

    @Flag(name: .long, help: "JSON, one object a line: a stream, or with --compare a changed id, and the numbers last.")
    var json = false

    @OptionGroup var memory: MemoryOptions
    @OptionGroup var jobs: JobsOptions

    func validate() throws {
        if compare, files.count != 2 { throw ValidationError("--compare takes two streams, the old and the new") }
        if files.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input (-) is named twice") }
    }

    func run() throws {
        let output = try openTextOutput(nil)
        if compare { return try compare(output) }
        for file in files.isEmpty ? ["-"] : files {
            let reader = try RecordStreamReader(openInput(file)), digest = try reader.multisetDigest(threads: jobs.count), kind = reader.head.schema.kind
            try output.write(json
                ? line([("file", .string(reader.name)), ("kind", .string(kind)), ("records", JSONValue(digest.count)), ("digest", .string(digest.hexadecimalSum))])
                : "\(digest.hexadecimalSum)  \(counted(digest.count, "\(kind) record"))  \(reader.name)\n")
            try output.flush()
        }
        try output.finish()
    }

    private func compare(_ output: BufferedSink) throws {
        let streams = try files.map { try RecordStreamReader(openInput($0)) }
        var comparison = ReleaseComparison()
        try comparison.compare(streams[0], streams[1], memory: memory.bytes) { change, id in
            try output.write(json ? line([("id", .string(id)), ("change", .string(change.rawValue))]) : "\(change.rawValue) \(printable(id))\n")
        }
        let counts = [("added", comparison.added), ("removed", comparison.removed), ("changed", comparison.changed), ("same", comparison.same)]
        try output.write(json ? line(counts.map { ($0.0, JSONValue($0.1)) }) : counts.map { "\($0.1) \($0.0)" }.joined(separator: ", ") + "\n")
        try output.finish()
        if !comparison.isEqual { throw ExitStatus.no }
    }

    /// An id with control characters would break the line: it is written as JSON writes it.
    private func printable(_ id: Text) throws -> String {
        guard id.bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return id.description }
        return String(decoding: try JSONValue.string(id).serialized(), as: UTF8.self)
    }

    private func line(_ members: [(String, JSONValue)]) throws -> String { String(decoding: try JSONValue.object(members).serialized(), as: UTF8.self) + "\n" }
}
