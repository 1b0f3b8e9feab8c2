/// How text is cut before pairs are counted, by the name of the model that is known for it.
public enum TrainingPattern: String, Sendable, CaseIterable {
    case gpt2, llama3, qwen2, smollm2

    var pieces: PiecePattern {
        switch self {
        case .gpt2: .gpt2(isolatesDigits: false)
        case .llama3: .llama3(mostDigits: 3)
        case .qwen2: .llama3(mostDigits: 1)
        case .smollm2: .gpt2(isolatesDigits: true)
        }
    }

    /// Whether text is brought to normalisation form C first.
    var composes: Bool { self == .qwen2 }

    /// The expression of a Split step; nil where ByteLevel's own cuts.
    var expression: String? {
        switch self {
        case .llama3: PiecePattern.llama3Expression
        case .qwen2: PiecePattern.qwen2Expression
        case .gpt2, .smollm2: nil
        }
    }
}
