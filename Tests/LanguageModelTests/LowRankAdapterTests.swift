import Testing
import TestSupport
@testable import LanguageModel

/// Low-rank terms beside the weights, against the reference with W + U diag(g) V in place of W.
struct LowRankAdapterTests {
    static let rank = 3
    /// Two records, each a prompt with responses.
    static let shape: [(length: Int, parent: Int?)] = [(6, nil), (4, 0), (5, 0), (7, nil), (70, 3), (2, 3)]
    /// Gates of the two records.
    static let gates: [[Float]] = [[0.5, -1, 2], [1.5, 0.25, 0]]
    static var segmentGates: [[Float]] { [0, 0, 0, 1, 1, 1].map { gates[$0] } }

    static func adapter(_ layout: ParameterLayout, seed: UInt64 = 8) throws -> LowRankAdapter {
        let matrices = layout.tensors.map(\.name).filter { $0.hasSuffix("_proj.weight") } + ["lm_head.weight"]
        let adapter = try LowRankAdapter(layout, rank: rank, matrices: Set(matrices))
        var generator = SeededGenerator(seed: seed)
        for i in 0 ..< adapter.values.count { adapter.values.base[i] = 0.3 * Float.random(in: -1 ... 1, using: &generator) }
        return adapter
    }

    struct Factors {
        var up: [Double], down: [Double], outputs: Int, inputs: Int
    }

    static func factors(_ adapter: LowRankAdapter) -> [String: Factors] {
        adapter.terms.mapValues { term in
            let up = adapter.values.all[term.up].map(Double.init), down = adapter.values.all[term.down].map(Double.init)
            return Factors(up: up, down: down, outputs: up.count / rank, inputs: down.count / rank)
        }
    }

    /// The reference whose weights are those of one record. The model must not be tied: the embedding has no term.
    static func folded(_ parameters: Parameters, _ adapter: LowRankAdapter, _ gates: [Float]) -> ReferenceModel {
        var reference = ReferenceModel(parameters)
        for (name, factors) in factors(adapter) {
            for out in 0 ..< factors.outputs {
                for i in 0 ..< factors.inputs {
                    for t in 0 ..< rank {
                        reference.weights[name]?[out * factors.inputs + i] += factors.up[out * rank + t] * Double(gates[t]) * factors.down[t * factors.inputs + i]
                    }
                }
            }
        }
        return reference
    }

