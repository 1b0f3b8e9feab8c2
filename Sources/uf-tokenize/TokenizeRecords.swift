import ArgumentParser
import CommandSupport
import JSON
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
            """,
            examples: [
                ("uf-tokenize rated.uf --tokenizer model/ --template chatml -o tokens.uf", "a file to a file"),
                ("uf-convert raw.jsonl | uf-tokenize --tokenizer model/ --template plain | uf-pack -o packed.uf", "in a pipe"),
            ]))

    @Argument(help: ArgumentHelp("Rated streams; - or none is standard input.", valueName: "file"))
    var files: [String] = []

    @OptionGroup var vocabulary: TokenizerOptions

    @Option(name: .long, help: ArgumentHelp("How conversations are laid out: chatml, llama3 or plain.", valueName: "name"))
    var template: BuiltInTemplate

    @Option(name: .long, help: ArgumentHelp("A system turn before conversations that do not start with one.", valueName: "text"))
    var system: String?

    @Option(name: .customLong("bos"), help: ArgumentHelp("With --template plain: the token that begins a text, or none. (default: what the model's files name)", valueName: "token"))
    var beginning: String?

    @Option(name: .customLong("eos"), help: ArgumentHelp("With --template plain: the token that ends a text. (default: what the model's files name)", valueName: "token"))
    var ending: String?

    @Option(name: .long, help: ArgumentHelp("The model's context, for uf-pack's --max-length. (default: what config.json beside the vocabulary says)", valueName: "tokens"))
    var contextLength: Int?

    @OptionGroup var output: OutputOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let contextLength, !(2 ... 1 << 24).contains(contextLength) { throw ValidationError("--context-length takes a number from 2 to \(1 << 24)") }
        if template != .plain, beginning != nil || ending != nil { throw ValidationError("--bos and --eos go with --template plain; \(template.rawValue) has its own tokens") }
    }

    func run() throws {
        try output.refuse(inputs: files)
        let tokenizer = try vocabulary.load()
        let layout = try chosenTemplate(tokenizer)
        let recordTokenizer = RecordTokenizer(try TemplateEncoder(tokenizer, layout, system: system.map { Text($0) }, tokenizerName: vocabulary.path()))
        let inputs = try RecordInputs<RatedRecord>(files)
        let context = try contextLength ?? vocabulary.contextLength()
        var settings = recordTokenizer.settings
        if let context { settings["context_length"] = JSONValue(context) }
        let provenance = Provenance(command: "uf-tokenize", recipe: 1, arguments: arguments(tokenizer, layout, context), inputs: inputs.provenance)
        let stream = try RecordOutput<TokensRecord>(output, head: StreamHead(schema: TokensRecord.schema, settings: settings, provenance: provenance))
        let progress = common.progress("uf-tokenize", total: inputs.totalBytes, unit: inputs.totalBytes == nil ? "records" : "bytes")
        let counts = try recordTokenizer.run(workers: jobs.count, next: { try inputs.next() }, append: { record in
            try stream.append(record)
            progress.update(inputs.totalBytes == nil ? stream.records : inputs.bytesRead)
        })
        try stream.finish(StreamTail(inputs: try inputs.asInputs(), counts: counts.json, licences: inputs.licences))
        progress.finish()
        report(counts, progress)
    }

    private func chosenTemplate(_ tokenizer: Tokenizer) throws -> any ChatTemplate {
        switch template {
        case .chatml: ChatMLTemplate()
        case .llama3: Llama3Template()
        case .plain: try PlainTemplate(for: tokenizer, beginning: beginning, ending: ending, configured: vocabulary.configuredTokens(), tokenizerName: vocabulary.path())
        }
    }

    /// The options that decide bytes, with what defaults came to.
    private func arguments(_ tokenizer: Tokenizer, _ layout: any ChatTemplate, _ context: Int?) -> [Provenance.Argument] {
        var arguments: [Provenance.Argument] = [.text("--tokenizer"), .file(role: "tokenizer", sha256: tokenizer.digestHex), .text("--template"), .text(layout.name)]
        if let system { arguments += [.text("--system"), .text(system)] }
        if let plain = layout as? PlainTemplate { arguments += [.text("--bos"), .text(plain.beginning ?? "none"), .text("--eos"), .text(plain.ending)] }
        if let context { arguments += [.text("--context-length"), .text("\(context)")] }
        return arguments
    }

    private func report(_ counts: RecordTokenizer.Counts, _ progress: Progress) {
        if let alterations = counts.alterations { Console.line("uf-tokenize: \(counts.records) records: \(alterations)") }
        guard common.verbose else { return }
        let tokens = counts.promptTokens + counts.responseTokens
        Console.line("uf-tokenize: \(counts.records) records, \(counts.responses) responses, \(counts.promptTokens) prompt tokens and \(counts.responseTokens) response tokens"
            + " in \(Progress.duration(progress.elapsed)), \(Progress.quantity(Double(tokens) / max(progress.elapsed, 1e-9))) tokens/s")
    }
}

extension BuiltInTemplate: ExpressibleByArgument {}
