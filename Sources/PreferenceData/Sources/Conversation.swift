import JSON
import RecordStream

/// Conversations in the layouts in which sources keep them, as turns with the roles `system`, `user` and `assistant`.
enum Conversation {
    /// The layout of a list of messages.
    enum Layout {
        /// `{"role": "user", "content": "..."}`
        case openAI
        /// `{"from": "human", "value": "..."}`
        case shareGPT

        var role: StaticString { self == .openAI ? "role" : "from" }
        var content: StaticString { self == .openAI ? "content" : "value" }
    }

    /// A list of messages.
    static func messages(_ cursor: JSONCursor?, _ path: String, _ layout: Layout = .openAI, expected: String = "messages") throws -> [Turn] {
        guard let elements = cursor?.elements else { throw BadRecord.type(path, cursor, expected: expected) }
        return try elements.enumerated().map { i, element in try message(element, "\(path)[\(i)]", layout) }
    }

    /// One message.
    static func message(_ cursor: JSONCursor, _ path: String, _ layout: Layout = .openAI) throws -> Turn {
        guard cursor.kind == .object else { throw BadRecord.type(path, cursor, expected: "an object with \(layout.role) and \(layout.content)") }
        guard let role = cursor[layout.role]?.text else { throw BadRecord.type("\(path).\(layout.role)", cursor[layout.role], expected: "a string") }
        guard let content = cursor[layout.content]?.text else { throw BadRecord.type("\(path).\(layout.content)", cursor[layout.content], expected: "a string") }
        guard !cursor.holds("tool_calls") else { throw BadRecord.wrong("\(path).tool_calls: calls of tools, which a record cannot carry") }
        return Turn(role: standardRole(role), content: content)
    }

    /// ShareGPT's names of roles, and the usual ones, to the usual ones; others stay as they are.
    static func standardRole(_ role: Text) -> Text {
        if role == "human" { return "user" }
        if role == "gpt" || role == "chatgpt" || role == "bing" || role == "bard" { return "assistant" }
        return role
    }

    /// The last message as the response, those before it as the prompt.
    static func split(_ messages: [Turn], _ path: String, roleKey: StaticString = "role") throws -> (turns: [Turn], response: Text) {
        guard let last = messages.last else { throw BadRecord.wrong("\(path) has no messages") }
        guard last.role == "assistant" as Text else {
            throw BadRecord.wrong("\(path)[\(messages.count - 1)].\(roleKey) is \"\(last.role)\", expected \"assistant\" in the last message")
        }
        return (Array(messages.dropLast()), last.content)
    }

    /// What a record of text cannot carry must not be left out in silence.
    static func refuseAttachments(_ record: JSONCursor) throws {
        for key in ["tools", "images", "videos", "audios"] as [StaticString] where record.holds(key) {
            throw BadRecord.wrong("\(key): a record carries text alone; leave such records out, or take the key away")
        }
    }

    /// A transcript with marks before each turn, `\n\nHuman: ...\n\nAssistant: ...`; nil when it begins with no mark.
    /// - Parameters:
    ///   - marks: each begins with a line feed.
    ///   - dropsSpace: whether one space after a mark belongs to the mark.
    static func transcript(_ text: Text, marks: [(mark: Text, role: Text)], dropsSpace: Bool) -> [Turn]? {
        text.bytes.withUnsafeBufferPointer { bytes -> [Turn]? in
            var turns: [Turn] = []
            var role: Text?
            var start = 0, at = 0
            func close(_ end: Int) {
                guard let role else { return }
                turns.append(Turn(role: role, content: Text(bytes[(dropsSpace && start < end && bytes[start] == 0x20 ? start + 1 : start)..<end])))
            }
            while at < bytes.count {
                guard bytes[at] == 0x0A, let (mark, next) = marks.first(where: { bytes[at...].starts(with: $0.mark.bytes) }) else {
                    if role == nil { return nil }
                    at += 1
                    continue
                }
                close(at)
                role = next
                at += mark.count
                start = at
            }
            close(bytes.count)
            return turns
        }
    }

    /// The transcripts of Anthropic's and of Berkeley's data.
    static func humanAssistant(_ text: Text) -> [Turn]? {
        transcript(text, marks: [("\n\nHuman:", "user"), ("\n\nAssistant:", "assistant")], dropsSpace: true)
    }

    /// A prompt that was laid out by the ChatML template up to where the assistant speaks; nil when it is none.
    static func chatML(_ text: Text) -> [Turn]? {
        let begin: Text = "<|im_start|>", end: Text = "<|im_end|>\n", header: Text = "<|im_start|>assistant\n"
        var rest = text.bytes[...]
        guard rest.count >= header.count, rest.suffix(header.count).elementsEqual(header.bytes) else { return nil }
        rest = rest.dropLast(header.count)
        var turns: [Turn] = []
        while !rest.isEmpty {
            guard rest.starts(with: begin.bytes), let close = rest.firstRange(of: end.bytes), let line = rest.firstIndex(of: 0x0A), line < close.lowerBound else { return nil }
            turns.append(Turn(role: Text(rest[(rest.startIndex + begin.count)..<line]), content: Text(rest[(line + 1)..<close.lowerBound])))
            rest = rest[close.upperBound...]
        }
        return turns.isEmpty ? nil : turns
    }
}
