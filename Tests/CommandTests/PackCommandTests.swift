import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// uf-pack as a user runs it.
@Suite struct PackCommandTests {
    private let folder = TemporaryFolder()

    /// 300 records of made-up tokens, in `tokens.uf`; `settings` go into its head.
    init() throws { try write("tokens.uf") }

    private func write(_ name: String, settings: [String: JSONValue] = ["tokenizer": "00ff", "vocabulary_size": 1000, "template": "chatml"], records: ClosedRange<Int> = 1 ... 300) throws {
        let file = try AtomicFile(path: folder.file(name))
        let provenance = Provenance(command: "uf-tokenize", recipe: 1, arguments: [.text("--template"), .text("chatml")])
        let writer = try RecordStreamWriter<TokensRecord>(to: file, head: StreamHead(schema: TokensRecord.schema, settings: settings, provenance: provenance))
        for number in records {
            var generator = SeededGenerator(seed: UInt64(number))
            func tokens(_ longest: Int) -> [UInt32] { (0 ..< Int.random(in: 1 ... longest, using: &generator)).map { _ in .random(in: 0 ..< 1000, using: &generator) } }
            let prompt = tokens(200), count = Int.random(in: 2 ... 4, using: &generator)
            let share = 1 / Double(count)
            let ratings = Ratings(
                dimensions: ["helpfulness", "honesty"], ratings: [Double](repeating: 3, count: 2 * count), rated: [UInt8](repeating: 1, count: 2 * count),
                targets: [Double](repeating: share, count: 2 * count))
            try writer.append(TokensRecord(
                id: Text("\(number)"), origin: Origin(input: 1, line: UInt64(number)), source: "made-up", ratings: ratings,
                prompts: [.init(ids: prompt, turnStarts: [0, UInt32(prompt.count)], roles: ["user"])], responses: (0 ..< count).map { _ in tokens(150) }))
        }
        try writer.finish(StreamTail(licences: ["made-up": "Apache-2.0"]))
        try file.finish()
    }

    private func run(_ script: String) -> Command.Outcome { Command.shell(script, in: folder.path) }

    private func read(_ name: String) throws -> (bins: [PackedBin], head: StreamHead, tail: StreamTail) {
        let reader = try RecordReader<PackedBin>(FileSource(path: folder.file(name)))
        var bins: [PackedBin] = []
        while let bin = try reader.next() { bins.append(bin) }
        return (bins, reader.stream.head, try #require(reader.stream.tail))
    }

    @Test func theHeadSaysHowAndTheTailWhat() throws {
        let outcome = run("uf-pack tokens.uf --max-length 256 --overlong drop -o packed.uf")
        #expect(outcome.status == 0)
        let (bins, head, tail) = try read("packed.uf")
        let kept = bins.reduce(0) { $0 + $1.members.count }
        #expect(outcome.errors == "uf-pack: dropped \(300 - kept) of 300 records: \(300 - kept) longer than --max-length\n")
        #expect(head.settings == ["tokenizer": "00ff", "vocabulary_size": 1000, "template": "chatml", "layout": "shared-prefix", "max_length": 256, "max_tokens": 4096])
        #expect(head.provenance.arguments == "--layout shared-prefix --max-length 256 --max-tokens 4096 --open-bins 64 --truncation ours --overlong drop --order input"
            .split(separator: " ").map { .text(String($0)) })
        #expect(head.provenance.inputs.map(\.command) == ["uf-tokenize"])
        #expect(tail.licences == ["made-up": "Apache-2.0"] && tail.counts["records"]?["kept"]?.int == kept && kept > 100)
    }

    @Test func aCleanSuccessIsSilent() {
        let outcome = run("uf-pack tokens.uf --max-length 512 -o packed.uf")
        #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
        #expect(folder.contents == ["packed.uf", "tokens.uf"])
    }

