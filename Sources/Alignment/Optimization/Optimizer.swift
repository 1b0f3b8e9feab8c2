import LanguageModel
import Numerics
import SystemIO

/// AdamW over all parameters of a model, with the gradient clipped by its global norm.
public final class Optimizer {
    public struct Settings: Sendable, Equatable {
        public var beta1 = 0.9
        public var beta2 = 0.999
        public var epsilon = 1e-8
        /// Decoupled; not applied to norm weights, which have one dimension.
        public var weightDecay = 0.0
        /// The greatest norm of the whole gradient; nil for no limit.
        public var clip: Double? = 1

        public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0, clip: Double? = 1) {
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.clip = clip
        }
    }

    public let settings: Settings
    private let parameters: Parameters
    private let pool: WorkerPool
    private let first: FloatBuffer, second: FloatBuffer
    /// Neighbouring tensors that decay alike, as ranges of the arena.
    private let spans: [(range: Range<Int>, decays: Bool)]
    private var steps = 0

    public init(_ parameters: Parameters, settings: Settings, pool: WorkerPool) throws {
        self.settings = settings
        self.parameters = parameters
        self.pool = pool
        do {
            first = try FloatBuffer(count: parameters.values.count)
            second = try FloatBuffer(count: parameters.values.count)
        } catch {
            throw InputError("no memory for the optimizer's state (\(error.bytes >> 20) MiB twice)", status: .internalError)
        }
        spans = Optimizer.spans(parameters.layout)
    }

    static func spans(_ layout: ParameterLayout) -> [(range: Range<Int>, decays: Bool)] {
        var spans: [(range: Range<Int>, decays: Bool)] = []
        for tensor in layout.tensors {
            let decays = tensor.shape.count > 1
            // The gaps between tensors are zero in every arena and stay so.
            if let last = spans.last, last.decays == decays {
                spans[spans.count - 1].range = last.range.lowerBound ..< tensor.range.upperBound
            } else {
                spans.append((tensor.range, decays))
            }
        }
        return spans
    }

    /// One update in place.
    /// - Returns: the gradient's norm before clipping.
    /// - Throws: `InputError` when it is not finite; no parameter was changed then.
    public func step(_ gradients: Gradients, learningRate: Double) throws -> Double {
        let norm = gradients.sumOfSquares(pool).squareRoot()
        guard norm.isFinite else { throw InputError("the gradient is not finite; lower --learning-rate or --beta") }
        steps += 1
        let scale = Optimizer.clipScale(norm: norm, limit: settings.clip)
        for span in spans {
            let adamW = AdamW(learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon,
                              weightDecay: span.decays ? settings.weightDecay : 0)
            adamW.update(parameters: parameters.values.base, gradients: gradients.values.base, first: first.base, second: second.base, range: span.range,
                         step: steps, gradientScale: scale, pool: pool)
        }
        return norm
    }

    /// What the gradient is multiplied by, as in PyTorch's `clip_grad_norm_`, which keeps away from division by zero in this way.
    static func clipScale(norm: Double, limit: Double?) -> Double {
        limit.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    }
}
