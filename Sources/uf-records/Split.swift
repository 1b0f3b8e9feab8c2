import ArgumentParser
import CommandSupport
import RecordStream
import SystemIO

struct Split: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Divide a stream into parts, each a whole stream.",
        discussion: HelpText.discussion(
            """
            --parts N gives record k to part k mod N (uf-records merge --by origin joins them again); --records N gives N records to each part in turn (uf-records cat joins \
            them again). All parts are written at once under the names that -o gives, at most \(Division.mostParts) of them, and appear when the input has been read to its end \
            mark; or --part writes one of them. They are streams by themselves: a set of shards, with numbers like %05d in the names and a MANIFEST, is what \
            uf-convert --shards makes.
            """,
            examples: [
                ("uf-records split --parts 4 rated.uf -o part-%.uf", "part-000.uf to part-003.uf"),
                ("uf-records split --records 10000 --part 0 rated.uf -o first.uf", "the first ten thousand records"),
            ]))

    @Argument(help: ArgumentHelp("A record stream; - or none is standard input.", valueName: "file"), completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("How many parts.", valueName: "number"))
    var parts: Int?

    @Option(help: ArgumentHelp("How many records a part.", valueName: "number"))
    var records: Int?

    @Option(help: ArgumentHelp("Write only this part, counted from 0; without it the name of -o has a % where the part's number goes.", valueName: "number"))
    var part: Int?

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (parts == nil) != (records == nil) else { throw ValidationError("give --parts or --records, one of them") }
        if let parts, !(1 ... (part == nil ? Division.mostParts : Int.max)).contains(parts) {
            throw ValidationError("--parts takes a number from 1\(part == nil ? " to \(Division.mostParts)" : "")")
        }
        if let records, records < 1 { throw ValidationError("--records takes a number from 1") }
        if let part, part < 0 || part >= parts ?? .max { throw ValidationError("--part takes the number of a part, from 0\(parts.map { " to \($0 - 1)" } ?? "")") }
        if part == nil, output.output.flatMap(PartNames.init) == nil {
            throw ValidationError("-o takes a name with a % where the part's number goes, such as part-%.uf (or give --part to write one part)")
        }
    }

    private var division: Division { parts.map(Division.parts) ?? .records(records ?? 1) }

    private func head(_ inputs: StreamInputs, part: Int) -> StreamHead {
        let size = parts.map { ["--parts", "\($0)"] } ?? ["--records", "\(records ?? 1)"]
        return inputs.head("uf-records split", size + ["--part", "\(part)"])
    }

    func run() throws {
        let operands = file.map { [$0] } ?? [], inputs = try StreamInputs(operands)
        if let part { try writeOne(part, inputs, operands) } else { try writeAll(inputs, operands) }
    }

    private func writeOne(_ part: Int, _ inputs: StreamInputs, _ operands: [String]) throws {
        try rewrite(inputs, operands: operands, to: output, common, head(inputs, part: part)) { write in
            let reader = inputs.readers[0]
            while let record = try reader.next() {
                if division.part(of: record.number) == part { try write(record.bytes()) }
            }
            guard parts != nil || part == 0 || division.part(of: inputs.recordsRead - 1) >= part else {
                throw InputError("\(reader.stream.name): \(counted(inputs.recordsRead, "record")) make no part \(part) of \(counted(records ?? 1, "record")) each")
            }
        }
    }

    private func writeAll(_ inputs: StreamInputs, _ operands: [String]) throws {
        guard let names = output.output.flatMap(PartNames.init) else { return }
        var outputs: [StreamOutput] = []
        func open(_ part: Int) throws {
            guard part < Division.mostParts else {
                throw InputError("more than \(Division.mostParts) parts of \(counted(records ?? 1, "record")); give more --records, or write one --part at a time", status: .usage)
            }
            var options = output
            options.output = names[part]
            try options.refuse(inputs: operands)
            outputs.append(try StreamOutput(options, head: head(inputs, part: part), together: .each(of: parts ?? 1)))
        }
        for part in 0 ..< (parts ?? 1) { try open(part) }
        let progress = common.progress("uf-records split")
        while let record = try inputs.readers[0].next() {
            let part = division.part(of: record.number)
            if part == outputs.count {
                _ = try outputs.last?.closeBlocks()
                try open(part)
            }
            try outputs[part].append(record: record.bytes())
            progress.update(record.number)
        }
        // A disk that fills up with the last of them shall leave none.
        for output in outputs { try output.prepare(inputs.tail(written: output.records)) }
        for output in outputs { try output.publish() }
        progress.finish()
        if common.verbose { Console.error("uf-records", "\(counted(inputs.recordsRead, "record")) in \(counted(outputs.count, "part"))") }
    }
}
