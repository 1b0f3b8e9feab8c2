import ArgumentParser
import CommandSupport
import JSON
import SystemIO
import Tokenization

extension TrainingPattern: ExpressibleByArgument {}
extension VocabularyTrainer.InitialAlphabet: ExpressibleByArgument {}

struct TrainVocabulary: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Learn a byte-level BPE vocabulary from texts, and write its tokenizer.json.",
        discussion: HelpText.discussion(
            """
            The tokens and merges are those that Hugging Face's BpeTrainer gives for the same texts and settings, and the file is what its save writes: special tokens have the first \
            ids, then the bytes, then what is merged, the most frequent pair first and of equals that of the smaller ids. Texts are cut as the model named by --pattern cuts them; \
            special tokens that they spell out are text like any other.

            An input is JSON strings, one a line; or plain text with --text, each line with its line feed a text; or a rated stream, which is recognised: its prompt turns, system \
            prompts and responses. Memory grows with the distinct pieces (words), not with the texts: 64 bytes for a piece and 64 for each of its bytes, at most --memory.
            """,
            examples: [
                ("uf-tokenize train texts.jsonl --size 32000 --pattern llama3 --special '<|endoftext|>' -o tokenizer.json", "from JSON strings"),
                ("uf-convert raw.jsonl | uf-tokenize train --size 8000 -v -o tokenizer.json", "from the prompts and responses of rated records"),
                ("uf-tokenize train --text book.txt --size 1000 --initial-alphabet seen > tokenizer.json", "from plain text, with the bytes that it has"),
            ]))

    @Argument(help: ArgumentHelp("Texts, or rated streams; - or none is standard input.", valueName: "file"))
    var files: [String] = []

    @Option(name: .long, help: ArgumentHelp("Tokens in all, special ones and bytes included.", valueName: "tokens"))
    var size: Int

    @Option(name: .long, help: ArgumentHelp("How texts are cut into pieces, which no token spans.", valueName: "model"))
    var pattern = TrainingPattern.gpt2

    @Option(name: .long, help: ArgumentHelp("A special token; may be given again, and they have their ids in this order, from 0.", valueName: "token"))
    var special: [String] = []

    @Option(name: .long, help: ArgumentHelp("Merge no pair that stands less often.", valueName: "count"))
    var minFrequency = 0

    @Option(name: .long, help: ArgumentHelp("Start from all 256 bytes, so that any text has tokens, or from those seen in the texts.", valueName: "alphabet"))
    var initialAlphabet = VocabularyTrainer.InitialAlphabet.bytes

    @Option(name: .long, help: ArgumentHelp("With --initial-alphabet seen: start from the most frequent only; the others are left out of all words.", valueName: "bytes"))
    var limitAlphabet: Int?

    @Option(name: .long, help: ArgumentHelp("Make no token of more bytes. (default: no limit)", valueName: "bytes"))
    var longestToken: Int?

    @Flag(name: .long, help: "The inputs are plain text: each line, with its line feed, is a text.")
    var text = false

    @Option(name: .long, help: ArgumentHelp("Refuse texts whose distinct pieces need more memory.", valueName: "MiB"))
    var memory = 4096

    @Option(name: .shortAndLong, help: ArgumentHelp("Write here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    var output: String?

    @Flag(name: .long, help: "Print what was counted and learnt as JSON on standard output; needs -o FILE.")
    var json = false

    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    private var trainer: VocabularyTrainer {
        var trainer = VocabularyTrainer(size: size, pattern: pattern)
        trainer.special = special
        trainer.minimumFrequency = minFrequency
        trainer.initialAlphabet = initialAlphabet
        trainer.mostSymbols = limitAlphabet
        trainer.longestToken = longestToken
        return trainer
    }

    func validate() throws {
        if let token = special.first(where: { $0.isEmpty || $0.utf8.count > 1024 }) { throw ValidationError("--special takes 1 to 1024 bytes, and this token has \(token.utf8.count)") }
        if let (place, token) = special.enumerated().first(where: { special.firstIndex(of: $0.element) != $0.offset }) {
            throw ValidationError("--special \(token) is given twice, as token \(special.firstIndex(of: token) ?? 0) and \(place)")
        }
        guard (1 ... 1 << 24).contains(size) else { throw ValidationError("--size takes a number from 1 to \(1 << 24)") }
        guard size >= trainer.leastSize else {
            throw ValidationError("--size \(size) does not hold the \(trainer.leastSize) tokens that merging starts from (the special ones and the alphabet)")
        }
        guard minFrequency >= 0 else { throw ValidationError("--min-frequency takes a number from 0") }
        if let limitAlphabet {
            guard initialAlphabet == .seen else { throw ValidationError("--limit-alphabet goes with --initial-alphabet seen; else all 256 bytes are kept") }
            guard (1 ... 256).contains(limitAlphabet) else { throw ValidationError("--limit-alphabet takes a number from 1 to 256") }
        }
        if let longestToken, longestToken < 2 { throw ValidationError("--longest-token takes a number from 2: merging makes no shorter ones") }
        guard (1 ... 1 << 20).contains(memory) else { throw ValidationError("--memory takes a number of MiB from 1 to \(1 << 20)") }
        if json, output == nil || output == "-" { throw ValidationError("--json needs -o FILE: the vocabulary and the counts cannot both go to standard output") }
        if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("standard input (-) is named twice") }
    }

    func run() throws {
        let operands = files.isEmpty ? ["-"] : files
        let inputs = TrainingInputs(try operands.map { try openInput($0) }, readsPlainText: text)
        let sink = try TextOutput(output)
        let sizes = operands.map(fileSize), total = sizes.contains { $0 == nil } ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
        let reading = common.progress("uf-tokenize: counting pieces", total: total, unit: "bytes")
        let texts = try CountedTexts(pattern, memory: memory << 20, workers: jobs.count, next: { try inputs.next() }, progress: { reading.update(inputs.bytesRead) })
        reading.finish()
        let counting = reading.elapsed
        let merging = common.progress("uf-tokenize: merging", total: size, unit: "tokens")
        let vocabulary = try trainer.train(texts, progress: { merging.update($0) })
        merging.finish()
        let learning = merging.elapsed
        try sink.write(try vocabulary.tokenizerJSON())
        try sink.prepare()
        let report = TrainingReport(trainer: trainer, counts: texts.counts, distinct: texts.distinct, vocabulary: vocabulary, counting: counting, merging: learning)
        if json { try report.printJSON() }
        try sink.publish()
        report.tell(verbose: common.verbose)
    }
}

