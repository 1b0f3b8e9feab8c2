import Glibc
import SystemIO

/// A folder of benchmark files as their publishers name them.
public struct BenchmarkFolder: Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// The first of these files that is there, relative to the folder.
    func find(_ names: [String]) -> String? {
        names.lazy.map { path + "/" + $0 }.first { access($0, F_OK) == 0 }
    }

    /// As `find`; throws `.missingInput` with the names that were looked for.
    func require(_ names: [String], of benchmark: String) throws -> String {
        if let found = find(names) { return found }
        throw InputError("\(path): no \(benchmark) file there; looked for \(names.joined(separator: ", "))", status: .missingInput)
    }
}

/// A benchmark's documents by split; nil where the folder lacks the file. `files` are the paths that were read, in a fixed order.
public struct BenchmarkSplits<Document: Sendable>: Sendable {
    public var train: [Document]?
    public var validation: [Document]?
    public var test: [Document]
    public var files: [String]

    public init(train: [Document]?, validation: [Document]?, test: [Document], files: [String]) {
        self.train = train
        self.validation = validation
        self.test = test
        self.files = files
    }
}

extension BenchmarkFolder {
    /// ARC-Challenge. The test file must be there; train and validation (which only supply worked examples) may be absent.
    public func arcChallenge() throws -> BenchmarkSplits<ARCDocument> {
        func names(_ original: String, _ flattened: String) -> [String] {
            ["", "arc/", "ARC-Challenge/"].flatMap { ["\($0)ARC-Challenge-\(original).jsonl", "\($0)arc_\(flattened).jsonl"] }
        }
        let test = try require(names("Test", "test"), of: "ARC-Challenge test")
        let train = find(names("Train", "train")), validation = find(names("Dev", "validation"))
        return BenchmarkSplits(
            train: try train.map(ARCDocument.read), validation: try validation.map(ARCDocument.read), test: try ARCDocument.read(test),
            files: [train, validation, test].compactMap { $0 })
    }
}
