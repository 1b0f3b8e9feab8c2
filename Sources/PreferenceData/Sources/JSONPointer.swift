import JSON

/// A place in a JSON document by RFC 6901, with one extension: one segment may be `*`, which stands for every element of an array.
struct JSONPointer: Sendable, Equatable, CustomStringConvertible {
    let description: String
    private let segments: [Text]
    /// Index of the segment `*`.
    private let star: Int?

    /// Why a text is no pointer.
    struct Fault: Error { var message: String }

    init(_ text: String) throws {
        guard text.isEmpty || text.hasPrefix("/") else { throw Fault(message: "\"\(text)\" is no JSON Pointer, which begins with / as in /answers/0/text") }
        description = text
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
        segments = try parts.map { part in
            var bytes: [UInt8] = [], escaped = false
            for byte in part {
                if escaped {
                    guard byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else { break }
                    bytes.append(byte == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                    escaped = false
                } else if byte == UInt8(ascii: "~") { escaped = true } else { bytes.append(byte) }
            }
            guard !escaped else { throw Fault(message: "\"\(text)\" has a ~ that is neither ~0 (for ~) nor ~1 (for /)") }
            return Text(bytes)
        }
        star = segments.firstIndex { $0 == "*" }
        guard segments.count(where: { $0 == "*" }) <= 1 else { throw Fault(message: "\"\(text)\" has more than one *") }
    }

    /// Whether it stands for every element of an array.
    var isList: Bool { star != nil }

    /// What it points at in `root`, one value or one for each element, with the path of each for messages; nil where there is nothing.
    func values(in root: JSONCursor) throws -> [(path: String, value: JSONCursor?)] {
        guard let star else { return [(description, JSONPointer.follow(segments[...], from: root))] }
        let array = JSONPointer.follow(segments[..<star], from: root)
        let front = segments[..<star].map(JSONPointer.escaped).joined(), back = segments[(star + 1)...].map(JSONPointer.escaped).joined()
        guard let elements = array?.elements else { throw BadRecord.type(front.isEmpty ? "the record" : front, array, expected: "an array") }
        return elements.enumerated().map { i, element in ("\(front)/\(i)\(back)", JSONPointer.follow(segments[(star + 1)...], from: element)) }
    }

    private static func follow(_ segments: ArraySlice<Text>, from root: JSONCursor) -> JSONCursor? {
        var value = root
        for segment in segments {
            let next: JSONCursor?
            if let elements = value.elements { next = index(segment).flatMap { at in elements.dropFirst(at).first { _ in true } } } else { next = value[text: segment] }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    /// An array's index: digits without a leading zero.
    private static func index(_ segment: Text) -> Int? {
        guard segment.bytes.allSatisfy({ (0x30...0x39).contains($0) }), segment.count == 1 || segment.bytes.first != 0x30 else { return nil }
        return Int(segment.description)
    }

    private static func escaped(_ segment: Text) -> String {
        "/" + segment.description.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
