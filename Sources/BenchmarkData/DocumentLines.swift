import InputFiles
import JSON
import SystemIO

/// A benchmark's documents, one JSON object a line (or an array of them), plain or compressed.
enum DocumentLines {
    /// No document of a benchmark comes near; a longer line is no document.
    static let longestDocument = 1 << 24

    /// Reads every record that is not blank. What `read` throws gets file and line put in front of it.
    /// Returns the documents and the SHA-256 of the decoded file.
    static func read<Document>(_ path: String, _ read: (JSONCursor) throws -> Document) throws -> (documents: [Document], sha256: String) {
        let inputs = DecodedInputs([path])
        let chunks = ChunkReader(inputs, maximumRecord: longestDocument)
        let parser = JSONParser(limits: JSONLimits(maximumDepth: 16, skipsByteOrderMark: false))
        var documents: [Document] = []
        while let chunk = try chunks.next() {
            try chunk.forEachRecord { bytes, place in
                do {
                    documents.append(try parser.read(bytes, read))
                } catch let error as JSONError {
                    throw InputError("\(place)" + (error.column.map { ", column \($0)" } ?? "") + ": invalid JSON: \(error.message)")
                } catch let error as InputError {
                    throw error.at("\(place)")
                }
            }
        }
        guard !documents.isEmpty, let digest = inputs.digests.first else { throw InputError("\(path): no documents, expected one JSON object a line") }
        return (documents, digest.sha256)
    }
}

/// Typed reads that say what they expected.
extension JSONCursor {
    func requiredText(_ key: StaticString, _ name: String) throws -> Text {
        guard let value = self[key] else { throw InputError("\(name) is missing, expected a string") }
        return try value.requiredText(name)
    }

    func requiredText(_ name: String) throws -> Text {
        guard let text else { throw InputError("\(name) is \(typeName), expected a string") }
        return text
    }

    func requiredElements(_ key: StaticString, _ name: String) throws -> JSONElements {
        guard let value = self[key] else { throw InputError("\(name) is missing, expected an array") }
        guard let elements = value.elements else { throw InputError("\(name) is \(value.typeName), expected an array") }
        return elements
    }
}
