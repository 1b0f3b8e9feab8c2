import CNumerics
import Numerics
import SystemIO

/// The way down: from dL / d log-probability of each scored token to the gradient of every parameter.
extension LanguageModel {
    /// Adds the gradient of L to `gradients`, for the tree and scored tokens of the last `forward(..., keepingActivations: true)`.
    ///
    /// - Parameter coefficients: dL / d logProbs[i] for each scored token. Since the log-probabilities are all that L sees of the model, this gives L's
    ///   exact gradient, whatever L is.
    /// - Parameter adapter: where the gradients of the forward pass's adapter are added; its gates' are set anew.
    /// - Throws: `InputError` when no such forward pass came before; each is good for one call.
    public func backward(_ coefficients: [Double], into gradients: Gradients, adapter: AdapterGradients? = nil) throws {
        guard let record = lastForward, let workspace, let scratch = workspace.backward else {
            throw InputError("backward without a forward pass that kept its activations", status: .internalError)
        }
        guard coefficients.count == record.scored.count, gradients.layout == parameters.layout else {
            throw InputError("\(coefficients.count) coefficients for \(record.scored.count) scored tokens, or another model's gradients", status: .internalError)
        }
        let head = record.pass.head, gated = record.pass.adapted?.gated
        guard (gated == nil) == (adapter == nil), adapter.map({ $0.values.count == gated?.adapter.values.count }) ?? true else {
            throw InputError("gradients of an adapter for a pass without it, or another adapter's", status: .internalError)
        }
        lastForward = nil
        if let gated { adapter?.gates = gated.gates.map { [Double](repeating: 0, count: $0.count) } }
        guard record.scored.count > 0 else { return }
        let c = configuration, rows = record.tree.count, sums = GradientSums(parameters: gradients.values.base, adapter: adapter)
        let headGradient = try headBackward(record, coefficients, sums)

        // The final norm, at the scored rows; all other rows of the last layer's output matter to nobody.
        clear(scratch.stream, count: rows * c.hiddenSize)
        clear(scratch.normed, count: head.rows.count * c.hiddenSize)
        kernels.rmsNormBackward(headGradient.base, head.inputs, weight: arena + parameters.layout.finalNorm, inverseRMS: head.inverse,
                                rows: head.rows.count, width: c.hiddenSize, addingTo: scratch.normed,
                                weightGradient: sums.parameters + parameters.layout.finalNorm)
        for (index, row) in head.rows.enumerated() {
            (scratch.stream + row * c.hiddenSize).update(from: scratch.normed + index * c.hiddenSize, count: c.hiddenSize)
        }

        let plan = record.pass.plan, adapted = record.pass.adapted
        let attention = Attention(plan: plan, heads: c.heads, keyValueHeads: c.keyValueHeads, headSize: c.headSize, first: 0, pool: pool,
                                  scratch: try prepareScratch(floatsPerWorker: Attention.scratchPerWorker(plan, headSize: c.headSize)))
        for layer in (0 ..< c.layers).reversed() {
            let slot = workspace.slot(layer)
            if !workspace.isKept(layer) {
                // `stream` is in use; the layer's output, which is not wanted again, goes to other scratch.
                runLayer(layer, attention, adapted, workspace, slot, rows: rows, input: workspace.input(layer), output: scratch.normed)
            }
            layerBackward(layer, attention, adapted, workspace, slot, scratch, rows: rows, sums)
        }
        embeddingGradient(record.tree.tokens, scratch.stream, sums.parameters + parameters.layout.embedding)
    }

