import ArgumentParser
import CommandSupport
import RecordStream
import SystemIO

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the shell pipeline that makes a stream again.",
        discussion: HelpText.discussion(
            """
            Each raw input is a variable INPUT1, INPUT2 ..., each tokenizer or model one of its own. Set them and run the script with bash: it writes the same bytes to \
            standard output. It stops (status 65) at a file whose SHA-256, of a raw input after decompression, is not that of the file that was used. Each file of an \
            archive was an input of its own: unpack it. The stream is read to its end first, for what was read is said there.
            """,
            examples: [
                ("uf-records explain packed.uf > again.sh", "the script"),
                ("INPUT1=raw.jsonl TOKENIZER1=tokenizer.json bash again.sh | cmp - packed.uf", "the same bytes"),
            ],
            statuses: [.done, .usage, .invalidData, .missingInput, .ioError]))

    @Argument(help: ArgumentHelp("A record stream; - or none is standard input.", valueName: "file"))
    var file: String?

    func run() throws {
        let reader = try RecordStreamReader(openInput(file ?? "-"))
        while try reader.nextBlock() != nil {}
        let output = try openTextOutput(nil)
        if let tail = reader.tail { try output.write(Explanation.script(reader.head, tail, codec: reader.codec)) }
        try output.finish()
    }
}
