/// Cuts a template's source into tokens, with `trim_blocks` and `lstrip_blocks` on: a line end after a block or comment goes, and so does white space
/// between a line's start and one; the marks - and + at a tag's ends take more, or nothing.
struct Lexer {
    private let source: [UInt8]
    private var position = 0
    private(set) var tokens: [(token: Token, place: Int)] = []
    /// Whether what was taken last ended a line: white space before a tag then starts one.
    private var startsLine = true

    /// - Parameter source: line ends are line feeds only.
    init(_ source: [UInt8]) { self.source = source }

    /// The source as the language sees it: line ends are line feeds, and one at the end of all goes.
    static func normalized(_ source: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            if source[index] == 0x0D {
                result.append(0x0A)
                if index + 1 < source.count, source[index + 1] == 0x0A { index += 1 }
            } else {
                result.append(source[index])
            }
            index += 1
        }
        if result.last == 0x0A { result.removeLast() }
        return result
    }

    mutating func run() throws -> [(token: Token, place: Int)] {
        while position < source.count { try readText() }
        tokens.append((.end, source.count))
        return tokens
    }

    // MARK: - Text and tags

    private enum Tag { case variable, block, comment }

    private func tag(at index: Int) -> Tag? {
        guard index + 1 < source.count, source[index] == UInt8(ascii: "{") else { return nil }
        switch source[index + 1] {
        case UInt8(ascii: "{"): return .variable
        case UInt8(ascii: "%"): return .block
        case UInt8(ascii: "#"): return .comment
        default: return nil
        }
    }

    private mutating func readText() throws {
        let start = position
        while position < source.count, tag(at: position) == nil { position += 1 }
        guard let tag = tag(at: position) else {
            add(start ..< position)
            return
        }
        let place = position
        position += 2
        let mark = takeMark()
        add(textRange(start ..< place, mark, lstrips: tag != .variable))
        switch tag {
        case .comment: try skipComment(place)
        case .variable:
            tokens.append((.variableBegin, place))
            try readExpression(until: .variableEnd, place)
        case .block:
            if let body = rawBody() {
                try readRaw(body, place)
            } else {
                tokens.append((.blockBegin, place))
                try readExpression(until: .blockEnd, place)
            }
        }
    }

    private mutating func takeMark() -> UInt8? {
        guard position < source.count, source[position] == UInt8(ascii: "-") || source[position] == UInt8(ascii: "+") else { return nil }
        position += 1
        return source[position - 1]
    }

    /// What is kept of text before a tag.
    private func textRange(_ range: Range<Int>, _ mark: UInt8?, lstrips: Bool) -> Range<Int> {
        let text = MarkedText(Array(source[range]))
        if mark == UInt8(ascii: "-") {
            return range.lowerBound ..< range.lowerBound + text.trimmed(left: false).count
        }
        guard mark == nil, lstrips else { return range }
        let line = source[range].lastIndex(of: 0x0A).map { $0 + 1 } ?? range.lowerBound
        guard line > range.lowerBound || startsLine else { return range }
        return MarkedText(Array(source[line ..< range.upperBound])).trimmed().isEmpty ? range.lowerBound ..< line : range
    }

    private mutating func add(_ range: Range<Int>) {
        if !range.isEmpty { tokens.append((.data(Array(source[range])), range.lowerBound)) }
    }

    private mutating func skipSpace() {
        while position < source.count {
            let length = min(MarkedText.length(lead: source[position]), source.count - position)
            guard MarkedText.isSpace(MarkedText.scalar(source[position ..< position + length])) else { break }
            position += length
        }
    }

    /// Takes a tag's end of two bytes with its mark and what goes with it; false where another thing stands.
    private mutating func takeEnd(_ first: Character, _ second: Character, trims: Bool, takesPlus: Bool) -> Bool {
        let start = position
        let mark = takeMark()
        let stands = position + 1 < source.count && source[position] == first.asciiValue && source[position + 1] == second.asciiValue
        guard stands, mark != UInt8(ascii: "+") || takesPlus else {
            position = start
            return false
        }
        position += 2
        if mark == UInt8(ascii: "-") { skipSpace() } else if mark == nil, trims, position < source.count, source[position] == 0x0A { position += 1 }
        startsLine = source[position - 1] == 0x0A
        return true
    }

    private mutating func skipComment(_ place: Int) throws {
        while position < source.count {
            if takeEnd("#", "}", trims: true, takesPlus: true) { return }
            position += 1
        }
        throw TemplateFailure("a comment without #}", at: place)
    }

    /// Where the text of `{% raw %}` starts, if this is one.
    private func rawBody() -> Int? {
        var ahead = self
        ahead.skipSpace()
        guard ahead.takes("raw") else { return nil }
        ahead.skipSpace()
        return ahead.takeEnd("%", "}", trims: false, takesPlus: false) ? ahead.position : nil
    }

    private mutating func takes(_ word: String) -> Bool {
        guard source[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func readRaw(_ body: Int, _ place: Int) throws {
        startsLine = source[body - 1] == 0x0A
        position = body
        while position < source.count {
            if tag(at: position) == .block {
                let end = position
                position += 2
                let mark = takeMark()
                skipSpace()
                if takes("endraw") {
                    skipSpace()
                    let before = startsLine
                    if takeEnd("%", "}", trims: true, takesPlus: true) {
                        let after = startsLine
                        startsLine = before
                        add(textRange(body ..< end, mark, lstrips: true))
                        startsLine = after
                        return
                    }
                }
                position = end
            }
            position += 1
        }
        throw TemplateFailure("raw without {% endraw %}", at: place)
    }

    // MARK: - Inside tags

    private mutating func readExpression(until end: Token, _ place: Int) throws {
        var open: [UInt8] = []
        while true {
            let before = position
            if open.isEmpty, end == .variableEnd ? takeEnd("}", "}", trims: false, takesPlus: false) : takeEnd("%", "}", trims: true, takesPlus: true) {
                tokens.append((end, before))
                return
            }
            skipSpace()
            if position > before { continue }
            guard position < source.count else { throw TemplateFailure("a tag without \(end.description)", at: place) }
            let byte = source[position]
            switch byte {
            case UInt8(ascii: "0") ... UInt8(ascii: "9"): try readNumber()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): try readString()
            case UInt8(ascii: "A") ... UInt8(ascii: "Z"), UInt8(ascii: "a") ... UInt8(ascii: "z"), UInt8(ascii: "_"), 0x80...: readName()
            default: try readSymbol(&open)
            }
        }
    }

    private mutating func readName() {
        let start = position
        while position < source.count {
            let byte = source[position]
            guard byte >= 0x80 || byte == UInt8(ascii: "_") || (0x61 ... 0x7A).contains(byte | 0x20) || (0x30 ... 0x39).contains(byte) else { break }
            position += 1
        }
        tokens.append((.name(String(decoding: source[start ..< position], as: UTF8.self)), start))
    }

    private mutating func readSymbol(_ open: inout [UInt8]) throws {
        let place = position
        for length in [2, 1] where position + length <= source.count {
            guard let symbol = Token.Symbol(rawValue: String(decoding: source[position ..< position + length], as: UTF8.self)) else { continue }
            switch symbol {
            case .leftParenthesis: open.append(UInt8(ascii: ")"))
            case .leftBracket: open.append(UInt8(ascii: "]"))
            case .leftBrace: open.append(UInt8(ascii: "}"))
            case .rightParenthesis, .rightBracket, .rightBrace:
                guard let expected = open.popLast() else { throw TemplateFailure("\(symbol.rawValue) closes nothing", at: place) }
                guard expected == source[position] else {
                    throw TemplateFailure("found \(symbol.rawValue), expected \(Character(Unicode.Scalar(expected)))", at: place)
                }
            default: break
            }
            position += length
            tokens.append((.symbol(symbol), place))
            return
        }
        throw TemplateFailure("unexpected character \(String(decoding: source[position ..< position + 1], as: UTF8.self))", at: place)
    }

    private mutating func readNumber() throws {
        let (token, end) = try NumberLiteral.read(source, position, afterDot: position > 0 && source[position - 1] == UInt8(ascii: "."))
        tokens.append((token, position))
        position = end
    }

    private mutating func readString() throws {
        let start = position, quote = source[position]
        position += 1
        while position < source.count, source[position] != quote { position += source[position] == UInt8(ascii: "\\") ? 2 : 1 }
        guard position < source.count else { throw TemplateFailure("a string without its closing quote", at: start) }
        tokens.append((.string(try StringLiteral.unescaped(source[start + 1 ..< position], place: start)), start))
        position += 1
    }
}
