/// Numbers as a template writes them: `12`, `1_000`, `0x1f`, `1.5`, `2e3`.
enum NumberLiteral {
    /// - Parameter afterDot: digits after a dot are an index (`pair.0.1`), never a fraction.
    /// - Returns: the number, and where it ends.
    static func read(_ source: [UInt8], _ start: Int, afterDot: Bool) throws -> (Token, end: Int) {
        if source[start] == UInt8(ascii: "0"), start + 2 < source.count, let radix = radix(source[start + 1]) {
            let end = digits(source, start + 2, radix: radix)
            if end > start + 2 { return (.integer(try integer(source[start + 2 ..< end], radix, start)), end) }
        }
        var end = digits(source, start, radix: 10)
        var isFloat = false
        if !afterDot {
            if end + 1 < source.count, source[end] == UInt8(ascii: "."), isDigit(source[end + 1], 10) {
                end = digits(source, end + 1, radix: 10)
                isFloat = true
            }
            if end < source.count, source[end] | 0x20 == UInt8(ascii: "e") {
                var exponent = end + 1
                if exponent < source.count, source[exponent] == UInt8(ascii: "+") || source[exponent] == UInt8(ascii: "-") { exponent += 1 }
                if exponent < source.count, isDigit(source[exponent], 10) {
                    end = digits(source, exponent, radix: 10)
                    isFloat = true
                }
            }
        }
        if isFloat {
            let text = String(decoding: source[start ..< end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
            guard let value = Double(text) else { throw TemplateFailure("\(text) is not a number", at: start) }
            return (.float(value), end)
        }
        if source[start] == UInt8(ascii: "0"), source[start ..< end].contains(where: { $0 != UInt8(ascii: "0") && $0 != UInt8(ascii: "_") }) {
            throw TemplateFailure("a whole number does not start with 0", at: start)
        }
        return (.integer(try integer(source[start ..< end], 10, start)), end)
    }

    private static func radix(_ letter: UInt8) -> Int? {
        switch letter | 0x20 {
        case UInt8(ascii: "x"): 16
        case UInt8(ascii: "o"): 8
        case UInt8(ascii: "b"): 2
        default: nil
        }
    }

    private static func integer(_ digits: ArraySlice<UInt8>, _ radix: Int, _ place: Int) throws -> Int {
        let text = String(decoding: digits.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        guard let value = Int(text, radix: radix) else { throw TemplateFailure("the number \(text) does not fit into 64 bits", at: place) }
        return value
    }

    private static func isDigit(_ byte: UInt8, _ radix: Int) -> Bool { Character(Unicode.Scalar(byte)).hexDigitValue.map { $0 < radix } ?? false }

    /// Where digits, single underscores between them, end.
    private static func digits(_ source: [UInt8], _ start: Int, radix: Int) -> Int {
        var end = start
        while end < source.count {
            if isDigit(source[end], radix) { end += 1; continue }
            guard source[end] == UInt8(ascii: "_"), end > start, end + 1 < source.count, isDigit(source[end + 1], radix) else { break }
            end += 1
        }
        return end
    }
}

/// Strings as a template writes them, with Python's escapes; an escape that Python does not know stays as it stands.
enum StringLiteral {
    static func unescaped(_ body: ArraySlice<UInt8>, place: Int) throws -> [UInt8] {
        guard body.contains(UInt8(ascii: "\\")) else { return Array(body) }
        var result: [UInt8] = [], rest = body
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch escape {
            case 0x0A: break
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): result.append(escape)
            case UInt8(ascii: "a"): result.append(0x07)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "v"): result.append(0x0B)
            case UInt8(ascii: "0") ... UInt8(ascii: "7"):
                var value = UInt32(escape - UInt8(ascii: "0"))
                for _ in 0 ..< 2 {
                    guard let digit = rest.first, (UInt8(ascii: "0") ... UInt8(ascii: "7")).contains(digit) else { break }
                    value = value * 8 + UInt32(digit - UInt8(ascii: "0"))
                    rest.removeFirst()
                }
                append(value, to: &result)
            case UInt8(ascii: "x"): append(try hexadecimal(&rest, 2, place), to: &result)
            case UInt8(ascii: "u"): append(try hexadecimal(&rest, 4, place), to: &result)
            case UInt8(ascii: "U"): append(try hexadecimal(&rest, 8, place), to: &result)
            case UInt8(ascii: "N"): throw TemplateFailure("a character by its name (\\N) is not supported; write it as \\uXXXX", at: place)
            default: result += [byte, escape]
            }
        }
        return result
    }

    private static func hexadecimal(_ rest: inout ArraySlice<UInt8>, _ count: Int, _ place: Int) throws -> UInt32 {
        let digits = String(decoding: rest.prefix(count), as: UTF8.self)
        guard digits.utf8.count == count, digits.first != "+", let value = UInt32(digits, radix: 16), value <= 0x10FFFF else {
            throw TemplateFailure("an escape in a string needs \(count) hexadecimal digits of a character", at: place)
        }
        rest.removeFirst(count)
        return value
    }

    /// A code point as bytes, surrogates too.
    static func append(_ value: UInt32, to result: inout [UInt8]) {
        if let scalar = Unicode.Scalar(value) {
            result += Array(UTF8.encode(scalar)!)
        } else {
            result += [UInt8(0xE0 | value >> 12), UInt8(0x80 | value >> 6 & 0x3F), UInt8(0x80 | value & 0x3F)]
        }
    }
}
