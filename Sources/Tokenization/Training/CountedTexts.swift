import JSON
import RecordStream
import SystemIO

/// Texts on their way to the threads that count their pieces.
public enum TextBatch: Sendable {
    /// JSON strings, one a line; `name` is what messages call the input.
    case strings(LineReader.Batch, name: String)
    case texts([[UInt8]])
}

/// The pieces of all texts, counted on several threads.
public struct CountedTexts {
    public let counts: TextCounts
    /// Distinct pieces.
    public var distinct: Int { pieces.count }
    let pieces: PieceCounts

    /// - Parameters:
    ///   - memory: bytes that learning may take for the distinct pieces: they are what grows with the texts.
    ///   - next: the next texts, nil after the last; called on the caller's thread, as is `progress`.
    /// - Throws: `InputError` for a line that is no JSON string, and where the distinct pieces need more than `memory`. Whether that is so does not depend on `workers`.
    public init(_ pattern: TrainingPattern, memory: Int, workers: Int, next: () throws -> TextBatch?, progress: () -> Void) throws {
        @Sendable func refuse(_ pieces: PieceCounts) throws(InputError) {
            guard pieces.memory > memory else { return }
            throw InputError("the texts have more distinct pieces than \(memory >> 20) MiB hold (\(pieces.count) so far); sample the texts, or allow more by --memory")
        }
        let states = try orderedMap(
            workers: workers, produce: next, makeState: { (JSONParser(), PieceCounter(pattern)) },
            transform: { state, batch in
                let (parser, counter) = state
                switch batch {
                case .texts(let texts): for text in texts { text.withUnsafeBufferPointer { counter.count($0) } }
                case .strings(let lines, let name):
                    try lines.readEach(name, parser) { cursor in
                        guard let text = cursor.stringBytes else { throw InputError("expected a JSON string, found \(cursor.typeName) (--text reads plain text)") }
                        counter.count(text)
                    }
                }
                // What one thread has met alone is too much already: then all together have.
                try refuse(counter.pieces)
            }, consume: { progress() })
        var counts = TextCounts()
        let pieces = states.first?.1.pieces ?? PieceCounts()
        for (_, counter) in states { counts += counter.counts }
        for (_, counter) in states.dropFirst() {
            pieces.add(counter.pieces)
            try refuse(pieces)
        }
        (self.counts, self.pieces) = (counts, pieces)
    }
}

extension RatedRecord {
    /// Every text that a model would read or write: system prompts, turns and responses.
    public var texts: [Text] { Set(responseSystems).filter { !$0.isEmpty }.sorted() + turns.map(\.content) + responses }
}
