import CNumerics
import Glibc
import Numerics

/// Grouped-query softmax attention over a tree, forward and backward. Scores are never stored: the way back makes them again, tile by tile, from the
/// greatest score and the inverse sum of each row.
///
/// Shapes: queries, output [rows][heads][headSize], for the rows from `first` on; keys, values [all rows][keyValueHeads][headSize];
/// maxima, inverseSums, dots [rows][heads].
struct Attention {
    let plan: AttentionPlan
    let heads: Int, keyValueHeads: Int, headSize: Int
    /// Rows of keys that were computed before and have no query here.
    let first: Int
    let pool: WorkerPool
    /// Memory of each worker: `scratchPerWorker` floats.
    let scratch: UnsafeMutablePointer<Float>

    private var queryWidth: Int { heads * headSize }
    private var keyWidth: Int { keyValueHeads * headSize }
    private var group: Int { heads / keyValueHeads }
    private var scale: Float { Float(1 / Double(headSize).squareRoot()) }

    /// Keys of a sequence whose values are summed before the sum is added to the others: so errors stay those of short sums.
    static let valueChunk = 256

    static func scratchPerWorker(_ plan: AttentionPlan, headSize: Int) -> Int {
        max(2 * max(AttentionPlan.blockRows * plan.greatestWidth, AttentionPlan.chunkRows * AttentionPlan.blockRows),
            AttentionPlan.blockRows * (scoresStride(plan.greatestWidth) + headSize))
    }

    /// Floats from row to row of scores: `uf_scores` writes beyond the last column.
    private static func scoresStride(_ width: Int) -> Int { width + 32 }

    struct Inputs {
        var queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>
    }

    /// output = softmax(queries keys^T / sqrt(headSize)) values.
    ///
    /// A row's bits depend on its own sequence alone: every score is one sum over the head, and values are summed by chunks of the sequence, in whatever
    /// segments it is stored.
    /// - Parameter keysAcross: [keyValueWidth][acrossStride]: the keys of all rows, transposed.
    func forward(_ inputs: Inputs, keysAcross: UnsafePointer<Float>, acrossStride: Int, output: UnsafeMutablePointer<Float>,
                 maxima: UnsafeMutablePointer<Float>, inverseSums: UnsafeMutablePointer<Float>) {
        let perWorker = Attention.scratchPerWorker(plan, headSize: headSize)
        plan.queryBlocks.withUnsafeBufferPointer { blocks in
            pool.run(tiles: blocks.count * heads) { tile, worker in
                let block = blocks[tile / heads], head = tile % heads, rows = block.rows.count, row = block.rows.lowerBound - first
                let scores = scratch + worker * perWorker, stride = Attention.scoresStride(block.width)
                let sums = scores + AttentionPlan.blockRows * Attention.scoresStride(plan.greatestWidth)
                let queries = inputs.queries + row * queryWidth + head * headSize, keys = keysAcross + head / group * headSize * acrossStride
                var column = 0
                forEachKeyRange(of: block) { range in
                    uf_scores(queries, queryWidth, rows, keys + range.lowerBound, acrossStride, range.count, headSize, scale, scores + column, stride)
                    column += range.count
                }
                uf_softmax_rows(scores, rows, stride, block.width, block.visible, 1, maxima + row * heads + head, inverseSums + row * heads + head, heads)

                let values = inputs.values + head / group * headSize, target = output + row * queryWidth + head * headSize
                column = 0
                sums.update(repeating: 0, count: rows * headSize)
                for index in 0 ..< rows { (target + index * queryWidth).update(repeating: 0, count: headSize) }
                forEachKeyRange(of: block) { range in
                    var key = range.lowerBound
                    while key < range.upperBound {
                        let count = min(range.upperBound - key, Attention.valueChunk - column % Attention.valueChunk)
                        uf_weighted_sums(scores + column, stride, rows, values + key * keyWidth, keyWidth, count, headSize, sums)
                        key += count
                        column += count
                        guard column % Attention.valueChunk == 0 || column == block.width else { continue }
                        for index in 0 ..< rows { uf_add(sums + index * headSize, headSize, target + index * queryWidth) }
                        sums.update(repeating: 0, count: rows * headSize)
                    }
                }
            }
        }
    }

    /// What the way back reads and writes, besides the inputs.
    struct Gradients {
        var output: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>
        var maxima: UnsafePointer<Float>, inverseSums: UnsafePointer<Float>
        var dots: UnsafeMutablePointer<Float>
        var queries: UnsafeMutablePointer<Float>, keys: UnsafeMutablePointer<Float>, values: UnsafeMutablePointer<Float>
    }

    /// Gradients of queries, keys and values from the output's. All rows must have queries here (`first` 0).
    func backward(_ inputs: Inputs, _ gradients: Gradients) {
        queryGradients(inputs, gradients)
        keyAndValueGradients(inputs, gradients)
    }

