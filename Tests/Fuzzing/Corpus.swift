import InputFiles
import JSON
import RecordStream
import SystemIO
import TestSupport

/// What mutants are made from: the repository's fixtures.
struct Corpus {
    /// Lines of one source of preference data.
    struct Source {
        var name: String
        var lines: [[UInt8]]
    }

    /// A golden stream with what it holds.
    struct Stream {
        var name: String
        var bytes: [UInt8]
        var dissected: DissectedStream
        var content: StreamContent
    }

    let sources: [Source]
    /// Of a layout that no source has, and the map that describes it.
    let mapped: (lines: [[UInt8]], map: [UInt8])
    let streams: [Stream]
    let vocabularies: [VocabularySample]
    /// What `uf-records view` shows of the streams.
    let views: [(head: StreamHead, lines: [[UInt8]])]

    /// Of each file no more than this is taken: mutants shall be small, and many.
    private static let mostLines = 8, longestLine = 8000

    /// Whether this release has a type for the records of a schema.
    static func knows(_ schema: Schema) -> Bool { (RatedRecord.schemas + TokensRecord.schemas + PackedBin.schemas + LogProbRecord.schemas).contains(schema) }

    init() throws {
        let texts = files(in: Fixtures.path("sources")) + files(in: Fixtures.path("ultrafeedback"))
        var sources: [Source] = []
        for path in texts where [".jsonl", ".jsonl.gz", ".json"].contains(where: path.hasSuffix) && !path.contains("/forum.") {
            let inputs = DecodedInputs([path]), reader = ChunkReader(inputs)
            var lines: [[UInt8]] = []
            try reader.next()?.forEachRecord { bytes, _, _ in
                if lines.count < Self.mostLines, bytes.count <= Self.longestLine { lines.append(Array(bytes)) }
            }
            if !lines.isEmpty { sources.append(Source(name: AtomicFile.lastComponent(of: path), lines: lines)) }
        }
        self.sources = sources
        let forum = try readWholeFile(Fixtures.path("sources/forum.jsonl"))
        mapped = (forum.split(separator: 0x0A).map(Array.init), try readWholeFile(Fixtures.path("sources/forum.map.json")))
        streams = try files(in: Fixtures.path("streams")).filter { $0.hasSuffix(".uf") && !$0.contains("/bad-") }.map { path in
            let bytes = try readWholeFile(path)
            return Stream(name: AtomicFile.lastComponent(of: path), bytes: bytes, dissected: try DissectedStream(bytes), content: try StreamContent(bytes))
        }
        vocabularies = try VocabularySample.all()
        views = streams.filter { $0.name.hasSuffix("-none.uf") }.map { ($0.content.head, $0.content.lines) }
        guard sources.count > 15, streams.count > 12, views.count == 9 else { throw Failure("the fixtures are not there") }
    }
}
