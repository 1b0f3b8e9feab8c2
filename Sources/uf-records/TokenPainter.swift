import SystemIO
import Tokenization

/// How a piece of text looks where there are colours.
enum TextStyle: String {
    case plain = "", heading = "1", masked = "2", special = "36", maskedSpecial = "2;36", mark = "33"
}

/// Token ids as text for people: special tokens between ⟦ and ⟧, control characters and what is no UTF-8 escaped. Colours add to that and say nothing else.
struct TokenPainter {
    let tokenizer: Tokenizer
    let isColored: Bool

    func painted(_ text: String, _ style: TextStyle) -> String {
        isColored && style != .plain && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Lines of text, each after `margin`.
    /// - Parameter marks: what stands before a token, by its number in `ids`, or at the end, by their count.
    func lines(_ ids: some Sequence<UInt32>, isMasked: Bool, margin: String, marks: [Int: String] = [:]) throws(InputError) -> String {
        var text = margin, run: [UInt8] = []
        func add(_ shown: String, _ style: TextStyle) {
            for (number, line) in shown.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                if number > 0 { text += "\n" + margin }
                text += painted(String(line), style)
            }
        }
        // A character may take several tokens: bytes become text where a run of plain tokens ends.
        func flush() {
            if !run.isEmpty { add(TokenPainter.visible(run), isMasked ? .masked : .plain) }
            run.removeAll()
        }
        var count = 0
        for id in ids {
            if let mark = marks[count] {
                flush()
                text += painted(mark, .mark)
            }
            count += 1
            let bytes = try tokenizer.bytes(of: id)
            if tokenizer.isSpecial(id) {
                flush()
                add("⟦" + TokenPainter.visible(bytes) + "⟧", isMasked ? .maskedSpecial : .special)
            } else {
                run += bytes
            }
        }
        flush()
        return text + painted(marks[count] ?? "", .mark) + "\n"
    }

    /// Text that a terminal shows and does not obey: line feeds stay, other control and format characters become \t, \r or \u{1B}, bytes that are no UTF-8 \xE2.
    static func visible(_ bytes: [UInt8]) -> String {
        var shown = String.UnicodeScalarView(), parser = Unicode.UTF8.ForwardParser(), rest = bytes.makeIterator(), place = 0
        func escape(_ number: some BinaryInteger, _ open: String, _ close: String = "") {
            let digits = String(number, radix: 16, uppercase: true)
            shown += (open + (digits.count < 2 ? "0" : "") + digits + close).unicodeScalars
        }
        while true {
            switch parser.parseScalar(from: &rest) {
            case .emptyInput: return String(shown)
            case .error(let length):
                for byte in bytes[place ..< place + length] { escape(byte, "\\x") }
                place += length
            case .valid(let units):
                place += units.count
                let scalar = Unicode.UTF8.decode(units)
                switch (scalar, scalar.properties.generalCategory) {
                case ("\n", _), ("\u{200C}", _), ("\u{200D}", _): shown.append(scalar)
                case ("\t", _): shown += "\\t".unicodeScalars
                case ("\r", _): shown += "\\r".unicodeScalars
                case (_, .control), (_, .format), (_, .lineSeparator), (_, .paragraphSeparator): escape(scalar.value, "\\u{", "}")
                default: shown.append(scalar)
                }
            }
        }
    }
}
