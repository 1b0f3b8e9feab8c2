/// A plain JSON checker that knows where it stands: the slow path that finds the place of an error after simdjson has refused a document.
/// It keeps no values and does not recurse; it accepts just what `JSONParser` accepts (a test compares the two).
struct JSONFaultFinder {
    struct Fault: Equatable {
        var message: String
        var offset: Int
        init(_ message: String, _ offset: Int) { (self.message, self.offset) = (message, offset) }
    }

    static func firstFault(in bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) -> Fault? {
        var finder = JSONFaultFinder(bytes: bytes, maximumDepth: maximumDepth)
        do throws(Stop) { try finder.document() } catch { return error.fault }
        return nil
    }

    private struct Stop: Error { var fault: Fault }
    private enum Expected { case value, firstKey, key, firstElement, separator, end }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let maximumDepth: Int
    private var at = 0
    private var open: [UInt8] = []

    private init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    private func fail(_ message: String, at offset: Int? = nil) -> Stop { Stop(fault: Fault(message, offset ?? at)) }

    private mutating func document() throws(Stop) {
        var expected = Expected.value
        skipSpace()
        if at == bytes.count { throw fail("no JSON value, only white space or nothing") }
        while true {
            skipSpace()
            switch expected {
            case .end:
                guard at == bytes.count else { throw fail("expected the end of the document, found \(found)") }
                return
            case .value:
                expected = try value()
            case .firstElement:
                if isNext("]") { expected = closed() } else {
                    try enter()
                    expected = try value()
                }
            case .firstKey, .key:
                if expected == .firstKey {
                    if isNext("}") { expected = closed(); continue }
                    try enter()
                }
                guard isNext("\"") else { throw fail("expected a key in double quotes, found \(found)") }
                try string()
                skipSpace()
                guard isNext(":") else { throw fail("expected ':' after the key, found \(found)") }
                at += 1
                expected = .value
            case .separator:
                let close: UInt8 = open.last == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")
                if at < bytes.count, bytes[at] == close { expected = closed(); continue }
                guard isNext(",") else { throw fail("expected ',' or '\(Character(Unicode.Scalar(close)))', found \(found)") }
                at += 1
                expected = open.last == UInt8(ascii: "{") ? .key : .value
            }
        }
    }

    private func isNext(_ character: Unicode.Scalar) -> Bool { at < bytes.count && bytes[at] == UInt8(ascii: character) }

    /// A container counts from its first element on.
    private func enter() throws(Stop) {
        if open.count > maximumDepth { throw fail("more than \(maximumDepth) arrays and objects inside one another") }
    }

    private mutating func closed() -> Expected {
        at += 1
        open.removeLast()
        return open.isEmpty ? .end : .separator
    }

    private var afterValue: Expected { open.isEmpty ? .end : .separator }

    private mutating func value() throws(Stop) -> Expected {
        guard at < bytes.count else { throw fail("expected a value, found the end") }
        switch bytes[at] {
        case UInt8(ascii: "{"): open.append(bytes[at]); at += 1; return .firstKey
        case UInt8(ascii: "["): open.append(bytes[at]); at += 1; return .firstElement
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        default: throw fail("expected a value, found \(found)")
        }
        return afterValue
    }

    /// White space, commas, colons and brackets end a word or a number.
    private func isEnd(_ offset: Int) -> Bool {
        guard offset < bytes.count else { return true }
        switch bytes[offset] {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "{"): return true
        default: return false
        }
    }

    private mutating func word(_ word: StaticString) throws(Stop) {
        let count = word.utf8CodeUnitCount
        var matches = bytes.count - at >= count
        if matches { for i in 0..<count where bytes[at + i] != word.utf8Start[i] { matches = false } }
        guard matches, isEnd(at + count) else { throw fail("expected a value, found \(found)") }
        at += count
    }

    private mutating func number() throws(Stop) {
        let start = at
        var digitsStart = at, isInteger = true
        func digits(_ from: Int) -> Int {
            var end = from
            while end < bytes.count, bytes[end] >= 0x30, bytes[end] <= 0x39 { end += 1 }
            return end
        }
        if isNext("-") { at += 1; digitsStart = at }
        let whole = digits(at)
        guard whole > at else { throw fail("expected a digit, found \(found)") }
        if bytes[at] == UInt8(ascii: "0"), whole > at + 1 { throw fail("a number does not begin with 0", at: start) }
        at = whole
        if isNext(".") {
            isInteger = false
            at += 1
            let fraction = digits(at)
            guard fraction > at else { throw fail("expected a digit after the decimal point, found \(found)") }
            at = fraction
        }
        if isNext("e") || isNext("E") {
            isInteger = false
            at += 1
            if isNext("+") || isNext("-") { at += 1 }
            let exponent = digits(at)
            guard exponent > at else { throw fail("expected a digit in the exponent, found \(found)") }
            at = exponent
        }
        guard isEnd(at) else { throw fail("expected the end of the number, found \(found)") }
        let literal = String(decoding: bytes[start..<at], as: UTF8.self)
        if isInteger {
            let fits = digitsStart > start ? Int64(literal) != nil : UInt64(literal) != nil
            guard fits else { throw fail("the integer \(short(literal)) \(JSONError.hugeInteger)", at: start) }
        } else {
            guard let value = Double(literal), value.isFinite else { throw fail("the number \(short(literal)) is beyond the range of a double", at: start) }
        }
    }

    private func short(_ literal: String) -> String { literal.utf8.count <= 40 ? literal : "\(literal.prefix(40))..." }

    private mutating func string() throws(Stop) {
        let start = at
        at += 1
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                return
            case UInt8(ascii: "\\"):
                guard at + 1 < bytes.count else { throw fail("the string has no end", at: start) }
                switch bytes[at + 1] {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                    at += 2
                case UInt8(ascii: "u"):
                    for i in at + 2..<at + 6 {
                        guard i < bytes.count else { throw fail("the string has no end", at: start) }
                        switch bytes[i] {
                        case 0x30...0x39, 0x41...0x46, 0x61...0x66: break
                        default: throw fail("expected four hexadecimal digits after \\u")
                        }
                    }
                    at += 6
                default: throw fail("no such escape in a string")
                }
            case 0..<0x20: throw fail("a control character (byte \(byte)) inside a string must be escaped")
            case 0x20..<0x80: at += 1
            default:
                guard case .scalar(let length) = WTF8.sequence(in: bytes, at: at) else { throw fail("the text is not UTF-8") }
                at += length
            }
        }
        throw fail("the string has no end", at: start)
    }

    private mutating func skipSpace() {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x09 || bytes[at] == 0x0A || bytes[at] == 0x0D { at += 1 }
    }

    /// What stands here, for a message.
    private var found: String {
        guard at < bytes.count else { return "the end" }
        let byte = bytes[at]
        if byte >= 0x21 && byte < 0x7F { return "'\(Character(Unicode.Scalar(byte)))'" }
        if byte >= 0x80, case .scalar(let length) = WTF8.sequence(in: bytes, at: at) { return "'\(String(decoding: bytes[at..<at + length], as: UTF8.self))'" }
        return "byte 0x" + String(byte, radix: 16)
    }
}
