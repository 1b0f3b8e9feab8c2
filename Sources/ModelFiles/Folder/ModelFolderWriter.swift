import Glibc
import JSON
import SystemIO

/// Writes a model folder that appears under its name only whole: everything goes into a temporary folder beside it, each file synced; then one rename.
///
/// An existing folder is replaced only when it was written here before (its weights say so) and holds nothing else; anything else stays untouched and is an
/// error, since a wrong `-o` must not cost anyone their model. The old folder steps aside under a temporary name first: a kill between the two renames leaves
/// both folders whole beside each other, never a mixture. What a process that was killed outright left is removed by the next that finishes the same folder.
public final class ModelFolderWriter {
    public let path: String
    private let target: String
    private let temporary: String
    /// Holds the temporary folder's lock.
    private let descriptor: Int32
    private var names: [String] = []
    private var done = false

    /// `__metadata__` of the weights that marks a folder as written here.
    private static let mark = ("producer", "uftools")

    /// Checks that the folder may be written and makes the temporary one. Throws `.cannotCreate`.
    public init(path: String) throws {
        self.path = path
        target = try ModelFolderWriter.resolved(path)
        try ModelFolderWriter.checkReplaceable(target, name: path, alsoAllowed: [])
        (temporary, descriptor) = try TemporaryEntry.make(.folder, beside: target, name: path)
        TemporaryFiles.add(temporary)
    }

    deinit {
        discard()
        close(descriptor)
    }

    /// Writes one file into the folder.
    public func write(file name: String, _ bytes: [UInt8]) throws {
        try write(file: name) { try $0.write(bytes) }
    }

    /// Writes one JSON file, indented as transformers writes its own, with a final newline.
    public func write(file name: String, _ value: JSONValue) throws { try write(file: name, value, indent: 2) }

    /// Writes one JSON file on one line: for vocabularies, where indentation would double the size.
    public func write(file name: String, compact value: JSONValue) throws { try write(file: name, value, indent: nil) }

    private func write(file name: String, _ value: JSONValue, indent: Int?) throws {
        do {
            try write(file: name, try value.serialized(indent: indent) + [UInt8(ascii: "\n")])
        } catch let error as JSONError {
            throw InputError("\(path): \(name): \(error)", status: .internalError)
        }
    }

    /// Writes `config.json`, with the element type that `write(weights:)` stores.
    public func write(config: JSONValue) throws {
        guard var members = config.object else { throw InputError("\(path): the configuration is \(config.typeName); an object was expected", status: .internalError) }
        var isSet = false
        for place in members.indices where members[place].key == "torch_dtype" || members[place].key == "dtype" {
            members[place].value = "float32"
            isSet = true
        }
        if !isSet { members.append(JSONMember("torch_dtype", "float32")) }
        try write(file: "config.json", .object(members))
    }

    /// Writes `model.safetensors` in single precision.
    public func write(weights: [TensorSource]) throws {
        try write(file: TensorCollection.singleFile) { sink in
            try SafetensorsWriter.write(weights, metadata: [ModelFolderWriter.mark.0: ModelFolderWriter.mark.1], to: sink)
        }
    }

    /// Copies tokenizer, template, generation settings and licences of another folder, those that are there and were not written already.
    public func copySideFiles(from folder: String) throws {
        for name in ModelFolder.sideFileNames where fileExists(folder + "/" + name) && !names.contains(name) {
            let source = try MappedFile(path: folder + "/" + name)
            try write(file: name) { sink in try source.withBytes { try sink.write($0) } }
        }
    }

