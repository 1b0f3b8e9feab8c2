import Checksums
import Glibc
import InputFiles
import SystemIO

/// A file that documents came from.
public struct BenchmarkFile: Sendable, Equatable {
    /// With the member's name after it for a file in an archive.
    public var path: String
    /// Of the decoded bytes.
    public var sha256: String
    public var benchmark: Benchmark
    public var documents: Int
}

/// Published files of any benchmarks, whatever they are called: each shows by its content which benchmark it is of.
public struct BenchmarkFiles: Sendable {
    /// In the order in which they were read: operands as given, the files of a folder and its subfolders by their names.
    public private(set) var files: [BenchmarkFile] = []
    /// What lies beside them in folders and archives and is no benchmark by its name: README, LICENSE.
    public private(set) var passedOver: [String] = []

    /// What the files hold, whatever they are called, in which order they come and how they are packed: SHA-256 of their own digests as sorted lines, each
    /// once.
    public var sha256: String {
        SHA256.hexDigest(of: Array(Set(files.map(\.sha256)).sorted().map { $0 + "\n" }.joined().utf8))
    }

    /// Reads files and folders, and hands on the documents one by one.
    /// - Parameters:
    ///   - benchmark: what the files are of; nil: each shows it itself.
    /// A file that is named, or whose name ends in .csv, .json, .jsonl or .xml, must be one of a benchmark. Throws `.invalidData` with the place where it is
    /// not, `.missingInput` for what cannot be opened.
    public static func read(_ operands: [String], as benchmark: Benchmark? = nil, _ body: (any BenchmarkDocument) throws -> Void) throws -> BenchmarkFiles {
        var found = BenchmarkFiles()
        for operand in operands {
            let before = found.files.count
            let isNamed = !isFolder(operand)
            for path in isNamed ? [operand] : try filesBelow(operand) { try found.read(path, isNamed: isNamed, benchmark, body) }
            guard found.files.count > before else {
                let names = Benchmark.allCases.map(\.rawValue).joined(separator: ", ")
                throw InputError("\(operand): no benchmark file there; expected published files of \(names)")
            }
        }
        return found
    }

    private mutating func read(_ path: String, isNamed: Bool, _ benchmark: Benchmark?, _ body: (any BenchmarkDocument) throws -> Void) throws {
        let inputs = DecodedInputs([path])
        while try inputs.next() {
            let lastName = (inputs.member.isEmpty ? path : inputs.member).split(separator: "/").last.map(String.init) ?? path
            let name = withoutCompression(lastName)
            let must = isNamed && inputs.member.isEmpty || !name.hasPrefix(".") && dataSuffixes.contains { name.hasSuffix($0) }
            guard let syntax = try DocumentSyntax(of: inputs, name: name, mayBeOther: !must) else {
                guard !must else {
                    throw InputError("\(inputs.name): no file of a known benchmark; expected JSON, CSV, or the Winograd schemas as XML or text (see --help)")
                }
                passedOver.append(inputs.name)
                try inputs.skip()
                continue
            }
            var kind = benchmark, count = 0
            try syntax.read(inputs, as: &kind) {
                count += 1
                try body($0)
            }
            guard count > 0, let kind, let digest = inputs.digests.last else {
                throw InputError("\(inputs.name): no documents, expected \(benchmark?.documentName ?? "some") on each line or in each element of an array")
            }
            files.append(BenchmarkFile(path: inputs.name, sha256: digest.sha256, benchmark: kind, documents: count))
        }
        passedOver += inputs.passedOver
    }

    // A link that leads back to its own folder would else never end.
    private static let deepest = 16

    /// All files in a folder and its subfolders, by name; hidden ones are not there for the reader.
    private static func filesBelow(_ folder: String, depth: Int = 0) throws -> [String] {
        guard depth < deepest else { throw InputError("\(folder): folders inside folders more than \(deepest) deep") }
        guard let entries = opendir(folder) else { throw InputError.cannotOpen(folder) }
        defer { closedir(entries) }
        var names: [String] = []
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        // By bytes, not as a locale would have it.
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return try names.flatMap { name in
            let path = folder + "/" + name
            return isFolder(path) ? try filesBelow(path, depth: depth + 1) : [path]
        }
    }
}

private let dataSuffixes = [".csv", ".json", ".jsonl", ".xml"]

private func withoutCompression(_ name: String) -> String {
    for suffix in [".gz", ".bz2", ".xz", ".zst"] where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
    return name
}
