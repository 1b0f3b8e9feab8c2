import ArgumentParser
import CommandSupport
import JSON
import ModelFiles
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
            --tokenizer shows tokens and packed records as text instead: prompt and responses, what of them is masked and what is learnt, special tokens as ⟦<|im_end|>⟧, \
            in its place how many tokens were cut (of a prompt in the heading, where an earlier release made the stream), and the targets as bars. Control characters stand as \
            \\t or \\u{1B}, bytes that are no UTF-8 as \\xE2. Colours come on a terminal where NO_COLOR is not set; --color and --no-color decide otherwise.
            --where shows the records that meet a condition; uf-convert --where keeps them. \(RecordFilter.help)
            """,
            examples: [
                ("uf-records view packed.uf --range 0:2", "the first two bins"),
                ("uf-records view rated.uf --id 9f2c4e0d51b3a6778890aabbccddeeff", "which raw line is this? see origin_input and origin_line"),
                ("uf-records view tokens.uf --fields id,targets | sort", "two members of each record"),
                ("uf-records view rated.uf --where 'source = sharegpt and (ties > 0 or missing > 2)'", "the records of one source that say little"),
                ("uf-records view packed.uf --tokenizer model/ --range 7:8", "a bin as a person reads it"),
                ("uf-records view --with-head rated.uf | uf-records import -o same.uf", "to JSON and back, the same bytes"),
            ],
            statuses: [.done, .no, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("A record stream; - or none is standard input.", valueName: "file"))
    var file: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Records by number, from 0, the end not included; either may be left out.", valueName: "from:to"))
    var range: String?

    @Option(name: .long, help: ArgumentHelp("Only records with this id, or bins that hold it; status 1 when there is none.", valueName: "id"))
    var id: String?

    @Option(name: .customLong("where"), help: ArgumentHelp("Only records that meet the condition.", valueName: "condition"))
    var condition: String?

    @Option(name: .long, help: ArgumentHelp("Only these members, in this order, separated by commas.", valueName: "names"))
    var fields: String?

    @Flag(name: .shortAndLong, help: "Print how many records there are instead of showing them.")
    var count = false

    @Flag(name: .long, help: "First a line with the stream's head, tail and content digest, for uf-records import. Needs a file, and all of its records.")
    var withHead = false

    @Option(name: .long, help: ArgumentHelp("Show text: the vocabulary that the token ids were made with, as uf-tokenize takes it.", valueName: "file|folder"))
    var tokenizer: String?

    @Option(name: .long, help: ArgumentHelp("With --tokenizer: whose pattern and special tokens it has, where uf-tokenize was told.", valueName: "family"))
    var tokenizerFamily: TokenizerFamily?

    @Flag(inversion: .prefixedNo, help: "With --tokenizer: colours, or none. (default: on a terminal)")
    var color: Bool?

    func validate() throws {
        _ = try range.map(parseRange)
        try refuseDash([("--tokenizer", tokenizer)])
        if tokenizer == nil, color != nil || tokenizerFamily != nil { throw ValidationError("--color, --no-color and --tokenizer-family go with --tokenizer") }
        if tokenizer != nil, fields != nil || count || withHead { throw ValidationError("--tokenizer shows text: no --fields, -c or --with-head") }
        guard withHead else { return }
        if file == nil || file == "-" { throw ValidationError("--with-head needs a file: the end of standard input is not known before its records") }
        if range != nil || id != nil || condition != nil || fields != nil || count { throw ValidationError("--with-head shows whole streams: no --range, --id, --where, --fields or -c") }
    }

    func run() throws {
        Console.closedPipeIsDone()
        let source = try BlockSource(file ?? "-"), output = try openTextOutput(nil)
        var view = try RecordView(source.head.schema, fields: fields?.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
        let pages = try tokenizer.map {
            try ReadableRecords(source.head, name: source.name, tokenizer: $0, family: tokenizerFamily, isColored: color ?? Console.wantsColor)
        }
        let wanted = id.map { Text($0) }, filter = try condition.map { try RecordFilter($0, schema: source.head.schema) }
        if withHead { try output.write(source.label() + [0x0A]) }
        var found = 0
        if count, range == nil, wanted == nil, filter == nil {
            found = try source.countRecords()
        } else {
            try source.forEach(in: range.map(parseRange) ?? 0 ..< .max) { block, record in
                if let wanted, !block.holds(id: wanted, at: record) { return }
                if let filter, try !filter.matches(block, record) { return }
                found += 1
                if count { return }
                if let pages { try output.write(pages.page(block, record, id: wanted)) } else { try output.write(view.line(block, record)) }
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

extension TokenizerFamily: ExpressibleByArgument {}