    @Test func eachRecordGoesThroughItsOwnGates() throws {
        let configuration = TestModels.configuration(tied: false), parameters = try TestModels.random(configuration, seed: 4, scale: 0.3)
        let adapter = try Self.adapter(parameters.layout), model = LanguageModel(parameters: parameters, workers: 2)
        let (tree, scored) = TestModels.tree(Self.shape, vocabulary: configuration.vocabularySize, seed: 7)
        let logProbs = try model.forward(tree, scored: scored, keepingActivations: true, adapter: GatedAdapter(adapter, gates: Self.segmentGates)).logProbs
        let coefficients = TestModels.coefficients(scored.count, seed: 6)

        let gradients = try model.makeGradients(), adapterGradients = try AdapterGradients(adapter)
        try model.backward(coefficients, into: gradients, adapter: adapterGradients)

        let factors = Self.factors(adapter)
        var expectedWeights = ReferenceModel(parameters).zeroGradients
        var expectedUp = factors.mapValues { [Double](repeating: 0, count: $0.up.count) }, expectedDown = factors.mapValues { [Double](repeating: 0, count: $0.down.count) }
        for (record, gates) in Self.gates.enumerated() {
            let reference = Self.folded(parameters, adapter, gates)
            var own = reference.zeroGradients, gateGradient = [Double](repeating: 0, count: Self.rank)
            for index in 0 ..< scored.count where (scored.rows[index] >= tree.segments[3].range.lowerBound) == (record == 1) {
                let path = TestModels.path(to: scored.rows[index], in: tree), tokens = path.map { tree.tokens[$0] }
                let target = [scored.targets[index]], rows = [path.count - 1]
                let expected = reference.logProbs(tokens, rows: rows, targets: target)[0]
                #expect(abs(logProbs[index] - expected) < 1e-5, "record \(record), scored token \(index): \(logProbs[index]), expected \(expected)")
                reference.addGradient(tokens, rows: rows, targets: target, coefficients: [coefficients[index]], to: &own)
            }
            for (name, sum) in own { expectedWeights[name] = zip(expectedWeights[name] ?? [], sum).map { $0 + $1 } }
            // With W' = W + U diag(g) V: dU = dW' V^T diag(g), dV = diag(g) U^T dW', dg_t = u_t^T dW' v_t.
            for (name, f) in factors {
                let whole = try #require(own[name])
                for out in 0 ..< f.outputs {
                    for i in 0 ..< f.inputs {
                        let d = whole[out * f.inputs + i]
                        for t in 0 ..< Self.rank {
                            expectedUp[name]?[out * Self.rank + t] += d * f.down[t * f.inputs + i] * Double(gates[t])
                            expectedDown[name]?[t * f.inputs + i] += d * f.up[out * Self.rank + t] * Double(gates[t])
                            gateGradient[t] += d * f.up[out * Self.rank + t] * f.down[t * f.inputs + i]
                        }
                    }
                }
            }
            for t in 0 ..< Self.rank {
                let ours = (record * 3 ..< record * 3 + 3).reduce(0) { $0 + adapterGradients.gates[$1][t] }
                #expect(abs(ours - gateGradient[t]) < 1e-5 * max(1, abs(gateGradient[t])), "gate \(t) of record \(record): \(ours), expected \(gateGradient[t])")
            }
        }
        for tensor in parameters.tensors {
            let difference = relativeDifference(gradients[tensor], try #require(expectedWeights[tensor.name]))
            #expect(difference < 1e-5, "\(tensor.name): \(difference)")
        }
        for (name, term) in adapter.terms {
            let up = relativeDifference(adapterGradients.values.all[term.up], try #require(expectedUp[name]))
            let down = relativeDifference(adapterGradients.values.all[term.down], try #require(expectedDown[name]))
            #expect(up < 1e-5 && down < 1e-5, "\(name): dU off by \(up), dV by \(down)")
        }
    }

    /// With the gates shut an adapter is not there, to the bit; with tied weights one beside the head leaves the embedding alone.
    @Test(arguments: [true, false]) func shutGatesChangeNoBit(tied: Bool) throws {
        let configuration = TestModels.configuration(tied: tied), parameters = try TestModels.random(configuration, seed: 4)
        let model = LanguageModel(parameters: parameters, workers: 2), adapter = try Self.adapter(parameters.layout)
        let (tree, scored) = TestModels.tree(Self.shape, vocabulary: configuration.vocabularySize, seed: 7)
        let coefficients = TestModels.coefficients(scored.count, seed: 6), plain = try model.makeGradients(), shut = try model.makeGradients()
        let expected = try model.forward(tree, scored: scored, keepingActivations: true)
        try model.backward(coefficients, into: plain)
        let gates = [[Float]](repeating: [0, 0, 0], count: tree.segments.count), gated = GatedAdapter(adapter, gates: gates)
        #expect(try model.forward(tree, scored: scored, keepingActivations: true, adapter: gated) == expected)
        let adapterGradients = try AdapterGradients(adapter)
        try model.backward(coefficients, into: shut, adapter: adapterGradients)
        #expect(plain.values.all.elementsEqual(shut.values.all))
        #expect(adapterGradients.values.all.allSatisfy { $0 == 0 })
        // They would open: the loss changes with them.
        #expect(adapterGradients.gates.contains { $0.contains { $0 != 0 } })
        #expect(try model.logits(tree, rows: [3, 9], adapter: gated) == model.logits(tree, rows: [3, 9]))
    }

    /// A continued state gives what one pass gives.
    @Test func statesContinueWithTheirGates() throws {
        let configuration = TestModels.configuration(tied: true), parameters = try TestModels.random(configuration, seed: 4)
        let model = LanguageModel(parameters: parameters, workers: 1), adapter = try Self.adapter(parameters.layout)
        let (tree, scored) = TestModels.tree([(9, nil), (4, 0)], vocabulary: configuration.vocabularySize, seed: 3)
        let whole = try model.forward(tree, scored: scored, adapter: GatedAdapter(adapter, gates: [Self.gates[0], Self.gates[1]])).logProbs
        let state = try PromptState(configuration, capacity: tree.count)
        _ = try model.forward(TokenTree(Array(tree.tokens[0 ..< 9])), scored: ScoredTokens(), state: state, adapter: GatedAdapter(adapter, gates: [Self.gates[0]]))
        let continued = try model.forward(tree, scored: scored, state: state, adapter: GatedAdapter(adapter, gates: [Self.gates[0], Self.gates[1]])).logProbs
        for (a, b) in zip(whole, continued) { #expect(EngineTests.isSame(a, b)) }
    }

    @Test func refusesWhatDoesNotFit() throws {
        let parameters = try TestModels.random(TestModels.configuration(tied: true), seed: 1), model = LanguageModel(parameters: parameters, workers: 1)
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(message { _ = try LowRankAdapter(parameters.layout, rank: 0, matrices: []) } == "an adapter of rank 0; expected at least 1")
        #expect(message { _ = try LowRankAdapter(parameters.layout, rank: 2, matrices: ["model.norm.weight"]) }
            == "model.norm.weight is no weight matrix that an adapter can stand beside")
        #expect(message { _ = try LowRankAdapter(parameters.layout, rank: 2, matrices: ["model.embed_tokens.weight"]) }
            == "model.embed_tokens.weight is no weight matrix that an adapter can stand beside")
        let adapter = try Self.adapter(parameters.layout), tree = TokenTree([1, 2])
        #expect(message { _ = try model.forward(tree, scored: ScoredTokens(), adapter: GatedAdapter(adapter, gates: [])) } == "gates for 0 segments; the tree has 1")
        #expect(message { _ = try model.forward(tree, scored: ScoredTokens(), adapter: GatedAdapter(adapter, gates: [[1]])) } == "segment 0 has 1 gates; the adapter's rank is 3")
        var scored = ScoredTokens()
        scored.append(row: 0, target: 1)
        _ = try model.forward(tree, scored: scored, keepingActivations: true, adapter: GatedAdapter(adapter, gates: [[1, 1, 1]]))
        #expect(message { try model.backward([1], into: try model.makeGradients()) } == "gradients of an adapter for a pass without it, or another adapter's")
    }
}
