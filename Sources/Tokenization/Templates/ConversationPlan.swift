import JSON
import Jinja
import RecordStream
import SystemIO

/// An outline made ready for encoding: the ids of what is the same in every conversation, and which contents are encoded between them.
///
/// The plain way to the same ids is `TemplateEncoder.encodePrompt` and `encodeResponse`.
final class ConversationPlan: Sendable {
    /// Without arrays, so that it is read without counting references.
    fileprivate struct Step {
        enum Kind { case ids, text, turnStart }
        var kind: Kind
        /// In `ids`, or in `parts`.
        var range = 0 ..< 0
        var leadingMark = false
    }

    fileprivate struct Part {
        enum Kind { case fixed, content, turnStart }
        var kind: Kind
        /// In `fixed`.
        var range = 0 ..< 0
        var content = Placeholder(0)
    }

    /// A prompt or an answer.
    fileprivate struct Course: Sendable {
        var steps: [Step] = []
        /// What steps and parts refer to.
        var ids: [UInt32] = [], parts: [Part] = [], fixed: [UInt8] = []
        /// What encoding the fixed texts altered.
        var counts = EncodingScratch.Counts()
    }

    let roles: [Text]
    /// By the turn whose content they are about; the answer's are behind the turns'.
    private let demands: [[ContentDemand]]
    private let prompt, answer: Course
    /// Turns of which the prompt has a text without its outer white space.
    private let trimmedTurns: [Placeholder]
    /// The answer's pieces up to its stop token, where some text in them is trimmed; else none.
    private let trimmedAnswer: [TemplatePiece]

    /// - Parameter id: of a special token.
    init(_ outline: ConversationOutline, _ tokenizer: Tokenizer, scratch: EncodingScratch, id: (String) throws(InputError) -> UInt32) throws(InputError) {
        roles = outline.roles
        demands = (0 ... outline.roles.count).map { turn in outline.demands.filter { $0.placeholder.number == turn } }
        prompt = try Course(outline.prompt.pieces, starts: outline.prompt.turnStarts, isPrompt: true, tokenizer, scratch, id)
        answer = try Course(outline.answer.pieces, starts: [], isPrompt: false, tokenizer, scratch, id)
        trimmedTurns = prompt.parts.map(\.content).filter { !$0.trimmed.isEmpty }
        trimmedAnswer = answer.parts.contains { !$0.content.trimmed.isEmpty } ? outline.answer.pieces.dropLast() : []
    }

    /// The turns' contents and, behind them, an answer where one is encoded.
    struct Contents {
        var texts: [UnsafeBufferPointer<UInt8>] = []
        /// Whether somebody has looked whether all are.
        var areUTF8 = false
    }

    /// Whether it holds for conversations with such a content in a turn, or as the answer.
    func holds(for content: UnsafeBufferPointer<UInt8>, in turn: Int) -> Bool {
        !content.isEmpty && content.count <= Placeholders.greatestContent && demands[turn].allSatisfy { $0.isMet(by: content) }
    }

    /// Turns that the prompt's text is trimmed of, as `ModelTemplate.prompt` counts them.
    func trimmedTurns(_ contents: Contents) -> Int { trimmedTurns.count { $0.text(of: contents.texts[$0.number]).count < contents.texts[$0.number].count } }

    /// Whether the answer is trimmed, as `ModelTemplate.response` has it: it stands nowhere as a whole.
    func trimsAnswer(_ contents: Contents) -> Bool {
        guard !trimmedAnswer.isEmpty, let answer = contents.texts.last, Placeholder(0, trimmed: .both).text(of: answer).count < answer.count else { return false }
        let text = trimmedAnswer.reduce(into: [UInt8]()) { bytes, piece in
            switch piece {
            case .special(let name): bytes += name.utf8
            case .text(let text):
                for part in Placeholder.parts(of: text.bytes) {
                    switch part {
                    case .fixed(let more): bytes += more
                    case .content(let content): bytes += content.text(of: contents.texts[content.number])
                    }
                }
            }
        }
        return !MarkedText(text).contains(Array(answer))
    }

    /// Appends the ids of a prompt and where its turns start, as numbers of its own ids.
    func encodePrompt(_ contents: Contents, _ tokenizer: Tokenizer, into ids: inout [UInt32], turnStarts: inout [UInt32], text: inout [UInt8],
                      scratch: EncodingScratch) throws(InputError) {
        let first = ids.count, given = turnStarts.count
        try prompt.encode(contents, tokenizer, &ids, &turnStarts, &text, scratch)
        for at in given ..< turnStarts.count { turnStarts[at] -= UInt32(truncatingIfNeeded: first) }
    }

    /// Appends the ids of an answer.
    func encodeAnswer(_ contents: Contents, _ tokenizer: Tokenizer, into ids: inout [UInt32], text: inout [UInt8],
                      scratch: EncodingScratch) throws(InputError) {
        var none: [UInt32] = []
        try answer.encode(contents, tokenizer, &ids, &none, &text, scratch)
    }
}

