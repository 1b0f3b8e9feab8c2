import JSON
import SystemIO

/// What a stream is beside its records: the first line of `uf-records view --with-head`, from which `uf-records import` makes the same bytes again.
///
/// `{"content":"...","head":"...","tail":"..."}`: the content digest, and HEAD and TAIL as they are in the stream. Those are strings, so that a tool that writes 1.0 as 1 does not
/// change them on the way.
public struct StreamLabel: Sendable {
    public var head: StreamHead
    public var tail: StreamTail
    /// Of the records that follow.
    public var content: String

    public init(head: StreamHead, tail: StreamTail, content: String) {
        self.head = head
        self.tail = tail
        self.content = content
    }

    /// A line of JSON without its line feed.
    public func line() throws -> [UInt8] {
        try JSONValue.object([
            ("content", .string(content)), ("head", .string(Text(head.payload()))), ("tail", .string(Text(tail.payload()))),
        ]).serialized()
    }

    /// Nil for a line that is none: a record, which has no member `head`.
    public init?(line: UnsafeBufferPointer<UInt8>, name: String) throws {
        guard let value = try? JSON.parse(line), let head = value["head"]?.text, let tail = value["tail"]?.text, let content = value["content"]?.string else { return nil }
        self.head = try head.bytes.withUnsafeBytes { try StreamHead(payload: $0, name: name) }
        self.tail = try tail.bytes.withUnsafeBytes { try StreamTail(payload: $0, name: name) }
        self.content = content
    }
}

extension StreamHead {
    /// For records that come from no stream: of a kind that this release knows, with settings as a JSON object.
    public init(kind: String, settings: JSONValue?, provenance: Provenance) throws {
        guard let schema = StreamHead.knownSchemas.first(where: { $0.kind == kind }) else {
            throw InputError("\(kind): an unknown kind of records; known are \(StreamHead.knownSchemas.map(\.kind).joined(separator: ", "))", status: .usage)
        }
        var named: [String: JSONValue] = [:]
        for member in settings?.object ?? [] { named[member.key.description] = member.value }
        self.init(schema: schema, settings: named, provenance: provenance)
    }
}
