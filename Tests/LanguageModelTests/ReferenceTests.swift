import Testing
import TestSupport
@testable import LanguageModel

/// The reference itself: its gradient against differences of its own values.
struct ReferenceTests {
    @Test(arguments: [true, false])
    func gradientIsTheSlope(tied: Bool) throws {
        let parameters = try TestModels.random(TestModels.configuration(tied: tied), seed: 3)
        var reference = ReferenceModel(parameters)
        let tokens: [UInt32] = [5, 17, 5, 30, 2, 11, 36], rows = [1, 2, 2, 4, 5], targets: [UInt32] = [5, 30, 7, 11, 36]
        let coefficients = TestModels.coefficients(rows.count, seed: 1)
        var gradients = reference.zeroGradients
        reference.addGradient(tokens, rows: rows, targets: targets, coefficients: coefficients, to: &gradients)
        func loss() -> Double { zip(coefficients, reference.logProbs(tokens, rows: rows, targets: targets)).reduce(0) { $0 + $1.0 * $1.1 } }

        var generator = SeededGenerator(seed: 4)
        for tensor in parameters.tensors {
            let gradient = try #require(gradients[tensor.name])
            let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(norm > 0, "\(tensor.name)")
            for _ in 0 ..< 12 {
                let place = Int.random(in: gradient.indices, using: &generator), step = 1e-5
                let before = try #require(reference.weights[tensor.name])[place]
                reference.weights[tensor.name]?[place] = before + step
                let above = loss()
                reference.weights[tensor.name]?[place] = before - step
                let below = loss()
                reference.weights[tensor.name]?[place] = before
                #expect(abs((above - below) / (2 * step) - gradient[place]) < 1e-8 * max(1, norm), "\(tensor.name)[\(place)], tied \(tied)")
            }
        }
    }
}
