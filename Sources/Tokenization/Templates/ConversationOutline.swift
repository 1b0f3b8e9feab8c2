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

    /// What stands for the content of turn `turn`, or, behind the last turn, for the answer.
    static func mark(_ turn: Int, trimmed: TextEnds = []) -> Text { Text(Placeholder(turn, trimmed: trimmed).mark) }

    /// What a template makes of marks, and so of all contents.
    ///
    /// - Parameter trims: whether it leaves out the white space at the ends of all contents.
    public init(_ template: some ChatTemplate, _ roles: [Text], trims: Bool = false) throws(InputError) {
        func mark(_ turn: Int) -> Text { ConversationOutline.mark(turn, trimmed: trims ? .both : []) }
        prompt = try template.prompt(roles.enumerated().map { Turn(role: $1, content: mark($0)) })
        answer = try template.response(mark(roles.count), to: prompt)
        self.roles = roles
        demands = trims ? (0 ... roles.count).map { ContentDemand(of: Placeholder($0), .isNotBlank) } : []
    }

    init(roles: [Text], prompt: RenderedPrompt, answer: RenderedResponse, demands: [ContentDemand]) {
        (self.roles, self.prompt, self.answer, self.demands) = (roles, prompt, answer, demands)
    }
}
