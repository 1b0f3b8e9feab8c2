/// MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4): two prompts of similarity s share a band
/// with probability 1 - (1 - s^r)^b. With b = 25 bands of r = 5 minima that is 0.99995 at s = 0.8, 0.96 at 0.65 and 0.05 at 0.3; what shares a band is then compared
/// shingle by shingle.
public enum MinHash {
    public static let bands = 25, rows = 5

    /// One 64-bit key a band.
    static func bandKeys(_ shingles: [UInt32]) -> [UInt64] {
        var minima = [UInt64](repeating: .max, count: bands * rows)
        for shingle in shingles {
            for index in minima.indices {
                let value = PromptSketch.mixed(UInt64(shingle) | UInt64(index + 1) << 32)
                if value < minima[index] { minima[index] = value }
            }
        }
        return (0 ..< bands).map { band in
            minima[band * rows ..< (band + 1) * rows].reduce(UInt64(band)) { PromptSketch.mixed($0 &+ $1) }
        }
    }
}
