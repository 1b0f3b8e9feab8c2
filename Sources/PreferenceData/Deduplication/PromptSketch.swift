import Checksums
import RecordStream

/// What is remembered of a prompt to find the same and similar ones: a digest of its words, and a sample of its word 3-grams.
///
/// Normalised, a prompt is the words of its turns (`Words`) with small ASCII letters: case, punctuation at word ends and white space make no difference.
public struct PromptSketch: Sendable, Equatable {
    /// Words in a shingle. A prompt of fewer has one shingle, all its words.
    static let shingleWords = 3
    /// Shingles kept: of longer prompts the ones with the smallest hashes, an even sample (a bottom-k sketch, Broder 1997).
    static let mostShingles = 1024

    /// The first 16 bytes of the SHA-256 of the normalised prompt, as they lie in memory.
    public let digest: SIMD2<UInt64>
    /// Hashes of the different shingles, ascending.
    public let shingles: [UInt32]

    init(digest: SIMD2<UInt64>, shingles: [UInt32]) {
        self.digest = digest
        self.shingles = shingles
    }

    /// - Parameter digest: 16 bytes or more.
    init(digest: [UInt8], shingles: [UInt32]) {
        self.init(digest: digest.withUnsafeBytes { $0.loadUnaligned(as: SIMD2<UInt64>.self) }, shingles: shingles)
    }

    var digestBytes: [UInt8] { withUnsafeBytes(of: digest) { Array($0) } }

    /// - Parameter withShingles: off where only equal prompts are looked for, and nothing is kept of them.
    init(_ turns: [Turn], withShingles: Bool = true) {
        let words = turns.flatMap { Words($0.content).small }
        var sha = SHA256()
        for word in words {
            sha.update(Array(word))
            sha.update([0x20])
        }
        self.init(digest: sha.digest(), shingles: withShingles ? PromptSketch.shingles(words.map(PromptSketch.hash)) : [])
    }

    private static func shingles(_ hashes: [UInt64]) -> [UInt32] {
        var found: Set<UInt32> = []
        if hashes.count < PromptSketch.shingleWords {
            if !hashes.isEmpty { found.insert(PromptSketch.join(hashes[...])) }
        } else {
            for start in 0 ... hashes.count - PromptSketch.shingleWords { found.insert(PromptSketch.join(hashes[start ..< start + PromptSketch.shingleWords])) }
        }
        return Array(found.sorted().prefix(PromptSketch.mostShingles))
    }

    /// FNV-1a, 64 bits.
    private static func hash(_ word: ArraySlice<UInt8>) -> UInt64 { word.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 } }

    private static func join(_ words: ArraySlice<UInt64>) -> UInt32 {
        UInt32(truncatingIfNeeded: mixed(words.reduce(0x9E37_79B9_7F4A_7C15) { mixed($0 &+ $1) }) >> 32)
    }

    /// The finisher of MurmurHash3 (Appleby): every bit of the result depends on every bit of x.
    static func mixed(_ x: UInt64) -> UInt64 {
        var x = (x ^ x >> 33) &* 0xFF51_AFD7_ED55_8CCD
        x = (x ^ x >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return x ^ x >> 33
    }

    /// The Jaccard similarity of the two sets of shingles: |A and B| / |A or B|. Exact where both were kept whole; else estimated from the smallest hashes of the
    /// union, with a standard deviation of at most 0.016.
    func similarity(_ other: PromptSketch) -> Double {
        if shingles.isEmpty || other.shingles.isEmpty { return shingles.isEmpty && other.shingles.isEmpty ? 1 : 0 }
        let isSampled = shingles.count == PromptSketch.mostShingles || other.shingles.count == PromptSketch.mostShingles
        let most = isSampled ? PromptSketch.mostShingles : Int.max
        var a = 0, b = 0, both = 0, either = 0
        while either < most, a < shingles.count || b < other.shingles.count {
            either += 1
            if a < shingles.count, b < other.shingles.count, shingles[a] == other.shingles[b] {
                both += 1
                a += 1
                b += 1
            } else if b >= other.shingles.count || a < shingles.count && shingles[a] < other.shingles[b] {
                a += 1
            } else {
                b += 1
            }
        }
        return Double(both) / Double(either)
    }
}
