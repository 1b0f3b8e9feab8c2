import ArgumentParser
import CommandSupport
import Jinja
import ModelFiles
import SystemIO
import Tokenization

struct RenderConversations: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Turn conversations, one a line as JSON, into the texts that a chat template makes of them, as JSON strings, one a line.",
        discussion: HelpText.discussion(
            """
            A conversation is an array of messages ({"role": ..., "content": ...}), or an object with messages, add_generation_prompt (default false) and further \
            variables. A template is what models bring along, in the language Jinja; it runs in bounds of time, memory and text, and changes nothing.
            """,
            examples: [
                ("uf-tokenize render --template model/ < chats.jsonl", "as the model in the folder wants them"),
                ("echo '[{\"role\": \"user\", \"content\": \"Hi\"}]' | uf-tokenize render --template chat_template.jinja --vars '{\"bos_token\": \"<s>\"}'", "a template by itself"),
            ]))

    @Argument(help: ArgumentHelp("Lines of conversations; - or none is standard input.", valueName: "file"))
    var files: [String] = []

    @Option(name: .long, help: ArgumentHelp("The template: a file, a model folder, or a GGUF file that carries one.", valueName: "file|folder"))
    var template: String

    @OptionGroup var variables: VariableOptions

    @Flag(name: .long, help: "Print the template's own text instead: what uf-records explain asks for where it lies inside tokenizer_config.json or a GGUF.")
    var show = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Write here instead of to standard output; the file appears only when it is whole.", valueName: "file"))
    var output: String?

    @OptionGroup var jobs: JobsOptions

    func validate() throws {
        try refuseDash([("--template", template)])
        if show, !files.isEmpty { throw ValidationError("--show prints the template; it reads no conversations") }
    }

    func run() throws {
        let source = try ChatTemplateSource(path: template)
        let sink = try openTextOutput(output)
        if show {
            try sink.write(source.text)
            return try sink.finish()
        }
        let renderer = ConversationRenderer(
            try Template(source.text, name: source.name), variables: try variables.variables(source.tokens), settings: variables.settings)
        for file in files.isEmpty ? ["-"] : files { try renderer.render(try openInput(file), workers: jobs.count, write: { try sink.write($0) }, pause: { try sink.flush() }) }
        try sink.finish()
    }
}
