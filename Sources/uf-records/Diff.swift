import ArgumentParser
import CommandSupport
import JSON
import RecordStream
import SystemIO

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find the first difference between two streams, by record and field.",
        discussion: HelpText.discussion(
            """
            Kind, columns and settings are compared, then records in order. How the streams were made, their blocks and codecs are not (cmp compares bytes). Nothing is printed when they hold \
            the same. uf-records digest --compare finds every record that differs, in any order.
            """,
            examples: [("uf-records diff a.uf b.uf", "status 1 with the place and both values")],
            statuses: [.done, .no, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("A record stream; - is standard input.", valueName: "one"), completion: .file())
    var one: String

    @Argument(help: ArgumentHelp("A record stream; - is standard input.", valueName: "other"), completion: .file())
    var other: String

    @Flag(name: .long, help: "JSON: an object that says whether they are equal, and the difference.")
    var json = false

    func validate() throws { try refuseSharedInput([("the one stream", one), ("the other", other)]) }

    func run() throws {
        let output = try openTextOutput(nil), left = try RecordStreamReader(openInput(one)), right = try RecordStreamReader(openInput(other))
        let difference = try StreamDifference.first(left, right)
        if json {
            try output.write(object(difference).serialized())
            try output.write("\n")
        } else if let difference {
            try output.write(text(difference, left.name, right.name))
        }
        try output.finish()
        if difference != nil { throw ExitStatus.no }
    }

    private func text(_ difference: StreamDifference, _ left: String, _ right: String) -> String {
        let record = difference.record.map { "record \($0)\(difference.id.map { " (id \($0))" } ?? ""): " } ?? ""
        var table = TextTable([("", .left), ("", .left)])
        table.add([left, difference.left])
        table.add([right, difference.right])
        return record + difference.field + (difference.byte.map { ": byte \($0)" } ?? "") + "\n" + table.text(indent: 2)
    }

    private func object(_ difference: StreamDifference?) -> JSONValue {
        guard let difference else { return .object([("equal", true)]) }
        return .object([
            ("equal", false), ("field", .string(difference.field)), ("record", difference.record.map { JSONValue($0) } ?? .null),
            ("id", difference.id.map { .string($0) } ?? .null), ("byte", difference.byte.map { JSONValue($0) } ?? .null), ("left", .string(difference.left)),
            ("right", .string(difference.right)),
        ])
    }
}
