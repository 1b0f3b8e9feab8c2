import Numerics

/// The only way through a weight matrix, and the only way back.
extension LanguageModel {
    /// A weight matrix W [out][in] in the arenas.
    struct Matrix {
        var offset: Int, outputs: Int, inputs: Int
    }

    /// y [rows][out] = W x [rows][in] + beta y, and what an adapter adds by the segment of each row.
    func linear(_ x: UnsafePointer<Float>, rows: Int, _ matrix: Matrix, _ adapted: AdaptedRows?, into y: UnsafeMutablePointer<Float>, beta: Float = 0) {
        project(x, rows: rows, matrix, adapted)
        product.forEachTile(rows, matrix.outputs) { row, column in
            linearTile(x, rows: row, matrix, outputs: column, adapted, into: y + row.lowerBound * matrix.outputs + column.lowerBound,
                       stride: matrix.outputs, beta: beta)
        }
    }

    /// The adapter's part that all tiles of a product share: V x and g * (V x).
    func project(_ x: UnsafePointer<Float>, rows: Int, _ matrix: Matrix, _ adapted: AdaptedRows?) {
        guard let adapted, let term = adapted.gated.adapter.term(at: matrix.offset) else { return }
        product.project(rows, adapted.rank, matrix.inputs, x, weights: adapted.values(term.down), into: adapted.projected)
        adapted.applyGates(adapted.projected, into: adapted.output)
    }

    /// One tile of `linear` on this thread, once `project` is done. y points to the tile's first element; the tile's bits do not depend on its rows' neighbours.
    func linearTile(_ x: UnsafePointer<Float>, rows: Range<Int>, _ matrix: Matrix, outputs: Range<Int>, _ adapted: AdaptedRows?,
                    into y: UnsafeMutablePointer<Float>, stride: Int, beta: Float = 0) {
        BLAS.multiplyRows(rows.count, outputs.count, matrix.inputs, x + rows.lowerBound * matrix.inputs, stride: matrix.inputs,
                          weights: arena + matrix.offset + outputs.lowerBound * matrix.inputs, stride: matrix.inputs, beta: beta, into: y, stride: stride)
        guard let adapted, let term = adapted.gated.adapter.term(at: matrix.offset) else { return }
        BLAS.multiplyRows(rows.count, outputs.count, adapted.rank, adapted.output + rows.lowerBound * adapted.rank, stride: adapted.rank,
                          weights: adapted.values(term.up) + outputs.lowerBound * adapted.rank, stride: adapted.rank, beta: 1, into: y, stride: stride)
    }

    /// Where a backward pass adds up what it finds.
    struct GradientSums {
        /// As the parameters' arena.
        var parameters: UnsafeMutablePointer<Float>
        /// Of the adapter that the forward pass went through, if any.
        var adapter: AdapterGradients?
    }

    /// dW [out][in] += dy^T x, the adapter's gradients likewise, and what enters: dx [rows][in] = dy W + beta dx, with the adapter's part.
    func linearBackward(_ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, _ matrix: Matrix, _ adapted: AdaptedRows?, _ sums: GradientSums,
                        dx: UnsafeMutablePointer<Float>, beta: Float = 0) {
        product.multiply(matrix.outputs, matrix.inputs, rows, dy, transposeA: true, times: x, beta: 1, into: sums.parameters + matrix.offset)
        product.multiply(rows, matrix.inputs, matrix.outputs, dy, times: arena + matrix.offset, beta: beta, into: dx)
        guard let adapted, let term = adapted.gated.adapter.term(at: matrix.offset), let gradients = sums.adapter else { return }
        project(x, rows: rows, matrix, adapted)
        product.multiply(matrix.outputs, adapted.rank, rows, dy, transposeA: true, times: adapted.output, beta: 1, into: gradients.values.base + term.up.lowerBound)
        product.multiply(rows, adapted.rank, matrix.outputs, dy, times: adapted.values(term.up), into: adapted.gradient)
        adapterBackward(x, rows: rows, matrix, adapted, term, gradients, dx: dx)
    }

    /// From `adapted.gradient`, that of g * (V x), to those of g, V and x.
    func adapterBackward(_ x: UnsafePointer<Float>, rows: Int, _ matrix: Matrix, _ adapted: AdaptedRows, _ term: LowRankAdapter.Term,
                         _ gradients: AdapterGradients, dx: UnsafeMutablePointer<Float>) {
        adapted.addGateGradients(to: &gradients.gates)
        adapted.applyGates(adapted.gradient, into: adapted.gradient)
        product.multiply(adapted.rank, matrix.inputs, rows, adapted.gradient, transposeA: true, times: x, beta: 1,
                         into: gradients.values.base + term.down.lowerBound)
        product.multiply(rows, matrix.inputs, adapted.rank, adapted.gradient, times: adapted.values(term.down), beta: 1, into: dx)
    }
}
