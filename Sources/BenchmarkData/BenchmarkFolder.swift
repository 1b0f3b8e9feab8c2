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

/// A benchmark's documents by split; nil where the folder lacks the file.
public struct BenchmarkSplits<Document: Sendable>: Sendable {
    public var train: [Document]?
    public var validation: [Document]?
    public var test: [Document]
    /// What was read: train, validation, test, as far as they are there.
    public var files: [BenchmarkFile]
}

extension BenchmarkFolder {
    /// ARC-Challenge. The test file must be there; train and validation (which only supply worked examples) may be absent.
    public func arcChallenge() throws -> BenchmarkSplits<ARCDocument> {
        func names(_ original: String, _ flattened: String) -> [String] {
            ["", "arc/", "ARC-Challenge/"].flatMap { ["\($0)ARC-Challenge-\(original).jsonl", "\($0)arc_\(flattened).jsonl"] }
        }
        let testPath = try require(names("Test", "test"), of: "ARC-Challenge test")
        var files: [BenchmarkFile] = []
        func read(_ path: String) throws -> [ARCDocument] {
            let (documents, file) = try ARCDocument.readWithFile(path)
            files.append(file)
            return documents
        }
        let train = try find(names("Train", "train")).map(read), validation = try find(names("Dev", "validation")).map(read)
        let test = try read(testPath)
        return BenchmarkSplits(train: train, validation: validation, test: test, files: files)
    }
}
