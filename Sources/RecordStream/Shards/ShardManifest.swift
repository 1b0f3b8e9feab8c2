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