    @Test func bytesDoNotDependOnFilesOrPipes() {
        let outcome = run("""
            uf-pack tokens.uf --max-length 300 -o 1.uf
            cat tokens.uf | uf-pack --max-length 300 > 2.uf; cmp 1.uf 2.uf || exit 1
            dd if=tokens.uf bs=777 status=none | uf-pack - --max-length 300 --codec zstd -o 3.uf
            cmp -s 1.uf 3.uf && exit 2
            touch -d 2001-01-01 1.uf; uf-pack tokens.uf --max-length 300 -o 1.uf --if-changed; [ 1.uf -ot tokens.uf ] || exit 3
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect((try? read("1.uf").bins) == (try? read("3.uf").bins))
    }

    @Test func theContextComesFromOptionModelOrStream() throws {
        try write("long.uf", settings: ["context_length": 333])
        func length(_ script: String) throws -> JSONValue? {
            let outcome = run(script + " -o out.uf")
            try #require(outcome.status == 0, "\(script): \(outcome.errors)")
            return try read("out.uf").head.settings["max_length"]
        }
        let config = try AtomicFile(path: folder.file("config.json"))
        try config.write("{\"max_position_embeddings\": 444}")
        try config.finish()
        #expect(try length("uf-pack long.uf") == 333)
        #expect(try length("uf-pack long.uf --model .") == 444)
        #expect(try length("uf-pack long.uf --max-length 555") == 555)
        let unknown = run("uf-pack tokens.uf -o out2.uf")
        #expect(unknown.status == 64)
        #expect(unknown.errors == "uf-pack: how long a sequence may be is unknown: give --max-length TOKENS, or --model FOLDER to take the model's context\n")
        #expect(!folder.contents.contains("out2.uf"))
    }

    /// A model's folder says which tokenizer its records must have.
    @Test func recordsOfAnotherTokenizerAreRefused() throws {
        let made = run("mkdir model && echo '{\"max_position_embeddings\": 512}' > model/config.json && uf-pack tokens.uf --model model -o before.uf && echo '{}' > model/tokenizer.json")
        #expect(made.status == 0, "\(made.errors)")
        let sha256 = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
        let refused = run("uf-pack tokens.uf --model model -o packed.uf")
        #expect(refused.status == 65)
        #expect(refused.errors == "uf-pack: tokens.uf: its token ids were made with the tokenizer of sha256 00ff, that of model has \(sha256); run uf-tokenize with the model's tokenizer\n")
        try write("same.uf", settings: ["tokenizer": .string(sha256)])
        #expect(run("uf-pack same.uf --model model -o packed.uf").status == 0)
    }

    @Test func streamsAreJoinedInOrderUnlessTheyDiffer() throws {
        try write("a.uf", records: 1 ... 100)
        try write("b.uf", records: 101 ... 300)
        try write("other.uf", settings: ["tokenizer": "beef", "vocabulary_size": 1000, "template": "chatml"])
        #expect(run("uf-pack a.uf b.uf --max-length 512 -o joined.uf && uf-pack tokens.uf --max-length 512 -o whole.uf").status == 0)
        #expect(try read("joined.uf").bins == read("whole.uf").bins)
        let outcome = run("uf-pack a.uf other.uf --max-length 512 -o out.uf")
        #expect(outcome.status == 65)
        #expect(outcome.errors == "uf-pack: other.uf: its tokenizer differs from that of a.uf; streams made with different options cannot be joined\n")
        try write("small.uf", settings: ["vocabulary_size": 10])
        let ids = run("uf-pack small.uf --max-length 512 -o out.uf")
        #expect(ids.status == 65 && ids.errors.contains("outside the tokenizer's vocabulary of 10 ids"), "\(ids.errors)")
        #expect(!folder.contents.contains("out.uf"))
    }

    @Test func shuffledOrderIsOfTheSeed() throws {
        #expect(run("""
            uf-pack tokens.uf --max-length 512 --order shuffled --seed 5 -o a.uf && uf-pack tokens.uf --max-length 512 --order shuffled --seed 5 --shuffle-memory 64 -o b.uf \
              && cmp a.uf b.uf && uf-pack tokens.uf --max-length 512 --order shuffled --seed 6 -o c.uf
            """).status == 0)
        let a = try read("a.uf"), c = try read("c.uf")
        #expect(a.bins != c.bins && Set(a.bins.flatMap { $0.members.map(\.id) }) == Set(c.bins.flatMap { $0.members.map(\.id) }))
        #expect(a.head.provenance.arguments.suffix(2) == [.text("--seed"), .text("5")])
    }

    @Test func theTableAndTheReportAgree() throws {
        let outcome = run("uf-pack tokens.uf --layout rows16 --truncation paper --max-length 128 --max-tokens 2048 --paper-epsilon -v --report r.json > rows.uf")
        #expect(outcome.status == 0)
        let report = try JSON.parse(readWholeFile(folder.file("r.json")))
        let padded = try #require(report["tokens"]?["padded_rows_of_all_dimensions"]?.int), kept = try #require(report["counts"]?["records"]?["kept"]?.int)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("the paper's padded rows, every dimension") && $0.contains(" \(padded) ") && $0.hasSuffix("100.0 %") }, "\(outcome.errors)")
        #expect(lines.contains { $0.hasPrefix("\(kept) of 300 records in 300 bins, filled to ") }, "\(outcome.errors)")
        let bins = try read("rows.uf").bins
        #expect(bins.count == 300 && bins.allSatisfy { $0.members.count == 1 && !$0.members[0].rowMap.isEmpty })
    }

    @Test(arguments: [
        ("--max-length 9 --model .", "--max-length and --model both say how long a sequence may be; give one"),
        ("--max-length 9 --seed 3", "--seed goes with --order shuffled"),
        ("--max-length 9 --shuffle-memory 64", "--shuffle-memory goes with --order shuffled"),
        ("--max-length 9 --order shuffled --shuffle-memory 0", "--shuffle-memory takes a number from 1 to 1048576"),
        ("--max-length 1", "--max-length takes a number from 2 to 1048576, found 1"),
        ("--max-length 9 --paper-epsilon", "--paper-epsilon changes pi_target, which only --layout rows16 has"),
        ("--max-length 9 --layout rows", "'rows' is invalid for '--layout <layout>'"),
    ]) func wrongCommandLinesAreUsageErrors(options: String, message: String) {
        let outcome = run("uf-pack tokens.uf \(options) -o out.uf")
        #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
        #expect(!folder.contents.contains("out.uf"))
    }
}
