import Glibc

/// An empty folder that is gone when the value is: each test writes where no other does.
public final class TemporaryFolder {
    public let path: String

    /// - Parameter inMemory: on a file system in memory, where there is one with room: for tests that write a thousand times what need not survive the machine.
    public init(inMemory: Bool = false) {
        let base = (inMemory ? TemporaryFolder.memory : nil) ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/uftools-test-XXXXXX").utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            mkdtemp(buffer.baseAddress!).map { String(cString: $0) } ?? base
        }
        precondition(path != base, "no temporary folder could be made under \(base)")
    }

    private static let memory: String? = {
        var room = statvfs()
        return statvfs("/dev/shm", &room) == 0 && room.f_bavail * room.f_bsize > 256 << 20 && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil
    }()

    public func file(_ name: String) -> String { path + "/" + name }

    /// Names in the folder, sorted, without "." and "..".
    public var contents: [String] { TemporaryFolder.names(in: path) }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    deinit { TemporaryFolder.removeTree(path) }

    private static func removeTree(_ path: String) {
        for name in names(in: path) {
            let entry = path + "/" + name
            var status = stat()
            if lstat(entry, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { removeTree(entry) } else { unlink(entry) }
        }
        rmdir(path)
    }
}