extension ConversationPlan.Course {
    init(_ pieces: [TemplatePiece], starts: [Int], isPrompt: Bool, _ tokenizer: Tokenizer, _ scratch: EncodingScratch,
         _ id: (String) throws(InputError) -> UInt32) throws(InputError) {
        scratch.counts = .init()
        var starts = starts[...], isFirstText = isPrompt
        /// The text between two special tokens, and before which of its parts turns start.
        var text: [Placeholder.Part] = [], startsInText: [Int] = []

        for (index, piece) in pieces.enumerated() {
            while starts.first == index {
                startsInText.append(text.count)
                starts.removeFirst()
            }
            switch piece {
            case .text(let more): text += Placeholder.parts(of: more.bytes)
            case .special(let name):
                try finish()
                add([try id(name)])
            }
        }
        startsInText += starts.map { _ in text.count }
        try finish()
        counts = scratch.counts

        func finish() throws(InputError) {
            addStarts { $0 == 0 }
            let isFixed = text.allSatisfy { if case .fixed = $0 { true } else { false } } && startsInText.allSatisfy { $0 == text.count }
            if isFixed {
                let bytes = text.reduce(into: [UInt8]()) { bytes, part in if case .fixed(let more) = part { bytes += more } }
                if !bytes.isEmpty { try add(tokenizer.encode(bytes, leadingMark: isFirstText, scratch: scratch)) }
            } else {
                let first = parts.count
                for (number, part) in text.enumerated() {
                    for _ in startsInText.filter({ $0 == number }) { parts.append(.init(kind: .turnStart)) }
                    switch part {
                    case .fixed(let bytes):
                        parts.append(.init(kind: .fixed, range: fixed.count ..< fixed.count + bytes.count))
                        fixed += bytes
                    case .content(let content): parts.append(.init(kind: .content, content: content))
                    }
                }
                steps.append(.init(kind: .text, range: first ..< parts.count, leadingMark: isFirstText))
            }
            addStarts { $0 == text.count }
            if !text.isEmpty { isFirstText = false }
            text.removeAll()
            startsInText.removeAll()
        }

        /// Starts at an edge of the text need no look at its tokens.
        func addStarts(_ isThere: (Int) -> Bool) {
            steps += startsInText.filter(isThere).map { _ in .init(kind: .turnStart) }
            startsInText.removeAll(where: isThere)
        }

        func add(_ more: [UInt32]) {
            if let last = steps.last, last.kind == .ids { steps[steps.count - 1].range = last.range.lowerBound ..< ids.count + more.count } else {
                steps.append(.init(kind: .ids, range: ids.count ..< ids.count + more.count))
            }
            ids += more
        }
    }

    /// Appends ids, and where turns start as numbers of `ids`.
    func encode(_ contents: ConversationPlan.Contents, _ tokenizer: Tokenizer, _ ids: inout [UInt32], _ turnStarts: inout [UInt32], _ text: inout [UInt8],
                _ scratch: EncodingScratch) throws(InputError) {
        scratch.counts += counts
        for step in steps {
            switch step.kind {
            case .turnStart: turnStarts.append(UInt32(truncatingIfNeeded: ids.count))
            case .ids: ids.append(contentsOf: self.ids[step.range])
            case .text:
                let first = parts[step.range.lowerBound]
                if step.range.count == 1, first.kind == .content {
                    // Where it lies.
                    try tokenizer.encode(first.content.text(of: contents.texts[first.content.number]), leadingMark: step.leadingMark, isUTF8: contents.areUTF8, into: &ids, scratch: scratch)
                } else {
                    try encode(step, contents, tokenizer, &ids, &turnStarts, &text, scratch)
                }
            }
        }
    }

    private func encode(_ step: ConversationPlan.Step, _ contents: ConversationPlan.Contents, _ tokenizer: Tokenizer, _ ids: inout [UInt32], _ turnStarts: inout [UInt32],
                        _ text: inout [UInt8], _ scratch: EncodingScratch) throws(InputError) {
        let before = ids.count
        var startsInText: [Int] = []
        text.removeAll(keepingCapacity: true)
        for part in parts[step.range] {
            switch part.kind {
            case .fixed: text.append(contentsOf: fixed[part.range])
            case .content: text.append(contentsOf: part.content.text(of: contents.texts[part.content.number]))
            case .turnStart: startsInText.append(text.count)
            }
        }
        try tokenizer.encodeAll(text, leadingMark: step.leadingMark, into: &ids, scratch: scratch)
        for start in startsInText {
            let shared = try tokenizer.sharedIDs(text, upTo: start, leadingMark: step.leadingMark, with: ids[before...], scratch: scratch)
            // What lies before one turn lies before the next.
            turnStarts.append(max(turnStarts.last ?? 0, UInt32(truncatingIfNeeded: before + shared)))
        }
    }
}

extension Tokenizer {
    /// How many of a text's ids lie wholly before one of its bytes, at which a turn starts: those that the text before it alone begins with too.
    func sharedIDs(_ text: [UInt8], upTo start: Int, leadingMark: Bool, with ids: ArraySlice<UInt32>, scratch: EncodingScratch) throws(InputError) -> Int {
        if start == 0 || start == text.count { return start == 0 ? 0 : ids.count }
        let counts = scratch.counts
        defer { scratch.counts = counts }
        let head = try encode(Array(text[..<start]), leadingMark: leadingMark, scratch: scratch)
        return zip(head, ids).prefix { $0 == $1 }.count
    }
}
