/// A step from a JSON value to one inside it.
public enum JSONStep: Sendable, Equatable {
    case key(String)
    case index(Int)
}

extension JSONStep {
    /// `segments[2].start`.
    public static func words(_ path: [JSONStep]) -> String {
        path.reduce(into: "") { text, step in
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + key
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}

/// Finds where a value stands in the bytes of a document: for messages, since a parsed document no longer knows.
public struct JSONLocator {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    /// The first byte of the value at `path` in a well-formed document, from 0; of the innermost value around it where the path leads nowhere.
    public static func offset(of path: [JSONStep], in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var locator = JSONLocator(bytes: bytes)
        locator.skipSpace()
        for step in path {
            let container = locator.at
            guard locator.enter(step) else { return container }
        }
        return locator.at
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private var byte: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func skipSpace() {
        while [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
    }

    private mutating func skip(_ character: Character) {
        skipSpace()
        if byte == character.asciiValue { at += 1 }
        skipSpace()
    }

    /// Goes to a member or element of the container that starts here. Of a key that stands twice the last counts, as everywhere.
    private mutating func enter(_ step: JSONStep) -> Bool {
        let isObject = byte == UInt8(ascii: "{")
        guard isObject || byte == UInt8(ascii: "[") else { return false }
        at += 1
        skipSpace()
        var number = 0, found: Int?
        while at < bytes.count, byte != UInt8(ascii: "}"), byte != UInt8(ascii: "]") {
            var isWanted = step == .index(number)
            if isObject {
                let start = at
                skipString()
                if case .key(let key) = step { isWanted = bytes[start ..< at].elementsEqual(Array("\"\(key)\"".utf8)) } else { isWanted = false }
                skip(":")
            }
            if isWanted { found = at }
            skipValue()
            skip(",")
            number += 1
        }
        if let found { at = found }
        return found != nil
    }

    private mutating func skipString() {
        at += 1
        while at < bytes.count, byte != UInt8(ascii: "\"") { at += byte == UInt8(ascii: "\\") ? 2 : 1 }
        at += 1
    }

    private mutating func skipValue() {
        var depth = 0
        repeat {
            switch byte {
            case UInt8(ascii: "\""): skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D: at += 1
            default:
                while at < bytes.count, !",:]} \t\r\n".utf8.contains(byte) { at += 1 }
            }
        } while depth > 0 && at < bytes.count
    }
}