    /// `scratch.stream` holds the gradient of the layer's output and is left with that of its input.
    private func layerBackward(_ layer: Int, _ attention: Attention, _ adapted: AdaptedRows?, _ workspace: Workspace, _ slot: Workspace.Slot,
                               _ scratch: Workspace.BackwardScratch, rows: Int, _ sums: GradientSums) {
        let c = configuration, w = weights(layer), half = c.headSize / 2, inner = rows * c.intermediateSize

        // Feed-forward: output = middle + W_down (silu(gate) * up).
        kernels.siluTimes(gate: slot.gate, up: slot.up, count: inner, into: workspace.activated)
        linearBackward(scratch.stream, workspace.activated, rows: rows, w.down, adapted, sums, dx: scratch.activated)
        kernels.siluTimesBackward(scratch.activated, gate: slot.gate, up: slot.up, count: inner, gateGradient: scratch.gate, upGradient: scratch.up)
        kernels.rmsNormAgain(slot.middle, weight: arena + w.feedForwardNorm, inverseRMS: slot.middleInverse, rows: rows, width: c.hiddenSize,
                             into: workspace.normed)
        linearBackward(scratch.gate, workspace.normed, rows: rows, w.gate, adapted, sums, dx: scratch.normed)
        linearBackward(scratch.up, workspace.normed, rows: rows, w.up, adapted, sums, dx: scratch.normed, beta: 1)
        kernels.rmsNormBackward(scratch.normed, slot.middle, weight: arena + w.feedForwardNorm, inverseRMS: slot.middleInverse, rows: rows,
                                width: c.hiddenSize, addingTo: scratch.stream, weightGradient: sums.parameters + w.feedForwardNorm)

        // Attention: middle = input + W_output attended.
        linearBackward(scratch.stream, slot.attended, rows: rows, w.output, adapted, sums, dx: scratch.attended)
        attention.backward(Attention.Inputs(queries: slot.queries, keys: slot.keys, values: slot.values), Attention.Gradients(
            output: slot.attended, outputGradient: scratch.attended, maxima: slot.maxima, inverseSums: slot.inverseSums, dots: scratch.dots,
            queries: scratch.queries, keys: scratch.keys, values: scratch.values))
        kernels.rotate(scratch.queries, rows: rows, heads: c.heads, half: half, cosines: workspace.cosines, sines: workspace.sines, direction: -1)
        kernels.rotate(scratch.keys, rows: rows, heads: c.keyValueHeads, half: half, cosines: workspace.cosines, sines: workspace.sines, direction: -1)
        let input = workspace.input(layer)
        kernels.rmsNormAgain(input, weight: arena + w.inputNorm, inverseRMS: slot.inputInverse, rows: rows, width: c.hiddenSize, into: workspace.normed)
        linearBackward(scratch.queries, workspace.normed, rows: rows, w.query, adapted, sums, dx: scratch.normed)
        linearBackward(scratch.keys, workspace.normed, rows: rows, w.key, adapted, sums, dx: scratch.normed, beta: 1)
        linearBackward(scratch.values, workspace.normed, rows: rows, w.value, adapted, sums, dx: scratch.normed, beta: 1)
        kernels.rmsNormBackward(scratch.normed, input, weight: arena + w.inputNorm, inverseRMS: slot.inputInverse, rows: rows, width: c.hiddenSize,
                                addingTo: scratch.stream, weightGradient: sums.parameters + w.inputNorm)
    }

    /// The embedding's gradient: each token's row, tokens in order; columns are split over the workers, since tokens repeat.
    private func embeddingGradient(_ tokens: [UInt32], _ stream: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>) {
        let width = configuration.hiddenSize
        tokens.withUnsafeBufferPointer { tokens in
            pool.run(count: width, by: 128) { columns, _ in
                for row in 0 ..< tokens.count {
                    uf_add(stream + row * width + columns.lowerBound, columns.count, sums + Int(tokens[row]) * width + columns.lowerBound)
                }
            }
        }
    }

    func clear(_ x: UnsafeMutablePointer<Float>, count: Int) {
        pool.run(count: count, by: 1 << 16) { range, _ in (x + range.lowerBound).update(repeating: 0, count: range.count) }
    }

