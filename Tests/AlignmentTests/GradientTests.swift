import Glibc
@testable import LanguageModel
import ModelFiles
import RecordStream
import TestSupport
import Testing

@testable import Alignment

/// The whole way from a packed bin to gradients, against PyTorch in float64.
struct GradientTests {
    struct Found {
        var loss: RecordLoss
        var policy: ResponseLogProbs
        var gradients: Gradients
        var model: LanguageModel
    }

    private static func compute(_ reference: GradientCase, _ layout: PackedLayout, workers: Int = 2, precision: Precision = .single) throws -> Found {
        let model = try LanguageModel(folder: ModelFolder(path: reference.policyFolder), workers: workers, precision: precision)
        let score = try #require(ResponseScore(rawValue: reference.string("log_prob")))
        let bin = try TestShards.shard([TestShards.bin([reference.record], layout)], layout: layout).bin(0), scored = ScoredBin(bin)
        let counts = reference.record.responses.map(\.count)
        let base = ResponseLogProbs(sums: zip(reference.numbers("reference_log_probs"), counts).map { score == .mean ? $0 * Double($1) : $0 }, tokenCounts: counts)
        let policy = try model.responseLogProbs(scored, keepingActivations: true)[0]
        let loss = LambdaDPO(beta: reference.number("beta"), score: score).evaluate(bin.members[0].ratings, lambda: reference.numbers("lambda"), policy: policy, reference: base)
        let gradients = try model.makeGradients()
        try model.backward(scored.tokenGradients([loss.tokenGradients], scale: 1), into: gradients)
        return Found(loss: loss, policy: policy, gradients: gradients, model: model)
    }

