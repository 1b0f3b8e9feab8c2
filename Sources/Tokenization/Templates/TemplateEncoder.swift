import JSON
import RecordStream
import SystemIO

/// Token ids of conversations under one template.
///
/// The prompt (with the header that opens the answer) and each answer are encoded apart, so no token spans the two; between special tokens text is encoded as
/// a whole; special tokens come from the template alone. A vocabulary that puts a space mark before text does so once, at the start of the prompt's first text.
public final class TemplateEncoder: Sendable {
    public let tokenizer: Tokenizer
    public let template: any ChatTemplate
    /// A system turn put before conversations that do not start with one.
    public let system: Text?
    /// With `assistant` the earlier answers of a prompt are encoded apart and marked.
    public let learns: LearntAnswers
    private let specialIDs: [String: UInt32]

    /// - Throws: `InputError` when the vocabulary lacks a special token of the template.
    public init(_ tokenizer: Tokenizer, _ template: any ChatTemplate, system: Text? = nil, learns: LearntAnswers = .last, tokenizerName: String = "the tokenizer") throws(InputError) {
        self.tokenizer = tokenizer
        self.template = template
        self.system = system
        self.learns = learns
        var ids: [String: UInt32] = [:]
        for name in template.specialTokens {
            guard let id = tokenizer.id(of: name) else {
                throw InputError("template \(template.name) needs the token \(name), which \(tokenizerName) lacks; choose the template that the model was trained with")
            }
            ids[name] = id
        }
        specialIDs = ids
    }

    /// The prompt's ids and turns, and what the template made of them: what answers are encoded after. A turn's start inside a text is that of the first token that the turn has a part in.
    public func encodePrompt(_ turns: [Turn], scratch: EncodingScratch) throws(InputError) -> (prompt: TokensRecord.Prompt, rendered: RenderedPrompt) {
        var turns = turns
        if let system, turns.first?.role != "system" { turns.insert(Turn(role: "system", content: system), at: 0) }
        let rendered = try template.prompt(turns)
        // Bounds of earlier answers in the rendered prompt, by and by those in its ids.
        var bounds = learns == .last ? [] : try EarlierAnswers.bounds(turns, in: rendered, template)[...], found: [UInt32] = [], at = 0
        var prompt = TokensRecord.Prompt(ids: [], turnStarts: [], roles: turns.map(\.role))
        var text: [UInt8] = [], startsInText: [Int] = []
        var isFirstText = true
        var starts = rendered.turnStarts[...]

        func finishText() throws(InputError) {
            let before = prompt.ids.count
            try text.encode(tokenizer, isFirstText, &prompt.ids, scratch)
            for start in startsInText {
                let shared = try tokenizer.sharedIDs(text, upTo: start, leadingMark: isFirstText, with: prompt.ids[before...], scratch: scratch)
                // What lies before one turn lies before the next, although a longer text may share fewer ids with the whole.
                prompt.turnStarts.append(max(prompt.turnStarts.last ?? 0, UInt32(truncatingIfNeeded: before + shared)))
            }
            if !text.isEmpty { isFirstText = false }
            text.removeAll()
            startsInText.removeAll()
        }

        func passBound() throws(InputError) {
            try finishText()
            found.append(UInt32(truncatingIfNeeded: prompt.ids.count))
            bounds.removeFirst()
        }

        for (index, piece) in rendered.pieces.enumerated() {
            while bounds.first == at { try passBound() }
            while starts.first == index {
                startsInText.append(text.count)
                starts.removeFirst()
            }
            switch piece {
            case .text(let more):
                var rest = more.bytes[...]
                while let bound = bounds.first, bound < at + rest.count {
                    text += rest.prefix(bound - at)
                    rest = rest.dropFirst(bound - at)
                    at = bound
                    try passBound()
                }
                text += rest
                at += rest.count
            case .special(let name):
                try finishText()
                try prompt.ids.append(id(name))
                at += EarlierAnswers.length(piece)
            }
        }
        while !bounds.isEmpty { try passBound() }
        startsInText += starts.map { _ in text.count }
        try finishText()
        prompt.answers = stride(from: 0, to: found.count, by: 2).compactMap { number in
            // Nothing predicts a prompt's first token.
            let start = max(1, found[number]), end = found[number + 1]
            return start < end ? start ..< end : nil
        }
        return (prompt, rendered)
    }

    /// The ids of an answer to a prompt, with its stop token, and whether the template trimmed it.
    public func encodeResponse(_ response: Text, to prompt: RenderedPrompt, scratch: EncodingScratch) throws(InputError) -> (ids: [UInt32], trimmed: Int) {
        let rendered = try template.response(response, to: prompt)
        var ids: [UInt32] = [], text: [UInt8] = []
        for (index, piece) in rendered.pieces.enumerated() {
            switch piece {
            case .text(let more):
                // The usual answer is one text, which is encoded where it lies.
                let isWhole = text.isEmpty && (index + 1 == rendered.pieces.count || rendered.pieces[index + 1].isSpecial)
                if isWhole { try more.bytes.encode(tokenizer, false, &ids, scratch) } else { text += more.bytes }
            case .special(let name):
                try text.encode(tokenizer, false, &ids, scratch)
                text.removeAll()
                try ids.append(id(name))
            }
        }
        try text.encode(tokenizer, false, &ids, scratch)
        return (ids, rendered.trimmed)
    }

    /// How conversations of these roles are encoded without asking the template; nil where it must be asked.
    func plan(_ roles: [Text], scratch: EncodingScratch) -> ConversationPlan? {
        // A refusal is left to the conversation that meets it.
        // Marks stand for contents where no text has such bytes.
        guard learns == .last, roles.allSatisfy(\.isWellFormed), let outline = try? template.outline(roles) else { return nil }
        return try? ConversationPlan(outline, tokenizer, scratch: scratch, id: id)
    }

    private func id(_ name: String) throws(InputError) -> UInt32 {
        guard let id = specialIDs[name] else { throw InputError("template \(template.name) places \(name), which it does not declare", status: .internalError) }
        return id
    }
}

extension [UInt8] {
    fileprivate func encode(_ tokenizer: Tokenizer, _ leadingMark: Bool, _ ids: inout [UInt32], _ scratch: EncodingScratch) throws(InputError) {
        guard !isEmpty else { return }
        // Four bytes are about a token; it goes on growing by itself where they are more.
        if ids.isEmpty { ids.reserveCapacity(count / 4 + 16) }
        try tokenizer.encodeAll(self, leadingMark: leadingMark, into: &ids, scratch: scratch)
    }
}
