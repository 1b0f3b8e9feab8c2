import Glibc
import Numerics
import Testing
import TestSupport
@testable import LanguageModel

/// What a record costs at SmolLM2-135M's shapes, as a share of the rate that one worker's BLAS reaches on its own: run with UFTOOLS_SPEED=1.
struct SpeedTests {
    /// Processor time, so that other work on the machine counts little; workers that wait for a job count as busy.
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        var start = timespec(), end = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start)
        try body()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end)
        return Double(end.tv_sec - start.tv_sec) + 1e-9 * Double(end.tv_nsec - start.tv_nsec)
    }

    @Test(.enabled(if: getenv("UFTOOLS_SPEED") != nil, "needs UFTOOLS_SPEED=1")) func aRecordAtSmolLM2sShapes() throws {
        let c = ModelConfiguration(hiddenSize: 576, layers: 30, heads: 9, keyValueHeads: 3, headSize: 64, intermediateSize: 1536, vocabularySize: 49152,
                                   contextLength: 8192, tiesEmbeddings: true)
        let parameters = try TestModels.random(c, seed: 1, scale: 0.05)
        let tree = TestModels.tree([(200, nil), (250, 0), (250, 0), (250, 0), (250, 0)], vocabulary: c.vocabularySize, seed: 2).tree
        // The responses' tokens; nothing of the prompt.
        var responses = ScoredTokens()
        for segment in 1 ... 4 { responses.append(segment: segment, of: tree) }
        let rows = Double(tree.count), matrices = Double(c.parameterCount - c.vocabularySize * c.hiddenSize)
        let head = 2 * Double(c.vocabularySize * c.hiddenSize * responses.count), layers = 2 * matrices * rows
        let forward = layers + head, step = 3 * layers + 4 * head

        let size = 1024, a = try FloatBuffer(count: size * size), b = try FloatBuffer(count: size * size), product = try FloatBuffer(count: size * size)
        for workers in [1, 2] {
            let model = LanguageModel(parameters: parameters, workers: workers), gradients = try model.makeGradients()
            let coefficients = TestModels.coefficients(responses.count, seed: 3)
            var bestForward = Double.infinity, bestStep = Double.infinity, bestProduct = Double.infinity, backward = 0.0
            for _ in 0 ..< 4 {
                bestProduct = min(bestProduct, SpeedTests.seconds {
                    for _ in 0 ..< 8 { MatrixProduct(pool: model.pool).multiply(size, size, size, a.base, times: b.base, transposeB: true, into: product.base) }
                } / 8)
                bestForward = min(bestForward, try SpeedTests.seconds { _ = try model.forward(tree, scored: responses) })
                let kept = try SpeedTests.seconds { _ = try model.forward(tree, scored: responses, keepingActivations: true) }
                let back = try SpeedTests.seconds { try model.backward(coefficients, into: gradients) }
                if kept + back < bestStep { (bestStep, backward) = (kept + back, back) }
            }
            let peak = 2 * Double(size * size * size) / bestProduct
            print("\(BLAS.kernelName), \(workers) workers, \(tree.count) tokens, \(responses.count) scored, by processor time: product \(Int(peak / 1e9)) GFLOP/s;",
                  "forward \(bestForward) s = \(Int(forward / bestForward / 1e9)) GFLOP/s; forward + backward \(bestStep) s (backward \(backward)) =",
                  "\(Int(step / bestStep / 1e9)) GFLOP/s")
            #expect(step / bestStep > 0.5 * peak, "\(workers) workers")
        }
    }
}