    private func write(file name: String, _ body: (FileSink) throws -> Void) throws {
        guard isPlainFileName(name), !names.contains(name) else { throw InputError("\(path): \(name) cannot be written into it, or is already", status: .internalError) }
        let file = temporary + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw InputError.cannotCreate(path + "/" + name) }
        TemporaryFiles.add(file)
        names.append(name)
        let sink = FileSink(descriptor: descriptor, name: path + "/" + name, closes: true)
        try body(sink)
        try sink.finish()
    }

    /// Puts the folder under its name. After it returns, nothing of it can be lost by this program.
    public func finish() throws {
        for name in ["config.json", TensorCollection.singleFile] where !names.contains(name) {
            throw InputError("\(path): \(name) was not written", status: .internalError)
        }
        try AtomicFile.syncFolder(of: temporary + "/.", name: path)
        try ModelFolderWriter.checkReplaceable(target, name: path, alsoAllowed: names)
        // An empty folder is replaced by the rename itself.
        let replaces = !(ModelFolderWriter.names(in: target) ?? []).isEmpty
        guard let aside = TemporaryEntry.freeName(.old, beside: target) else { throw InputError.cannotCreate(path, EEXIST) }
        let lock = replaces ? TemporaryEntry.lockFolder(target) : nil
        defer { if let lock { close(lock) } }
        if replaces, rename(target, aside) != 0 { throw InputError.cannotCreate(path) }
        guard rename(temporary, target) == 0 else {
            let number = errno
            if replaces { rename(aside, target) }
            throw InputError.cannotCreate(path, number)
        }
        done = true
        for name in names { TemporaryFiles.remove(temporary + "/" + name) }
        TemporaryFiles.remove(temporary)
        try AtomicFile.syncFolder(of: target, name: path)
        if replaces { ModelFolderWriter.remove(aside) }
        TemporaryEntry.removeStale(beside: target)
    }

    /// Removes what was written; the old folder, if any, stays as it was.
    public func discard() {
        guard !done else { return }
        done = true
        ModelFolderWriter.remove(temporary)
        for name in names { TemporaryFiles.remove(temporary + "/" + name) }
        TemporaryFiles.remove(temporary)
    }
}

// MARK: what stands there

extension ModelFolderWriter {
    /// The path without links and trailing slashes; a link stays, what it leads to is replaced or, where there is nothing, made.
    private static func resolved(_ path: String) throws -> String {
        if let real = realpath(path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        func withoutSlashes(_ path: String) -> String {
            var path = path
            while path.utf8.count > 1, path.last == "/" { path.removeLast() }
            return path
        }
        let target = withoutSlashes(try AtomicFile.followLinks(withoutSlashes(path)))
        guard !["", ".", ".."].contains(AtomicFile.lastComponent(of: target)) else { throw InputError.cannotCreate(path, ENOENT) }
        return target
    }

    /// The rename at the end would fail for a mounted file system, and for a folder of someone else's where only owners may rename.
    private static func checkRenameable(_ target: String, _ status: stat, name: String) throws {
        var parent = stat()
        guard stat(target + "/..", &parent) == 0 else { throw InputError.cannotCreate(name) }
        if parent.st_dev != status.st_dev || parent.st_ino == status.st_ino { throw InputError.cannotCreate(name, EBUSY) }
        let user = geteuid()
        if parent.st_mode & S_ISVTX != 0, user != 0, user != status.st_uid, user != parent.st_uid { throw InputError.cannotCreate(name, EPERM) }
    }

    private static func checkReplaceable(_ target: String, name: String, alsoAllowed: [String]) throws {
        var status = stat()
        guard stat(target, &status) == 0 else {
            if errno == ENOENT { return }
            throw InputError.cannotCreate(name)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw InputError("\(name): is not a folder, and a model is written as a folder; choose another name", status: .cannotCreate) }
        try checkRenameable(target, status, name: name)
        guard let found = names(in: target) else { throw InputError.cannotCreate(name) }
        if found.isEmpty { return }
        guard let weights = try? SafetensorsFile(path: target + "/" + TensorCollection.singleFile), weights.metadata[mark.0] == mark.1 else {
            throw InputError("\(name): exists and is no model folder written by uftools, so it is not replaced; choose another name or remove it", status: .cannotCreate)
        }
        if let other = found.first(where: { !ModelFolder.ownFileNames.contains($0) && !alsoAllowed.contains($0) }) {
            throw InputError("\(name): holds \(other), which is no part of a model folder, so it is not replaced; move that away or choose another name", status: .cannotCreate)
        }
    }

    /// Names in a folder, sorted, or nil when it cannot be read.
    private static func names(in folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a folder of plain files.
    private static func remove(_ folder: String) {
        for name in names(in: folder) ?? [] { unlink(folder + "/" + name) }
        rmdir(folder)
    }
}