    /// With P the probabilities, dP = dO V^T and dots = sum(dO * O): dS = P (dP - dots) / sqrt(headSize), dQ = dS K.
    private func queryGradients(_ inputs: Inputs, _ gradients: Gradients) {
        let perWorker = Attention.scratchPerWorker(plan, headSize: headSize)
        plan.queryBlocks.withUnsafeBufferPointer { blocks in
            pool.run(tiles: blocks.count * heads) { tile, worker in
                let block = blocks[tile / heads], head = tile % heads, row = block.rows.lowerBound, statistics = row * heads + head
                let probabilities = scratch + worker * perWorker, differences = probabilities + perWorker / 2
                let place = row * queryWidth + head * headSize
                uf_row_dots(gradients.outputGradient + place, gradients.output + place, block.rows.count, queryWidth, headSize,
                            gradients.dots + statistics, heads)
                makeScores(inputs, block, head, into: probabilities)
                uf_probabilities_again(probabilities, block.rows.count, block.width, block.width, block.visible - 1,
                                       gradients.maxima + statistics, gradients.inverseSums + statistics, heads)
                let values = inputs.values + head / group * headSize, keys = inputs.keys + head / group * headSize
                var column = 0
                forEachKeyRange(of: block) { range in
                    BLAS.multiply(block.rows.count, range.count, headSize, BLAS.Factor(gradients.outputGradient + place, stride: queryWidth),
                                  BLAS.Factor(values + range.lowerBound * keyWidth, stride: keyWidth, transposed: true),
                                  into: differences + column, stride: block.width)
                    column += range.count
                }
                uf_softmax_backward(probabilities, differences, block.rows.count, block.width, block.width, gradients.dots + statistics, heads, scale)
                column = 0
                forEachKeyRange(of: block) { range in
                    BLAS.multiply(block.rows.count, headSize, range.count, BLAS.Factor(differences + column, stride: block.width),
                                  BLAS.Factor(keys + range.lowerBound * keyWidth, stride: keyWidth),
                                  beta: column == 0 ? 0 : 1, into: gradients.queries + place, stride: queryWidth)
                    column += range.count
                }
            }
        }
    }

    /// dV = P^T dO and dK = dS^T Q, summed over the queries that see a key: by ranges, then heads, in a fixed order.
    private func keyAndValueGradients(_ inputs: Inputs, _ gradients: Gradients) {
        let perWorker = Attention.scratchPerWorker(plan, headSize: headSize), chunkRows = AttentionPlan.chunkRows
        plan.keyBlocks.withUnsafeBufferPointer { blocks in
            pool.run(tiles: blocks.count * keyValueHeads) { tile, worker in
                let block = blocks[tile / keyValueHeads], keyHead = tile % keyValueHeads, width = block.rows.count
                let probabilities = scratch + worker * perWorker, differences = probabilities + perWorker / 2
                let keyPlace = block.rows.lowerBound * keyWidth + keyHead * headSize
                var isFirst = true
                for head in keyHead * group ..< (keyHead + 1) * group {
                    for rangeNumber in block.ranges {
                        let range = plan.queryRanges[rangeNumber]
                        for start in stride(from: range.lowerBound, to: range.upperBound, by: chunkRows) {
                            let rows = min(chunkRows, range.upperBound - start), statistics = start * heads + head
                            let place = start * queryWidth + head * headSize
                            // Rows of the block's own segment follow its keys; in later ranges every row sees every key.
                            let causal = rangeNumber == block.ranges.lowerBound ? start - block.rows.lowerBound : -1
                            BLAS.multiply(rows, width, headSize, scale: scale, BLAS.Factor(inputs.queries + place, stride: queryWidth),
                                          BLAS.Factor(inputs.keys + keyPlace, stride: keyWidth, transposed: true),
                                          into: probabilities, stride: width)
                            uf_probabilities_again(probabilities, rows, width, width, causal, gradients.maxima + statistics,
                                                   gradients.inverseSums + statistics, heads)
                            BLAS.multiply(width, headSize, rows, BLAS.Factor(probabilities, stride: width, transposed: true),
                                          BLAS.Factor(gradients.outputGradient + place, stride: queryWidth),
                                          beta: isFirst ? 0 : 1, into: gradients.values + keyPlace, stride: keyWidth)
                            BLAS.multiply(rows, width, headSize, BLAS.Factor(gradients.outputGradient + place, stride: queryWidth),
                                          BLAS.Factor(inputs.values + keyPlace, stride: keyWidth, transposed: true),
                                          into: differences, stride: width)
                            uf_softmax_backward(probabilities, differences, rows, width, width, gradients.dots + statistics, heads, scale)
                            BLAS.multiply(width, headSize, rows, BLAS.Factor(differences, stride: width, transposed: true),
                                          BLAS.Factor(inputs.queries + place, stride: queryWidth),
                                          beta: isFirst ? 0 : 1, into: gradients.keys + keyPlace, stride: keyWidth)
                            isFirst = false
                        }
                    }
                }
            }
        }
    }

    /// scores [block rows][block width] = queries keys^T / sqrt(headSize), masked entries included.
    @inline(__always)
    private func makeScores(_ inputs: Inputs, _ block: AttentionPlan.Block, _ head: Int, into scores: UnsafeMutablePointer<Float>) {
        let queries = inputs.queries + (block.rows.lowerBound - first) * queryWidth + head * headSize
        let keys = inputs.keys + head / group * headSize
        var column = 0
        forEachKeyRange(of: block) { range in
            BLAS.multiply(block.rows.count, range.count, headSize, scale: scale, BLAS.Factor(queries, stride: queryWidth),
                          BLAS.Factor(keys + range.lowerBound * keyWidth, stride: keyWidth, transposed: true),
                          into: scores + column, stride: block.width)
            column += range.count
        }
    }

    @inline(__always)
    private func forEachKeyRange(of block: AttentionPlan.Block, _ body: (Range<Int>) -> Void) {
        for number in block.ranges { body(plan.keyRanges[number]) }
    }
}
