import JSON
import SystemIO

/// The list of a set's shards with the SHA-256 of each file, as `sha256sum --check` reads it. It stands beside the shards and appears last: a set without one is
/// not whole.
public struct ShardManifest: Sendable, Equatable {
    public static let fileName = "MANIFEST"

    public struct Entry: Sendable, Equatable {
        public var name: String
        /// 64 hexadecimal digits.
        public var sha256: String

        public init(name: String, sha256: String) {
            self.name = name
            self.sha256 = sha256
        }
    }

    public var entries: [Entry]

    public init(_ entries: [Entry]) { self.entries = entries }

    public init(path: String) throws { try self.init(readWholeFile(path, limit: 1 << 20), name: path) }

    /// The list of earlier sets, for one more to join it.
    ///
    /// Throws `InputError` when the new files would stand in another folder or replace listed ones, when an earlier shard is missing or cut, and when the records are not of the same kind
    /// and settings. Digests of whole files are not looked at: that is `ShardSetCheck`'s.
    public init(path: String, joinedBy files: [String], head: StreamHead) throws {
        try self.init(path: path)
        let folder = ShardManifest.folder(of: path)
        for file in files {
            guard ShardManifest.folder(of: file) == folder else {
                throw InputError("\(file): not in the folder of \(path), which lists files beside it; give -o a pattern there", status: .usage)
            }
            let name = String(file.dropFirst(folder.count))
            guard !entries.contains(where: { $0.name == name }) else { throw InputError("\(path): lists \(name) already, of an earlier release; give -o another pattern", status: .usage) }
        }
        _ = try ShardSetCheck(manifest: path, quick: true)
        func facts(_ head: StreamHead) -> [String: JSONValue] { head.settings.filter { $0.key != ShardIdentity.setting } }
        let first = folder + entries[0].name, old = try MappedStream(path: first).head
        guard old.schema.kind == head.schema.kind else {
            throw InputError("\(first): a stream of \(old.schema.kind) records, the new are \(head.schema.kind) records; sets of one kind can stand in one list")
        }
        guard old.schema == head.schema else {
            throw InputError(
                "\(first): its \(old.schema.kind) records are laid out otherwise than the new ones (\(old.difference(from: head.schema))); "
                    + "make the earlier sets again with this release, or begin a new list")
        }
        if let name = Set(facts(old).keys).union(facts(head).keys).sorted().first(where: { facts(old)[$0] != facts(head)[$0] }) {
            throw InputError("\(first): its \(name) differs from that of the new records; use the options that \(path) was made with")
        }
    }

    /// With the slash at its end; empty for the working folder.
    static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "" }

    public func paths(in folder: String) -> [String] { entries.map { (folder.hasSuffix("/") ? folder : folder + "/") + $0.name } }

    public static func isManifest(_ name: String) -> Bool { name == fileName || name.hasSuffix("." + fileName) }

    public var text: String { entries.map { "\($0.sha256)  \($0.name)\n" }.joined() }

    /// Throws for anything but what `text` writes: a cut list, a name that leads out of the folder, a file twice.
    public init(_ text: [UInt8], name: String) throws {
        guard text.last == UInt8(ascii: "\n") else { throw InputError("\(name): it does not end with a line feed: the list is cut or empty") }
        entries = []
        for (number, line) in String(decoding: text.dropLast(), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let digest = line.prefix(64), rest = line.dropFirst(64)
            guard digest.utf8.count == 64, Name.isDigest(String(digest)), rest.hasPrefix("  "), rest.count > 2 else {
                throw InputError("\(name): line \(number + 1) is no SHA-256, two spaces and a file's name")
            }
            let file = String(rest.dropFirst(2))
            guard !file.contains("/"), file != ".", file != ".." else { throw InputError("\(name): line \(number + 1): \"\(file)\" is no name of a file beside it") }
            guard !entries.contains(where: { $0.name == file }) else { throw InputError("\(name): line \(number + 1): \(file) stands twice") }
            entries.append(Entry(name: file, sha256: String(digest)))
        }
    }
}
