import Glibc

/// The same decoder written for reading: one sequence, double precision, plain loops, nothing shared with the engine but the names of the tensors and the
/// rotary angles. What the engine computes is tested against it.
struct ReferenceModel {
    let configuration: ModelConfiguration
    /// By Hugging Face name, row-major.
    var weights: [String: [Double]]
    private let rotary: RotaryEmbedding

    init(_ parameters: Parameters) {
        configuration = parameters.configuration
        weights = [:]
        for tensor in parameters.tensors { weights[tensor.name] = parameters[tensor].map(Double.init) }
        rotary = RotaryEmbedding(parameters.configuration)
    }

    /// The name of the output weights.
    var headName: String { configuration.tiesEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight" }

    /// log P(targets[i] | tokens[0 ... rows[i]]).
    func logProbs(_ tokens: [UInt32], rows: [Int], targets: [UInt32]) -> [Double] {
        let last = hidden(tokens).output
        return zip(rows, targets).map { row, target in
            let logits = self.logits(last.normed[row])
            return logits[Int(target)] - ReferenceModel.logSumExp(logits)
        }
    }

    func logits(_ normed: [Double]) -> [Double] { ReferenceModel.apply(weights[headName] ?? [], normed) }

    static func logSumExp(_ x: [Double]) -> Double {
        let greatest = x.max() ?? 0
        return greatest + log(x.reduce(0) { $0 + exp($1 - greatest) })
    }

    /// W x, W row-major [out][in].
    static func apply(_ w: [Double], _ x: [Double]) -> [Double] {
        (0 ..< w.count / x.count).map { out in
            var sum = 0.0
            for i in x.indices { sum += w[out * x.count + i] * x[i] }
            return sum
        }
    }

    // MARK: Forward

    struct Norm {
        var normed: [[Double]], inverse: [Double]
    }

    func rmsNorm(_ x: [[Double]], _ name: String) -> Norm {
        let weight = weights[name] ?? []
        var norm = Norm(normed: [], inverse: [])
        for row in x {
            let mean = row.reduce(0) { $0 + $1 * $1 } / Double(row.count)
            let inverse = 1 / (mean + configuration.normEpsilon).squareRoot()
            norm.inverse.append(inverse)
            norm.normed.append(row.indices.map { row[$0] * inverse * weight[$0] })
        }
        return norm
    }

    /// Turns every head by the angle of its position; direction -1 turns back.
    func rotate(_ x: [Double], position: Int, direction: Double) -> [Double] {
        let size = configuration.headSize, half = size / 2
        var y = x
        for head in 0 ..< x.count / size {
            for pair in 0 ..< half {
                let angle = rotary.angle(position: UInt32(position), pair: pair), a = x[head * size + pair], b = x[head * size + half + pair]
                y[head * size + pair] = a * cos(angle) - b * direction * sin(angle)
                y[head * size + half + pair] = b * cos(angle) + a * direction * sin(angle)
            }
        }
        return y
    }

    struct LayerState {
        var input: [[Double]], inputNorm: Norm, queries: [[Double]], keys: [[Double]], values: [[Double]]
        /// [head][query][key]
        var probabilities: [[[Double]]], attended: [[Double]]
        var middle: [[Double]], middleNorm: Norm, gate: [[Double]], up: [[Double]], activated: [[Double]]
    }

    func hidden(_ tokens: [UInt32]) -> (layers: [LayerState], last: [[Double]], output: Norm) {
        let c = configuration, embedding = weights["model.embed_tokens.weight"] ?? []
        var x = tokens.map { Array(embedding[Int($0) * c.hiddenSize ..< (Int($0) + 1) * c.hiddenSize]) }
        var states: [LayerState] = []
        for layer in 0 ..< c.layers {
            let state = layerForward(layer, x)
            x = zip(state.middle, state.activated).map { ReferenceModel.sum($0, project(layer, "mlp.down_proj", $1)) }
            states.append(state)
        }
        return (states, x, rmsNorm(x, "model.norm.weight"))
    }

    func name(_ layer: Int, _ matrix: String) -> String { "model.layers.\(layer).\(matrix).weight" }
    func project(_ layer: Int, _ matrix: String, _ x: [Double]) -> [Double] { ReferenceModel.apply(weights[name(layer, matrix)] ?? [], x) }
    static func sum(_ a: [Double], _ b: [Double]) -> [Double] { a.indices.map { a[$0] + b[$0] } }
    static func dot(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    func head(_ x: [Double], _ head: Int) -> ArraySlice<Double> { x[head * configuration.headSize ..< (head + 1) * configuration.headSize] }

    private func layerForward(_ layer: Int, _ x: [[Double]]) -> LayerState {
        let c = configuration, rows = x.indices
        let norm = rmsNorm(x, name(layer, "input_layernorm"))
        let queries = rows.map { rotate(project(layer, "self_attn.q_proj", norm.normed[$0]), position: $0, direction: 1) }
        let keys = rows.map { rotate(project(layer, "self_attn.k_proj", norm.normed[$0]), position: $0, direction: 1) }
        let values = rows.map { project(layer, "self_attn.v_proj", norm.normed[$0]) }
        var attended = rows.map { _ in [Double](repeating: 0, count: c.queryWidth) }
        var probabilities: [[[Double]]] = []
        for h in 0 ..< c.heads {
            let shared = h / (c.heads / c.keyValueHeads)
            var ofHead: [[Double]] = []
            for query in rows {
                let scores = (0 ... query).map { ReferenceModel.dot(head(queries[query], h), head(keys[$0], shared)) / Double(c.headSize).squareRoot() }
                let total = ReferenceModel.logSumExp(scores)
                let p = scores.map { exp($0 - total) }
                for key in 0 ... query {
                    for (i, value) in head(values[key], shared).enumerated() { attended[query][h * c.headSize + i] += p[key] * value }
                }
                ofHead.append(p)
            }
            probabilities.append(ofHead)
        }
        let middle = rows.map { ReferenceModel.sum(x[$0], project(layer, "self_attn.o_proj", attended[$0])) }
        let middleNorm = rmsNorm(middle, name(layer, "post_attention_layernorm"))
        let gate = middleNorm.normed.map { project(layer, "mlp.gate_proj", $0) }, up = middleNorm.normed.map { project(layer, "mlp.up_proj", $0) }
        let activated = zip(gate, up).map { g, u in g.indices.map { g[$0] / (1 + exp(-g[$0])) * u[$0] } }
        return LayerState(input: x, inputNorm: norm, queries: queries, keys: keys, values: values, probabilities: probabilities, attended: attended,
                          middle: middle, middleNorm: middleNorm, gate: gate, up: up, activated: activated)
    }
}
