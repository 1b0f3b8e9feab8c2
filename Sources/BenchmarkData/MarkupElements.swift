import InputFiles
import SystemIO

/// The elements of a small XML file of plain text: no attributes to speak of, no element inside one of its own name, ASCII. That is what the Winograd schemas
/// are published in; what is beyond it is refused or, outside of what is asked for, not looked at.
struct MarkupElements {
    private let name: String
    private let bytes: [UInt8]

    /// Reads the current input of `inputs` to its end.
    init(_ inputs: DecodedInputs, limit: Int) throws {
        name = inputs.name
        var bytes: [UInt8] = []
        while case let more = try inputs.read(1 << 16), !more.isEmpty {
            bytes += more
            guard bytes.count <= limit else { throw InputError("\(name): larger than \(limit) bytes, the most that is read here") }
        }
        self.bytes = bytes
    }

    /// What stands between `<tag>` and `</tag>`, each time, in order.
    func elements(_ tag: String, in range: Range<Int>? = nil) -> [Range<Int>] {
        var found: [Range<Int>] = [], rest = bytes[range ?? 0 ..< bytes.count]
        while let start = rest.firstRange(of: "<\(tag)>".utf8), let end = rest[start.upperBound...].firstRange(of: "</\(tag)>".utf8) {
            found.append(start.upperBound ..< end.lowerBound)
            rest = rest[end.upperBound...]
        }
        return found
    }

    /// The text of an element that has no others inside.
    func text(in range: Range<Int>) throws -> [UInt8] {
        var text: [UInt8] = [], rest = bytes[range]
        while let byte = rest.first {
            let at = rest.startIndex
            guard byte < 0x80, byte != UInt8(ascii: "<") else {
                let found = byte < 0x80 ? "an element" : "byte 0x" + String(byte, radix: 16, uppercase: true)
                throw InputError("\(name): line \(line(of: at ..< at)): \(found) where ASCII text is expected")
            }
            if byte == UInt8(ascii: "&") {
                guard let (entity, meant) = MarkupElements.entities.first(where: { rest.starts(with: $0.0.utf8) }) else {
                    let known = MarkupElements.entities.map(\.0).joined(separator: ", ")
                    throw InputError("\(name): line \(line(of: at ..< at)): & begins no entity that is read, expected \(known)")
                }
                text.append(meant)
                rest = rest.dropFirst(entity.utf8.count)
            } else {
                text.append(byte)
                rest = rest.dropFirst()
            }
        }
        return text
    }

    private static let entities: [(String, UInt8)] = [
        ("&amp;", UInt8(ascii: "&")), ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&quot;", UInt8(ascii: "\"")), ("&apos;", UInt8(ascii: "'")),
    ]

    /// Number of the line where a range begins, from 1.
    func line(of range: Range<Int>) -> Int { 1 + bytes[..<range.lowerBound].count { $0 == 0x0A } }
}
