/// A token that stands beside the merged vocabulary and is found in text as a whole.
public struct AddedToken: Sendable, Equatable {
    public var id: UInt32
    public var content: [UInt8]
    /// Special tokens are control marks; the others are ordinary text that is never cut.
    public var isSpecial: Bool
    /// Found only where no word character stands beside it.
    public var singleWord: Bool
    /// Takes the white space before it.
    public var stripsLeft: Bool
    /// Takes the white space after it.
    public var stripsRight: Bool
    /// Looked for in the normalised text instead of the raw one.
    public var normalized: Bool
}

/// What becomes of special tokens that a text spells out.
public enum LiteralSpecialTokens: Sendable {
    /// They are text like any other: who writes `<|im_end|>` into a message must not end the message.
    case text
    /// They become their ids, as Hugging Face's tokenizers do by default.
    case ids
}
