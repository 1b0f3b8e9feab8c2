import InputFiles
import JSON
import RecordStream

/// A portion of an input with the source that its records are read as.
struct SourcedChunk: Sendable {
    var chunk: InputChunk
    /// nil: no record up to the end of this chunk shows a source.
    var source: (any RecordSource)?
    /// Number of the record that showed the source; those before it are of no form that is known.
    var first = 0
    /// Whether the source was chosen by looking at the record, so that a record of another form is an error of the data.
    var isDetected = false
}

/// Hands out the chunks of the inputs, each with its source. Where none is given the first record that is JSON and shows one decides for its
/// whole input, wherever chunks are cut.
final class SourceDetector {
    private let reader: ChunkReader
    private let fixed: (any RecordSource)?
    private let table: SourceTable
    private let parser = JSONParser()
    private var input = 0
    private var found: (source: any RecordSource, first: Int)?
    /// The source of each input that showed one, with the input's name.
    private(set) var detected: [(input: String, source: String)] = []

    init(_ reader: ChunkReader, _ options: ConversionOptions) {
        self.reader = reader
        table = options.sources
        fixed = options.fixedSource
    }

    func next() throws -> SourcedChunk? {
        guard let chunk = try reader.next() else { return nil }
        if let fixed { return SourcedChunk(chunk: chunk, source: fixed) }
        if chunk.input != input { (input, found) = (chunk.input, nil) }
        if found == nil { look(in: chunk) }
        return SourcedChunk(chunk: chunk, source: found?.source, first: found?.first ?? 0, isDetected: true)
    }

    private struct Found: Error {}

    private func look(in chunk: InputChunk) {
        // Thrown only to leave the loop.
        try? chunk.forEachRecord { bytes, _, place in
            guard let source = try? parser.read(bytes, { table.detect($0) }) else { return }
            found = (source, place.number)
            detected.append((place.name, source.name))
            throw Found()
        }
    }
}
