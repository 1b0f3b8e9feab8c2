import BenchmarkData
import InputFiles
import JSON

/// A record that was left out because it shares text with a benchmark.
public struct Contamination: Sendable {
    public enum Part: Sendable, Equatable, CustomStringConvertible {
        /// By their index in the record.
        case turn(Int), response(Int)

        public var description: String {
            switch self {
            case .turn(let index): "turn \(index)"
            case .response(let index): "response \(index)"
            }
        }
    }

    /// Of the record.
    public var place: RecordPlace
    public var part: Part
    public var benchmark: Benchmark
    /// Of the first document that holds the words.
    public var document: RecordPlace
    /// The first run of words that the two share, as they were compared.
    public var words: Text
}

extension Contamination {
    init(_ place: RecordPlace, _ part: Part, _ overlap: OverlapIndex.Overlap) {
        self.init(place: place, part: part, benchmark: overlap.document.benchmark, document: overlap.document.place, words: overlap.words)
    }

    var json: JSONValue {
        .object([
            ("benchmark", .string(benchmark.rawValue)), ("document", .string("\(document)")), ("input", JSONValue(place.input)), ("in", .string("\(part)")),
            (place.unit.rawValue, JSONValue(place.number)), ("words", .string("\(words)")),
        ])
    }
}

extension Conversion {
    /// For the report: the benchmarks' files, and every record that was left out with what it matched; nil without decontamination.
    public var decontaminationJSON: JSONValue? {
        guard let files = options.decontamination?.files else { return nil }
        return .object([
            ("sha256", .string(files.sha256)),
            ("files", .array(files.files.map { file in
                .object([
                    ("benchmark", .string(file.benchmark.rawValue)), ("documents", JSONValue(file.documents)), ("path", .string(file.path)),
                    ("sha256", .string(file.sha256)),
                ])
            })),
            ("passed_over", .array(files.passedOver.map { .string($0) })),
            ("removed", .array(contaminations.map(\.json))),
        ])
    }

    /// Benchmark, documents compared with, records left out: as cells.
    public var decontaminationRows: [[String]] {
        guard let files = options.decontamination?.files.files else { return [] }
        return Benchmark.allCases.compactMap { benchmark in
            let documents = files.filter { $0.benchmark == benchmark }.reduce(0) { $0 + $1.documents }
            return documents == 0 ? nil : [benchmark.rawValue, "\(documents)", "\(contaminations.count { $0.benchmark == benchmark })"]
        }
    }
}
