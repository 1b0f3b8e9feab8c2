import Glibc
import Numerics
import SystemIO

/// The arithmetic of log-probabilities.
public enum Precision: String, Sendable, CaseIterable {
    /// Single precision throughout: log-probabilities to some 1e-6 a token, the engine's full speed.
    case single
    /// The weights as they are, in single precision; every activation and sum in double: log-probabilities to some 1e-12. Gradients stay the engine's own.
    case double
}

/// The decoder's forward pass in double precision, as plainly as speed allows: every step is a loop that reads as its formula, products and attention scores go
/// through BLAS. Nothing is shared with the engine but the weights, the rotary angles and the plan of which query sees which keys.
struct DoublePrecisionForward {
    let parameters: Parameters
    let pool: WorkerPool
    let rotary: RotaryEmbedding

    private var c: ModelConfiguration { parameters.configuration }
    private var arena: UnsafePointer<Float> { UnsafePointer(parameters.values.base) }

    /// A matrix [rows][columns] of doubles with memory of its own.
    final class Matrix {
        let rows: Int, columns: Int, base: UnsafeMutablePointer<Double>

        init(_ rows: Int, _ columns: Int) {
            self.rows = rows
            self.columns = columns
            base = .allocate(capacity: max(1, rows * columns))
            base.initialize(repeating: 0, count: rows * columns)
        }

        deinit { base.deallocate() }

        func row(_ index: Int) -> UnsafeMutablePointer<Double> { base + index * columns }
    }

    /// log P(target | what stands before it in its branch) of every scored token.
    func logProbs(_ tree: TokenTree, scored: ScoredTokens) -> [Double] {
        let layout = parameters.layout
        let x = Matrix(tree.count, c.hiddenSize)
        forEachRow(of: x) { row, values in
            let embedding = arena + layout.embedding + Int(tree.tokens[row]) * c.hiddenSize
            for i in 0 ..< c.hiddenSize { values[i] = Double(embedding[i]) }
        }
        let plan = AttentionPlan(tree, first: 0, withBackward: false)
        for layer in layout.layers { runLayer(layer, x, plan, tree.positions) }
        return head(rmsNorm(x, layout.finalNorm), scored)
    }

    private func runLayer(_ layer: ParameterLayout.LayerOffsets, _ x: Matrix, _ plan: AttentionPlan, _ positions: [UInt32]) {
        var normed = rmsNorm(x, layer.inputNorm)
        let queries = linear(normed, layer.query, c.queryWidth), keys = linear(normed, layer.key, c.keyValueWidth)
        let values = linear(normed, layer.value, c.keyValueWidth)
        rotate(queries, positions)
        rotate(keys, positions)
        add(linear(attend(queries, keys, values, plan), layer.output, c.hiddenSize), to: x)

        normed = rmsNorm(x, layer.feedForwardNorm)
        let gate = linear(normed, layer.gate, c.intermediateSize), up = linear(normed, layer.up, c.intermediateSize)
        forEachRow(of: gate) { row, gates in
            let ups = up.row(row)
            for i in 0 ..< gate.columns { gates[i] = gates[i] / (1 + exp(-gates[i])) * ups[i] }
        }
        add(linear(gate, layer.down, c.hiddenSize), to: x)
    }

    /// x / sqrt(mean(x^2) + epsilon) * weight
    private func rmsNorm(_ x: Matrix, _ weight: Int) -> Matrix {
        let y = Matrix(x.rows, x.columns), weight = arena + weight
        forEachRow(of: y) { row, out in
            let values = x.row(row)
            var sum = 0.0
            for i in 0 ..< x.columns { sum += values[i] * values[i] }
            let inverse = 1 / (sum / Double(x.columns) + c.normEpsilon).squareRoot()
            for i in 0 ..< x.columns { out[i] = values[i] * inverse * Double(weight[i]) }
        }
        return y
    }

    /// x W^T with W [outputs][x.columns] at an offset of the arena.
    private func linear(_ x: Matrix, _ offset: Int, _ outputs: Int) -> Matrix {
        let y = Matrix(x.rows, outputs)
        multiply(x, x.rows, offset, outputs, into: y)
        return y
    }

