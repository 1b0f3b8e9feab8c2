import Glibc

/// The angles of the rotary position embedding (arXiv 2104.09864).
struct RotaryEmbedding {
    /// Radians a position for each pair of a head's dimensions: [headSize / 2].
    let frequencies: [Double]

    /// Frequencies are rounded to single precision as every published training code computes them: at long positions the rounding shows.
    init(_ configuration: ModelConfiguration) {
        let size = configuration.headSize
        frequencies = (0 ..< size / 2).map { pair in
            let exponent = Float(2 * pair) / Float(size)
            let frequency = 1 / Float(pow(configuration.ropeBase, Double(exponent)))
            guard let scaling = configuration.ropeScaling else { return Double(frequency) }
            return Double(RotaryEmbedding.stretched(frequency, scaling))
        }
    }

    /// Llama 3.1: frequencies whose wave is longer than the original context allows are divided by the factor, short waves are kept, and between the two
    /// bounds the frequency moves linearly from one to the other.
    private static func stretched(_ frequency: Float, _ scaling: RotaryScaling) -> Float {
        let wave = 2 * Float.pi / frequency, context = Float(scaling.originalContext), factor = Float(scaling.factor)
        let low = Float(scaling.lowFrequencyFactor), high = Float(scaling.highFrequencyFactor)
        if wave > context / low { return frequency / factor }
        if wave < context / high { return frequency }
        let smooth = (context / wave - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
    }

    func angle(position: UInt32, pair: Int) -> Double { Double(position) * frequencies[pair] }

    /// cosines, sines [positions][headSize / 2]
    func fill(_ positions: ArraySlice<UInt32>, cosines: UnsafeMutablePointer<Float>, sines: UnsafeMutablePointer<Float>) {
        var place = 0
        for position in positions {
            for pair in frequencies.indices {
                let angle = angle(position: position, pair: pair)
                cosines[place] = Float(cos(angle))
                sines[place] = Float(sin(angle))
                place += 1
            }
        }
    }
}
