import LanguageModel
import Numerics
import TestSupport
import Testing

@testable import Alignment

struct TrainingPlanTests {
    @Test func everyBinOnceAnEpochInWholeBins() {
        var generator = SeededGenerator(seed: 4)
        for batch in [1, 3, 8, 1000] {
            let counts = (0 ..< 37).map { _ in Int.random(in: 1 ... 4, using: &generator) }
            let plan = TrainingPlan(memberCounts: counts, epochs: 3, batch: batch, seed: 9)
            for epoch in 0 ..< 3 {
                let steps = plan.steps(epoch: epoch)
                #expect(steps.count == plan.stepCounts[epoch])
                #expect(steps.flatMap { $0 }.sorted() == Array(0 ..< 37), "batch \(batch), epoch \(epoch)")
                for step in steps.dropLast() {
                    let records = step.map { counts[$0] }
                    // Enough, and not one bin more than needed.
                    #expect(records.reduce(0, +) >= batch && records.dropLast().reduce(0, +) < batch, "batch \(batch): \(records)")
                }
            }
            #expect(plan.totalSteps == plan.stepCounts.reduce(0, +))
        }
    }

    @Test func orderDependsOnSeedAndEpochAlone() {
        let counts = [Int](repeating: 1, count: 50)
        func order(_ seed: UInt64, _ epoch: Int, epochs: Int = 3, batch: Int = 4) -> [Int] { TrainingPlan(memberCounts: counts, epochs: epochs, batch: batch, seed: seed).steps(epoch: epoch).flatMap { $0 } }
        #expect(order(1, 1) == order(1, 1, epochs: 9, batch: 7))
        #expect(order(1, 1) != order(1, 0))
        #expect(order(1, 1) != order(2, 1))
        #expect(order(1, 0) != Array(0 ..< 50))
    }

    @Test func nothingMakesNoStep() { #expect(TrainingPlan(memberCounts: [], epochs: 2, batch: 8, seed: 1).totalSteps == 0) }

    /// The order of additions, seen in what rounding leaves: a fold inside a group, then a binary tree over the groups.
    @Test func gradientsMeetInAFixedTree() throws {
        let layout = ParameterLayout(ModelConfiguration(hiddenSize: 2, layers: 1, heads: 1, keyValueHeads: 1, headSize: 2, intermediateSize: 1, vocabularySize: 1, contextLength: 4, tiesEmbeddings: true))
        var generator = SeededGenerator(seed: 12)
        for bins in [1, 2, 3, 4, 5, 9, 23] {
            let values = (0 ..< bins).map { _ in Float.random(in: -1 ... 1, using: &generator) * (Bool.random(using: &generator) ? 1e6 : 1) }
            for groups in [1, 2, 3, 4, 8] {
                var tree = GradientTree(layout: layout, groups: groups, pool: WorkerPool(workers: 1))
                var seen: [Int] = []
                let sum = try tree.sum(bins: bins) { bin, gradients in
                    seen.append(bin)
                    gradients.values.base[0] += values[bin]
                }
                func group(_ number: Int) -> Float { GradientTree.group(number, of: groups, bins: bins).reduce(Float(0)) { $0 + values[$1] } }
                func node(_ range: Range<Int>) -> Float {
                    if range.count == 1 { return group(range.lowerBound) }
                    let middle = (range.lowerBound + range.upperBound) / 2
                    return node(range.lowerBound ..< middle) + node(middle ..< range.upperBound)
                }
                #expect(sum.values.base[0].bitPattern == node(0 ..< groups).bitPattern, "\(bins) bins in \(groups) groups")
                #expect(seen == Array(0 ..< bins))
                // The next step starts from nothing.
                #expect(try tree.sum(bins: 1) { _, gradients in gradients.values.base[0] += 1 }.values.base[0] == 1)
            }
        }
    }
}
