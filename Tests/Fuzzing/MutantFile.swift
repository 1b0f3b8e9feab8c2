import Glibc
import SystemIO

/// A file without a name, for what the library opens by a path.
final class MutantFile {
    private let descriptor: Int32
    let path: String

    init(_ bytes: [UInt8]) throws {
        var name = Array("/tmp/uf-mutant-XXXXXX".utf8CString)
        descriptor = mkstemp(&name)
        path = "/proc/self/fd/\(descriptor)"
        guard descriptor >= 0, unlink(&name) == 0 else { throw Failure("no file can be made in /tmp") }
        try FileSink(descriptor: descriptor, name: path).write(bytes)
    }

    deinit { close(descriptor) }
}
