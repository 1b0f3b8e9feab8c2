import JSON
import Jinja
import SystemIO

/// Conversations as a chat template writes them.
public struct ConversationRenderer: Sendable {
    public let template: Template
    /// Beside the conversation: names of special tokens, and what the caller sets. What a conversation says itself goes before them.
    public let variables: [JSONMember]
    public let settings: RenderSettings

    public init(_ template: Template, variables: [JSONMember] = [], settings: RenderSettings = RenderSettings()) {
        self.template = template
        self.variables = variables
        self.settings = settings
    }

    /// The text of one conversation: an array of messages, or an object whose `messages` they are and whose other members are variables.
    ///
    /// `add_generation_prompt` is false where nothing says otherwise, and `tools` and `documents` are none.
    public func render(_ conversation: JSONValue) throws -> MarkedText {
        var values: [(name: String, value: Value)] = [("add_generation_prompt", .boolean(false)), ("tools", .none), ("documents", .none)]
        values += variables.map { ($0.key.description, Value($0.value, origin: .template)) }
        let messages: JSONValue
        if let members = conversation.object {
            guard let found = conversation["messages"], found.array != nil else {
                throw InputError("messages is \(conversation["messages"]?.found ?? "missing"), expected an array of messages")
            }
            messages = found
            values += members.filter { $0.key != "messages" }.map { ($0.key.description, Value($0.value, origin: .caller)) }
        } else {
            guard conversation.array != nil else { throw InputError("found \(conversation.found), expected an array of messages or an object with messages") }
            messages = conversation
        }
        for (index, message) in (messages.array ?? []).enumerated() where message.object == nil {
            throw InputError("messages[\(index)] is \(message.found), expected an object with role and content")
        }
        values.append(("messages", .list((messages.array ?? []).map { Value(Self.named($0), origin: .caller) })))
        return try template.render(values, settings: settings)
    }

    /// What a model thought goes by several names; templates read the first or the second.
    private static func named(_ message: JSONValue) -> JSONValue {
        let names = ["reasoning_content", "thinking", "reasoning"]
        guard let thought = names.lazy.compactMap({ message[$0] }).first(where: { !$0.isNull }), var members = message.object else { return message }
        if message["thinking"] == nil { members.insert(JSONMember("thinking", thought), at: 0) }
        return .object(members + [JSONMember("reasoning_content", thought)])
    }

    /// Each line's conversation as a JSON string and a line end, on `workers` threads, in order. `pause` is called when all lines that have come are written and more
    /// are to be waited for.
    public func render(_ source: any ByteSource, workers: Int, write: ([UInt8]) throws -> Void, pause: () throws -> Void = {}) throws {
        try eachLine(of: source, limits: JSONLimits(refusesDuplicateKeys: true), workers: workers, makeState: {}, line: { _, cursor, output in
            output += try JSONWriter.line(Text(try render(JSONValue(cursor)).bytes))
        }, tally: { _ in }, write: { bytes, _ in try write(bytes) }, pause: pause)
    }
}

extension TextOrigin {
    /// What a conversation brings.
    static let caller = TextOrigin(rawValue: 1)
}
