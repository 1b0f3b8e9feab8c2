import JSON

/// The words of a text: what stands between ASCII white space, without ASCII punctuation at its ends; what is nothing else than punctuation is no word.
struct Words {
    /// As they stand, and with small ASCII letters.
    let all: [ArraySlice<UInt8>]
    var count: Int { all.count }
    var small: [ArraySlice<UInt8>] { all.map { ArraySlice($0.map(Words.small)) } }

    init(_ text: Text) {
        all = text.bytes.split(whereSeparator: Words.isSpace).compactMap { word in
            var word = word
            while let first = word.first, Words.isPunctuation(first) { word.removeFirst() }
            while let last = word.last, Words.isPunctuation(last) { word.removeLast() }
            return word.isEmpty ? nil : word
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09 ... 0x0D).contains(byte) }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        byte < 0x80 && !(0x30 ... 0x39).contains(byte) && !(0x41 ... 0x5A).contains(byte) && !(0x61 ... 0x7A).contains(byte)
    }

    static func small(_ byte: UInt8) -> UInt8 { (0x41 ... 0x5A).contains(byte) ? byte | 0x20 : byte }
}
