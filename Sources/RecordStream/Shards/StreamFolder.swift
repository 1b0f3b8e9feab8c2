import Glibc
import SystemIO

/// What a folder of streams holds: sets of shards by their manifests, and streams by themselves.
public struct StreamFolder: Sendable {
    /// Paths, sorted.
    public private(set) var manifests: [String] = [], streams: [String] = []
    /// How many folders it holds, which are not looked into.
    public private(set) var subfolders = 0

    /// - Throws: `InputError` when the folder cannot be read or holds neither.
    public init(_ path: String) throws {
        guard let folder = opendir(path) else { throw InputError.cannotOpen(path) }
        defer { closedir(folder) }
        let prefix = path.hasSuffix("/") ? path : path + "/"
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name.hasPrefix(".") { continue }
            if isFolder(prefix + name) { subfolders += 1 } else if ShardManifest.isManifest(name) { manifests.append(prefix + name) } else if name.hasSuffix(".uf") { streams.append(prefix + name) }
            errno = 0
        }
        if errno != 0 { throw InputError.cannotRead(path, at: 0) }
        manifests.sort()
        streams.sort()
        if manifests.isEmpty, streams.isEmpty {
            throw InputError("\(path): a folder without streams (*.uf) and without a \(ShardManifest.fileName)\(subfolders > 0 ? "; \(subfoldersLeft)" : "")")
        }
    }

    /// What is to be told of them: `2 folders in it were not looked into; name them too`.
    public var subfoldersLeft: String {
        "\(counted(subfolders, "folder")) in it \(subfolders == 1 ? "was" : "were") not looked into; name \(subfolders == 1 ? "it" : "them") too"
    }

    /// Refuses a stream that says it is a shard: no manifest of the folder lists it, so its set is not whole.
    public static func refuseStray(_ head: StreamHead, in name: String) throws {
        guard let shard = ShardIdentity(head) else { return }
        throw InputError("\(name): shard \(shard.index) of \(shard.count) of a set, and no \(ShardManifest.fileName) beside it lists it: the set was not finished, or is another's leftover")
    }
}
