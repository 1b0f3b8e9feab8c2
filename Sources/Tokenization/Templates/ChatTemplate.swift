import JSON
import Jinja
import RecordStream
import SystemIO

/// What a template places: a special token by its name, or text. Neighbouring texts are one text: only a special token parts them.
public enum TemplatePiece: Sendable, Equatable {
    case special(String)
    case text(Text)

    var isSpecial: Bool {
        if case .special = self { true } else { false }
    }
}

/// A prompt as a template lays it out, ending with the header that opens the answer.
public struct RenderedPrompt: Sendable, Equatable {
    public var pieces: [TemplatePiece] = []
    /// Index into `pieces` at which each turn starts, then the one of the answer's header.
    public var turnStarts: [Int] = []
    /// Turns whose text the template trimmed.
    public var trimmed = 0
    /// The turns, and their text as a whole: what an answer is laid out after.
    var turns: [Turn] = []
    var whole = MarkedText()
}

/// An answer as a template lays it out, up to and with its stop token.
public struct RenderedResponse: Sendable, Equatable {
    public var pieces: [TemplatePiece] = []
    public var trimmed = 0
}

/// How a model wants a conversation written. A template decides where special tokens stand; turning its pieces into ids is `TemplateEncoder`'s part.
public protocol ChatTemplate: Sendable {
    var name: String { get }
    /// Every special token that it may place: a vocabulary that lacks one is refused.
    var specialTokens: [String] { get }
    func prompt(_ turns: [Turn]) throws(InputError) -> RenderedPrompt
    /// The answer `text` to a prompt that this template laid out.
    func response(_ text: Text, to prompt: RenderedPrompt) throws(InputError) -> RenderedResponse
    /// What it makes of all conversations of these roles; nil where that depends on more than it can say.
    func outline(_ roles: [Text]) throws(InputError) -> ConversationOutline?
}

/// Templates that need no file.
public enum BuiltInTemplate: String, Sendable, CaseIterable {
    case chatml, llama3, llama2, qwen, zephyr, plain

    /// The text of those that are written as models' own are, and the special tokens that it places.
    public var source: (text: String, tokens: [String])? {
        switch self {
        case .chatml, .llama3, .plain: nil
        case .llama2:
            ("""
            {%- if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif -%}
            {%- for message in turns -%}
            {%- if message.role == 'user' -%}
            {{ '<s>[INST] ' + ('<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message.content if loop.first and system else message.content).strip() + ' [/INST]' }}
            {%- elif message.role == 'assistant' -%}
            {{ ' ' + message.content.strip() + ' </s>' }}
            {%- else -%}
            {{ raise_exception('llama2 has user and assistant turns and one system turn at the start, found ' + message.role) }}
            {%- endif -%}
            {%- endfor -%}
            """, ["<s>", "</s>"])
        case .qwen:
            ("""
            {%- if messages[0].role != 'system' -%}
            {{ '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}
            {%- endif -%}
            {%- for message in messages -%}
            {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
            {%- endfor -%}
            {%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
            """, ["<|im_start|>", "<|im_end|>"])
        case .zephyr:
            ("""
            {%- for message in messages -%}
            {{ '<|' + message.role + '|>\\n' + message.content + '</s>\\n' }}
            {%- endfor -%}
            {%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif -%}
            """, ["</s>"])
        }
    }
}