    /// The first `rows` rows of it. Weights become doubles a strip at a time.
    private func multiply(_ x: Matrix, _ rows: Int, _ offset: Int, _ outputs: Int, into y: Matrix) {
        let strip = 96, inputs = x.columns
        pool.run(count: outputs, by: strip) { columns, _ in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: columns.count * inputs) { weights in
                let source = arena + offset + columns.lowerBound * inputs
                for i in weights.indices { weights.initializeElement(at: i, to: Double(source[i])) }
                guard let base = weights.baseAddress else { return }
                BLAS.multiply(rows, columns.count, inputs, BLAS.DoubleFactor(x.base, stride: inputs), BLAS.DoubleFactor(base, stride: inputs, transposed: true),
                              into: y.base + columns.lowerBound, stride: outputs)
            }
        }
    }

    /// Turns every head by the angle of its position: (a, b) -> (a cos - b sin, b cos + a sin).
    private func rotate(_ x: Matrix, _ positions: [UInt32]) {
        let half = c.headSize / 2
        forEachRow(of: x) { row, values in
            for pair in 0 ..< half {
                let angle = rotary.angle(position: positions[row], pair: pair), cosine = cos(angle), sine = sin(angle)
                for head in 0 ..< x.columns / c.headSize {
                    let a = values[head * c.headSize + pair], b = values[head * c.headSize + half + pair]
                    values[head * c.headSize + pair] = a * cosine - b * sine
                    values[head * c.headSize + half + pair] = b * cosine + a * sine
                }
            }
        }
    }

    /// softmax(q k^T / sqrt(headSize)) v over the keys that each query sees.
    private func attend(_ queries: Matrix, _ keys: Matrix, _ values: Matrix, _ plan: AttentionPlan) -> Matrix {
        let output = Matrix(queries.rows, queries.columns), size = c.headSize, group = c.heads / c.keyValueHeads
        pool.run(tiles: plan.queryBlocks.count * c.heads) { tile, _ in
            let block = plan.queryBlocks[tile / c.heads], head = tile % c.heads, rows = block.rows.count, keyPlace = head / group * size
            let scores = Matrix(rows, block.width), place = block.rows.lowerBound * queries.columns + head * size
            var column = 0
            for range in plan.keyRanges[block.ranges] {
                BLAS.multiply(rows, range.count, size, scale: 1 / Double(size).squareRoot(), BLAS.DoubleFactor(queries.base + place, stride: queries.columns),
                              BLAS.DoubleFactor(keys.row(range.lowerBound) + keyPlace, stride: keys.columns, transposed: true),
                              into: scores.base + column, stride: block.width)
                column += range.count
            }
            for row in 0 ..< rows { softmax(scores.row(row), visible: block.visible + row, of: block.width) }
            column = 0
            for range in plan.keyRanges[block.ranges] {
                BLAS.multiply(rows, size, range.count, BLAS.DoubleFactor(scores.base + column, stride: block.width),
                              BLAS.DoubleFactor(values.row(range.lowerBound) + keyPlace, stride: values.columns), beta: 1, into: output.base + place,
                              stride: output.columns)
                column += range.count
            }
        }
        return output
    }

    /// Probabilities over the first `visible` entries, zero after them.
    private func softmax(_ x: UnsafeMutablePointer<Double>, visible: Int, of width: Int) {
        var greatest = x[0], sum = 0.0
        for i in 1 ..< max(1, visible) { greatest = max(greatest, x[i]) }
        for i in 0 ..< visible {
            x[i] = exp(x[i] - greatest)
            sum += x[i]
        }
        for i in 0 ..< visible { x[i] /= sum }
        for i in visible ..< width { x[i] = 0 }
    }

    /// Logits of some rows at a time, each row once, and log-softmax at the targets.
    private func head(_ normed: Matrix, _ scored: ScoredTokens) -> [Double] {
        let chunk = 64, vocabulary = c.vocabularySize
        let order = scored.rows.indices.sorted { scored.rows[$0] < scored.rows[$1] }
        var logProbs = [Double](repeating: 0, count: scored.count), start = 0
        let inputs = Matrix(chunk, c.hiddenSize), logits = Matrix(chunk, vocabulary)
        while start < order.count {
            // The scored tokens of the next rows, and which of these rows each follows.
            var end = start, rows: [Int] = [], places: [Int] = []
            while end < order.count {
                let row = scored.rows[order[end]]
                if rows.last != row {
                    if rows.count == chunk { break }
                    inputs.row(rows.count).update(from: normed.row(row), count: c.hiddenSize)
                    rows.append(row)
                }
                places.append(rows.count - 1)
                end += 1
            }
            multiply(inputs, rows.count, parameters.layout.head, vocabulary, into: logits)
            let totals = Matrix(1, chunk)
            pool.run(tiles: rows.count) { place, _ in totals.base[place] = logSumExp(logits.row(place), vocabulary) }
            for (index, place) in zip(order[start ..< end], places) { logProbs[index] = logits.row(place)[Int(scored.targets[index])] - totals.base[place] }
            start = end
        }
        return logProbs
    }

    private func logSumExp(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
        var greatest = x[0], sum = 0.0
        for i in 1 ..< count { greatest = max(greatest, x[i]) }
        for i in 0 ..< count { sum += exp(x[i] - greatest) }
        return greatest + log(sum)
    }

    private func add(_ y: Matrix, to x: Matrix) {
        forEachRow(of: x) { row, values in
            let more = y.row(row)
            for i in 0 ..< x.columns { values[i] += more[i] }
        }
    }

    private func forEachRow(of x: Matrix, _ body: (_ row: Int, _ values: UnsafeMutablePointer<Double>) -> Void) {
        pool.run(count: x.rows, by: 16) { rows, _ in for row in rows { body(row, x.row(row)) } }
    }
}
