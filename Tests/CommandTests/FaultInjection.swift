import Glibc
import TestSupport

/// Tests/FaultInjection/faults.c as a library that stands between a command and the C library.
enum FaultInjection {
    /// Built once; nil where there is no C compiler.
    nonisolated(unsafe) private static let library: (path: String, folder: TemporaryFolder)? = {
        let folder = TemporaryFolder(), path = folder.file("faults.so")
        let source = Command.quoted(repositoryRoot + "/Tests/FaultInjection/faults.c")
        let built = Command.shell("for c in clang cc gcc; do command -v $c >/dev/null && $c -shared -fPIC -O1 -o faults.so \(source) -ldl && exit 0; done; exit 1", in: folder.path)
        return built.status == 0 ? (path, folder) : nil
    }()

    static var isBuilt: Bool { library != nil }
    static var path: String { library?.path ?? "" }
}
