import Glibc
import Numerics

/// The way up: embedding and layers.
extension LanguageModel {
    /// The weights of one layer.
    struct LayerWeights {
        var inputNorm: Int, feedForwardNorm: Int
        var query: Matrix, key: Matrix, value: Matrix, output: Matrix, gate: Matrix, up: Matrix, down: Matrix
    }

    func weights(_ layer: Int) -> LayerWeights {
        let o = parameters.layout.layers[layer], c = configuration
        return LayerWeights(inputNorm: o.inputNorm, feedForwardNorm: o.feedForwardNorm,
                            query: Matrix(offset: o.query, outputs: c.queryWidth, inputs: c.hiddenSize),
                            key: Matrix(offset: o.key, outputs: c.keyValueWidth, inputs: c.hiddenSize),
                            value: Matrix(offset: o.value, outputs: c.keyValueWidth, inputs: c.hiddenSize),
                            output: Matrix(offset: o.output, outputs: c.hiddenSize, inputs: c.queryWidth),
                            gate: Matrix(offset: o.gate, outputs: c.intermediateSize, inputs: c.hiddenSize),
                            up: Matrix(offset: o.up, outputs: c.intermediateSize, inputs: c.hiddenSize),
                            down: Matrix(offset: o.down, outputs: c.hiddenSize, inputs: c.intermediateSize))
    }

    /// The output weights.
    var headMatrix: Matrix { Matrix(offset: parameters.layout.head, outputs: configuration.vocabularySize, inputs: configuration.hiddenSize) }

    var arena: UnsafeMutablePointer<Float> { parameters.values.base }

    /// Computes rows first ..< tree.count; what leaves the last layer lies in `workspace.input(layers)`.
    func runLayers(_ tree: TokenTree, _ plan: AttentionPlan, _ adapted: AdaptedRows?, _ workspace: Workspace, first: Int, state: PromptState?) throws {
        let c = configuration, rows = tree.count - first
        rotary.fill(tree.positions[first...], cosines: workspace.cosines, sines: workspace.sines)
        let attentionScratch = try prepareScratch(floatsPerWorker: Attention.scratchPerWorker(plan, headSize: c.headSize))
        let attention = Attention(plan: plan, heads: c.heads, keyValueHeads: c.keyValueHeads, headSize: c.headSize, first: first, pool: pool,
                                  scratch: attentionScratch)
        embed(tree.tokens[first...], into: workspace.input(0))
        for layer in 0 ..< c.layers {
            var slot = workspace.slot(layer)
            if let state {
                slot.keys = state.keys(layer)
                slot.values = state.values(layer)
            }
            runLayer(layer, attention, adapted, workspace, slot, rows: rows, input: workspace.input(layer), output: workspace.input(layer + 1))
        }
        if let state {
            (state.hidden + first * c.hiddenSize).update(from: workspace.input(c.layers), count: rows * c.hiddenSize)
        }
    }

    /// x [rows][hidden] = the embedding's rows of the tokens.
    func embed(_ tokens: ArraySlice<UInt32>, into x: UnsafeMutablePointer<Float>) {
        let width = configuration.hiddenSize, table = arena + parameters.layout.embedding
        for (row, token) in tokens.enumerated() { (x + row * width).update(from: table + Int(token) * width, count: width) }
    }

    /// One layer. `input` and `output` may be the same memory.
    func runLayer(_ layer: Int, _ attention: Attention, _ adapted: AdaptedRows?, _ workspace: Workspace, _ slot: Workspace.Slot, rows: Int,
                  input: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>) {
        let c = configuration, w = weights(layer), half = c.headSize / 2
        // Keys and values stand among those of earlier rows.
        let keys = slot.keys + attention.first * c.keyValueWidth, values = slot.values + attention.first * c.keyValueWidth

        kernels.rmsNorm(input, weight: arena + w.inputNorm, rows: rows, width: c.hiddenSize, epsilon: c.normEpsilon, into: workspace.normed,
                        inverseRMS: slot.inputInverse)
        linear(workspace.normed, rows: rows, w.query, adapted, into: slot.queries)
        linear(workspace.normed, rows: rows, w.key, adapted, into: keys)
        linear(workspace.normed, rows: rows, w.value, adapted, into: values)
        kernels.rotate(slot.queries, rows: rows, heads: c.heads, half: half, cosines: workspace.cosines, sines: workspace.sines, direction: 1)
        kernels.rotate(keys, rows: rows, heads: c.keyValueHeads, half: half, cosines: workspace.cosines, sines: workspace.sines, direction: 1)
        kernels.transpose(slot.keys, rows: attention.first + rows, width: c.keyValueWidth, into: workspace.keysAcross, stride: workspace.acrossStride)
        attention.forward(Attention.Inputs(queries: slot.queries, keys: slot.keys, values: slot.values), keysAcross: workspace.keysAcross,
                          acrossStride: workspace.acrossStride, output: slot.attended, maxima: slot.maxima, inverseSums: slot.inverseSums)
        kernels.copy(input, count: rows * c.hiddenSize, to: slot.middle)
        linear(slot.attended, rows: rows, w.output, adapted, into: slot.middle, beta: 1)

        kernels.rmsNorm(slot.middle, weight: arena + w.feedForwardNorm, rows: rows, width: c.hiddenSize, epsilon: c.normEpsilon,
                        into: workspace.normed, inverseRMS: slot.middleInverse)
        linear(workspace.normed, rows: rows, w.gate, adapted, into: slot.gate)
        linear(workspace.normed, rows: rows, w.up, adapted, into: slot.up)
        kernels.siluTimes(gate: slot.gate, up: slot.up, count: rows * c.intermediateSize, into: workspace.activated)
        kernels.copy(slot.middle, count: rows * c.hiddenSize, to: output)
        linear(workspace.activated, rows: rows, w.down, adapted, into: output, beta: 1)
    }
}
