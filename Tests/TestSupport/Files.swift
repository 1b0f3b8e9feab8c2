import Glibc

/// All Swift files under a folder, sorted.
public func swiftFiles(in folder: String) -> [String] {
    files(in: folder).filter { $0.hasSuffix(".swift") }
}

/// All files under a folder and its subfolders, sorted.
public func files(in folder: String) -> [String] {
    TemporaryFolder.names(in: folder).flatMap { name -> [String] in
        let path = folder + "/" + name
        var status = stat()
        guard lstat(path, &status) == 0 else { return [] }
        return status.st_mode & S_IFMT == S_IFDIR ? files(in: path) : [path]
    }
}
