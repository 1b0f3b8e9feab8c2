import Glibc

/// The reference's gradient: every term by its formula, one loop each.
extension ReferenceModel {
    /// Adds sum_i coefficients[i] * d log P(targets[i] | tokens[0 ... rows[i]]) to `gradients` (by tensor name).
    func addGradient(_ tokens: [UInt32], rows: [Int], targets: [UInt32], coefficients: [Double], to gradients: inout [String: [Double]]) {
        let c = configuration, (layers, last, output) = hidden(tokens)
        var normed = zeros(tokens.count, c.hiddenSize)
        for (index, row) in rows.enumerated() {
            let logits = self.logits(output.normed[row]), total = ReferenceModel.logSumExp(logits)
            var difference = logits.map { -coefficients[index] * exp($0 - total) }
            difference[Int(targets[index])] += coefficients[index]
            addLinear(headName, difference, output.normed[row], &normed[row], &gradients)
        }
        var stream = zeros(tokens.count, c.hiddenSize)
        addNorm("model.norm.weight", normed, last, output, &stream, &gradients)
        for (layer, state) in layers.enumerated().reversed() { layerGradient(layer, state, &stream, &gradients) }
        for (row, token) in tokens.enumerated() {
            for i in 0 ..< c.hiddenSize { gradients["model.embed_tokens.weight"]?[Int(token) * c.hiddenSize + i] += stream[row][i] }
        }
    }

    var zeroGradients: [String: [Double]] { weights.mapValues { [Double](repeating: 0, count: $0.count) } }

    private func zeros(_ rows: Int, _ width: Int) -> [[Double]] { [[Double]](repeating: [Double](repeating: 0, count: width), count: rows) }

    /// y = W x: dW += dy x^T, dx += W^T dy.
    private func addLinear(_ name: String, _ dy: [Double], _ x: [Double], _ dx: inout [Double], _ gradients: inout [String: [Double]]) {
        guard let w = weights[name], let index = gradients.index(forKey: name) else { return }
        for out in dy.indices {
            for i in x.indices {
                gradients.values[index][out * x.count + i] += dy[out] * x[i]
                dx[i] += w[out * x.count + i] * dy[out]
            }
        }
    }

    /// y = x s w with s = (mean x^2 + e)^(-1/2): dw += dy x s; dx += s w dy - x s^3 / n * sum(dy w x).
    private func addNorm(_ name: String, _ dy: [[Double]], _ x: [[Double]], _ norm: Norm, _ dx: inout [[Double]], _ gradients: inout [String: [Double]]) {
        guard let w = weights[name], let index = gradients.index(forKey: name) else { return }
        for row in x.indices {
            let s = norm.inverse[row], n = Double(w.count)
            let dot = w.indices.reduce(0) { $0 + dy[row][$1] * w[$1] * x[row][$1] }
            for i in w.indices {
                gradients.values[index][i] += dy[row][i] * x[row][i] * s
                dx[row][i] += s * w[i] * dy[row][i] - x[row][i] * s * s * s / n * dot
            }
        }
    }

    private func layerGradient(_ layer: Int, _ state: LayerState, _ stream: inout [[Double]], _ gradients: inout [String: [Double]]) {
        let c = configuration, rows = state.input.indices
        var normed = zeros(rows.count, c.hiddenSize)
        for row in rows {
            var activated = [Double](repeating: 0, count: c.intermediateSize)
            addLinear(name(layer, "mlp.down_proj"), stream[row], state.activated[row], &activated, &gradients)
            var gate = activated, up = activated
            for i in activated.indices {
                let g = state.gate[row][i], sigmoid = 1 / (1 + exp(-g))
                gate[i] = activated[i] * state.up[row][i] * (sigmoid + g * sigmoid * (1 - sigmoid))
                up[i] = activated[i] * g * sigmoid
            }
            addLinear(name(layer, "mlp.gate_proj"), gate, state.middleNorm.normed[row], &normed[row], &gradients)
            addLinear(name(layer, "mlp.up_proj"), up, state.middleNorm.normed[row], &normed[row], &gradients)
        }
        addNorm(name(layer, "post_attention_layernorm"), normed, state.middle, state.middleNorm, &stream, &gradients)

        var attended = zeros(rows.count, c.queryWidth)
        for row in rows { addLinear(name(layer, "self_attn.o_proj"), stream[row], state.attended[row], &attended[row], &gradients) }
        let (queries, keys, values) = attentionGradient(state, attended)
        normed = zeros(rows.count, c.hiddenSize)
        for row in rows {
            let x = state.inputNorm.normed[row]
            addLinear(name(layer, "self_attn.q_proj"), rotate(queries[row], position: row, direction: -1), x, &normed[row], &gradients)
            addLinear(name(layer, "self_attn.k_proj"), rotate(keys[row], position: row, direction: -1), x, &normed[row], &gradients)
            addLinear(name(layer, "self_attn.v_proj"), values[row], x, &normed[row], &gradients)
        }
        addNorm(name(layer, "input_layernorm"), normed, state.input, state.inputNorm, &stream, &gradients)
    }

    /// dV = P^T dO; dP = dO V^T; dS = P (dP - sum(P dP)) / sqrt(d); dQ = dS K; dK = dS^T Q.
    private func attentionGradient(_ state: LayerState, _ output: [[Double]]) -> (queries: [[Double]], keys: [[Double]], values: [[Double]]) {
        let c = configuration, size = c.headSize, scale = 1 / Double(size).squareRoot()
        var queries = zeros(output.count, c.queryWidth), keys = zeros(output.count, c.keyValueWidth), values = keys
        for h in 0 ..< c.heads {
            let shared = h / (c.heads / c.keyValueHeads)
            for query in output.indices {
                let p = state.probabilities[h][query]
                let dp = (0 ... query).map { ReferenceModel.dot(head(output[query], h), head(state.values[$0], shared)) }
                let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
                for key in 0 ... query {
                    let ds = p[key] * (dp[key] - mean) * scale
                    for i in 0 ..< size {
                        values[key][shared * size + i] += p[key] * output[query][h * size + i]
                        queries[query][h * size + i] += ds * state.keys[key][shared * size + i]
                        keys[key][shared * size + i] += ds * state.queries[query][h * size + i]
                    }
                }
            }
        }
        return (queries, keys, values)
    }
}
