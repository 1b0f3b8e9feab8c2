import CNumerics
import Glibc

/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2), computed in double from state kept in single precision.
public struct AdamW: Sendable {
    public var learningRate: Double
    public var beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.0

    public init(learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    /// One update in place of the parameters in `range` of an arena; its four buffers have the same layout.
    /// - Parameters:
    ///   - step: 1 for the first update.
    ///   - gradientScale: multiplies every gradient (clipping, averaging).
    public func update(parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, first: UnsafeMutablePointer<Float>,
                       second: UnsafeMutablePointer<Float>, range: Range<Int>, step: Int, gradientScale: Double = 1, pool: WorkerPool) {
        let settings = uf_adamw_step(learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay,
                                     correction1: 1 - AdamW.power(beta1, step), correction2: 1 - AdamW.power(beta2, step), gradient_scale: gradientScale)
        pool.run(count: range.count, by: RowKernels.tileElements) { part, _ in
            let start = range.lowerBound + part.lowerBound
            withUnsafePointer(to: settings) { uf_adamw(parameters + start, gradients + start, first + start, second + start, part.count, $0) }
        }
    }

    /// base^exponent by squaring: only multiplications, so the same bits with any C library.
    static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0, square = base, rest = max(0, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}
