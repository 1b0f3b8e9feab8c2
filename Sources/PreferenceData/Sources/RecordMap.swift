import Checksums
import JSON
import RecordStream
import SystemIO

/// A source that a file describes: where in a record of any JSON layout its prompt, responses and ratings stand, by JSON Pointers.
///
///     {"source": "my-set",
///      "id": "/key",
///      "system": "/persona",
///      "prompt": "/question",
///      "responses": "/answers/*/text",
///      "models": "/answers/*/author",
///      "ratings": {"quality": {"values": "/answers/*/marks/quality", "range": "0..10"}, "order": {"ranks": "/answers/*/place"}, "winner": {"best": "/won"}}}
///
/// - `source`: the name of the data; a pointer, beginning with /, takes it from each record. Absent: `map`.
/// - `id`: a string or an integer that becomes the record's id; absent, it is made from the record's text.
/// - `prompt`: the user's turn; or the turns of a conversation, `{"turns": "/dialogue/*", "role": "/speaker", "content": "/text", "roles": {"A": "user", "B": "assistant"}}`.
/// - `system`: a system turn before it.
/// - `responses`, `models`, `values`, `ranks`: a pointer with `*`, or an array of pointers, one for each response. A single pointer without `*` is a
///   single response, which is a whole record (a demonstration, or with a rating a labelled response).
/// - `ratings`: dimensions in order; `values` are ratings in `range`, `ranks` are 1 for the best, `best` is the number of the best response from 0.
public struct RecordMap: RecordSource {
    let name = "map"
    let summary = "what --map FILE describes"
    var hasRange: Bool { true }
    /// SHA-256 of the file, for provenance.
    let sha256: String

    private let source: Name
    private let id: JSONPointer?
    private let system: JSONPointer?
    private let prompt: Prompt
    private let responses: [JSONPointer]
    private let models: [JSONPointer]
    private let ratings: [(dimension: Text, rule: Rule)]

    enum Name { case literal(Text), pointer(JSONPointer) }
    enum Prompt { case text(JSONPointer), turns(JSONPointer, role: JSONPointer, content: JSONPointer, roles: [Text: Text]) }
    enum Rule { case values([JSONPointer], RatingRange), ranks([JSONPointer]), best(JSONPointer) }

    public init(file: String) throws {
        let bytes = try readWholeFile(file, limit: 1 << 20)
        do {
            let document = try JSON.parse(bytes, limits: JSONLimits(refusesDuplicateKeys: true))
            var map = try MapReader(document)
            source = try map.name("source") ?? .literal("map")
            id = try map.pointer("id")
            system = try map.pointer("system")
            prompt = try map.prompt()
            responses = try map.pointers("responses")
            models = try map.pointersIfThere("models") ?? []
            ratings = try map.ratings()
            try map.refuseOthers()
        } catch let fault as MapReader.Fault {
            throw InputError("\(file): \(fault.message)")
        } catch let fault as JSONPointer.Fault {
            throw InputError("\(file): \(fault.message)")
        } catch let fault as JSONError {
            throw InputError("\(file): \(fault.message)")
        }
        sha256 = SHA256.hexDigest(of: bytes)
    }

    func recognises(_ record: JSONCursor) -> Bool { true }

    func read(_ record: JSONCursor, range given: RatingRange?) throws -> RawPreference {
        var turns = try system.map { [Turn(role: "system", content: try text($0, in: record))] } ?? []
        turns += try promptTurns(record)
        let found = try responses.flatMap { try $0.values(in: record) }
        let texts = try found.map { path, value in
            guard let text = value?.text else { throw BadRecord.type(path, value, expected: "a string") }
            return text
        }
        func aligned(_ pointers: [JSONPointer], _ what: String) throws -> [(path: String, value: JSONCursor?)] {
            let values = try pointers.flatMap { try $0.values(in: record) }
            guard values.count == texts.count else { throw BadRecord.wrong("\(values.count) \(what) for \(texts.count) responses") }
            return values
        }
        let models = self.models.isEmpty ? nil : try aligned(self.models, "models").map { $0.value?.text ?? Text() }
        var raw = RawPreference(source: try sourceName(record), turns: turns, responses: texts, models: models)
        raw.id = try id.map { try ownID($0, in: record) }
        raw.standsAlone = responses.count == 1 && !responses[0].isList
        for (dimension, rule) in ratings {
            switch rule {
            case .values(let pointers, let own):
                let range = given ?? own
                raw.rate(dimension, in: range, try aligned(pointers, "ratings of \(dimension)").map { try RatingValue.read($0.value, path: $0.path, range: range) })
            case .ranks(let pointers):
                let ranks = try aligned(pointers, "ranks of \(dimension)")
                let (range, values) = try RatingValue.ranked(ranks.map(\.value)) { ranks[$0].path }
                raw.rate(dimension, in: range, values)
            case .best(let pointer):
                let named = try pointer.values(in: record)[0]
                raw.rate(dimension, in: RatingRange(low: 0, high: 1), try RatingValue.best(named.value, path: named.path, of: texts.count))
            }
        }
        return raw
    }

    private func text(_ pointer: JSONPointer, in record: JSONCursor) throws -> Text {
        let (path, value) = try pointer.values(in: record)[0]
        guard let text = value?.text else { throw BadRecord.type(path.isEmpty ? "the record" : path, value, expected: "a string") }
        return text
    }

    /// Ids are looked for, listed and compared: a text of pages is none.
    private static let longestID = 256

    private func ownID(_ pointer: JSONPointer, in record: JSONCursor) throws -> Text {
        let (path, value) = try pointer.values(in: record)[0]
        guard let text = value?.text ?? value?.unsigned.map({ Text("\($0)") }) ?? value?.integer.map({ Text("\($0)") }) else {
            throw BadRecord.type(path, value, expected: "a string or an integer")
        }
        guard !text.isEmpty, text.count <= RecordMap.longestID else {
            throw BadRecord.wrong("\(path) has \(text.count) bytes, expected an id of 1 to \(RecordMap.longestID)")
        }
        return text
    }

    private func sourceName(_ record: JSONCursor) throws -> Text {
        switch source {
        case .literal(let name): return name
        case .pointer(let pointer): return try text(pointer, in: record)
        }
    }

    private func promptTurns(_ record: JSONCursor) throws -> [Turn] {
        switch prompt {
        case .text(let pointer): return [Turn(role: "user", content: try text(pointer, in: record))]
        case .turns(let pointer, let role, let content, let roles):
            return try pointer.values(in: record).map { path, element in
                guard let element else { throw BadRecord.type(path, nil, expected: "a turn") }
                func part(_ pointer: JSONPointer) throws -> Text {
                    let (rest, value) = try pointer.values(in: element)[0]
                    guard let text = value?.text else { throw BadRecord.type(path + rest, value, expected: "a string") }
                    return text
                }
                let speaker = try part(role)
                return Turn(role: roles[speaker] ?? Conversation.standardRole(speaker), content: try part(content))
            }
        }
    }
}
