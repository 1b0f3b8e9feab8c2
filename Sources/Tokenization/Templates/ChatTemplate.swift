import JSON
import RecordStream

/// What a template places: a special token by its name, or text. Neighbouring texts are one text: only a special token parts them.
public enum TemplatePiece: Sendable, Equatable {
    case special(String)
    case text(Text)
}

/// A prompt as a template lays it out, ending with the header that opens the answer.
public struct RenderedPrompt: Sendable, Equatable {
    public var pieces: [TemplatePiece] = []
    /// Index into `pieces` at which each turn starts, then the one of the answer's header.
    public var turnStarts: [Int] = []
    /// Turns whose text the template trimmed.
    public var trimmed = 0
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
    func prompt(_ turns: [Turn]) -> RenderedPrompt
    func response(_ text: Text) -> RenderedResponse
}

/// Templates that need no file.
public enum BuiltInTemplate: String, Sendable, CaseIterable {
    case chatml, llama3, plain
}
