import Glibc

/// A regular file mapped into memory, read-only.
///
/// The file must not shrink while it is mapped; files of this project are replaced by rename and never cut, so a mapping stays valid.
public final class MappedFile: @unchecked Sendable {
    public let path: String
    /// Valid as long as this object is: whoever keeps the pointer keeps the object, or uses `withBytes`.
    public let bytes: UnsafeRawBufferPointer

    /// Throws `.missingInput` when the file cannot be opened or mapped.
    public init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InputError.cannotOpen(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw InputError.cannotOpen(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw InputError("\(path): not a regular file; this input must be a file on disk", status: .missingInput)
        }
        self.path = path
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw InputError.cannotOpen(path)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    /// The bytes, with the mapping kept alive while `body` runs.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(bytes) }
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}
