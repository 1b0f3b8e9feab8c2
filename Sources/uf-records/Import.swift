import ArgumentParser
import CommandSupport
import InputFiles
import JSON
import RecordStream
import SystemIO

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a stream of JSON lines, as uf-records view shows them.",
        discussion: HelpText.discussion(
            """
            Every line is one record with all members of its kind, in any order; blank lines are passed over. Lines of uf-records view --with-head, unchanged, give the very stream that they came \
            from, its codec (unless --codec names another) and its division into blocks too; when the records were changed that is refused, and --edited takes them: settings and columns are kept, and the new stream's provenance names this command and the \
            digest of the lines. Lines without such a head need --kind or --like; the stream has the columns that the first record has. The lines may be compressed.
            """,
            examples: [
                ("uf-records view --with-head rated.uf | uf-records import -o same.uf", "the same bytes"),
                ("uf-records view --with-head rated.uf | jq -c '.models = []' | uf-records import --edited -o new.uf", "changed on the way"),
                ("uf-records import --like tokens.uf records.jsonl -o new.uf", "kind and settings of another stream"),
            ]))

    @Argument(help: ArgumentHelp("JSON lines; - or none is standard input.", valueName: "file"), completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("Kind of the records: rated, tokens, packed or logps.", valueName: "kind"))
    var kind: String?

    @Option(help: ArgumentHelp("With --kind: the stream's settings, a JSON object.", valueName: "json"))
    var settings: String?

    @Option(help: ArgumentHelp("Take kind and settings from this stream.", valueName: "stream"), completion: .file())
    var like: String?

    @Flag(help: "The lines have a head, and the records were changed.")
    var edited = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if [kind != nil, like != nil, edited].filter({ $0 }).count > 1 { throw ValidationError("give one of --kind, --like and --edited") }
        if settings != nil, kind == nil { throw ValidationError("--settings goes with --kind") }
        if let settings {
            do {
                let value = try JSON.parse(settings)
                _ = try value.canonical
                guard value.object != nil else { throw ValidationError("--settings takes a JSON object") }
            } catch let error as JSONError { throw ValidationError("--settings: \(error)") }
        }
        try refuseSharedInput([("the lines", file ?? "-"), ("--like", like)])
    }

    func run() throws {
        let operands = file.map { [$0] } ?? []
        try DecodedInputs.check(operands)
        if file == nil || file == "-" { try refuseTerminalInput() }
        let inputs = DecodedInputs(operands), lines = ChunkReader(inputs, readsArrays: false)
        let first = try lines.next(), (label, record, labelLine) = try first.map(firstLine) ?? (nil, nil, 0)
        let head = try head(label, record)
        try output.refuse(inputs: operands + (like.map { [$0] } ?? []))
        let stream = try StreamOutput(output, head: head, as: edited ? nil : label), progress = common.progress("uf-records import")
        // The first chunk was looked at already.
        var pending = first
        try orderedMap(
            workers: jobs.count,
            produce: { () throws -> InputChunk? in
                defer { pending = nil }
                return try pending ?? lines.next()
            },
            makeState: { LineImporter(head.schema) },
            transform: { (importer: inout LineImporter, chunk: InputChunk) in
                try importer.records { take in
                    try chunk.forEachRecord { line, _, place in
                        if label == nil || place.input > 1 || place.number > labelLine { try take(line, place.description) }
                    }
                }
            },
            consume: { (records: [[UInt8]]) in
                for record in records { try stream.append(record: record) }
                progress.update(stream.records)
            })
        try finish(stream, label, inputs)
        progress.finish()
        if let line = inputs.passedOverLine { Console.error("uf-records", line) }
        if common.verbose { Console.error("uf-records", counted(stream.records, "record")) }
    }

    /// What the first line that is not blank holds, a head or a record, and the line's number.
    private func firstLine(_ chunk: InputChunk) throws -> (StreamLabel?, JSONValue?, Int) {
        var label: StreamLabel?, record: JSONValue?, first = 0
        try chunk.forEachRecord { line, _, place in
            guard first == 0 else { return }
            (label, first) = (try StreamLabel(line: line, name: place.description), place.number)
            // What is no JSON is told of when it is read as a record.
            if label == nil { record = try? JSON.parse(line) }
        }
        return (label, record, first)
    }

    private func head(_ label: StreamLabel?, _ record: JSONValue?) throws -> StreamHead {
        func made(_ arguments: [String]) -> Provenance { Provenance(command: "uf-records import", recipe: 1, arguments: arguments.map { .text($0) }) }
        if let label {
            guard kind == nil, like == nil else { throw InputError("the lines have a head, which says kind and settings: --kind and --like are for lines without", status: .usage) }
            return edited ? StreamHead(schema: label.head.schema, settings: label.head.settings, provenance: made(["--edited"])) : label.head
        }
        guard !edited else { throw InputError("\(file ?? "standard input"): line 1: --edited needs lines that begin with a head (uf-records view --with-head)") }
        let other = try like.map { try RecordStreamReader(openInput($0)).head }
        guard let kind = kind ?? other?.schema.kind else {
            throw InputError("what the records are is unknown: the lines have no head (uf-records view --with-head writes one); give --kind or --like", status: .usage)
        }
        let settings: JSONValue = try other.map { .object($0.settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }) } ?? self.settings.map { try JSON.parse($0) } ?? .object([JSONMember]())
        let text = String(decoding: try settings.canonical, as: UTF8.self)
        return try StreamHead(kind: kind, record: record, settings: settings, provenance: made(["--kind", kind] + (text == "{}" ? [] : ["--settings", text])))
    }

    private func finish(_ stream: StreamOutput, _ label: StreamLabel?, _ inputs: DecodedInputs) throws {
        let content = try stream.closeBlocks()
        if let label, !edited {
            guard content == label.content else {
                throw InputError("\(inputs.name): the records are not those that the head in line 1 belongs to (content \(content), expected \(label.content)); if they were changed on purpose, --edited makes a new stream of them")
            }
            return try stream.finish(label.tail)
        }
        try stream.finish(StreamTail(
            inputs: inputs.digests.map { .raw(sha256: $0.sha256, bytes: $0.length) }, counts: .object([("records", .object([("written", JSONValue(stream.records))]))]),
            licences: label?.tail.licences ?? [:]))
    }
}
