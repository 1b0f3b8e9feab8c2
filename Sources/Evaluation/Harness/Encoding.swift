import JSON
import SystemIO

/// What the harness needs of a tokenizer.
public struct HarnessTokenizer {
    /// The ids of a text; the flag says whether the special tokens that the tokenizer puts around a text by itself (BOS) are wanted.
    public var encode: (_ text: Text, _ addSpecialTokens: Bool) throws -> [UInt32]
    /// What stands in front of a continuation that has no context: BOS, else EOS.
    public var prefixToken: UInt32?
    /// Its text: a context that starts with it gets no second one.
    public var prefixText: Text

    public init(prefixToken: UInt32?, prefixText: Text, encode: @escaping (Text, Bool) throws -> [UInt32]) {
        self.encode = encode
        self.prefixToken = prefixToken
        self.prefixText = prefixText
    }
}

/// A request in token ids, cut to the model's window. `context` and `continuation` together are fed, the last token apart.
public struct EncodedRequest: Sendable, Equatable {
    public var context: [UInt32]
    public var continuation: [UInt32]
    /// Tokens that the window took from the start of the context.
    public var cut: Int
}

extension HarnessTokenizer {
    /// lm-eval's encoding of a request: the white space that ends the context goes to the continuation; the continuation's ids are those of
    /// both texts together after as many as the context alone has. (When the two merge across the boundary, ids are sliced all the same.)
    /// - Parameter window: the model's context length; the context is cut at its left to fit.
    /// Throws `.invalidData` for a continuation of no tokens or one that is longer than the window.
    public func encode(_ request: LogLikelihoodRequest, window: Int) throws -> EncodedRequest {
        var (context, continuation) = try pair(request)
        guard !context.isEmpty else { throw InputError("nothing stands before the continuation to predict it from: the context is empty and the tokenizer adds no BOS") }
        guard !continuation.isEmpty else { throw InputError("the continuation has no tokens") }
        guard continuation.count <= window else {
            throw InputError("the continuation has \(continuation.count) tokens, the model's context holds \(window)")
        }
        // The last token is predicted, not fed: window + 1 tokens fit.
        let cut = max(0, context.count + continuation.count - (window + 1))
        context.removeFirst(cut)
        return EncodedRequest(context: context, continuation: continuation, cut: cut)
    }

    private func pair(_ request: LogLikelihoodRequest) throws -> (context: [UInt32], continuation: [UInt32]) {
        if request.context.isEmpty {
            var continuation = try encode(request.continuation, false)
            guard let prefixToken else { return ([], continuation) }
            guard continuation.first == prefixToken else { return ([prefixToken], continuation) }
            continuation.removeFirst()
            return ([prefixToken], continuation)
        }
        // Both together are the same text wherever the white space between them is counted to; only where it is cut differs.
        let context = try encode(request.context.trailingSpaceStripped)
        let whole = try encode(request.context + request.continuation)
        return (context, Array(whole.dropFirst(context.count)))
    }

    private func encode(_ text: Text) throws -> [UInt32] {
        let startsWithPrefix = !prefixText.isEmpty && text.bytes.starts(with: prefixText.bytes)
        return try encode(text, !startsWithPrefix)
    }
}
