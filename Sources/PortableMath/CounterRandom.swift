/// Random numbers that are a function of what they are for: the generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", 2011) keyed by seed, stream, epoch and record. Resuming, resharding or another thread count
/// asks for the same numbers and gets the same numbers; no state is carried from record to record.
///
/// Derived laws use only IEEE operations, square roots and `ExactMath`, so their bits are the same on every machine.
public struct CounterRandom: Sendable, RandomNumberGenerator {
    private let key: (UInt32, UInt32)
    private let high: (UInt32, UInt32)
    private var index: UInt64 = 0
    private var half: UInt64?
    private var spareNormal: Double?

    /// `stream` tells uses of one seed apart (each use of the project has its own constant); `record` is the 128-bit id of a record.
    public init(seed: UInt64, stream: UInt32 = 0, epoch: UInt64 = 0, record: (UInt64, UInt64) = (0, 0)) {
        // Two rounds of the generator itself spread 288 bits of purpose over a key and the upper half of the counter.
        let first = Philox4x32.block((Self.low(record.0), Self.high(record.0), Self.low(record.1), Self.high(record.1)), (Self.low(seed), Self.high(seed)))
        let second = Philox4x32.block((first.0 ^ Self.low(epoch), first.1 ^ Self.high(epoch), first.2 ^ stream, first.3), (Self.high(seed), ~Self.low(seed)))
        key = (second.0, second.1)
        high = (second.2, second.3)
    }

    private static func low(_ x: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: x) }
    private static func high(_ x: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: x >> 32) }

    public mutating func next() -> UInt64 {
        if let value = half {
            half = nil
            return value
        }
        let block = Philox4x32.block((Self.low(index), Self.high(index), high.0, high.1), key)
        index &+= 1
        half = UInt64(block.3) << 32 | UInt64(block.2)
        return UInt64(block.1) << 32 | UInt64(block.0)
    }

    /// Uniform on [0, 1), a multiple of 2^-53.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform on (0, 1): neither end, so that its logarithm is finite.
    public mutating func openUniform() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

    /// Uniform on 0..<bound without bias; `bound` >= 1 (0 is taken as 1).
    public mutating func below(_ bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let bound = UInt64(bound)
        let unfair = (0 &- bound) % bound
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= unfair { return Int(product.high) }
        }
    }

    /// Shuffles in place (Fisher and Yates, from the end). Swift's own `shuffle(using:)` may change between releases.
    public mutating func shuffle<Element>(_ values: inout [Element]) {
        var i = values.count - 1
        while i > 0 {
            values.swapAt(i, below(i + 1))
            i -= 1
        }
    }

    /// Standard normal (Marsaglia's polar method).
    public mutating func normal() -> Double {
        if let value = spareNormal {
            spareNormal = nil
            return value
        }
        while true {
            let u = 2 * openUniform() - 1
            let v = 2 * openUniform() - 1
            let s = u * u + v * v
            guard s < 1 && s > 0 else { continue }
            let scale = (-2 * ExactMath.log(s) / s).squareRoot()
            spareNormal = v * scale
            return u * scale
        }
    }

    /// The logarithm of a Gamma(shape, 1) variate (Marsaglia and Tsang 2000), shape > 0. As a logarithm, since for small shapes the variate itself underflows.
    public mutating func logGamma(shape: Double) -> Double {
        if shape < 1 { return logGamma(shape: shape + 1) + ExactMath.log(openUniform()) / shape }
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let t = 1 + c * x
            guard t > 0 else { continue }
            let v = t * t * t
            let logV = ExactMath.log(v)
            if ExactMath.log(openUniform()) < 0.5 * x * x + d - d * v + d * logV { return ExactMath.log(d) + logV }
        }
    }

    /// A point of the simplex with the law Dirichlet(a, .., a): concentration a > 0, `count` weights that sum to 1.
    public mutating func dirichlet(concentration: Double, count: Int) -> [Double] {
        var logs: [Double] = []
        for _ in 0..<max(count, 0) { logs.append(logGamma(shape: concentration)) }
        return ExactMath.softmax(logs)
    }
}

/// The bijection itself.
enum Philox4x32 {
    typealias Counter = (UInt32, UInt32, UInt32, UInt32)

    static func block(_ counter: Counter, _ key: (UInt32, UInt32)) -> Counter {
        var (c, k) = (counter, key)
        for _ in 0..<10 {
            let a = UInt64(0xD251_1F53) * UInt64(c.0)
            let b = UInt64(0xCD9E_8D57) * UInt64(c.2)
            c = (UInt32(truncatingIfNeeded: b >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: b),
                 UInt32(truncatingIfNeeded: a >> 32) ^ c.3 ^ k.1, UInt32(truncatingIfNeeded: a))
            k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
        }
        return c
    }
}
