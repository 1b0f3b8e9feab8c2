import JSON
import RecordStream

/// Dimensions that a program rates from the text alone, so that a data set can have dimensions whose truth is known.
///
/// Every rating is a number from 1 to 5, a function of the response and the last turn before it. Words are what `Words` makes of a text. Text is taken byte by
/// byte and only ASCII letters are made small: no table of characters, which changes from release to release, decides a rating.
public enum Rater: String, Sendable, CaseIterable {
    case brevity
    case formatting
    case lexicalDiversity = "lexical-diversity"
    case questionEcho = "question-echo"
    case nonRefusal = "non-refusal"

    static let range = RatingRange(low: 1, high: 5)

    /// The dimension's name, as sources write theirs.
    public var dimension: Text { Text(rawValue.map { $0 == "-" ? "_" : String($0) }.joined()) }

    /// What it rates, in one sentence with its formula: the text of --help.
    public var summary: String {
        switch self {
        case .brevity: "short responses: 1 + 400 / (100 + w) for w words"
        case .formatting: "structured responses: 1 + 4 s, s the share of lines that are headings, list items, quotes, table rows, rules or code, of those not blank"
        case .lexicalDiversity: "varied words: 1 + 4 d, d the mean over all windows of 50 words of the share of different words in a window (of all words where there are fewer)"
        case .questionEcho: "responses that begin with the question: 1 + 4 e, e the share of the prompt's different words of at least 4 bytes that the response's first 30 words repeat"
        case .nonRefusal: "responses that do not decline: 1 where the first 200 bytes hold a phrase of refusal in English (\(Rater.refusals.count) are known), else 5"
        }
    }

    /// - Parameter prompt: the last turn before the response.
    public func rate(_ response: Text, prompt: Text) -> Double {
        switch self {
        case .brevity: return 1 + 400 / (100 + Double(Words(response).count))
        case .formatting: return 1 + 4 * Rater.formattedShare(response.bytes)
        case .lexicalDiversity: return 1 + 4 * Rater.diversity(Words(response).small, window: 50)
        case .questionEcho: return 1 + 4 * Rater.echo(of: prompt, in: response)
        case .nonRefusal: return Rater.refuses(response.bytes) ? 1 : 5
        }
    }

    // MARK: The measures

    /// Lines by their first characters that are not blanks; all lines between two fences (```) are code.
    static func formattedShare(_ text: [UInt8]) -> Double {
        var lines = 0, formatted = 0, inCode = false
        for line in text.split(separator: 0x0A) {
            let line = line.drop { Words.isSpace($0) }
            if line.isEmpty { continue }
            lines += 1
            let isFence = line.starts(with: "```".utf8)
            if inCode || isFence || isMarkup(line) { formatted += 1 }
            if isFence { inCode.toggle() }
        }
        return lines == 0 ? 0 : Double(formatted) / Double(lines)
    }

    private static func isMarkup(_ line: ArraySlice<UInt8>) -> Bool {
        func blankAfter(_ rest: ArraySlice<UInt8>) -> Bool { rest.first.map(Words.isSpace) ?? true }
        guard let first = line.first else { return false }
        switch first {
        case UInt8(ascii: "#"):
            let rest = line.drop { $0 == UInt8(ascii: "#") }
            return line.count - rest.count <= 6 && blankAfter(rest)
        case UInt8(ascii: ">"), UInt8(ascii: "|"): return true
        case UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "_"):
            return blankAfter(line.dropFirst()) || line.count >= 3 && line.allSatisfy { $0 == first || Words.isSpace($0) } && first != UInt8(ascii: "+")
        case UInt8(ascii: "0") ... UInt8(ascii: "9"):
            let rest = line.drop { (UInt8(ascii: "0") ... UInt8(ascii: "9")).contains($0) }
            guard line.count - rest.count <= 9, let mark = rest.first, mark == UInt8(ascii: ".") || mark == UInt8(ascii: ")") else { return false }
            return blankAfter(rest.dropFirst())
        default: return false
        }
    }

    /// The moving-average type-token ratio (Covington and McFall 2010): unlike the ratio over a whole text it does not fall with length.
    static func diversity(_ words: [ArraySlice<UInt8>], window: Int) -> Double {
        guard !words.isEmpty else { return 0 }
        var counts: [ArraySlice<UInt8>: Int] = [:], sum = 0, windows = 0
        for (index, word) in words.enumerated() {
            counts[word, default: 0] += 1
            if index >= window {
                let old = words[index - window], count = counts[old] ?? 1
                counts[old] = count == 1 ? nil : count - 1
            }
            if index + 1 >= window {
                sum += counts.count
                windows += 1
            }
        }
        return windows == 0 ? Double(counts.count) / Double(words.count) : Double(sum) / Double(windows) / Double(window)
    }

    static func echo(of prompt: Text, in response: Text) -> Double {
        let asked = Set(Words(prompt).small.filter { $0.count >= 4 })
        guard !asked.isEmpty else { return 0 }
        let repeated = asked.intersection(Words(response).small.prefix(30))
        return Double(repeated.count) / Double(asked.count)
    }

    static func refuses(_ text: [UInt8]) -> Bool {
        // A typographic apostrophe is an apostrophe.
        var head: [UInt8] = []
        var rest = text.prefix(200)
        while let byte = rest.popFirst() {
            if byte == 0xE2, rest.starts(with: [0x80, 0x99]) {
                head.append(UInt8(ascii: "'"))
                rest = rest.dropFirst(2)
            } else {
                head.append(Words.small(byte))
            }
        }
        let beginning = String(decoding: head, as: UTF8.self).utf8
        return refusals.contains { phrase in beginning.firstRange(of: phrase.utf8) != nil }
    }

    static let refusals = [
        "i'm sorry, but", "i am sorry, but", "i apologize, but", "i cannot ", "i can not ", "i can't ", "i am unable", "i'm unable", "i am not able to", "i'm not able to",
        "i won't ", "i will not ", "i must decline", "i have to decline", "as an ai ", "as an ai,", "as an ai-", "as a language model", "as a large language model", "it is not appropriate", "it's not appropriate",
        "not comfortable", "against my guidelines", "against my programming",
    ]
}
