import ArgumentParser
import CommandSupport
import JSON
import ModelFiles
import RecordStream
import SystemIO
import Tokenization

struct TokenizeRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "records",
        abstract: "Turn a rated stream into a tokens stream (what uf-tokenize does without a subcommand).",
        discussion: HelpText.discussion(
            """
            Prompt and responses are laid out by a chat template and encoded apart, so that no token spans the two. Special tokens that a text spells out stay \
            text: only the template ends a message. What was altered (texts trimmed by the template, lone surrogates replaced) is counted, in the stream's \
            tail and on standard error.

            --template auto takes the template that the model brings along. It renders the prompt, and the prompt with each answer; what the second adds, up to \
            and with the special token that ends the answer, is what is learnt. A template that writes the prompt otherwise once an answer follows is refused. \
            --loss-on assistant marks the earlier answers of a conversation too, for uf-pack --layout sft: each is encoded apart, as the last one is, and must stand in the \
            prompt just as the template writes it when it is the last; a template that writes it otherwise is refused.
            Nothing depends on the clock: a template that asks for the date is told --date, and finds none without.

            A vocabulary is a tokenizer.json or one of the files that such are made of: encoder.json beside vocab.bpe (or vocab.json beside merges.txt), ranks as \
            tiktoken has them (Llama 3's tokenizer.model, qwen.tiktoken), a SentencePiece BPE model (Llama 2, Mistral), or a GGUF. The stream is bound to the SHA-256 \
            of that file, of a pair to that of one file behind the other.
            """,
            examples: [
                ("uf-tokenize rated.uf --tokenizer model/ --template auto -o tokens.uf", "by the model's own template"),
                ("uf-tokenize rated.uf --tokenizer tokenizer.model --tokenizer-family llama3.1 --template llama3 -o tokens.uf", "with Llama 3.1's ranks"),
                ("uf-tokenize rated.uf --tokenizer model/ --template auto --vars '{\"enable_thinking\": false}' -o tokens.uf", "with a variable of the template"),
                ("uf-convert raw.jsonl | uf-tokenize --tokenizer model/ --template plain | uf-pack -o packed.uf", "in a pipe"),
            ]))

    @Argument(help: ArgumentHelp("Rated streams; - or none is standard input.", valueName: "file"))
    var files: [String] = []

    @OptionGroup var vocabulary: TokenizerOptions

    @OptionGroup var layout: TemplateOptions

    @Option(name: .long, help: ArgumentHelp("Answers to learn: last (the responses), or assistant (every answer of the conversations).", valueName: "answers"))
    var lossOn = LearntAnswers.last

    @Option(name: .long, help: ArgumentHelp("The model's context, for uf-pack's --max-length. (default: what config.json beside the vocabulary says)", valueName: "tokens"))
    var contextLength: Int?

    @OptionGroup var output: OutputOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let contextLength, !(2 ... 1 << 24).contains(contextLength) { throw ValidationError("--context-length takes a number from 2 to \(1 << 24)") }
    }

    func run() throws {
        try output.refuse(inputs: files)
        let (tokenizer, source) = try vocabulary.load(verbose: common.verbose)
        let (template, templateArguments) = try layout.load(tokenizer, vocabulary)
        let recordTokenizer = RecordTokenizer(try TemplateEncoder(tokenizer, template, system: layout.system.map { Text($0) }, learns: lossOn, tokenizerName: source.name))
        let inputs = try RecordInputs<RatedRecord>(files)
        let context = try contextLength ?? vocabulary.contextLength()
        var settings = recordTokenizer.settings
        if let context { settings["context_length"] = JSONValue(context) }
        let provenance = Provenance(command: "uf-tokenize", recipe: 1, arguments: arguments(source, tokenizer, templateArguments, context), inputs: inputs.provenance)
        let stream = try RecordOutput<TokensRecord>(output, head: StreamHead(schema: recordTokenizer.schema, settings: settings, provenance: provenance))
        let progress = common.progress("uf-tokenize", total: inputs.totalBytes, unit: inputs.totalBytes == nil ? "records" : "bytes")
        let counts = try recordTokenizer.run(workers: jobs.count, next: { try inputs.nextBatch(RecordTokenizer.batchSize)?.columns }, append: { records in
            try stream.append(records: records)
            progress.update(inputs.totalBytes == nil ? stream.records : inputs.bytesRead)
        })
        try stream.finish(StreamTail(inputs: try inputs.asInputs(), counts: counts.json, licences: inputs.licences))
        progress.finish()
        report(counts, progress)
    }

    /// The options that decide bytes, with what defaults came to.
    private func arguments(_ source: TokenizerSource, _ tokenizer: Tokenizer, _ template: [Provenance.Argument], _ context: Int?) -> [Provenance.Argument] {
        [.text("--tokenizer"), .file(role: source.isPair ? "tokenizer_pair" : "tokenizer", sha256: tokenizer.digestHex)]
            + (source.family.map { [.text("--tokenizer-family"), .text($0.rawValue)] } ?? []) + template
            + (lossOn == .last ? [] : [.text("--loss-on"), .text(lossOn.rawValue)]) + (context.map { [.text("--context-length"), .text("\($0)")] } ?? [])
    }

    private func report(_ counts: RecordTokenizer.Counts, _ progress: Progress) {
        if let alterations = counts.alterations { Console.line("uf-tokenize: \(counts.records) records: \(alterations)") }
        guard common.verbose else { return }
        let tokens = counts.promptTokens + counts.responseTokens
        Console.line("uf-tokenize: \(counts.records) records, \(counts.responses) responses, \(counts.promptTokens) prompt tokens and \(counts.responseTokens) response tokens"
            + " in \(Progress.duration(progress.elapsed)), \(Progress.quantity(Double(tokens) / max(progress.elapsed, 1e-9))) tokens/s")
    }
}

extension LearntAnswers: ExpressibleByArgument {}
