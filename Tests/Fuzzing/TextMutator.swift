import TestSupport

/// JSON that was JSON once, or still is and means something else.
enum TextMutator {
    /// A few lines, some of them mutated, some from elsewhere, in one of the wrappings in which data comes.
    static func lines(of own: [[UInt8]], strangers: [[UInt8]], isArray: Bool = false, _ generator: inout SeededGenerator) -> [UInt8] {
        var lines: [[UInt8]] = (0 ... generator.below(3)).map { _ in generator.once(in: 10) ? generator.pick(strangers) : generator.pick(own) }
        for _ in 0 ..< (generator.once(in: 8) ? 0 : few(3, &generator)) {
            let line = generator.below(lines.count)
            lines[line] = mutated(lines[line], strangers: strangers, &generator)
        }
        if generator.once(in: 8) {
            let odd = generator.pick(["", " ", "\t\r", "null", "{}", "[]", "1", "\u{FEFF}"])
            lines.insert(Array(odd.utf8), at: generator.below(lines.count + 1))
        }
        var text: [UInt8]
        if isArray || generator.once(in: 12) {
            let separator = Array(generator.pick([",", ",\n  ", " , ", ",,", "\n"]).utf8), end = generator.pick(["]", "]\n", "\n]  ", "", "]]", "] 1"])
            text = Array("[".utf8) + Array(lines.joined(separator: separator)) + Array(end.utf8)
        } else {
            let separator = Array(generator.once(in: 8) ? "\r\n".utf8 : "\n".utf8)
            text = Array(lines.joined(separator: separator)) + (generator.once(in: 4) ? [] : separator)
        }
        if generator.once(in: 25) { text.insert(contentsOf: [0xEF, 0xBB, 0xBF], at: 0) }
        if generator.once(in: 12) { ByteMutator.damage(&text, &generator) }
        return text
    }

    /// One, half of the time; else up to `most`.
    private static func few(_ most: Int, _ generator: inout SeededGenerator) -> Int { generator.once(in: 2) ? 1 : 1 + generator.below(most) }

    /// One to four changes.
    static func mutated(_ line: [UInt8], strangers: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
        var line = line
        for _ in 0 ..< few(4, &generator) { mutate(&line, strangers, &generator) }
        return line
    }

    private static func mutate(_ line: inout [UInt8], _ strangers: [[UInt8]], _ generator: inout SeededGenerator) {
        let outline = JSONOutline(line)
        guard !outline.values.isEmpty, !generator.once(in: 12) else { return ByteMutator.damage(&line, &generator) }
        switch generator.below(12) {
        case 0, 1, 2: line.replaceSubrange(generator.pick(outline.values), with: oddValue(&generator))
        case 3: remove(generator.pick(outline.members + outline.elements + outline.values), from: &line)
        case 4 where !outline.members.isEmpty, 5 where !outline.elements.isEmpty:
            // Once more, before its old self or somewhere else among its like.
            let like = outline.members.isEmpty ? outline.elements : outline.members, place = generator.pick(like).lowerBound
            line.insert(contentsOf: Array(line[generator.pick(like)]) + [UInt8(ascii: ",")], at: place)
        case 6:
            let (one, other) = (generator.pick(outline.values), generator.pick(outline.values))
            line.replaceSubrange(one, with: Array(line[other]))
        case 7:
            let stranger = generator.pick(strangers), parts = JSONOutline(stranger).values
            if !parts.isEmpty { line.replaceSubrange(generator.pick(outline.values), with: Array(stranger[generator.pick(parts)])) }
        case 8 where !outline.keys.isEmpty:
            line.replaceSubrange(generator.pick(outline.keys), with: generator.once(in: 2) ? Array(line[generator.pick(outline.keys)]) : oddString(&generator))
        case 9 where !outline.strings.isEmpty:
            let string = generator.pick(outline.strings)
            line.insert(contentsOf: generator.pick(oddCharacters), at: string.lowerBound + 1 + generator.below(string.count - 1))
        case 10:
            let value = generator.pick(outline.values), depth = generator.pick([1, 2, 3, 300, 510, 511, 512, 513, 2000])
            nest(&line, value, depth, generator.pick([("[", "]"), ("{\"a\":", "}")]), isClosed: !generator.once(in: 6))
        default:
            let value = generator.pick(outline.values)
            let stray = generator.pick([" ", "\t", "\n", "\r", "\u{C}", "\u{A0}", ",", ":", "//", "+", "-", "0", "e", "}", "]", "\""])
            line.insert(contentsOf: stray.utf8, at: generator.once(in: 2) ? value.lowerBound : value.upperBound)
        }
    }

