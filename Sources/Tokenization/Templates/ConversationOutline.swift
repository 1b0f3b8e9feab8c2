import JSON
import Jinja
import RecordStream
import SystemIO

/// How a template lays out every conversation of some roles: its prompt and its answer with a mark in place of each content.
///
/// There is one only where contents stand in the conversation as they are and decide nothing else of it, as long as they meet `demands`; none is empty.
public struct ConversationOutline: Sendable {
    public var roles: [Text]
    public var prompt: RenderedPrompt
    public var answer: RenderedResponse
    public var demands: [ContentDemand]

    /// What stands for the content of turn `turn`, or, behind the last turn, for the answer: no text has such bytes, and no template takes them for white space.
    public static func mark(_ turn: Int) -> Text { Text([0xFF] + (0 ..< 4).map { UInt8(0x80 | turn >> (6 * $0) & 0x3F) }) }

    /// What a template makes of marks.
    ///
    /// - Parameter demands: under which it makes the same of all contents, of each of them.
    public init(_ template: some ChatTemplate, _ roles: [Text], demands: [ContentDemand.Kind] = []) throws(InputError) {
        prompt = try template.prompt(roles.enumerated().map { Turn(role: $1, content: ConversationOutline.mark($0)) })
        answer = try template.response(ConversationOutline.mark(roles.count), to: prompt)
        self.roles = roles
        self.demands = (0 ... roles.count).flatMap { turn in demands.map { ContentDemand(origin: .turn(turn), kind: $0) } }
    }

    init(roles: [Text], prompt: RenderedPrompt, answer: RenderedResponse, demands: [ContentDemand]) {
        (self.roles, self.prompt, self.answer, self.demands) = (roles, prompt, answer, demands)
    }

    /// A text of the outline in its parts.
    static func parts(_ text: Text) -> [Part] {
        var parts: [Part] = [], rest = text.bytes[...]
        while let mark = rest.firstIndex(of: 0xFF) {
            if mark > rest.startIndex { parts.append(.fixed(Array(rest[..<mark]))) }
            parts.append(.content((0 ..< 4).reduce(0) { $0 | Int(rest[mark + 1 + $1] & 0x3F) << (6 * $1) }))
            rest = rest[(mark + 5)...]
        }
        if !rest.isEmpty { parts.append(.fixed(Array(rest))) }
        return parts
    }

    enum Part: Equatable {
        case fixed([UInt8])
        case content(Int)
    }
}
