import Glibc
import JSON
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

/// Tokenizers and their reference ids, from `fixtures/tokenizers` or the shared folder.
enum TokenizerFiles {
    /// The bytes of a file, unpacked where its name ends in .gz.
    static func bytes(_ path: String) throws -> [UInt8] {
        guard path.hasSuffix(".gz") else { return try readWholeFile(path) }
        guard let pipe = popen("gzip -dc '\(path)'", "r") else { throw InputError("gzip cannot be started") }
        defer { pclose(pipe) }
        var bytes: [UInt8] = []
        let source = FileSource(descriptor: fileno(pipe), name: path)
        bytes = try readAll(source, limit: 1 << 30)
        return bytes
    }

    static func tokenizer(_ path: String) throws -> Tokenizer { try Tokenizer(json: try bytes(path), name: path) }

    static func fixture(_ name: String) throws -> Tokenizer {
        let plain = Fixtures.path("tokenizers/\(name)/tokenizer.json")
        return try tokenizer(access(plain, R_OK) == 0 ? plain : plain + ".gz")
    }

    static func json(_ path: String) throws -> JSONValue { try JSON.parse(try bytes(path)) }

    /// The rows of a file {"cases": [...]} or {"vectors": [...]}.
    static func rows(_ path: String) throws -> [JSONValue] {
        let file = try json(path)
        return try #require(file["cases"]?.array ?? file["vectors"]?.array, "\(path)")
    }
}

extension JSONValue {
    var ids: [UInt32]? { array?.compactMap { $0.integer.flatMap { UInt32(exactly: $0) } } }
}

extension Tokenizer {
    /// For tests: what encoding gives, and an empty list where it throws.
    func ids(_ text: Text, _ special: LiteralSpecialTokens = .text, scratch: EncodingScratch? = nil) -> [UInt32] {
        (try? encode(text.bytes, special: special, scratch: scratch)) ?? []
    }
}
