import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct Head: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a stream says about itself before its first record, or its first records.",
        discussion: HelpText.discussion(
            "Reads no further than it must, so that a stream that is still being written, or has no end, can be looked at.",
            examples: [("uf-records head packed.uf", "kind, columns, settings and provenance"), ("uf-records head -n 2 tokens.uf", "the first two records as JSON")],
            statuses: [.done, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("A record stream; - or none is standard input.", valueName: "file"))
    var file: String?

    @Option(name: .customShort("n"), help: ArgumentHelp("Show so many records as JSON instead of the head.", valueName: "count"))
    var records: Int?

    @Flag(name: .long, help: "The head as JSON.")
    var json = false

    func validate() throws {
        if let records, records < 0 { throw ValidationError("-n takes a number of records, 0 or more") }
    }

    func run() throws {
        Console.closedPipeIsDone()
        // Sequentially even from a file: a file without its end mark still has a head.
        let reader = try RecordStreamReader(openInput(file ?? "-")), output = try openTextOutput(nil)
        if let records {
            var view = try RecordView(reader.head.schema)
            try BlockSource.sequential(reader).forEach(in: 0 ..< records) { try output.write(view.line($0, $1)) }
        } else if json {
            try output.write(reader.head.jsonText())
            try output.write("\n")
        } else {
            try output.write(text(reader.head))
        }
        try output.finish()
    }

    private func text(_ head: StreamHead) throws -> String {
        var text = "kind      \(head.schema.kind)\n"
        for (number, setting) in head.settings.sorted(by: { $0.key < $1.key }).enumerated() {
            text += (number == 0 ? "settings  " : "          ") + setting.key + " = " + String(decoding: try setting.value.serialized(), as: UTF8.self) + "\n"
        }
        var columns = TextTable([("column", .left), ("type", .left), ("a record has", .left)])
        for column in head.schema.columns { columns.add([column.name, column.meaning == .number ? column.type.rawValue : "text", shape(column)]) }
        return text + "made by\n" + stages(head.provenance, depth: 1) + columns.text()
    }

    private func stages(_ stage: Provenance, depth: Int) -> String {
        let words = stage.arguments.map { argument in
            switch argument {
            case .text(let text): Explanation.quoted(text)
            case .file(let role, let sha256): "<\(role) \(sha256.prefix(16))>"
            }
        }
        let line = String(repeating: "  ", count: depth) + ([stage.command] + words).joined(separator: " ") + "   (recipe \(stage.recipe))\n"
        return line + stage.inputs.map { stages($0, depth: depth + 1) }.joined()
    }

    private func shape(_ column: Column) -> String {
        let depth = column.meaning == .text ? column.depth - 1 : column.depth
        return ["one", "a list", "a list of lists"][depth] + (column.meaning == .dictionary ? ", from the block's dictionary" : "")
    }
}
