import JSON
import SystemIO

/// What a stream is beside its records: the first line of `uf-records view --with-head`, from which `uf-records import` makes the same bytes again.
///
/// `{"blocks":[...],"codec":"...","content":"...","head":"...","tail":"..."}`: the number of records in each block, how blocks are stored, the content digest, and HEAD and TAIL
/// as they are in the stream. Those two are strings, so that a tool that writes 1.0 as 1 does not change them on the way.
public struct StreamLabel: Sendable {
    public var head: StreamHead
    public var tail: StreamTail
    /// Of the records that follow.
    public var content: String
    public var codec: Codec
    /// Records of each block: a writer may have closed blocks earlier than this release's does, and the content digest is taken over blocks.
    public var blocks: [Int]

    public init(head: StreamHead, tail: StreamTail, content: String, codec: Codec, blocks: [Int]) {
        self.head = head
        self.tail = tail
        self.content = content
        self.codec = codec
        self.blocks = blocks
    }

    /// A line of JSON without its line feed.
    public func line() throws -> [UInt8] {
        try JSONValue.object([
            ("blocks", .array(blocks.map { JSONValue($0) })), ("codec", .string(codec.name)), ("content", .string(content)), ("head", .string(Text(head.payload()))),
            ("tail", .string(Text(tail.payload()))),
        ]).serialized()
    }

    /// Nil for a line that is none: a record, which has no member `head`. Throws for one that is damaged.
    public init?(line: UnsafeBufferPointer<UInt8>, name: String) throws {
        guard let value = try? JSON.parse(line), let head = value["head"]?.text, let tail = value["tail"]?.text, let content = value["content"]?.string else { return nil }
        guard let codec = value["codec"]?.string.flatMap(Codec.init(name:)) else {
            throw InputError("\(name): the head's codec is missing or unknown, expected one of \(Codec.allCases.map(\.name).joined(separator: ", "))")
        }
        let blocks = value["blocks"]?.array?.map { $0.int ?? 0 } ?? [0]
        guard blocks.allSatisfy((1 ... StreamLimits.blockRecords).contains) else {
            throw InputError("\(name): the head's blocks are missing or wrong, expected an array of numbers of records from 1 to \(StreamLimits.blockRecords)")
        }
        self.head = try head.bytes.withUnsafeBytes { try StreamHead(payload: $0, name: name) }
        self.tail = try tail.bytes.withUnsafeBytes { try StreamTail(payload: $0, name: name) }
        self.content = content
        self.codec = codec
        self.blocks = blocks
    }
}

extension StreamHead {
    /// For records that come from no stream: of a kind that this release knows, with settings as a JSON object.
    /// - Parameter record: the first one, as `RecordView` shows it; of columns that a stream of the kind may lack the new one has those that it has.
    public init(kind: String, record: JSONValue?, settings: JSONValue?, provenance: Provenance) throws {
        guard var schema = StreamHead.knownSchemas.first(where: { $0.kind == kind }) else {
            throw InputError("\(kind): an unknown kind of records; known are \(StreamHead.knownKinds.joined(separator: ", "))", status: .usage)
        }
        if schema == TokensRecord.schema, record?["answer_bounds"] != nil { schema = TokensRecord.schemaWithAnswers }
        if schema == PackedBin.schema, record?["records"]?.array?.first?["prompt_gaps"] != nil { schema = PackedBin.schemaWithGaps }
        var named: [String: JSONValue] = [:]
        for member in settings?.object ?? [] { named[member.key.description] = member.value }
        self.init(schema: schema, settings: named, provenance: provenance)
    }
}
