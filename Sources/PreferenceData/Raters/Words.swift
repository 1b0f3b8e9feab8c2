import JSON

/// The words of a text: what stands between ASCII white space, without ASCII punctuation at its ends; what is nothing else than punctuation is no word.
struct Words {
    /// As they stand, and with small ASCII letters.
    let all: [ArraySlice<UInt8>]
    var count: Int { all.count }
    var small: [ArraySlice<UInt8>] { all.map { ArraySlice($0.map(Words.small)) } }

    init(_ text: Text) {
        var all: [ArraySlice<UInt8>] = []
        text.bytes.withUnsafeBufferPointer { bytes in Words.forEach(in: bytes) { all.append(text.bytes[$0]) } }
        self.all = all
    }

    /// Calls `body` with the place of every word, in order.
    static func forEach(in bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        var at = 0
        while at < bytes.count {
            if isSpace(bytes[at]) { at += 1; continue }
            var start = at
            while at < bytes.count, !isSpace(bytes[at]) { at += 1 }
            var end = at
            while start < end, isPunctuation(bytes[start]) { start += 1 }
            while start < end, isPunctuation(bytes[end - 1]) { end -= 1 }
            if start < end { body(start ..< end) }
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09 ... 0x0D).contains(byte) }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        byte < 0x80 && !(0x30 ... 0x39).contains(byte) && !(0x41 ... 0x5A).contains(byte) && !(0x61 ... 0x7A).contains(byte)
    }

    static func small(_ byte: UInt8) -> UInt8 { (0x41 ... 0x5A).contains(byte) ? byte | 0x20 : byte }
}
