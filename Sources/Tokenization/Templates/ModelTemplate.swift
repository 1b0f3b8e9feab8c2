import JSON
import Jinja
import RecordStream
import SystemIO

/// A chat template in the language that models bring theirs in.
///
/// The prompt is what the template makes of its turns with `add_generation_prompt`; an answer is what it adds when the answer is there too, up to and with
/// the special token that follows it. A template that does not go on from its own prompt is refused. Special tokens are recognised only in what the template
/// itself wrote: each turn's text carries its own origin, which also tells where it came to stand.
public struct ModelTemplate: ChatTemplate {
    public let name: String
    public let template: Template
    /// The special tokens of the vocabulary, and those that the variables name.
    public let specialTokens: [String]
    /// Beside the conversation.
    public let variables: [JSONMember]
    public let settings: RenderSettings
    private let cutter: SpecialTokenCutter

    /// - Parameters:
    ///   - variables: names of special tokens, and what the caller sets; their text counts as the template's.
    ///   - required: tokens without which the template makes no sense.
    /// - Throws: `InputError` when one of those is not among the vocabulary's special tokens: spelled by ordinary ones it would be text.
    public init(_ template: Template, name: String, tokenizer: Tokenizer, variables: [JSONMember] = [], required: [String] = [],
                settings: RenderSettings = RenderSettings(), tokenizerName: String = "the tokenizer") throws(InputError) {
        self.template = template
        self.name = name
        self.variables = variables
        self.settings = settings
        let added = tokenizer.addedTokens.filter { $0.isSpecial && String(validating: $0.content, as: UTF8.self) != nil }
        for token in required where !added.contains(where: { $0.content.elementsEqual(token.utf8) }) {
            throw InputError("template \(name) needs the token \(token), which \(tokenizerName) lacks; choose the template that the model was trained with")
        }
        // Some vocabularies keep a token that begins or ends a text among the ordinary ones.
        let named = variables.filter { $0.key.description.hasSuffix("_token") }.compactMap { $0.value.string }.filter { name in
            !added.contains { $0.content.elementsEqual(name.utf8) } && tokenizer.id(of: name) != nil
        }
        specialTokens = added.map { String(decoding: $0.content, as: UTF8.self) } + named
        let tokens = added + named.map {
            AddedToken(
                id: tokenizer.id(of: $0) ?? 0, content: Array($0.utf8), isSpecial: true, singleWord: false, stripsLeft: false, stripsRight: false, normalized: false)
        }
        let beginning = variables.last { $0.key == "bos_token" }?.value.string.flatMap { tokenizer.id(of: $0) } ?? tokenizer.beginning
        cutter = SpecialTokenCutter(tokens, opening: Set([beginning].compactMap { $0 }))
    }

    public func prompt(_ turns: [Turn]) throws(InputError) -> RenderedPrompt { try prompt(turns, render, isIntact: ==).prompt }

    public func response(_ text: Text, to prompt: RenderedPrompt) throws(InputError) -> RenderedResponse {
        try response(text, to: prompt, render, forms: [text.bytes, text.trimmed().bytes])
    }

    /// By the template's treatment of placeholders, which says under which demands it treats all contents so.
    public func outline(_ roles: [Text]) throws(InputError) -> ConversationOutline? {
        // White space that such a token takes may be a content's. A role that is no word is not the template's text.
        guard !cutter.strips, roles.allSatisfy(\.isWord) else { return nil }
        var demands: [ContentDemand] = [], looksAtContents = false
        func outlined(_ turns: [Turn], opensAnswer: Bool) throws(InputError) -> MarkedText {
            guard let (result, more) = template.outline(variables(turns, opensAnswer: opensAnswer, content: { Placeholders.text($1, origin: .turn($1)) }), settings: settings) else {
                looksAtContents = true
                throw InputError("template \(name) looks at contents")
            }
            demands += more
            return try result.get()
        }
        func forms(_ turn: Int) -> [[UInt8]] { TextEnds.allCases.map { ConversationOutline.mark(turn, trimmed: $0).bytes } }
        let (prompt, isStructural) = try prompt(roles.enumerated().map { Turn(role: $1, content: ConversationOutline.mark($0)) }, outlined) { found, mark in
            roles.indices.contains { mark == ConversationOutline.mark($0).bytes && forms($0).contains(found) }
        }
        let answer = try response(ConversationOutline.mark(roles.count), to: prompt, outlined, forms: forms(roles.count))
        // Some renderings may fail: where turns start can be told without. What is altered in other ways than by trimming is counted by the plain way.
        guard !looksAtContents, isStructural, prompt.trimmed == 0 else { return nil }
        return ConversationOutline(roles: roles, prompt: prompt, answer: answer, demands: demands)
    }

    private typealias Rendering = (_ turns: [Turn], _ opensAnswer: Bool) throws(InputError) -> MarkedText

