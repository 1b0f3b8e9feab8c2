import LanguageModel
import PortableMath
import RecordStream
import TestSupport
import Testing

@testable import Alignment

struct LambdaDPOTests {
    private static func logProbs(_ sums: [Double], _ counts: [Int]) -> ResponseLogProbs { ResponseLogProbs(sums: sums, tokenCounts: counts) }

    /// Losses from the log-probabilities that PyTorch found: no model in between. The file's log-probabilities are means where the case says mean.
    @Test(arguments: GradientCase.all)
    func lossesEqualPyTorch(reference: GradientCase) throws {
        let score = try #require(ResponseScore(rawValue: reference.string("log_prob")))
        let record = reference.record, counts = record.responses.map(\.count)
        func sums(_ key: String) -> ResponseLogProbs {
            Self.logProbs(zip(reference.numbers(key), counts).map { score == .mean ? $0 * Double($1) : $0 }, counts)
        }
        let loss = LambdaDPO(beta: reference.number("beta"), score: score)
        let result = loss.evaluate(record.ratings, lambda: reference.numbers("lambda"), policy: sums("policy_log_probs"), reference: sums("reference_log_probs"))
        #expect(result.isUsed)
        #expect(abs(result.loss - reference.number("loss")) < 1e-12, "\(result.loss) for \(reference.number("loss"))")
        #expect(result.dimensions.count == reference.dimensionLosses.count)
        for (k, (ours, theirs)) in zip(result.dimensions, reference.dimensionLosses).enumerated() {
            #expect((ours == nil) == (theirs == nil), "dimension \(k)")
            if let ours, let theirs { #expect(abs(ours.loss - theirs) < 1e-12, "dimension \(k)") }
        }
    }

    @Test func hasEveryCase() { #expect(GradientCase.all.count == 24, "\(GradientCase.all.map(\.name))") }

    /// At theta = reference P is uniform: every L_k is ln of the number of rated responses, to the last bit.
    @Test(arguments: [2, 3, 4, 5, 7], [ResponseScore.sum, .mean])
    func startsAtLogN(n: Int, score: ResponseScore) {
        var generator = SeededGenerator(seed: UInt64(n))
        let record = TestRecord(id: "", prompt: [], responses: [], dimensions: ["all", "one less"], targets: [
            (0 ..< n).map { _ in 1 / Double(n) }, [nil] + (1 ..< n).map { _ in 1 / Double(n - 1) },
        ])
        let same = Self.logProbs((0 ..< n).map { _ in Double.random(in: -500 ... 0, using: &generator) }, (1 ... n).map { $0 * 3 })
        let result = LambdaDPO(beta: 0.1, score: score).evaluate(record.ratings, lambda: [0.5, 0.5], policy: same, reference: same)
        #expect(result.dimensions[0]?.loss == ExactMath.log(Double(n)))
        #expect(result.dimensions[1]?.loss == (n > 2 ? ExactMath.log(Double(n - 1)) : nil))
        #expect(result.rewards.allSatisfy { $0 == 0 })
    }

    /// dL/d(sum of a response's log-probabilities) against central differences of the loss.
    @Test(arguments: [2, 3, 4, 5], [ResponseScore.sum, .mean])
    func gradientIsTheSlope(n: Int, score: ResponseScore) throws {
        for seed in UInt64(1) ... 8 {
            var generator = SeededGenerator(seed: seed * 100 + UInt64(n))
            let record = try #require(TestShards.random(40, vocabulary: 9, seed: seed).first { $0.responses.count == min(n, 4) })
            let count = record.responses.count, m = record.ratings.dimensions.count
            let counts = (0 ..< count).map { _ in Int.random(in: 1 ... 30, using: &generator) }
            let lambda = (0 ..< m).map { _ in Double.random(in: 0.05 ... 1, using: &generator) }
            let policy = Self.logProbs(counts.map { -Double($0) * Double.random(in: 0.5 ... 4, using: &generator) }, counts)
            let reference = Self.logProbs(counts.map { -Double($0) * Double.random(in: 0.5 ... 4, using: &generator) }, counts)
            let loss = LambdaDPO(beta: 0.3, score: score)
            let found = loss.evaluate(record.ratings, lambda: lambda, policy: policy, reference: reference)
            for i in 0 ..< count {
                func value(_ step: Double) -> Double {
                    var moved = policy
                    moved.sums[i] += step
                    return loss.evaluate(record.ratings, lambda: lambda, policy: moved, reference: reference).loss
                }
                let slope = (value(1e-4) - value(-1e-4)) / 2e-4
                #expect(abs(slope - found.tokenGradients[i]) < 1e-8, "seed \(seed), response \(i): \(found.tokenGradients[i]), slope \(slope)")
            }
        }
    }

    /// Adding the same to every reward changes nothing, so the gradient by r sums to 0 (over the responses' own token counts).
    @Test func gradientsCancel() {
        for record in TestShards.random(30, vocabulary: 9, seed: 3) {
            let n = record.responses.count
            let policy = Self.logProbs((0 ..< n).map { -Double($0 * $0) }, [Int](repeating: 1, count: n)), reference = Self.logProbs([Double](repeating: -1, count: n), policy.tokenCounts)
            let result = LambdaDPO(beta: 0.5).evaluate(record.ratings, lambda: record.ratings.dimensions.map { _ in 1 }, policy: policy, reference: reference)
            #expect(abs(result.tokenGradients.reduce(0, +)) < 1e-14, "record \(record.id)")
        }
    }

    /// A response without a rating feels nothing of that dimension.
    @Test func unratedResponsesAreLeftOut() {
        let record = TestRecord(id: "", prompt: [], responses: [], dimensions: ["a"], targets: [[0.75, nil, 0.25]])
        func loss(_ second: Double) -> RecordLoss {
            LambdaDPO(beta: 1).evaluate(record.ratings, lambda: [1], policy: Self.logProbs([-1, second, -2], [1, 1, 1]), reference: Self.logProbs([-2, -2, -2], [1, 1, 1]))
        }
        #expect(loss(-50).loss == loss(50).loss)
        #expect(loss(50).tokenGradients[1] == 0)
    }

    @Test func lambdaIsRenormalisedOverWhatIsInUse() throws {
        let half = TestRecord(id: "", prompt: [], responses: [], dimensions: ["a", "b", "c"], targets: [[0.6, 0.4], [nil, 1], [0.2, 0.8]])
        let policy = Self.logProbs([-1, -3], [2, 2]), reference = Self.logProbs([-2, -2], [2, 2])
        let loss = LambdaDPO(beta: 0.7).evaluate(half.ratings, lambda: [0.2, 0.7, 0.1], policy: policy, reference: reference)
        let a = try #require(loss.dimensions[0]), c = try #require(loss.dimensions[2])
        #expect(loss.dimensions[1] == nil)
        #expect(abs(loss.loss - (2 * a.loss + c.loss) / 3) < 1e-15)
        #expect(abs(a.loss - a.divergence - (-0.6 * ExactMath.log(0.6) - 0.4 * ExactMath.log(0.4))) < 1e-15)

        // Weight on the missing dimension alone: no loss, no gradient, and it says so.
        let none = LambdaDPO(beta: 0.7).evaluate(half.ratings, lambda: [0, 1, 0], policy: policy, reference: reference)
        #expect(!none.isUsed && none.loss == 0 && none.tokenGradients == [0, 0])
    }

    /// Rewards so far apart that exponentials overflow: the loss stays the difference, the gradient stays finite.
    @Test func largeRewardsStayFinite() {
        let record = TestRecord(id: "", prompt: [], responses: [], dimensions: ["a"], targets: [[0.25, 0.75]])
        let result = LambdaDPO(beta: 1).evaluate(record.ratings, lambda: [1], policy: Self.logProbs([0, -5000], [1, 1]), reference: Self.logProbs([0, 0], [1, 1]))
        #expect(result.loss == 3750)
        #expect(result.tokenGradients == [0.75, -0.75])
    }

    @Test func meanOfAnEmptyResponseIsZero() {
        #expect(ResponseScore.mean.score(sum: 0, tokens: 0) == 0)
        #expect(ResponseScore.mean.tokenWeight(tokens: 0) == 0)
        #expect(ResponseScore.mean.score(sum: -6, tokens: 4) == -1.5)
    }

    @Test func pairsAreCounted() {
        #expect(PairOrder(targets: [0.5, 0.3, 0.2], rewards: [3, 2, 1]) == PairOrder(right: 3))
        #expect(PairOrder(targets: [0.5, 0.3, 0.2], rewards: [1, 2, 2]) == PairOrder(wrong: 2, tied: 1))
        #expect(PairOrder(targets: [0.4, 0.4, 0.2], rewards: [1, 5, 0]) == PairOrder(right: 2))
        #expect(PairOrder(targets: [0.5, 0, 0.5, 0.1], rewards: [0, 0, 0, 0]) { $0 != 1 } == PairOrder(tied: 2))
        #expect(PairOrder(tied: 2).accuracy == nil)
        #expect(PairOrder(right: 3, wrong: 1, tied: 9).accuracy == 0.75)
    }
}
