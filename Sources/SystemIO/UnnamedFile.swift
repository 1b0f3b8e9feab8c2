import Glibc

/// A file of $TMPDIR (or /tmp) that has no name any more: what is put aside there is gone with the process, however that ends.
///
/// Write to `sink`, then read from what `rewind` returns; both only as long as this object lives.
public final class UnnamedFile {
    /// For messages.
    public let name: String
    private let descriptor: Int32

    /// Throws `.cannotCreate`.
    public init() throws {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        name = "a temporary file in \(folder)"
        var template = Array((folder + "/uf-XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw InputError.cannotCreate(name) }
        unlink(&template)
    }

    deinit { close(descriptor) }

    public var sink: FileSink { FileSink(descriptor: descriptor, name: name) }

    /// What was written, from its start. Nothing is synced: nobody else ever reads the file.
    public func rewind() throws -> FileSource {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw InputError.cannotRead(name, at: 0) }
        return FileSource(descriptor: descriptor, name: name)
    }
}
