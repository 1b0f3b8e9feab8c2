import Glibc

/// The time that `strftime_now` tells: what the caller says, never the clock's, so that a text can be rendered again.
public struct TemplateTime: Sendable, Equatable {
    /// Seconds since 1970, the time as it is written taken for universal time.
    private let seconds: Int

    /// - Parameter text: `2024-07-26` or `2024-07-26T12:30:00`.
    /// - Returns: nil for anything else.
    public init?(_ text: String) {
        let halves = text.split(separator: "T", omittingEmptySubsequences: false)
        func numbers(_ half: Substring, _ separator: Character, _ widths: [Int]) -> [Int32]? {
            let parts = half.split(separator: separator, omittingEmptySubsequences: false)
            guard parts.map(\.utf8.count) == widths, half.utf8.allSatisfy({ (0x30 ... 0x39).contains($0) || $0 == separator.asciiValue }) else { return nil }
            return parts.compactMap { Int32($0) }
        }
        guard halves.count <= 2, let date = numbers(halves[0], "-", [4, 2, 2]), let clock = halves.count == 2 ? numbers(halves[1], ":", [2, 2, 2]) : [0, 0, 0] else {
            return nil
        }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (date[0] - 1900, date[1] - 1, date[2])
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (clock[0], clock[1], clock[2])
        let seconds = timegm(&parts)
        // A day that is none comes back as another.
        guard (parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec) == (date[1] - 1, date[2], clock[0], clock[1], clock[2]) else {
            return nil
        }
        self.seconds = seconds
    }

    /// The time in the form that a C format asks for, in English.
    func formatted(_ format: [UInt8]) -> [UInt8] {
        var clock = time_t(seconds), parts = tm()
        gmtime_r(&clock, &parts)
        // Python's time without a zone has nothing to say for these.
        var cleaned: [UInt8] = [], rest = format[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let letter = rest.first else {
                cleaned.append(byte)
                continue
            }
            rest.removeFirst()
            switch letter {
            case UInt8(ascii: "z"), UInt8(ascii: "Z"): break
            case UInt8(ascii: "f"): cleaned += "000000".utf8
            default: cleaned += [byte, letter]
            }
        }
        guard !cleaned.isEmpty else { return [] }
        // A byte that is always written tells an empty result from one without room.
        let pattern = (cleaned + [UInt8(ascii: "."), 0]).map { CChar(bitPattern: $0) }
        var buffer = [CChar](repeating: 0, count: 64 * cleaned.count + 64)
        let length = strftime(&buffer, buffer.count, pattern, &parts)
        return buffer.prefix(max(0, length - 1)).map { UInt8(bitPattern: $0) }
    }
}
