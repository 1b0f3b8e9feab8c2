import CSystemIO
import Glibc

/// A file that appears under its name only whole: written beside it under a temporary name, synced, renamed, and the folder synced.
///
/// Until `finish` returns, the old file (or none) stands under the name; when the writer is dropped or the process is killed before that,
/// it still does. What a process that was killed outright left is removed by the next that finishes the same name. A symbolic link is
/// followed, so that the link survives and its target is replaced. Devices, FIFOs and sockets cannot be replaced: they are written in place.
public final class AtomicFile: ByteSink {
    public let name: String
    private let target: String
    private let temporary: String?
    private let sink: FileSink
    private let keepsEqual: Bool
    private var done = false

    /// - Parameter keepsEqual: leave an existing file untouched (with its time) when the new bytes are the same (`--if-changed`).
    public init(path: String, keepsEqual: Bool = false) throws {
        name = path
        self.keepsEqual = keepsEqual
        var status = stat()
        // Before its links are followed: /dev/stdout and what >(command) stands for are links to pipes, which have no name.
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            target = path
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw InputError.cannotCreate(path) }
            temporary = nil
            sink = FileSink(descriptor: descriptor, name: path, closes: true)
            return
        }
        target = try AtomicFile.followLinks(path)
        let made = try TemporaryEntry.make(.file, beside: target, name: path)
        temporary = made.path
        TemporaryFiles.add(made.path)
        sink = FileSink(descriptor: made.descriptor, name: path, closes: true)
    }

    deinit {
        if !done { discard() }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try sink.write(bytes)
        guard temporary != nil, sink.offset - sentToDisk >= AtomicFile.portion else { return }
        // The disk begins at once with what `finish` will have to wait for.
        uf_start_writing(sink.descriptor, Int64(sentToDisk), Int64(sink.offset - sentToDisk))
        sentToDisk = sink.offset
    }

    private static let portion = 8 << 20
    private var sentToDisk = 0

    public func finish() throws {
        try prepare()
        try publish()
    }

    /// The first half of `finish`, for files that appear together: after it nothing that was written can be lost, and the old file still stands.
    public func prepare() throws {
        try sink.finish()
        isUnchanged = keepsEqual && temporary.map { AtomicFile.sameBytes($0, target) } == true
    }

    /// Known after `prepare`: the existing file has these very bytes and is to be kept.
    public private(set) var isUnchanged = false

    /// The second half.
    public func publish() throws {
        guard let temporary else { return done = true }
        defer { if done { TemporaryEntry.removeStale(beside: target) } }
        if isUnchanged {
            discard()
            return done = true
        }
        guard rename(temporary, target) == 0 else {
            let number = errno
            discard()
            throw InputError.cannotCreate(name, number)
        }
        TemporaryFiles.remove(temporary)
        done = true
        try AtomicFile.syncFolder(of: target, name: name)
    }

    /// Removes what was written; the old file stays as it was.
    public func discard() {
        guard let temporary, !done else { return }
        unlink(temporary)
        TemporaryFiles.remove(temporary)
    }

    /// The file that a chain of links leads to, which need not exist. Throws for a loop.
    public static func followLinks(_ path: String) throws -> String {
        var path = path
        for _ in 0 ..< 40 {
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let length = readlink(path, &target, target.count - 1)
            guard length > 0 else { return path }
            let name = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            path = name.hasPrefix("/") ? name : folder(of: path) + "/" + name
        }
        throw InputError.cannotCreate(path, ELOOP)
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    public static func lastComponent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Makes a rename in the folder of `path` survive a crash of the machine.
    public static func syncFolder(of path: String, name: String) throws {
        let descriptor = open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS { throw InputError.cannotWrite(name, at: 0) }
    }

    private static func sameBytes(_ one: String, _ other: String) -> Bool {
        guard let a = try? MappedFile(path: one), let b = try? MappedFile(path: other), a.bytes.count == b.bytes.count else { return false }
        return withExtendedLifetime((a, b)) {
            guard let one = a.bytes.baseAddress, let other = b.bytes.baseAddress else { return true }
            return memcmp(one, other, a.bytes.count) == 0
        }
    }
}
