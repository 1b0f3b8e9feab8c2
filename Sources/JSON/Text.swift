import CJSON
import Glibc

/// Text as a JSON string holds it: UTF-8, in which a lone surrogate (`\ud83d` with no partner) stands as its three-byte form ED A0..BF 80..BF
/// ("WTF-8"). Swift's `String` would replace such a character; data passes through here unchanged instead.
public struct Text: Hashable, Sendable, ExpressibleByStringLiteral {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
    public init(_ string: String) { bytes = Array(string.utf8) }
    public init(stringLiteral value: String) { bytes = Array(value.utf8) }
    public init() { bytes = [] }

    public var isEmpty: Bool { bytes.isEmpty }
    public var count: Int { bytes.count }

    /// Whether the bytes are well-formed WTF-8: what a JSON parser yields, and what a JSON writer can write so that it is read back the same.
    public var isWellFormed: Bool { bytes.withUnsafeBufferPointer { WTF8.firstFault(in: $0) == nil } }

    /// All bytes at once: the array's own hashing feeds them one by one.
    public func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    public static func == (left: Text, right: String) -> Bool { left.bytes.elementsEqual(right.utf8) }

    /// As ==, which compares byte by byte.
    public func hasBytes(of other: Text) -> Bool { other.bytes.withUnsafeBufferPointer { holds($0) } }

    /// Whether these are its bytes.
    public func holds(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.count == other.count && (bytes.isEmpty || bytes.withUnsafeBytes { memcmp($0.baseAddress!, other.baseAddress!, other.count) == 0 })
    }
}

extension Text: Comparable {
    /// By bytes, which is by code point.
    public static func < (left: Text, right: Text) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension Text: CustomStringConvertible {
    /// For messages: what is not UTF-8 is replaced.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension Array where Element == Text {
    /// Whether two of these are equal. A few are compared with each other: most differ in length, and a hash reads all of every text.
    public var hasEqualTexts: Bool {
        guard count <= 16 else { return Set(self).count < count }
        return indices.contains { i in self[..<i].contains { $0.hasBytes(of: self[i]) } }
    }
}

/// Whether bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms), by simdjson, many bytes at a time.
public func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { bytes.baseAddress.map { uf_is_utf8($0, bytes.count) != 0 } ?? true }

/// The one definition of well-formed text, for the parser's fault finder and the writer.
public enum WTF8 {
    enum Sequence: Equatable {
        case scalar(length: Int)
        case surrogate(unit: UInt16)
        case invalid
    }

    /// The sequence of several bytes at `at`; the byte there is >= 0x80.
    @inline(__always)
    static func sequence(in bytes: UnsafeBufferPointer<UInt8>, at: Int) -> Sequence {
        func continuation(_ offset: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xBF) -> Bool {
            at + offset < bytes.count && bytes[at + offset] >= low && bytes[at + offset] <= high
        }
        switch bytes[at] {
        case 0xC2...0xDF: return continuation(1) ? .scalar(length: 2) : .invalid
        case 0xE0: return continuation(1, 0xA0) && continuation(2) ? .scalar(length: 3) : .invalid
        case 0xED:
            if continuation(1, 0x80, 0x9F), continuation(2) { return .scalar(length: 3) }
            guard continuation(1, 0xA0), continuation(2) else { return .invalid }
            return .surrogate(unit: 0xD000 | UInt16(bytes[at + 1] & 0x3F) << 6 | UInt16(bytes[at + 2] & 0x3F))
        case 0xE1...0xEF: return continuation(1) && continuation(2) ? .scalar(length: 3) : .invalid
        case 0xF0: return continuation(1, 0x90) && continuation(2) && continuation(3) ? .scalar(length: 4) : .invalid
        case 0xF1...0xF3: return continuation(1) && continuation(2) && continuation(3) ? .scalar(length: 4) : .invalid
        case 0xF4: return continuation(1, 0x80, 0x8F) && continuation(2) && continuation(3) ? .scalar(length: 4) : .invalid
        default: return .invalid
        }
    }

    /// Where the next byte that is not ASCII stands, sixteen at a time; most text has few.
    @inline(__always)
    private static func endOfASCII(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        let raw = UnsafeRawBufferPointer(bytes)
        while at + 16 <= bytes.count, raw.loadUnaligned(fromByteOffset: at, as: SIMD2<UInt64>.self) & 0x8080_8080_8080_8080 == .zero { at += 16 }
        while at < bytes.count, bytes[at] < 0x80 { at += 1 }
        return at
    }

    /// Where the bytes stop being well-formed. A high surrogate before a low one is a fault too: as JSON escapes the two would be one character.
    public static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        if isUTF8(bytes) { return nil }
        var at = 0
        var afterHigh = false
        while at < bytes.count {
            if bytes[at] < 0x80 {
                at = endOfASCII(in: bytes, from: at + 1)
                afterHigh = false
                continue
            }
            switch sequence(in: bytes, at: at) {
            case .scalar(let length):
                at += length
                afterHigh = false
            case .surrogate(let unit):
                if unit >= 0xDC00 && afterHigh { return at }
                afterHigh = unit < 0xDC00
                at += 3
            case .invalid: return at
            }
        }
        return nil
    }
}
