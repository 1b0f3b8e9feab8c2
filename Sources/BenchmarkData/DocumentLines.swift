import JSON
import SystemIO

/// A benchmark's documents, one JSON object a line.
enum DocumentLines {
    /// The largest file that is read (the largest benchmark in use takes 12 MB).
    static let limit = 1 << 28

    /// Reads every line that is not blank. What `read` throws gets file and line put in front of it.
    static func read<Document>(_ path: String, _ read: (JSONCursor) throws -> Document) throws -> [Document] {
        let bytes = try readWholeFile(path, limit: limit)
        let parser = JSONParser(limits: JSONLimits(maximumDepth: 16, skipsByteOrderMark: true))
        var documents: [Document] = []
        try bytes.withUnsafeBufferPointer { bytes in
            var start = 0, line = 0
            while start < bytes.count {
                line += 1
                let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
                defer { start = end + 1 }
                let text = UnsafeBufferPointer(rebasing: bytes[start ..< end])
                if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
                do {
                    documents.append(try parser.read(text, read))
                } catch let error as JSONError {
                    // A line is one line: only the column is news.
                    throw InputError("\(path): line \(line)" + (error.column.map { ", column \($0)" } ?? "") + ": invalid JSON: \(error.message)")
                } catch let error as InputError {
                    throw error.at("\(path): line \(line)")
                }
            }
        }
        guard !documents.isEmpty else { throw InputError("\(path): no documents, expected one JSON object a line") }
        return documents
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
