import SystemIO
import TestSupport
import Testing

/// Holds Package.swift and the sources to the direction of the arrows: C < base < tools < services < domain < commands.
@Suite struct ArchitectureTests {
    static let base: Set = ["SystemIO", "Checksums", "JSON", "PortableMath"]
    /// Between base and services: what several modules share and what stands on the base itself.
    static let tools: Set = ["SQLite", "Jinja"]
    static let services: Set = ["RecordStream", "InputFiles", "ModelFiles", "Numerics", "RunDatabase"]
    static let domain: Set = ["PreferenceData", "Tokenization", "Packing", "LanguageModel", "Alignment", "BenchmarkData", "Evaluation"]
    /// The only arrows between domain modules; otherwise they meet in the record stream.
    static let domainArrows: Set = ["Alignment>LanguageModel", "Evaluation>LanguageModel", "Evaluation>BenchmarkData", "PreferenceData>BenchmarkData"]

    struct Target {
        var name: String
        var dependencies: [String]
    }

    /// Targets and their dependencies as Package.swift writes them.
    static func targets() throws -> [Target] {
        let text = String(decoding: try readWholeFile(repositoryRoot + "/Package.swift"), as: UTF8.self)
        var found: [Target] = []
        for line in text.split(separator: "\n") {
            let line = line.trimmingPrefix { $0 == " " }
            if line.hasPrefix(".target(name:"), !line.contains("cSettings"), !line.contains("cxxSettings"), !line.contains("path:") {
                let names = quoted(line)
                found.append(Target(name: names[0], dependencies: Array(names.dropFirst())))
            } else if line.hasPrefix("command(\"") {
                let names = quoted(line)
                found.append(Target(name: names[0], dependencies: Array(names.dropFirst()) + ["CommandSupport"]))
            }
        }
        return found
    }

    static func quoted(_ line: some StringProtocol) -> [String] {
        line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    static func layer(_ name: String) -> Int {
        if base.contains(name) { return 1 }
        if tools.contains(name) { return 2 }
        if services.contains(name) { return 3 }
        if domain.contains(name) { return 4 }
        if name == "CommandSupport" { return 5 }
        return name.hasPrefix("uf-") ? 6 : 0
    }

    @Test func arrowsGoOneWay() throws {
        let targets = try Self.targets()
        #expect(targets.count == Self.base.count + Self.tools.count + Self.services.count + Self.domain.count + 1 + 6)
        for target in targets {
            for dependency in target.dependencies {
                let from = Self.layer(target.name), to = Self.layer(dependency)
                if from == 4, to == 4 {
                    #expect(Self.domainArrows.contains("\(target.name)>\(dependency)"), "\(target.name) depends on \(dependency)")
                } else {
                    #expect(from > to, "\(target.name) depends on \(dependency)")
                }
            }
        }
    }

    /// An import without a declared dependency builds by luck; one that is declared and never used is dead.
    @Test func importsAreWhatThePackageDeclares() throws {
        let system: Set = ["Glibc", "ArgumentParser", "Synchronization", "Testing"]
        let known = Self.base.union(Self.services).union(Self.domain).union(Self.tools).union(["CommandSupport"])
        for target in try Self.targets() {
            var imported: Set<String> = []
            for file in swiftFiles(in: repositoryRoot + "/Sources/" + target.name) {
                for line in String(decoding: try readWholeFile(file), as: UTF8.self).split(separator: "\n") {
                    var words = line.split(separator: " ")
                    if let first = words.first, first == "@_exported" || first == "@preconcurrency" || first == "internal" || first == "public" { words.removeFirst() }
                    guard words.count >= 2, words[0] == "import" else { continue }
                    let module = String(words[words.count == 2 ? 1 : 2].split(separator: ".")[0])
                    imported.insert(module)
                    #expect(module != "Foundation", "\(file) imports Foundation")
                    #expect(system.contains(module) || target.dependencies.contains(module), "\(file) imports \(module), which the target does not declare")
                }
            }
            for dependency in target.dependencies where known.contains(dependency) {
                #expect(imported.contains(dependency), "\(target.name) declares \(dependency) and never imports it")
            }
        }
    }
}
