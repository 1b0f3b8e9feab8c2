import Glibc

/// Temporary files and folders beside the target that they become: `.out.uf.tmp-5e1f00d5-4711`, with the machine's name as a hash and the process number.
///
/// Each is locked (`flock`) for as long as its process lives. The kernel ends the lock with the process, however it dies, so what a killed process left can
/// be told from what a live one is writing. The machine's name is there for file systems whose locks do not reach other machines.
public enum TemporaryEntry {
    public enum Kind { case file, folder }

    /// What it is kept for: `tmp` becomes the target, `old` was the target and steps aside.
    public enum Role: String, CaseIterable { case new = "tmp", old }

    /// Makes an empty file or folder beside `target` and locks it until the descriptor is closed.
    /// - Parameter name: the target for messages. Throws `.cannotCreate`.
    public static func make(_ kind: Kind, beside target: String, name: String) throws -> (path: String, descriptor: Int32) {
        var reason = EBUSY
        for path in candidates(.new, beside: target) {
            if kind == .folder, mkdir(path, 0o777) != 0, errno != EEXIST { throw InputError.cannotCreate(name) }
            let descriptor = open(path, (kind == .folder ? O_RDONLY | O_DIRECTORY : O_WRONLY | O_CREAT) | O_NOFOLLOW | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                // Something of another kind has the name; or the folder, a dead process's, has gone between the two calls.
                guard (kind == .folder ? [ENOTDIR, ENOENT, ELOOP] : [EISDIR, ELOOP]).contains(errno) else { throw InputError.cannotCreate(name) }
                reason = errno
                continue
            }
            // Without locks in this file system the process number alone keeps writers apart.
            if lock(descriptor, at: path) != false {
                // The name may be that of a dead process with the same number.
                if kind == .folder { removeFiles(in: descriptor) } else { ftruncate(descriptor, 0) }
                return (path, descriptor)
            }
            close(descriptor)
        }
        throw InputError.cannotCreate(name, reason)
    }

    /// A name beside `target` that nothing has, for an old target.
    public static func freeName(_ role: Role, beside target: String) -> String? {
        candidates(role, beside: target).first { path in
            var status = stat()
            return lstat(path, &status) != 0
        }
    }

    /// Locks a folder that will be renamed; nil where that fails. Close the descriptor to end the lock.
    public static func lockFolder(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        if lock(descriptor, at: path) == true { return descriptor }
        close(descriptor)
        return nil
    }

    /// Removes what killed processes of this user on this machine left beside `target`. What cannot be locked stays: a live process may own it.
    public static func removeStale(beside target: String) {
        let folder = AtomicFile.folder(of: target)
        let starts = Role.allCases.map { AtomicFile.lastComponent(of: start($0, beside: target)) }
        for name in names(in: opendir(folder)) {
            guard let start = starts.first(where: { name.hasPrefix($0) }), name.dropFirst(start.count).allSatisfy({ $0.isNumber || $0 == "-" }) else { continue }
            removeIfStale(folder + "/" + name)
        }
    }

    private static func removeIfStale(_ path: String) {
        let flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        var descriptor = open(path, O_RDWR | flags)
        if descriptor < 0, errno == EISDIR { descriptor = open(path, O_RDONLY | flags) }
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(), lock(descriptor, at: path) == true else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG: unlink(path)
        case S_IFDIR:
            removeFiles(in: descriptor)
            rmdir(path)
        default: break
        }
    }

    /// True: locked, and the path still leads there. False: another process holds it, or it was renamed or removed before the lock. Nil: no locks here.
    private static func lock(_ descriptor: Int32, at path: String) -> Bool? {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { return nil }
        }
        var held = stat(), there = stat()
        return fstat(descriptor, &held) == 0 && lstat(path, &there) == 0 && held.st_dev == there.st_dev && held.st_ino == there.st_ino
    }

    private static func candidates(_ role: Role, beside target: String) -> some Sequence<String> {
        let start = start(role, beside: target)
        return (0 ..< 100).lazy.map { start + "\(getpid())" + ($0 == 0 ? "" : "-\($0)") }
    }

    private static func start(_ role: Role, beside target: String) -> String {
        let digits = String(machine, radix: 16)
        let name = "\(AtomicFile.lastComponent(of: target)).\(role.rawValue)-" + String(repeating: "0", count: 8 - digits.count) + digits
        return "\(AtomicFile.folder(of: target))/.\(name)-"
    }

    /// FNV-1a of the machine's name, which may be longer than a file's name has room for.
    private static let machine: UInt32 = {
        var name = [UInt8](repeating: 0, count: 256)
        _ = name.withUnsafeMutableBytes { gethostname($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count - 1) }
        return name.prefix { $0 != 0 }.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }()

    /// Removes the plain files of an open folder; by the descriptor, so that nobody can put another folder in its place.
    private static func removeFiles(in descriptor: Int32) {
        for name in names(in: fdopendir(openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))) { unlinkat(descriptor, name, 0) }
    }

    /// Names in a folder without "." and "..", in no order. Closes it.
    private static func names(in folder: OpaquePointer?) -> [String] {
        guard let folder else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
