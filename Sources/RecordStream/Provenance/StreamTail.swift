import JSON
import SystemIO

/// What a stream says after its last record: what was read and what became of it.
public struct StreamTail: Sendable, Equatable, CanonicalPayload {
    static let part = "tail"

    /// One input of the stage, in order.
    public enum Input: Sendable, Equatable {
        /// A raw file (one member of an archive), by the SHA-256 and length of its decoded bytes.
        case raw(sha256: String, bytes: Int)
        /// A record stream, by its digests, with its own tail.
        indirect case stream(digest: String, content: String, records: Int, tail: StreamTail)
    }

    public var inputs: [Input]
    /// Counts by name, in any nesting: records in and out, dropped by reason, oddities.
    public var counts: JSONValue
    /// Licence of each source of data, where it is known.
    public var licences: [String: String]

    public init(inputs: [Input] = [], counts: JSONValue = .object([JSONMember]()), licences: [String: String] = [:]) {
        self.inputs = inputs
        self.counts = counts
        self.licences = licences
    }

    /// Licences of several streams together. A source that stands in them with different ones has them all, in alphabetical order with "; " between.
    public static func licences(of tails: some Sequence<StreamTail>) -> [String: String] {
        tails.reduce(into: [:]) { all, tail in
            all.merge(tail.licences) { one, other in
                // What is the same stays as it was written, a semicolon in it too.
                one == other ? one : Set([one, other].flatMap { $0.split(separator: ";").map { String($0.trimmingPrefix { $0 == " " }) } }).sorted().joined(separator: "; ")
            }
        }
    }

    private static let deepest = 64

    var json: JSONValue {
        .object([
            ("counts", counts), ("inputs", .array(inputs.map(\.json))),
            ("licences", .object(licences.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
        ])
    }

    init(json: JSONValue) throws { try self.init(json: json, depth: 0) }

    fileprivate init(json: JSONValue, depth: Int) throws {
        guard depth < StreamTail.deepest, let counts = json["counts"], let inputs = json["inputs"]?.array, let licences = json["licences"]?.object else {
            throw InputError("counts, inputs or licences is missing")
        }
        self.counts = counts
        self.inputs = try inputs.map { try Input(json: $0, depth: depth) }
        self.licences = Dictionary(licences.map { ($0.key.description, $0.value.string ?? "") }, uniquingKeysWith: { $1 })
    }
}

extension StreamTail.Input {
    var json: JSONValue {
        switch self {
        case .raw(let sha256, let bytes): .object([("bytes", JSONValue(bytes)), ("sha256", .string(sha256))])
        case .stream(let digest, let content, let records, let tail):
            .object([("content", .string(content)), ("records", JSONValue(records)), ("stream", .string(digest)), ("tail", tail.json)])
        }
    }

    init(json: JSONValue, depth: Int) throws {
        if let sha256 = json["sha256"]?.string, let bytes = json["bytes"]?.int, Name.isDigest(sha256), bytes >= 0 {
            self = .raw(sha256: sha256, bytes: bytes)
        } else if let digest = json["stream"]?.string, let content = json["content"]?.string, let records = json["records"]?.int,
            let tail = json["tail"], Name.isDigest(digest), Name.isDigest(content), records >= 0
        {
            self = .stream(digest: digest, content: content, records: records, tail: try StreamTail(json: tail, depth: depth + 1))
        } else {
            throw InputError("an input is malformed")
        }
    }
}

extension RecordStreamReader {
    /// This stream as the input of the next stage. Only for a stream that was read to its end.
    public func asInput() throws -> StreamTail.Input {
        guard let tail, let digest = streamDigest, let content = contentDigest else {
            throw InputError("\(name): a stream's digest was asked for before its end was read", status: .internalError)
        }
        return .stream(digest: digest, content: content, records: recordsRead, tail: tail)
    }
}
