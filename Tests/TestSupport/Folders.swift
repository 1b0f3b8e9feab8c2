import Glibc

/// Files that the repository ships for tests and demonstrations.
public enum Fixtures {
    /// The path of a file under `fixtures/`, found from this source file so that tests run from any folder.
    public static func path(_ relative: String) -> String { repositoryRoot + "/fixtures/" + relative }
}

/// The repository's top folder.
public let repositoryRoot: String = {
    // Tests/TestSupport/Folders.swift: three components up.
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(3)
    return parts.joined(separator: "/")
}()

/// Larger reference data that lies beside some checkouts and is not part of the repository: cases that need it are skipped, and say so.
public enum SharedFolder {
    public static func path(_ relative: String) -> String? {
        let root = getenv("UFTOOLS_SHARED").map { String(cString: $0) } ?? repositoryRoot + "/../shared"
        let path = root + "/" + relative
        return access(path, R_OK) == 0 ? path : nil
    }

    public static func has(_ relative: String) -> Bool { path(relative) != nil }
}

/// SmolLM2-135M-Instruct as a model folder: too large for the repository, there once `make smollm2` has run.
public enum SmolLM2 {
    public static let folder: String? = {
        let path = getenv("UFTOOLS_SMOLLM2").map { String(cString: $0) } ?? repositoryRoot + "/build/smollm2/model"
        return access(path + "/model.safetensors", R_OK) == 0 ? path : nil
    }()
}