    private static func remove(_ part: Range<Int>, from line: inout [UInt8]) {
        var end = part.upperBound
        if end < line.count, line[end] == UInt8(ascii: ",") { end += 1 }
        line.removeSubrange(part.lowerBound ..< end)
    }

    private static func nest(_ line: inout [UInt8], _ value: Range<Int>, _ depth: Int, _ brackets: (String, String), isClosed: Bool) {
        let open = String(repeating: brackets.0, count: depth), close = isClosed ? String(repeating: brackets.1, count: depth) : ""
        line.replaceSubrange(value, with: Array(open.utf8) + Array(line[value]) + Array(close.utf8))
    }

    // MARK: What is odd

    private static let numbers = [
        "0", "-0", "-0.0", "1", "5", "6", "-1", "1.5", "4.0", "1e0", "1e999", "-1e999", "1e-400", "5e-324",
        "1.7976931348623157e308", "1.7976931348623159e308", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
        "18446744073709551616", "4294967296", "-2147483649",
        "123456789012345678901234567890", "0.1e", "01", "1.", ".5", "+1", "0x10", "1e+", "--1", "NaN", "Infinity", "-Infinity", "inf",
    ]
    private static let words = [
        "null", "true", "false", "nul", "True", "None", "undefined", "[]", "{}", "[null]", "[[]]", "[{}]", "{\"\":null}", "[[1,2],[3]]", "{\"a\":1,\"a\":2}", "",
    ]
    private static let texts = [
        "", " ", "a", "5", "N/A", "n/a", "4.5", "nan", "1e999", "inf", "-inf", "user", "assistant", "system", "chosen", "rejected",
        "\\u0000", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\ude00\\ud83d",
        "\\ue000\\ud800", "\\uD83D\\u0041", "\\n\\r\\t\\\"\\\\\\/\\b\\f", "\\u", "\\u12", "\\x41", "\\",
        "\u{1F600}", "\u{E000}", "\u{FEFF}", "\u{2028}", "e\u{301}",
    ]
    /// Put into strings, raw.
    private static let oddCharacters: [[UInt8]] = [
        [0], [0x01], [0x0A], [0x0D], [0x1B], [0x7F], [0x80], [0xC0, 0x80], [0xC3], [0xED, 0xA0, 0xBD], [0xED, 0xB8, 0x80],
        [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFE, 0xFF], [0xFF],
        [0xEF, 0xBB, 0xBF], [0xEE, 0x80, 0x80], Array("\\ud83d".utf8), Array("\\udc00".utf8), Array("\\u0000".utf8),
        Array("\"".utf8), Array("\\".utf8), Array("\u{1F600}".utf8),
    ]

    private static func oddValue(_ generator: inout SeededGenerator) -> [UInt8] {
        switch generator.below(8) {
        case 0, 1, 2: return Array(generator.pick(numbers).utf8)
        case 3, 4: return Array(generator.pick(words).utf8)
        case 5: return Array(((generator.once(in: 2) ? "-" : "") + String(repeating: "1234567890", count: 1 + generator.below(100))).utf8)
        default: return oddString(&generator)
        }
    }

    private static func oddString(_ generator: inout SeededGenerator) -> [UInt8] {
        if generator.once(in: 200) { return Array(("\"" + String(repeating: generator.pick(["x", "é", "\\n", "\\ud83d"]), count: 100_000) + "\"").utf8) }
        let inside = generator.once(in: 5) ? generator.pick(oddCharacters) : Array(generator.pick(texts).utf8)
        return [UInt8(ascii: "\"")] + inside + [UInt8(ascii: "\"")]
    }
}