    @Test(arguments: GradientCase.all, [PackedLayout.sharedPrefix, .rows16])
    func equalPyTorchInDouble(reference: GradientCase, layout: PackedLayout) throws {
        let found = try Self.compute(reference, layout)
        let isMean = reference.string("log_prob") == "mean"
        for (i, theirs) in reference.numbers("policy_log_probs").enumerated() {
            let ours = isMean ? found.policy.sums[i] / Double(found.policy.tokenCounts[i]) : found.policy.sums[i]
            #expect(abs(ours - theirs) < 1e-5 * Double(isMean ? 1 : found.policy.tokenCounts[i]), "response \(i): log-probability \(ours), PyTorch \(theirs)")
        }
        // Beta times the error of a sum of log-probabilities is the error of a reward, and where that is steep single precision does not reach 1e-6: the cases
        // say how far PyTorch's own float32 is off. There the engine may be off by three times as much; the next test has all of them in double precision.
        let isSteep = !isMean && reference.number("beta") > 0.1
        func bound(_ float32: Double, most: Double) -> Double { min(most, max(1e-6, 3 * float32)) }
        let lossBound = bound(reference.number("float32_loss_error"), most: isSteep ? 6e-6 : 1e-6)
        #expect(abs(found.loss.loss - reference.number("loss")) < lossBound, "loss \(found.loss.loss), PyTorch \(reference.number("loss"))")
        let dimensionBound = bound(reference.float32DimensionErrors.compactMap { $0 }.max() ?? .nan, most: isSteep ? 1.4e-5 : 2.4e-6)
        for (k, (ours, theirs)) in zip(found.loss.dimensions, reference.dimensionLosses).enumerated() {
            #expect((ours == nil) == (theirs == nil) && (ours == nil || abs((ours?.loss ?? 0) - (theirs ?? 0)) < dimensionBound),
                    "dimension \(k): \(ours?.loss ?? .nan), PyTorch \(theirs ?? .nan)")
        }
        let gradient = try reference.gradient()
        #expect(gradient.tensorNames == found.model.parameters.tensors.map(\.name).sorted())
        for tensor in found.model.parameters.tensors {
            let ours = found.gradients[tensor], theirs = try gradient.values(tensor.name)
            #expect(ours.count == theirs.count)
            let norm = theirs.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let difference = zip(ours, theirs).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
            #expect(norm > 0 && difference <= 3e-5 * norm, "\(tensor.name): |g - g64|/|g64| = \(difference / norm)")
        }
    }

    /// In double precision losses are those of PyTorch in float64, whatever beta makes of the scores.
    @Test(arguments: GradientCase.all, [PackedLayout.sharedPrefix, .rows16])
    func lossesEqualPyTorchInDouble(reference: GradientCase, layout: PackedLayout) throws {
        let found = try Self.compute(reference, layout, precision: .double)
        let isMean = reference.string("log_prob") == "mean"
        for (i, theirs) in reference.numbers("policy_log_probs").enumerated() {
            let ours = isMean ? found.policy.sums[i] / Double(found.policy.tokenCounts[i]) : found.policy.sums[i]
            #expect(abs(ours - theirs) < 1e-10, "response \(i): log-probability \(ours), PyTorch \(theirs)")
        }
        #expect(abs(found.loss.loss - reference.number("loss")) < 1e-10, "loss \(found.loss.loss), PyTorch \(reference.number("loss"))")
        #expect(found.loss.dimensions.count == reference.dimensionLosses.count)
        for (k, (ours, theirs)) in zip(found.loss.dimensions, reference.dimensionLosses).enumerated() {
            #expect((ours == nil) == (theirs == nil) && abs((ours?.loss ?? 0) - (theirs ?? 0)) < 1e-10,
                    "dimension \(k): \(ours?.loss ?? .nan), PyTorch \(theirs ?? .nan)")
        }
    }

    /// The two layouts hold the same sequences: equal losses to 1e-6, record by record, on a real model.
    @Test(arguments: [ResponseScore.sum, .mean])
    func layoutsAgree(score: ResponseScore) throws {
        let model = try LanguageModel(folder: ModelFolder(path: Fixtures.path("models/stories260K")), workers: 2)
        let records = TestShards.random(12, vocabulary: 512, seed: 6, promptLength: 40)
        let loss = LambdaDPO(beta: 0.1, score: score)
        func losses(_ layout: PackedLayout) throws -> [Double] {
            let shard = try TestShards.shard(TestShards.bins(records, perBin: 4, layout), layout: layout)
            let policy = try model.responseLogProbs(shard) { _, _ in }, none = try ReferenceLogProbs.none(for: shard)
            return records.indices.map { loss.evaluate(records[$0].ratings, lambda: records[$0].ratings.dimensions.map { _ in 1 }, policy: policy[$0], reference: none[$0]).loss }
        }
        for (record, (shared, rows)) in zip(try losses(.sharedPrefix), try losses(.rows16)).enumerated() {
            #expect(abs(shared - rows) < 1e-6, "record \(record): \(shared) and \(rows)")
            #expect(shared > 0.1)
        }
    }

    /// Which row predicts which token, spelled out.
    @Test func labelsFollowTheTokenBeforeThem() throws {
        let record = TestRecord(id: "a", prompt: [10, 11], responses: [[20, 21, 2], [2]], dimensions: ["a"], targets: [[0.5, 0.5]])
        let shared = ScoredBin(TestShards.bin([record], .sharedPrefix))
        #expect(shared.scored.rows == [1, 2, 3, 1])
        #expect(shared.scored.targets == [20, 21, 2, 2])
        #expect(shared.responses == [.init(member: 0, response: 0, tokens: 0 ..< 3), .init(member: 0, response: 1, tokens: 3 ..< 4)])
        let rows = ScoredBin(TestShards.bin([record], .rows16))
        #expect(rows.scored.rows == [1, 2, 3, 6])
        #expect(rows.scored.targets == [20, 21, 2, 2])
        #expect(shared.sums([-1, -2, -4, -8]) == [ResponseLogProbs(sums: [-7, -8], tokenCounts: [3, 1])])
        #expect(shared.tokenGradients([[0.5, -0.25]], scale: 2) == [1, 1, 1, -0.5])
    }
}
