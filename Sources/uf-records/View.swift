import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct View: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show records as JSON, one object a line.",
        discussion: HelpText.discussion(
            """
            Ratings, marks and targets have one row a dimension. NaN (no rating) is null. A lone surrogate stands as \\udXXX. With --range a file is read only where the \
            range lies, a pipe no further than needed; without it a pipe is held to its end mark, a file to its index and to the checksums of what is shown (uf-records \
            check reads and verifies everything).
            """,
            examples: [
                ("uf-records view packed.uf --range 0:2", "the first two bins"),
                ("uf-records view rated.uf --id 9f2c4e0d51b3a6778890aabbccddeeff", "which raw line is this? see origin_input and origin_line"),
                ("uf-records view tokens.uf --fields id,targets | sort", "two members of each record"),
            ],
            statuses: [.done, .no, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("A record stream; - or none is standard input.", valueName: "file"))
    var file: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Records by number, from 0, the end not included; either may be left out.", valueName: "from:to"))
    var range: String?

    @Option(name: .long, help: ArgumentHelp("Only records with this id, or bins that hold it; status 1 when there is none.", valueName: "id"))
    var id: String?

    @Option(name: .long, help: ArgumentHelp("Only these members, in this order, separated by commas.", valueName: "names"))
    var fields: String?

    @Flag(name: .shortAndLong, help: "Print how many records there are instead of showing them.")
    var count = false

    func validate() throws {
        if let range, parseRange(range) == nil { throw ValidationError("--range takes two numbers with a colon between them, such as 0:10, 5: or :3") }
    }

    func run() throws {
        Console.closedPipeIsDone()
        let source = try BlockSource(file ?? "-"), output = try openTextOutput(nil)
        var view = try RecordView(source.head.schema, fields: fields?.split(separator: ",").map(String.init))
        let wanted = id.map { Text($0) }
        var found = 0
        if count, range == nil, wanted == nil {
            found = try source.countRecords()
        } else {
            try source.forEach(in: range.flatMap(parseRange) ?? 0 ..< .max) { block, record in
                if let wanted, !block.holds(id: wanted, at: record) { return }
                found += 1
                if !count { try output.write(view.line(block, record)) }
            }
        }
        if count { try output.write("\(found)\n") }
        try output.finish()
        if let id, found == 0 {
            Console.error("uf-records", "\(file ?? "standard input"): no record with id \(id)")
            throw ExitStatus.no
        }
    }
}