    /// The gradient of the output weights, added to `sums`, and of the final norm's output at the scored rows: [rows][hidden].
    ///
    /// With C_r the sum of a row's coefficients: dL / d logit[r][v] = (sum of the coefficients of target v) - C_r probability[r][v]. The logits are computed again,
    /// a chunk of rows at a time.
    private func headBackward(_ record: ForwardRecord, _ coefficients: [Double], _ sums: GradientSums) throws -> FloatBuffer {
        let c = configuration, head = record.pass.head, rows = head.rows.count, vocabulary = c.vocabularySize, width = c.hiddenSize, matrix = headMatrix
        let adapted = record.pass.adaptedHead, term = adapted?.gated.adapter.term(at: matrix.offset), adapterSums = sums.adapter?.values.base
        let rowTiles = Tiling(rows, atMost: LanguageModel.headRows), columnTiles = Tiling(vocabulary, atMost: LanguageModel.headColumns)
        let chunk = (0 ..< rowTiles.count).reduce(0) { max($0, rowTiles[$1].count) }
        let result = try FloatBuffer.orInputError(count: rows * width, what: "the gradient of the scored rows")
        let differences = try prepareHeadScratch(count: chunk * vocabulary).base
        project(head.normed, rows: rows, matrix, adapted)
        var scales = [Float](repeating: 0, count: rows)
        for row in 0 ..< rows {
            var sum = 0.0
            for position in head.starts[row] ..< head.starts[row + 1] { sum += coefficients[head.order[position]] }
            scales[row] = Float(-sum / head.sums[row])
        }
        for tile in 0 ..< rowTiles.count {
            let row = rowTiles[tile], normed = head.normed + row.lowerBound * width
            scales.withUnsafeBufferPointer { scales in
                nonisolated(unsafe) let scales = scales
                pool.run(tiles: columnTiles.count) { columnTile, _ in
                    let column = columnTiles[columnTile], part = differences + column.lowerBound
                    linearTile(head.normed, rows: row, matrix, outputs: column, adapted, into: part, stride: vocabulary)
                    uf_scaled_exp_rows(part, row.count, vocabulary, column.count, head.greatest + row.lowerBound, scales.baseAddress! + row.lowerBound)
                    for place in row {
                        for position in head.starts[place] ..< head.starts[place + 1] {
                            let index = head.order[position], target = Int(record.scored.targets[index])
                            if column.contains(target) { differences[(place - row.lowerBound) * vocabulary + target] += Float(coefficients[index]) }
                        }
                    }
                    BLAS.multiply(column.count, width, row.count, BLAS.Factor(part, stride: vocabulary, transposed: true), BLAS.Factor(normed, stride: width),
                                  beta: 1, into: sums.parameters + matrix.offset + column.lowerBound * width, stride: width)
                    if let adapted, let term, let adapterSums {
                        BLAS.multiply(column.count, adapted.rank, row.count, BLAS.Factor(part, stride: vocabulary, transposed: true),
                                      BLAS.Factor(adapted.output + row.lowerBound * adapted.rank, stride: adapted.rank),
                                      beta: 1, into: adapterSums + term.up.lowerBound + column.lowerBound * adapted.rank, stride: adapted.rank)
                    }
                }
            }
            product.multiply(row.count, width, vocabulary, differences, times: arena + matrix.offset, into: result.base + row.lowerBound * width)
            if let adapted, let term {
                product.multiply(row.count, adapted.rank, vocabulary, differences, times: adapted.values(term.up),
                                 into: adapted.gradient + row.lowerBound * adapted.rank)
            }
        }
        if let adapted, let term, let gradients = sums.adapter { adapterBackward(head.normed, rows: rows, matrix, adapted, term, gradients, dx: result.base) }
        return result
    }

    private func prepareHeadScratch(count: Int) throws -> FloatBuffer {
        if let headScratch, headScratch.count >= count { return headScratch }
        headScratch = nil
        let made = try FloatBuffer.orInputError(count: count, what: "the gradients of the logits")
        headScratch = made
        return made
    }
}
