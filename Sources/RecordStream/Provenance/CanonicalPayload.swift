import JSON
import SystemIO

/// HEAD and TAIL hold JSON in its canonical form and nothing else: what was read would be written again with the same bytes, and a member that this
/// release does not know is refused instead of lost.
protocol CanonicalPayload {
    /// "head" or "tail": for messages.
    static var part: String { get }
    var json: JSONValue { get }
    init(json: JSONValue) throws
}

extension CanonicalPayload {
    init(payload: UnsafeRawBufferPointer, name: String) throws {
        do {
            let bytes = payload.bindMemory(to: UInt8.self)
            try self.init(json: JSON.parse(bytes, limits: JSONLimits(skipsByteOrderMark: false)))
            // A key that stands twice fails here as well.
            guard try json.canonical.elementsEqual(bytes) else { throw InputError("not in canonical form, or with unknown members") }
        } catch let error as any CustomStringConvertible & Error {
            throw InputError("\(name): the stream's \(Self.part) is malformed: \(error)")
        }
    }

    /// The payload to write; what readers would refuse is refused here.
    func payload() throws -> [UInt8] {
        let bytes = try json.canonical
        guard bytes.count <= StreamLimits.headBytes else {
            throw InputError("the stream's \(Self.part) would have \(bytes.count) bytes, at most \(StreamLimits.headBytes) are allowed")
        }
        _ = try bytes.withUnsafeBytes { try Self(payload: $0, name: "output") }
        return bytes
    }
}

/// Words that readers rely on: they become column names, shell variables and file digests, whoever wrote the stream.
enum Name {
    /// Lower-case letters, digits and underscores, a letter first, 64 at most: kinds, columns, roles of files.
    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// `uf-eval score`: words of lower-case letters, digits and hyphens, the first of which starts with `uf-`.
    static func isCommand(_ text: String) -> Bool {
        text.utf8.count <= 64 && text.hasPrefix("uf-") && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: " ") }
    }

    /// Hexadecimal digits, lower case, 64 at most.
    static func isDigest(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 && text.utf8.allSatisfy { isDigit($0) || (UInt8(ascii: "a") ... UInt8(ascii: "f")).contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a") ... UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0") ... UInt8(ascii: "9")).contains(byte) }
}
