import JSON

/// The words of texts, one after the other, with small ASCII letters: what `Words` makes of each, held so that runs of words compare as bytes.
struct WordSequence {
    /// Every word with a space after it.
    private(set) var bytes: [UInt8] = []
    /// Where each word begins, and where the next one would.
    private(set) var starts: [UInt32] = [0]

    var count: Int { starts.count - 1 }

    init() {}

    init(_ text: Text) { append(text) }

    mutating func append(_ text: Text) {
        bytes.reserveCapacity(bytes.count + text.count + 1)
        text.bytes.withUnsafeBufferPointer { all in
            Words.forEach(in: all) { word in
                for at in word { bytes.append(Words.small(all[at])) }
                bytes.append(0x20)
                starts.append(UInt32(bytes.count))
            }
        }
    }

    mutating func append(_ other: WordSequence) {
        let offset = UInt32(bytes.count)
        bytes += other.bytes
        starts += other.starts.dropFirst().map { offset + $0 }
    }

    /// A run of words as bytes, with the space after the last.
    func bytes(of words: Range<Int>) -> Range<Int> { Int(starts[words.lowerBound]) ..< Int(starts[words.upperBound]) }

    /// A run of words for people.
    func text(of words: Range<Int>) -> Text { Text(bytes[bytes(of: words).dropLast()]) }
}

/// Hashes of all runs of words in a sequence. The hash of a run is that of its words' hashes as digits of a number, so any run's costs two multiplications.
struct RunHashes {
    private var sums: [UInt64] = [0]
    private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// What `hash` takes for a length, so that it is computed once.
    static func power(_ length: Int) -> UInt64 { (0 ..< length).reduce(1) { power, _ in power &* base } }

    init(_ words: WordSequence) {
        sums.reserveCapacity(words.count + 1)
        words.bytes.withUnsafeBufferPointer { bytes in
            for word in 0 ..< words.count {
                // FNV-1a, whose low bits are weak before they are mixed.
                var hash: UInt64 = 0xCBF2_9CE4_8422_2325
                for at in Int(words.starts[word]) ..< Int(words.starts[word + 1]) { hash = (hash ^ UInt64(bytes[at])) &* 0x0000_0100_0000_01B3 }
                sums.append(sums[word] &* RunHashes.base &+ RunHashes.mix(hash))
            }
        }
    }

    func hash(at word: Int, length: Int, power: UInt64) -> UInt64 { RunHashes.mix(sums[word + length] &- sums[word] &* power) }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
