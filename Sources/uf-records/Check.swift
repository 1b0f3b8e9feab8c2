import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read streams to their end and verify everything: checksums, digests, structure, the rules of each kind of record.",
        discussion: HelpText.discussion(
            "Every file is looked at, also after a damaged one; the status is that of the first that is not whole.",
            examples: [
                ("uf-records check *.uf", "one line a file, errors on standard error"),
                ("uf-records check --quick big.uf", "only head, index and end mark: was the file written to its end?"),
            ],
            statuses: [.done, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("Record streams; - or none is standard input.", valueName: "file"))
    var files: [String] = []

    @Flag(name: .long, help: "Only see whether head, index and end mark are there and fit; the records are not read. Needs files.")
    var quick = false

    @Flag(name: .long, help: "One JSON object a file.")
    var json = false

    func validate() throws {
        if quick, files.isEmpty || files.contains("-") { throw ValidationError("--quick needs files: standard input has no index to look at") }
    }

    struct Finding {
        var kind: String, records: Int, blocks: Int, bytes: Int, content: String, stream: String
    }

    func run() throws {
        let output = try openTextOutput(nil)
        var worst: ExitStatus?
        for file in files.isEmpty ? ["-"] : files {
            let name = file == "-" ? "standard input" : file
            do {
                let found = try quick ? glance(file) : read(file)
                try output.write(json ? line(name, found) : text(name, found))
            } catch let error as InputError where error.status != .usage {
                if json { try output.write(line(name, error)) }
                Console.error("uf-records", error.message)
                worst = worst ?? error.status
            }
            try output.flush()
        }
        try output.finish()
        if let worst { throw worst }
    }

    private func read(_ file: String) throws -> Finding {
        let reader = try RecordStreamReader(openInput(file))
        while let block = try reader.nextBlock() { try block.validateRecords() }
        return Finding(
            kind: reader.head.schema.kind, records: reader.recordsRead, blocks: reader.blocksRead, bytes: reader.bytesRead, content: reader.contentDigest ?? "",
            stream: reader.streamDigest ?? "")
    }

    private func glance(_ file: String) throws -> Finding {
        let stream = try MappedStream(path: file)
        return Finding(
            kind: stream.head.schema.kind, records: stream.recordCount, blocks: stream.index.count, bytes: stream.byteCount, content: stream.contentDigest,
            stream: stream.streamDigest)
    }

    private func text(_ name: String, _ found: Finding) -> String {
        "\(name): \(quick ? "has its end mark" : "ok"), \(found.records) \(found.kind == "packed" ? "bins" : "records"), \(found.blocks) block\(found.blocks == 1 ? "" : "s"), content \(found.content)\n"
    }

    private func line(_ name: String, _ found: Finding) throws -> String {
        try json([
            ("file", .string(name)), ("ok", true), ("quick", .bool(quick)), ("kind", .string(found.kind)), ("records", JSONValue(found.records)),
            ("blocks", JSONValue(found.blocks)), ("bytes", JSONValue(found.bytes)), ("content", .string(found.content)), ("stream", .string(found.stream)),
        ])
    }

    private func line(_ name: String, _ error: InputError) throws -> String {
        try json([("file", .string(name)), ("ok", false), ("status", JSONValue(Int(error.status.rawValue))), ("error", .string(error.message))])
    }

    private func json(_ members: [(String, JSONValue)]) throws -> String {
        String(decoding: try JSONValue.object(members).serialized(), as: UTF8.self) + "\n"
    }
}
