import InputFiles
import JSON
import SystemIO

/// How a file holds its documents.
enum DocumentSyntax {
    /// One JSON object a line, or an array of them.
    case json
    case csv
    /// The two that only the Winograd schemas come in.
    case schemaCollection
    case maskedSentences

    /// No document of a benchmark comes near; a longer line or row is no document.
    static let longestDocument = 1 << 24

    /// What the current input of `inputs` is in, by its name or else its first bytes; nil for none of these.
    /// - Parameter mayBeOther: whether it is one of those that lie beside a benchmark: then only what no other text looks like is taken for documents.
    init?(of inputs: DecodedInputs, name: String, mayBeOther: Bool) throws {
        if name.hasSuffix(".csv") {
            self = .csv
        } else if name.hasSuffix(".xml") {
            self = .schemaCollection
        } else if name.hasSuffix(".json") || name.hasSuffix(".jsonl") {
            self = .json
        } else {
            var head = try inputs.peek(4096)
            if head.starts(with: [0xEF, 0xBB, 0xBF]) { head = head.dropFirst(3) }
            let first = head.first { $0 != 0x20 && !(0x09 ... 0x0D).contains($0) }
            if WSC273Document.isMaskedText(head) {
                self = .maskedSentences
                return
            }
            guard !mayBeOther else { return nil }
            switch first {
            case UInt8(ascii: "{"), UInt8(ascii: "["), nil: self = .json
            case UInt8(ascii: "<"): self = .schemaCollection
            default: return nil
            }
        }
    }

    /// Reads the current input of `inputs` to its end.
    /// - Parameter benchmark: what the documents are of; nil: told by the first of them.
    func read(_ inputs: DecodedInputs, as benchmark: inout Benchmark?, _ body: (any BenchmarkDocument) throws -> Void) throws {
        switch self {
        case .json: try readJSON(inputs, &benchmark, body)
        case .csv: try readRows(inputs, &benchmark, body)
        case .schemaCollection, .maskedSentences:
            guard benchmark == nil || benchmark == .wsc273 else {
                throw InputError("\(inputs.name): Winograd schemas, expected a file of \(benchmark?.rawValue ?? "")")
            }
            benchmark = .wsc273
            try self == .maskedSentences ? WSC273Document.readMaskedSentences(inputs, body) : WSC273Document.readCollection(inputs, body)
        }
    }

    private func readJSON(_ inputs: DecodedInputs, _ benchmark: inout Benchmark?, _ body: (any BenchmarkDocument) throws -> Void) throws {
        let chunks = ChunkReader(inputs, maximumRecord: DocumentSyntax.longestDocument, onlyCurrent: true)
        let parser = JSONParser(limits: JSONLimits(maximumDepth: 16, skipsByteOrderMark: false))
        var type = benchmark.map(DocumentSyntax.type)
        while let chunk = try chunks.next() {
            try chunk.forEachRecord { bytes, _, place in
                do {
                    try body(parser.read(bytes) { document -> any BenchmarkDocument in
                        let known = try type ?? DocumentSyntax.recognise(document)
                        type = known
                        guard document.kind == .object else {
                            throw InputError("found \(document.typeName), expected \(known.benchmark.documentName) (an object)")
                        }
                        return try known.init(document, at: place)
                    })
                } catch let error as JSONError {
                    // An element of an array may span lines, its columns are none of the input's.
                    throw InputError("\(place)" + (place.unit == .line ? error.column.map { ", column \($0)" } ?? "" : "") + ": invalid JSON: \(error.message)")
                } catch let error as InputError {
                    throw error.at("\(place)")
                }
            }
        }
        benchmark = type?.benchmark ?? benchmark
    }

    private static func type(_ benchmark: Benchmark) -> any JSONDocument.Type {
        switch benchmark {
        case .mmlu: MMLUDocument.self
        case .arc: ARCDocument.self
        case .hellaswag: HellaSwagDocument.self
        case .truthfulqa: TruthfulQADocument.self
        case .wsc273: WSC273Document.self
        case .gsm8k: GSM8KDocument.self
        }
    }

    private static func recognise(_ document: JSONCursor) throws -> any JSONDocument.Type {
        guard let members = document.members else { throw InputError("found \(document.typeName), expected a document of a benchmark (an object)") }
        let keys = Set(members.map { String(decoding: $0.key, as: UTF8.self) })
        let types = Benchmark.allCases.map(type)
        if let known = types.first(where: { $0.keys.contains { keys.isSuperset(of: $0) } }) { return known }
        let shown = keys.sorted().prefix(8).joined(separator: ", ") + (keys.count > 8 ? ", ..." : "")
        let expected = types.map { $0.keys[0].joined(separator: ", ") + " (\($0.benchmark.rawValue))" }.joined(separator: ", or ")
        throw InputError("no document of a known benchmark by its keys \(shown); expected \(expected)")
    }

    private func readRows(_ inputs: DecodedInputs, _ benchmark: inout Benchmark?, _ body: (any BenchmarkDocument) throws -> Void) throws {
        let rows = CSVReader(inputs, maximumRow: DocumentSyntax.longestDocument)
        guard var row = try rows.next() else { return }
        let header = TruthfulQADocument.Header(row)
        switch benchmark ?? (header != nil ? .truthfulqa : .mmlu) {
        case .truthfulqa:
            guard let header else { throw InputError("\(row.place): \(TruthfulQADocument.Header.expected)") }
            benchmark = .truthfulqa
            while let row = try rows.next() { try body(TruthfulQADocument(row, header)) }
        case .mmlu:
            guard row.fields.count == MMLUDocument.columns else {
                throw InputError("\(row.place): \(row.fields.count) fields, expected the \(MMLUDocument.columns) of MMLU (question, four choices, answer) "
                    + "or the names of TruthfulQA's columns")
            }
            benchmark = .mmlu
            repeat {
                try body(MMLUDocument(row))
                guard let next = try rows.next() else { break }
                row = next
            } while true
        case let other: throw InputError("\(inputs.name): CSV, in which \(other.rawValue) is not published")
        }
    }
}