    /// - Parameter isIntact: whether what a turn's text came to is that text.
    /// - Returns: the prompt, and whether its turns start where they start for other contents too.
    private func prompt(_ turns: [Turn], _ render: Rendering, isIntact: (_ found: [UInt8], _ given: [UInt8]) -> Bool) throws(InputError)
        -> (prompt: RenderedPrompt, isStructural: Bool) {
        let whole = try render(turns, true)
        let (starts, isStructural) = TurnStarts.find(turns, in: whole, cutter) { (count) throws(InputError) in try render(Array(turns.prefix(count)), false) }
        let (pieces, turnStarts) = cutter.pieces(whole, 0 ..< whole.count, starts: starts)
        var rendered = RenderedPrompt(pieces: pieces, turnStarts: turnStarts, turns: turns, whole: whole)
        for (index, turn) in turns.enumerated() where !isIntact(whole.bytes(from: .turn(index)), turn.content.bytes) { rendered.trimmed += 1 }
        return (rendered, isStructural)
    }

    /// - Parameter forms: what the answer's text may come to: the first is that text, in the others it is trimmed.
    private func response(_ text: Text, to prompt: RenderedPrompt, _ render: Rendering, forms: [[UInt8]]) throws(InputError) -> RenderedResponse {
        let origin = TextOrigin.turn(prompt.turns.count)
        var given = text
        var whole = try render(prompt.turns + [Turn(role: "assistant", content: given)], false)
        if whole.range(of: origin) == nil {
            // Nothing, or nothing but white space: another answer shows what stands around it.
            guard text.trimmed().isEmpty else { throw refusal("leaves the answer out") }
            given = "x"
            whole = try render(prompt.turns + [Turn(role: "assistant", content: given)], false)
        }
        guard whole.hasPrefix(prompt.whole) else { throw doesNotGoOn(whole, prompt.whole) }
        guard let content = whole.range(of: origin), content.lowerBound >= prompt.whole.count else { throw refusal("does not put the answer after the prompt") }
        guard let stop = cutter.first(in: whole, from: content.upperBound) else {
            throw refusal("puts no special token of this vocabulary after an answer; training needs one to learn where to stop")
        }
        if given != text {
            let before = cutter.pieces(whole, prompt.whole.count ..< content.lowerBound).pieces
            let after = cutter.pieces(whole, content.upperBound ..< stop.upperBound).pieces
            return RenderedResponse(pieces: before + after, trimmed: text.isEmpty ? 0 : 1)
        }
        let answer = MarkedText(Array(whole.bytes[prompt.whole.count ..< stop.lowerBound]))
        let isWhole = answer.contains(forms[0])
        guard isWhole || forms.contains(where: answer.contains) else { throw refusal("changes the answer's text: it would not be what the model is to learn") }
        return RenderedResponse(pieces: cutter.pieces(whole, prompt.whole.count ..< stop.upperBound).pieces, trimmed: isWhole ? 0 : 1)
    }

    private func render(_ turns: [Turn], opensAnswer: Bool) throws(InputError) -> MarkedText {
        try template.render(variables(turns, opensAnswer: opensAnswer, content: { Value.text($0.content.bytes, origin: .turn($1)) }), settings: settings)
    }

    private func variables(_ turns: [Turn], opensAnswer: Bool, content: (_ turn: Turn, _ index: Int) -> Value) -> [(name: String, value: Value)] {
        var values: [(name: String, value: Value)] = [("tools", .none), ("documents", .none)]
        values += variables.map { ($0.key.description, Value($0.value, origin: .template)) }
        values.append(("add_generation_prompt", .boolean(opensAnswer)))
        values.append(("messages", .list(turns.enumerated().map { index, turn in
            // A role that is one word names a token of the template's ("<|" + role + "|>"); it cannot spell one by itself.
            .dictionary([
                (MarkedText("role"), .text(turn.role.bytes, origin: turn.role.isWord ? .template : .turn(index))),
                (MarkedText("content"), content(turn, index)),
            ])
        })))
        return values
    }

    // MARK: - Refusals

    private func refusal(_ why: String) -> InputError { InputError("the template \(template.name) \(why); choose another by --template") }

    private func doesNotGoOn(_ whole: MarkedText, _ prompt: MarkedText) -> InputError {
        let shared = whole.sharedPrefix(with: prompt)
        func after(_ text: MarkedText) -> String {
            let end = min(text.count, shared + 24)
            return shared < text.count ? "\"\(String(decoding: text.bytes[max(0, shared - 12) ..< end], as: UTF8.self))\"" : "its end"
        }
        return InputError(
            "the template \(template.name) writes the prompt otherwise when an answer follows: \(after(prompt)) becomes \(after(whole)) at byte \(shared)."
                + " So prompt and answer cannot be told apart; variables (--vars) may make the two agree, or choose another by --template")
    }
}

extension Text {
    fileprivate var isWord: Bool { bytes.allSatisfy { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 == 0x5F || ($0 >= 0x30 && $0 <= 0x39) } }
}

extension TextOrigin {
    /// The text of a turn.
    static func turn(_ index: Int) -> TextOrigin { TextOrigin(rawValue: UInt32(truncatingIfNeeded: index + 1)) }
}

extension MarkedText {
    /// From the first to the last byte of an origin.
    func range(of origin: TextOrigin) -> Range<Int>? {
        var start = 0, found: Range<Int>?
        for run in runs {
            if run.origin == origin { found = (found?.lowerBound ?? start) ..< run.end }
            start = run.end
        }
        return found
    }

    /// All bytes of an origin.
    func bytes(from origin: TextOrigin) -> [UInt8] {
        var start = 0, found: [UInt8] = []
        for run in runs {
            if run.origin == origin { found += bytes[start ..< run.end] }
            start = run.end
        }
        return found
    }
}
