// swift-tools-version: 6.1
// The targets stand in the order in which data flows through them; a test (Tests/CommandTests/ArchitectureTests.swift)
// reads this file and holds the direction of every arrow. Layers, lowest first:
//   C libraries < base (SystemIO, Checksums, JSON, PortableMath) < SQLite, Jinja < services (RecordStream, InputFiles, ModelFiles, Numerics, RunDatabase)
//   < domain (PreferenceData ... Evaluation) < CommandSupport and the commands
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// Kernels promise the same bits on every machine of a class: no contraction into fused operations that the source does not ask for.
let exactFloatingPoint: [CSetting] = [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno"])]

func command(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    // The Swift runtime is linked in: a command starts in 5 ms instead of 50 and runs where no toolchain is installed.
    .executableTarget(name: name, dependencies: dependencies + ["CommandSupport", argumentParser],
                      linkerSettings: [.unsafeFlags(["-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections", "-lswiftSynchronization"])])
}

func tests(of module: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(name: module + "Tests", dependencies: [.target(name: module), "TestSupport"] + more)
}

let package = Package(
    name: "uftools",
    products: [
        .executable(name: "uf-convert", targets: ["uf-convert"]),
        .executable(name: "uf-tokenize", targets: ["uf-tokenize"]),
        .executable(name: "uf-pack", targets: ["uf-pack"]),
        .executable(name: "uf-train", targets: ["uf-train"]),
        .executable(name: "uf-eval", targets: ["uf-eval"]),
        .executable(name: "uf-records", targets: ["uf-records"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        // System libraries and C shims.
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
        .target(name: "CChecksums", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "CJSON", cxxSettings: [.unsafeFlags(["-O3"])], linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CSystemIO", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "CTokenization", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "CNumerics", cSettings: exactFloatingPoint, linkerSettings: [.linkedLibrary("m")]),

        // Base: what every other module may use.
        .target(name: "SystemIO", dependencies: ["CSystemIO"]),
        .target(name: "Checksums", dependencies: ["CChecksums", "CNettle"]),
        .target(name: "JSON", dependencies: ["CJSON"]),
        .target(name: "SQLite", dependencies: ["SystemIO", "CSQLite"]),
        // The language of chat templates.
        .target(name: "Jinja", dependencies: ["JSON", "SystemIO"]),
        // What reaches bytes through mathematics: apart from Numerics, so that a command that only converts or packs starts no BLAS.
        .target(name: "PortableMath"),

        // Services: files and numbers.
        .target(name: "RecordStream", dependencies: ["SystemIO", "Checksums", "JSON", "CZlib", "CZstd"], exclude: ["FORMAT.md"]),
        .target(name: "InputFiles", dependencies: ["SystemIO", "Checksums", "CArchive", "CZlib"]),
        .target(name: "ModelFiles", dependencies: ["SystemIO", "Checksums", "JSON"]),
        .target(name: "Numerics", dependencies: ["CNumerics", "COpenBLAS"]),
        .target(name: "RunDatabase", dependencies: ["SQLite", "SystemIO"]),

        // Domain, in the order of the pipeline. They meet in the record stream, not in each other.
        .target(name: "PreferenceData", dependencies: ["RecordStream", "InputFiles", "BenchmarkData", "PortableMath", "SQLite", "JSON", "SystemIO", "Checksums"]),
        .target(name: "Tokenization", dependencies: ["CTokenization", "RecordStream", "ModelFiles", "Jinja", "JSON", "Checksums", "SystemIO"],
                exclude: ["Unicode/make_tables.py"]),
        .target(name: "Packing", dependencies: ["RecordStream", "Checksums", "PortableMath", "JSON", "SystemIO", "CZlib"]),
        .target(name: "LanguageModel", dependencies: ["RecordStream", "ModelFiles", "Numerics", "CNumerics", "JSON", "SystemIO"]),
        .target(name: "Alignment", dependencies: ["LanguageModel", "RecordStream", "ModelFiles", "Numerics", "PortableMath", "RunDatabase", "JSON", "SystemIO", "Checksums"]),
        .target(name: "BenchmarkData", dependencies: ["InputFiles", "JSON", "SystemIO", "Checksums"]),
        .target(name: "Evaluation", dependencies: ["LanguageModel", "BenchmarkData", "RecordStream", "ModelFiles", "PortableMath", "RunDatabase", "JSON", "SystemIO", "Checksums"]),

        // Commands: options and wiring, no logic.
        .target(name: "CommandSupport", dependencies: ["SystemIO", "Checksums", "JSON", "RecordStream", argumentParser]),
        command("uf-convert", ["PreferenceData", "InputFiles", "RecordStream", "JSON", "SystemIO"]),
        command("uf-tokenize", ["Tokenization", "Jinja", "RecordStream", "ModelFiles", "Checksums", "JSON", "SystemIO"]),
        command("uf-pack", ["Packing", "ModelFiles", "RecordStream", "Checksums", "JSON", "SystemIO"]),
        command("uf-train", ["Alignment", "LanguageModel", "ModelFiles", "JSON", "SystemIO"]),
        command("uf-eval", ["Alignment", "Evaluation", "LanguageModel", "BenchmarkData", "Tokenization", "ModelFiles", "Numerics", "RecordStream", "RunDatabase", "JSON", "SystemIO"]),
        command("uf-records", ["Packing", "Tokenization", "RecordStream", "InputFiles", "ModelFiles", "JSON", "SystemIO"]),

        // Tests mirror the sources; CommandTests runs the built commands as a user does.
        .target(name: "TestSupport", dependencies: ["SystemIO", "Checksums", "JSON", "CZlib", "CZstd", "CArchive"], path: "Tests/TestSupport"),
        // Mutants of inputs without end, for `make fuzz` and the test run; no product.
        .executableTarget(
            name: "uf-fuzz", dependencies: ["TestSupport", "PreferenceData", "Tokenization", "InputFiles", "RecordStream", "ModelFiles", "JSON", "SystemIO", argumentParser],
            path: "Tests/Fuzzing"),
        // The encoder by itself, for `make bench`; no product.
        .executableTarget(name: "uf-tokenizer-speed", dependencies: ["Tokenization", "Checksums", "JSON", "SystemIO", argumentParser], path: "Tests/Speed"),
        tests(of: "SystemIO"), tests(of: "Checksums"), tests(of: "JSON"), tests(of: "Jinja", ["JSON"]), tests(of: "PortableMath"),
        tests(of: "RecordStream", ["JSON", "Checksums"]), tests(of: "InputFiles", ["Checksums"]), tests(of: "ModelFiles", ["JSON"]),
        tests(of: "Numerics"), tests(of: "RunDatabase", ["SQLite"]),
        tests(of: "PreferenceData", ["Checksums", "RecordStream", "InputFiles", "BenchmarkData", "SQLite", "JSON"]),
        tests(of: "Tokenization", ["Checksums", "RecordStream", "ModelFiles", "Jinja", "JSON"]),
        tests(of: "Packing", ["RecordStream"]), tests(of: "LanguageModel", ["ModelFiles", "JSON"]),
        tests(of: "Alignment", ["LanguageModel", "RecordStream", "ModelFiles", "Numerics", "RunDatabase", "JSON", "SystemIO", "Checksums"]), tests(of: "BenchmarkData", ["InputFiles", "JSON"]),
        tests(of: "Evaluation", ["BenchmarkData", "LanguageModel", "JSON"]),
        tests(of: "CommandSupport"),
        .testTarget(name: "CommandTests", dependencies: ["TestSupport", "RecordStream", "JSON", "Checksums"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)
