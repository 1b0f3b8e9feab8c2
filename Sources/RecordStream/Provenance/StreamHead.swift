import JSON
import SystemIO

/// What a stream says before its first record.
public struct StreamHead: Sendable, Equatable, CanonicalPayload {
    static let part = "head"

    public var schema: Schema
    /// Facts about the records that their readers need: for tokens the tokenizer's digest and vocabulary size, for bins the layout.
    public var settings: [String: JSONValue]
    public var provenance: Provenance

    public init(schema: Schema, settings: [String: JSONValue] = [:], provenance: Provenance) {
        self.schema = schema
        self.settings = settings
        self.provenance = provenance
    }

    static let knownSchemas = RatedRecord.schemas + TokensRecord.schemas + PackedBin.schemas + LogProbRecord.schemas
    static var knownKinds: [String] { knownSchemas.map(\.kind).reduce(into: []) { if $0.last != $1 { $0.append($1) } } }
    private static let formatName = "uftools record stream"

    var json: JSONValue {
        .object([
            ("columns", .array(schema.columns.map(\.json))), ("format", .string(StreamHead.formatName)), ("kind", .string(schema.kind)),
            ("provenance", provenance.json), ("settings", .object(settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })),
        ])
    }

    init(json: JSONValue) throws {
        guard json["format"]?.string == StreamHead.formatName, let kind = json["kind"]?.string, let columns = json["columns"]?.array,
            let settings = json["settings"]?.object, let provenance = json["provenance"]
        else { throw InputError("format, kind, columns, settings or provenance is missing") }
        guard Name.isIdentifier(kind) else { throw InputError("its kind is no name of lower-case letters, digits and underscores") }
        guard (1 ... 256).contains(columns.count) else { throw InputError("\(columns.count) columns, expected 1 to 256") }
        let schema = try Schema(kind: kind, columns: columns.map(Column.init(json:)))
        // The very same array as the record type's: comparing the two then takes no time, so that every access can afford it.
        self.schema = StreamHead.knownSchemas.first { $0 == schema } ?? schema
        guard Set(schema.columns.map(\.name)).count == columns.count else { throw InputError("two columns have the same name") }
        self.settings = Dictionary(settings.map { ($0.key.description, $0.value) }, uniquingKeysWith: { $1 })
        self.provenance = try Provenance(json: provenance)
    }

    /// The head as the stream holds it: canonical JSON.
    public func jsonText() throws -> [UInt8] { try payload() }

    /// Refuses a stream of another kind.
    func expect(kind: String, in name: String) throws {
        guard schema.kind != kind else { return }
        throw InputError("\(name): a stream of \(schema.kind) records, expected \(kind) (\(StreamHead.maker(of: kind)))")
    }

    /// Refuses a stream whose columns are not those that this release reads.
    public func expect(_ expected: Schema, in name: String) throws {
        guard schema != expected else { return }
        throw InputError("\(name): its \(schema.kind) records are laid out otherwise than this release's (\(difference(from: expected))); make the stream again")
    }

    /// Which columns it lacks and which the other lacks, for messages.
    public func difference(from other: Schema) -> String {
        func beyond(_ one: Schema, _ other: Schema) -> String { list(one.columns.filter { !other.columns.contains($0) }.map(\.name)) }
        return "missing: \(beyond(other, schema)); unknown: \(beyond(schema, other))"
    }

    private func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

    /// Which command makes streams of a kind: for messages.
    static func maker(of kind: String) -> String {
        switch kind {
        case "rated": "uf-convert makes them"
        case "tokens": "uf-tokenize makes them"
        case "packed": "uf-pack makes them"
        case "logps": "uf-eval score makes them"
        default: "an unknown kind"
        }
    }
}
