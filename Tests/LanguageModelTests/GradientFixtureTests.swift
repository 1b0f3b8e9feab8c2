import Glibc
import JSON
import ModelFiles
import SystemIO
import Testing
import TestSupport
@testable import LanguageModel

/// The engine against gradients that PyTorch computed in float64 (fixtures/gradients): lambda-DPO over real and random models.
struct GradientFixtureTests {
    struct Case {
        var name: String, prompt: [UInt32], responses: [[UInt32]], beta: Double, isMean: Bool, lambda: [Double]
        /// nil: not rated in that dimension.
        var targets: [[Double?]]
        var reference: [Double], policy: [Double], loss: Double
        /// Files of gradients that, each times its coefficient, sum up to that of the loss; mostly a single one times 1.
        var gradients: [(coefficient: Double, file: String)]

        init(_ path: String) throws {
            let json = try readJSON(path)
            name = json["name"]?.string ?? ""
            prompt = json["prompt"]?.ids ?? []
            responses = (json["responses"]?.array ?? []).map(\.ids)
            beta = json["beta"]?.double ?? .nan
            isMean = json["log_prob"]?.string == "mean"
            lambda = json["lambda"]?.doubles ?? []
            targets = (json["targets"]?.array ?? []).map { ($0.array ?? []).map(\.double) }
            reference = json["reference_log_probs"]?.doubles ?? []
            policy = json["policy_log_probs"]?.doubles ?? []
            loss = json["loss"]?.double ?? .nan
            gradients = (json["gradients"]?.object ?? []).map { ($0.value.double ?? .nan, $0.key.description) }
        }

        /// The loss and its derivative by each response's log-probability.
        func lambdaDPO(_ logProbs: [Double]) -> (loss: Double, slopes: [Double]) {
            var loss = 0.0, weight = 0.0, slopes = [Double](repeating: 0, count: logProbs.count)
            for (lambda, row) in zip(lambda, targets) {
                let rated = row.indices.filter { row[$0] != nil }
                if rated.count < 2 { continue }
                let scores = rated.map { beta * (logProbs[$0] - reference[$0]) }, total = ReferenceModel.logSumExp(scores)
                for (score, index) in zip(scores, rated) {
                    loss -= lambda * (row[index] ?? 0) * (score - total)
                    slopes[index] += lambda * beta * (exp(score - total) - (row[index] ?? 0))
                }
                weight += lambda
            }
            return (loss / weight, slopes.map { $0 / weight })
        }
    }

    static let folders = ["tiny-tied", "tiny-untied", "stories260K"]

    static func cases(_ folder: String) throws -> [Case] {
        let path = Fixtures.path("gradients/" + folder)
        var names: [String] = []
        let directory = try #require(opendir(path))
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name.hasSuffix(".json") { names.append(name) }
        }
        return try names.sorted().map { try Case(path + "/" + $0) }
    }

    /// Both layouts of a record: the prompt once, or once for each response. `tokens[i]` are response i's scored tokens.
    static func layout(_ record: Case, shared: Bool) -> (tree: TokenTree, scored: ScoredTokens, tokens: [Range<Int>]) {
        var tree = TokenTree(), scored = ScoredTokens(), tokens: [Range<Int>] = []
        if shared { tree.append(record.prompt) }
        for response in record.responses {
            if shared {
                let number = tree.append(response, after: 0)
                tokens.append(scored.append(segment: number, of: tree))
            } else {
                let number = tree.append(record.prompt + response), start = scored.count
                for (index, token) in response.enumerated() {
                    scored.append(row: tree.segments[number].range.lowerBound + record.prompt.count - 1 + index, target: token)
                }
                tokens.append(start ..< scored.count)
            }
        }
        return (tree, scored, tokens)
    }

    @Test(arguments: folders, [true, false])
    func agreesWithFloat64(folder: String, shared: Bool) throws {
        let path = Fixtures.path("gradients/" + folder)
        let model = try LanguageModel(folder: try ModelFolder(path: path + "/policy"), workers: 2)
        let cases = try GradientFixtureTests.cases(folder)
        #expect(cases.count >= 8)
        var worst = 0.0, worstLoss = 0.0
        for record in cases {
            let (tree, scored, tokens) = GradientFixtureTests.layout(record, shared: shared)
            let logProbs = try model.forward(tree, scored: scored, keepingActivations: true).logProbs
            let sums = tokens.map { range in logProbs[range].reduce(0, +) / (record.isMean ? Double(range.count) : 1) }
            for (mine, theirs) in zip(sums, record.policy) { #expect(abs(mine - theirs) < 2e-6 * max(1, abs(theirs)), "\(record.name)") }
            let (loss, slopes) = record.lambdaDPO(sums)
            // The scores beta * log-probability are themselves known to two units of single precision, and some are near 50.
            let scores = record.policy.reduce(0) { max($0, record.beta * abs($1)) }, tolerance = max(1e-6, 2.4e-7 * scores)
            worstLoss = max(worstLoss, abs(loss - record.loss) / max(1, scores))
            #expect(abs(loss - record.loss) < tolerance, "\(record.name): loss \(loss), expected \(record.loss)")

            var coefficients = [Double](repeating: 0, count: scored.count)
            for (range, slope) in zip(tokens, slopes) {
                for index in range { coefficients[index] = slope / (record.isMean ? Double(range.count) : 1) }
            }
            let gradients = try model.makeGradients()
            try model.backward(coefficients, into: gradients)
            let parts = try record.gradients.map { (coefficient: $0.coefficient, file: try TensorCollection(file: path + "/" + $0.file)) }
            #expect(parts.first?.file.tensors.map(\.name) == model.parameters.tensors.map(\.name).sorted())
            for tensor in model.parameters.tensors {
                var expected = [Double](repeating: 0, count: gradients[tensor].count)
                for part in parts {
                    let values = try part.file.floats(tensor.name)
                    #expect(values.count == expected.count)
                    for (index, value) in values.enumerated() { expected[index] += part.coefficient * Double(value) }
                }
                let difference = relativeDifference(gradients[tensor], expected)
                worst = max(worst, difference)
                #expect(difference < 1e-5, "\(record.name), \(tensor.name): \(difference)")
            }
        }
        print("\(folder), \(shared ? "shared prefix" : "rows"): greatest |g - g64| / |g64| \(worst), loss off by \(worstLoss) times the greatest score")
    }
}
