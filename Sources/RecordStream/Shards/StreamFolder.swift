import Glibc
import SystemIO

/// What a folder of streams holds: sets of shards by their manifests, and streams by themselves.
public struct StreamFolder: Sendable {
    /// Paths, sorted.
    public private(set) var manifests: [String] = [], streams: [String] = []

    /// - Throws: `InputError` when the folder cannot be read or holds neither.
    public init(_ path: String) throws {
        guard let folder = opendir(path) else { throw InputError.cannotOpen(path) }
        defer { closedir(folder) }
        let prefix = path.hasSuffix("/") ? path : path + "/"
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name.hasPrefix(".") { continue }
            if ShardManifest.isManifest(name) { manifests.append(prefix + name) } else if name.hasSuffix(".uf") { streams.append(prefix + name) }
        }
        if errno != 0 { throw InputError.cannotRead(path, at: 0) }
        manifests.sort()
        streams.sort()
        if manifests.isEmpty, streams.isEmpty { throw InputError("\(path): a folder without streams (*.uf) and without a \(ShardManifest.fileName)") }
    }

    /// Refuses a stream that says it is a shard: no manifest of the folder lists it, so its set is not whole.
    public static func refuseStray(_ head: StreamHead, in name: String) throws {
        guard let shard = ShardIdentity(head) else { return }
        throw InputError("\(name): shard \(shard.index) of \(shard.count) of a set, and no \(ShardManifest.fileName) beside it lists it: the set was not finished, or is another's leftover")
    }
}
