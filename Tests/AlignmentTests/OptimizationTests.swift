import JSON
import LanguageModel
import Numerics
import SystemIO
import TestSupport
import Testing

@testable import Alignment

/// Learning rates, AdamW and clipping against PyTorch and transformers (fixtures/alignment/optimizer.json).
struct OptimizationTests {
    private static let fixture = (try? JSON.parse(readWholeFile(Fixtures.path("alignment/optimizer.json")))) ?? .null

    @Test func learningRatesEqualTransformers() throws {
        let cases = try #require(Self.fixture["learning_rates"]?.array)
        #expect(cases.count == 5)
        for one in cases {
            let shape = try #require(one["shape"]?.string.flatMap { LearningRate.Shape(rawValue: $0) })
            let total = try #require(one["total"]?.int), warmup = try #require(one["warmup"]?.int)
            let rates = LearningRate(peak: try #require(one["peak"]?.double), shape: shape, warmup: .steps(warmup), totalSteps: total)
            for (step, expected) in try #require(one["rates"]?.array).enumerated() {
                let rate = rates.rate(step: step + 1)
                #expect(abs(rate - (expected.double ?? .nan)) < 1e-18, "\(shape), warmup \(warmup) of \(total), step \(step + 1): \(rate), expected \(expected)")
            }
        }
    }

    @Test func warmupIsACountOrAShare() {
        #expect(LearningRate.Warmup("0") == .steps(0))
        #expect(LearningRate.Warmup("25") == .steps(25))
        #expect(LearningRate.Warmup("0.1") == .share(0.1))
        for text in ["-1", "1.5", "ten", "", "nan", "-0.5"] { #expect(LearningRate.Warmup(text) == nil, "\(text)") }
        // Rounded up, as transformers' TrainingArguments does.
        #expect(LearningRate.Warmup.share(0.1).steps(of: 11) == 2)
    }

    @Test func adamWEqualsPyTorch() throws {
        // Tensors of a model small enough to be read: the embedding decays, the final norm does not.
        let configuration = ModelConfiguration(hiddenSize: 4, layers: 1, heads: 1, keyValueHeads: 1, headSize: 4, intermediateSize: 1, vocabularySize: 3, contextLength: 8, tiesEmbeddings: true)
        let names = ["matrix": "model.embed_tokens.weight", "norm": "model.norm.weight"]
        let cases = try #require(Self.fixture["adamw"]?.array)
        #expect(cases.count == 2)
        for one in cases {
            func number(_ key: String) -> Double { one[key]?.double ?? .nan }
            func values(_ json: JSONValue?, _ key: String) -> [Double] { json?[key]?.array?.map { $0.double ?? .nan } ?? [] }
            let name = try #require(one["name"]?.string), pool = WorkerPool(workers: 2)
            let parameters = try Parameters(configuration: configuration), gradients = try Gradients(parameters.layout)
            for (key, tensor) in names { _ = try #require(parameters[tensor]).update(fromContentsOf: values(one["start"], key).map { Float($0) }) }
            let settings = Optimizer.Settings(beta1: number("beta1"), beta2: number("beta2"), epsilon: number("epsilon"), weightDecay: number("weight_decay"), clip: one["clip"]?.double)
            let optimizer = try Optimizer(parameters, settings: settings, pool: pool)
            let rates = LearningRate(peak: number("learning_rate"), warmup: .steps(Int(number("warmup"))), totalSteps: Int(number("total")))
            for (step, gradient) in try #require(one["gradients"]?.array).enumerated() {
                for (key, tensor) in names { _ = try #require(gradients[tensor]).update(fromContentsOf: values(gradient, key).map { Float($0) }) }
                let norm = try optimizer.step(gradients, learningRate: rates.rate(step: step + 1))
                let expected = one["norms"]?[step]?.double ?? .nan
                #expect(abs(norm - expected) <= 1e-12 * max(1, expected), "\(name), step \(step + 1): norm \(norm), PyTorch \(expected)")
            }
            for (key, tensor) in names {
                for (ours, theirs) in zip(try #require(parameters[tensor]), values(one["end"], key)) {
                    // Twelve steps of parameters and moments kept in single precision.
                    #expect(abs(Double(ours) - theirs) < 2e-6 * max(1, abs(theirs)), "\(name), \(key): \(ours), PyTorch \(theirs)")
                }
            }
            // What had no gradient and no value stays zero.
            #expect(try #require(parameters["model.layers.0.mlp.up_proj.weight"]).allSatisfy { $0 == 0 })
        }
    }

    @Test func normsAreWhatDoesNotDecay() throws {
        let layout = ParameterLayout(ModelConfiguration(hiddenSize: 8, layers: 2, heads: 2, keyValueHeads: 1, headSize: 4, intermediateSize: 6, vocabularySize: 5, contextLength: 8, tiesEmbeddings: false))
        let spans = Optimizer.spans(layout)
        for tensor in layout.tensors {
            let span = try #require(spans.first { $0.range.lowerBound <= tensor.range.lowerBound && $0.range.upperBound >= tensor.range.upperBound }, "\(tensor.name)")
            #expect(span.decays == !tensor.name.contains("norm"), "\(tensor.name)")
        }
        #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.range.upperBound <= $1.range.lowerBound })
    }

    @Test func aGradientThatIsNotFiniteChangesNothing() throws {
        let configuration = ModelConfiguration(hiddenSize: 4, layers: 1, heads: 1, keyValueHeads: 1, headSize: 4, intermediateSize: 1, vocabularySize: 3, contextLength: 8, tiesEmbeddings: true)
        let parameters = try Parameters(configuration: configuration), gradients = try Gradients(parameters.layout)
        parameters.values.base[0] = 0.5
        gradients.values.base[1] = .infinity
        let optimizer = try Optimizer(parameters, settings: .init(weightDecay: 0.1), pool: WorkerPool(workers: 1))
        #expect(message { _ = try optimizer.step(gradients, learningRate: 1) } == "the gradient is not finite; lower --learning-rate or --beta")
        #expect(parameters.values.base[0] == 0.5)
    }
}
