import JSON
import RecordStream

/// What a rating may be; anything else is out of range and counts as missing.
public struct RatingRange: Sendable, Equatable, CustomStringConvertible {
    public var low: Double
    public var high: Double

    public init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }

    /// Reads `1..5`.
    public init(_ text: String, separator: String = "..") throws(OptionFault) {
        guard let dots = text.firstRange(of: separator), let low = decimalNumber(text[..<dots.lowerBound].utf8), let high = decimalNumber(text[dots.upperBound...].utf8) else {
            throw OptionFault("\"\(text)\" is no range, expected LOW\(separator)HIGH as in 1\(separator)5")
        }
        guard low < high else { throw OptionFault("\"\(text)\" is no range, \(plain(low)) is not below \(plain(high))") }
        self.init(low: low, high: high)
    }

    public var description: String { "\(plain(low))..\(plain(high))" }

    /// Where the value stands in this range, in another one: linear, the ends to the ends.
    func map(_ value: Double, onto other: RatingRange) -> Double {
        self == other ? value : other.low + (value - low) / (high - low) * (other.high - other.low)
    }
}

/// A number as people write it: `4`, `0.5`.
func plain(_ value: Double) -> String {
    if let integer = Int(exactly: value), abs(integer) < 1 << 53 { return "\(integer)" }
    return "\(value)"
}

/// A decimal number (sign, digits, point, exponent) and nothing else around it: no hexadecimal, no `nan`, no spaces. Correctly rounded.
func decimalNumber(_ bytes: some Collection<UInt8>) -> Double? {
    guard let first = bytes.first, bytes.count <= 64 else { return nil }
    // Most ratings are one digit.
    if bytes.count == 1 { return first >= UInt8(ascii: "0") && first <= UInt8(ascii: "9") ? Double(first - UInt8(ascii: "0")) : nil }
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "e"), UInt8(ascii: "E"): break
        default: return nil
        }
    }
    guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
    return value
}

/// Reading of one rating.
enum RatingValue {
    /// Ratings are strings in UltraFeedback, numbers elsewhere. Absent, null, "" and "N/A" are missing in their own ways; what is no number is an error.
    static func read(_ cursor: JSONCursor?, path: @autoclosure () -> String, range: RatingRange) throws -> (Double, RatingState) {
        guard let cursor else { return (.nan, .missing) }
        if cursor.isNull { return (.nan, .null) }
        let value: Double
        if let number = cursor.double {
            value = number
        } else if let bytes = cursor.stringBytes {
            let trimmed = trim(bytes)
            if trimmed.isEmpty { return (.nan, .missing) }
            if isNotApplicable(trimmed) { return (.nan, .notApplicable) }
            guard let number = decimalNumber(trimmed) else {
                throw BadRecord(reason: .unreadableRating, message: "\(path()) is \"\(shown(bytes))\", expected \(range) or N/A")
            }
            value = number
        } else {
            throw BadRecord(reason: .unreadableRating, message: "\(path()) is \(cursor.typeName), expected \(range) or N/A")
        }
        return value >= range.low && value <= range.high ? (value, .rated) : (.nan, .outOfRange)
    }

    /// The ratings of `count` responses of which one, by its number from 0, is named the best: 1 for it, 0 for the others. Another number is out of range.
    static func best(_ cursor: JSONCursor?, path: String, of count: Int) throws -> [(Double, RatingState)] {
        let (value, state) = try read(cursor, path: path, range: RatingRange(low: 0, high: Double(max(count - 1, 0))))
        guard state == .rated else { return Array(repeating: (.nan, state), count: count) }
        guard let named = Int(exactly: value) else { return Array(repeating: (.nan, .outOfRange), count: count) }
        return (0..<count).map { ($0 == named ? 1 : 0, .rated) }
    }

    /// The ratings of responses with ranks, 1 for the best of N: N + 1 - rank, so 1 to N, in that range.
    static func ranked(_ ranks: [JSONCursor?], path: (Int) -> String) throws -> (range: RatingRange, ratings: [(Double, RatingState)]) {
        let range = RatingRange(low: 1, high: Double(max(ranks.count, 2)))
        return (range, try ranks.enumerated().map { i, cursor in
            let (rank, state) = try read(cursor, path: path(i), range: RatingRange(low: 1, high: Double(ranks.count)))
            return (Double(ranks.count + 1) - rank, state)
        })
    }

    static func trim(_ bytes: UnsafeBufferPointer<UInt8>) -> Slice<UnsafeBufferPointer<UInt8>> {
        var rest = bytes[...]
        while let first = rest.first, isSpace(first) { rest = rest.dropFirst() }
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return rest
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isNotApplicable(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        // "N/A" in UltraFeedback; its own annotation code also met "n/a" and "NA".
        guard bytes.count == 2 || bytes.count == 3, bytes[bytes.startIndex] | 0x20 == UInt8(ascii: "n"), bytes[bytes.endIndex - 1] | 0x20 == UInt8(ascii: "a") else { return false }
        return bytes.count == 2 || bytes[bytes.startIndex + 1] == UInt8(ascii: "/")
    }

    private static func shown(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        String(decoding: bytes.prefix(40), as: UTF8.self) + (bytes.count > 40 ? "..." : "")
    }
}
