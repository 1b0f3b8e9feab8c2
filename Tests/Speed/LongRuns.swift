import Tokenization

/// Texts without a break where a pattern could cut them: what makes an encoder quadratic.
struct LongRuns {
    private static let parts: [(name: String, text: String)] = [
        ("letter", "x"), ("two letters", "ab"), ("space", " "), ("line feed", "\n"), ("digit", "1"), ("punctuation", "!"), ("kinds of punctuation", "=-*/.,;:"), ("accented letter", "é"),
        ("ideograph", "漢"), ("ideographs", "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏"), ("syllable", "한"), ("emoji", "😀"), ("mark", "\u{301}"), ("marks", "\u{323}\u{301}\u{345}\u{316}"), ("no-break space", "\u{A0}"),
    ]

    /// Seconds that texts of about 1 and 4 million bytes take, each by a state that has met nothing, as JSON.
    static func measured(_ tokenizer: Tokenizer) throws -> String {
        let rows = try parts.map { part -> String in
            let seconds = try [1_000_000, 4_000_000].map { size -> Double in
                let unit = Array(part.text.utf8), text = Array(repeatElement(unit, count: size / unit.count).joined())
                let scratch = EncodingScratch()
                var ids: [UInt32] = []
                let start = now()
                try text.withUnsafeBufferPointer { try tokenizer.encode($0, into: &ids, scratch: scratch) }
                return now() - start
            }
            return #"{"of": "\#(part.name)", "1 MB": \#(seconds[0]), "4 MB": \#(seconds[1])}"#
        }
        return #"{"runs": [\#(rows.joined(separator: ", "))]}"#
    }
}
