import InputFiles
import JSON
import SystemIO

/// The benchmarks whose published files are read.
public enum Benchmark: String, Sendable, CaseIterable {
    case mmlu, arc, hellaswag, truthfulqa, wsc273, gsm8k

    /// "an ARC question": for messages.
    var documentName: String {
        switch self {
        case .mmlu: "an MMLU question"
        case .arc: "an ARC question"
        case .hellaswag: "a HellaSwag context"
        case .truthfulqa: "a TruthfulQA question"
        case .wsc273: "a Winograd schema"
        case .gsm8k: "a GSM8K problem"
        }
    }
}

/// One document of a benchmark: what a task asks and how it may be answered, as published. What a model is shown is made of it elsewhere.
public protocol BenchmarkDocument: Sendable, Equatable {
    static var benchmark: Benchmark { get }
    /// Where it stands: what messages about it begin with.
    var place: RecordPlace { get }
    /// What is asked: the question, the context that is to be gone on with; more than one where it can be written in several ways.
    var questionTexts: [Text] { get }
    /// What it may be answered with: choices, right and wrong, or the worked answer.
    var answerTexts: [Text] { get }
}

extension BenchmarkDocument {
    /// All its text: what training data must not hold.
    public var texts: [Text] { questionTexts + answerTexts }

    /// Reads a file of this benchmark in any of its published forms, plain, compressed or inside an archive.
    /// Throws `.invalidData` with file and line for a malformed document or a file that has none, `.missingInput` when it cannot be opened.
    public static func read(_ path: String) throws -> [Self] { try readWithFile(path).documents }

    static func readWithFile(_ path: String) throws -> (documents: [Self], file: BenchmarkFile) {
        var documents: [Self] = []
        let files = try BenchmarkFiles.read([path], as: benchmark) { document in
            // A file that is read as this benchmark has no documents of another.
            if let document = document as? Self { documents.append(document) }
        }
        return (documents, files.files[0])
    }
}
