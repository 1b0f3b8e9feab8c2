import SystemIO

extension PlainTemplate {
    /// The plain template for a vocabulary whose files do not have to say which tokens begin and end a text.
    ///
    /// In this order: what the caller names ("none" for no beginning), what the model's own configuration names, what the post-processor puts around texts,
    /// and the names that vocabularies of the known families use.
    /// - Throws: `InputError` when nothing says so.
    public init(for tokenizer: Tokenizer, beginning: String? = nil, ending: String? = nil, configured: (beginning: String?, ending: String?) = (nil, nil),
                tokenizerName: String = "the tokenizer") throws(InputError) {
        func spelled(_ id: UInt32?) -> String? {
            id.flatMap { id in tokenizer.addedTokens.first { $0.id == id } }.map { String(decoding: $0.content, as: UTF8.self) }
        }
        func known(_ names: [String]) -> String? { names.first { tokenizer.id(of: $0) != nil } }
        let first = beginning ?? configured.beginning ?? spelled(tokenizer.beginning) ?? known(["<s>", "<|begin_of_text|>", "<|endoftext|>"])
        let last = ending ?? configured.ending ?? spelled(tokenizer.ending) ?? known(["</s>", "<|end_of_text|>", "<|endoftext|>"])
        guard let first else {
            throw InputError("template plain needs a token that begins a text, and \(tokenizerName) names none; say --bos TOKEN, or --bos none")
        }
        guard let last else { throw InputError("template plain needs a token that ends a text, and \(tokenizerName) names none; say --eos TOKEN") }
        self.init(beginning: first == "none" ? nil : first, ending: last)
    }
}