/// What is told of a training.
private struct TrainingReport {
    let trainer: VocabularyTrainer
    let counts: TextCounts
    let distinct: Int
    let vocabulary: TrainedVocabulary
    /// Seconds.
    let counting: Double, merging: Double

    func printJSON() throws {
        let summary = JSONValue.object([
            ("texts", JSONValue(counts.texts)), ("bytes", JSONValue(counts.bytes)), ("pieces", JSONValue(counts.pieces)), ("distinct_pieces", JSONValue(distinct)),
            ("surrogates_replaced", JSONValue(counts.surrogates)), ("invalid_bytes_replaced", JSONValue(counts.invalidBytes)),
            ("size", JSONValue(trainer.size)), ("tokens", JSONValue(vocabulary.tokens.count)), ("merges", JSONValue(vocabulary.merges.count)),
        ])
        let output = try openTextOutput(nil)
        try output.write(try summary.serialized(indent: 2) + [UInt8(ascii: "\n")])
        try output.finish()
    }

    /// What came out otherwise than asked is told in any case.
    func tell(verbose: Bool) {
        if counts.surrogates + counts.invalidBytes > 0 {
            Console.line("uf-tokenize: \(counted(counts.surrogates, "lone surrogate")) and \(counted(counts.invalidBytes, "invalid byte")) replaced by U+FFFD")
        }
        if vocabulary.tokens.count < trainer.size {
            let why = trainer.minimumFrequency > 1 ? "no pair stands \(trainer.minimumFrequency) times any more" : "no pair is left to merge"
            Console.line("uf-tokenize: \(vocabulary.tokens.count) of \(trainer.size) tokens: \(why)")
        }
        guard verbose else { return }
        Console.line("uf-tokenize: \(counted(counts.texts, "text")), \(counts.bytes) bytes, \(counted(counts.pieces, "piece")), \(distinct) distinct, in \(Progress.duration(counting)): "
            + "\(Progress.quantity(Double(counts.bytes) / max(counting, 1e-9))) bytes/s")
        Console.line("uf-tokenize: \(counted(vocabulary.tokens.count, "token")) by \(counted(vocabulary.merges.count, "merge")) in \(Progress.duration(merging))")
    }
}
