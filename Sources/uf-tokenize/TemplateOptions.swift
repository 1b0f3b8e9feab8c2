import ArgumentParser
import Checksums
import CommandSupport
import JSON
import Jinja
import ModelFiles
import RecordStream
import SystemIO
import Tokenization

/// How conversations are laid out.
struct TemplateOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp(
        "How conversations are laid out: auto (the template of the model's own files), a name (chatml, llama3, llama2, qwen, zephyr, plain), or a template's file, folder or GGUF.",
        valueName: "auto|name|file"))
    var template: String

    @Option(name: .long, help: ArgumentHelp("A system turn before conversations that do not start with one.", valueName: "text"))
    var system: String?

    @OptionGroup var variables: VariableOptions

    @Option(name: .customLong("bos"), help: ArgumentHelp("With --template plain: the token that begins a text, or none. (default: what the model's files name)", valueName: "token"))
    var beginning: String?

    @Option(name: .customLong("eos"), help: ArgumentHelp("With --template plain: the token that ends a text. (default: what the model's files name)", valueName: "token"))
    var ending: String?

    private var builtIn: BuiltInTemplate? { BuiltInTemplate(rawValue: template) }

    func validate() throws {
        try refuseDash([("--template", template)])
        if builtIn != .plain, beginning != nil || ending != nil {
            throw ValidationError("--bos and --eos go with --template plain; \(template) has its own tokens")
        }
        if builtIn != nil, variables.variablesText != nil || variables.date != nil {
            throw ValidationError("--vars and --date go with a model's own template (--template auto or a file); \(template) has no variables")
        }
    }

    /// The chosen template, and the arguments that say how it came to be.
    func load(_ tokenizer: Tokenizer, _ vocabulary: TokenizerOptions) throws -> (template: any ChatTemplate, arguments: [Provenance.Argument]) {
        let systemArguments: [Provenance.Argument] = system.map { [.text("--system"), .text($0)] } ?? []
        guard let builtIn else {
            let source = try source(vocabulary)
            let digest = SHA256.hexDigest(of: source.text)
            let members = try completed(variables.variables(source.tokens), tokenizer, source, vocabulary)
            let model = try ModelTemplate(Template(source.text, name: source.name), name: "sha256:" + digest, tokenizer: tokenizer, variables: members, settings: variables.settings)
            var arguments: [Provenance.Argument] = [.text("--template"), .file(role: "template", sha256: digest)] + systemArguments
            if !members.isEmpty { arguments += [.text("--vars"), .text(String(decoding: try JSONValue.object(members).serialized(), as: UTF8.self))] }
            if let date = variables.date { arguments += [.text("--date"), .text(date)] }
            return (model, arguments)
        }
        let named: [Provenance.Argument] = [.text("--template"), .text(template)] + systemArguments
        if let (text, tokens) = builtIn.source {
            let model = try ModelTemplate(Template(Array(text.utf8), name: template), name: template, tokenizer: tokenizer, required: tokens, tokenizerName: vocabulary.path())
            return (model, named)
        }
        switch builtIn {
        case .chatml: return (ChatMLTemplate(), named)
        case .llama3: return (Llama3Template(), named)
        default:
            let plain = try PlainTemplate(for: tokenizer, beginning: beginning, ending: ending, configured: vocabulary.configuredTokens(), tokenizerName: vocabulary.path())
            return (plain, named + [.text("--bos"), .text(plain.beginning ?? "none"), .text("--eos"), .text(plain.ending)])
        }
    }

    private func source(_ vocabulary: TokenizerOptions) throws -> ChatTemplateSource {
        guard template == "auto" else {
            var source = try ChatTemplateSource(path: template)
            if source.tokens.isEmpty { source.tokens = try vocabulary.namedTokens() }
            return source
        }
        guard let source = try vocabulary.chatTemplateSource() else {
            throw InputError("\(vocabulary.tokenizer): there is no chat template beside the vocabulary (neither chat_template.jinja nor chat_template in tokenizer_config.json, nor tokenizer.chat_template of a GGUF); name one by --template")
        }
        return source
    }

    /// With the tokens that begin and end a text as the vocabulary has them, where nothing else names them and the template asks.
    private func completed(_ members: [JSONMember], _ tokenizer: Tokenizer, _ source: ChatTemplateSource, _ vocabulary: TokenizerOptions) throws -> [JSONMember] {
        let template = try Template(source.text, name: source.name), configured = try vocabulary.configuredTokens()
        var members = members
        for (key, said, id) in [("bos_token", configured.beginning, tokenizer.beginning), ("eos_token", configured.ending, tokenizer.ending)] {
            guard template.mentions(key), said == nil, !members.contains(where: { $0.key == key }) else { continue }
            guard let token = tokenizer.addedTokens.first(where: { $0.id == id }) else {
                throw InputError("\(source.name): uses \(key), which the model's files do not name; say --vars '{\"\(key)\": \"...\"}'")
            }
            members.append(JSONMember(Text(key), .string(Text(token.content))))
        }
        return members
    }
}
